// The world: virtual time and everything that is going to happen in it, in one queue. A step runs one event and then waits until
// all that follows from it without time passing (promises, statements of the embedded database) has come to rest.
// Knows neither devices nor the authority. Two events at one time run in the order in which they were planned.
import type { Cancel } from '../base/clock.ts'

/** Virtual time and what is to come. Times are milliseconds since the world began. */
export interface World {
  now(): number
  /** Plans `run` for a time, now at the earliest. */
  at(time: number, run: () => void): Cancel
  /** Plans `run` for `delayMs` from now. */
  after(delayMs: number, run: () => void): Cancel
  /** Resolves `delayMs` from now. */
  pause(delayMs: number): Promise<void>
  /** Runs the next event that is not later than `latest` and lets everything settle; false when there is none. */
  step(latest?: number): Promise<boolean>
  /** Steps until `time`, calling `afterStep` after each; then it is `time`. Stops early when `afterStep` gives false. */
  runUntil(time: number, afterStep: () => boolean | Promise<boolean>): Promise<boolean>
  /** How many events have run. */
  steps(): number
}

interface Event {
  readonly time: number
  readonly order: number
  run: (() => void) | undefined
}

/** Makes a world. What an event throws goes to `onError`. */
export function createWorld(onError: (error: unknown) => void): World {
  const queue: Event[] = []
  let now = 0
  let planned = 0
  let ran = 0

  const at = (time: number, run: () => void): Cancel => {
    const event: Event = { time: Math.max(time, now), order: planned++, run }
    push(queue, event)
    return () => {
      event.run = undefined
    }
  }
  const step = async (latest = Number.POSITIVE_INFINITY): Promise<boolean> => {
    let event = queue[0]
    while (event !== undefined && event.run === undefined) {
      pop(queue)
      event = queue[0]
    }
    if (event === undefined || event.time > latest) return false
    pop(queue)
    now = event.time
    ran++
    try {
      event.run?.()
    } catch (error) {
      onError(error)
    }
    event.run = undefined
    await settled()
    return true
  }
  return {
    now: () => now,
    at,
    after: (delayMs, run) => at(now + delayMs, run),
    pause: (delayMs) => new Promise((resolve) => at(now + delayMs, resolve)),
    step,
    async runUntil(time, afterStep) {
      while (await step(time)) {
        const goesOn = afterStep()
        if (goesOn === false || (goesOn !== true && !(await goesOn))) return false
      }
      now = Math.max(now, time)
      return true
    },
    steps: () => ran,
  }
}

/** One real turn: every promise that can settle without time has settled. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

// A binary heap, because a world has thousands of timers that are nearly all cancelled.

const isBefore = (a: Event, b: Event): boolean => a.time < b.time || (a.time === b.time && a.order < b.order)

function push(heap: Event[], event: Event): void {
  let index = heap.length
  heap.push(event)
  while (index > 0) {
    const above = (index - 1) >> 1
    const parent = heap[above] as Event
    if (isBefore(parent, event)) break
    heap[index] = parent
    index = above
  }
  heap[index] = event
}

function pop(heap: Event[]): void {
  const event = heap.pop()
  if (event === undefined || heap.length === 0) return
  let index = 0
  for (;;) {
    let below = 2 * index + 1
    if (below >= heap.length) break
    if (below + 1 < heap.length && isBefore(heap[below + 1] as Event, heap[below] as Event)) below++
    if (isBefore(event, heap[below] as Event)) break
    heap[index] = heap[below] as Event
    index = below
  }
  heap[index] = event
}
