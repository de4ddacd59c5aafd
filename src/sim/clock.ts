// The clock of one node of a simulated world: its wall time may be wrong and may jump, its timers follow the world's queue. A node
// that crashed takes its clock along: no timer of it fires again.
import type { Clock } from '../base/clock.ts'
import type { World } from './world.ts'

/** When simulated worlds begin, by a right clock: 2026-03-01T00:00Z, in milliseconds since 1970. */
export const WORLD_BEGAN = 1_772_323_200_000

/** A clock that can be set wrong and stopped. */
export interface NodeClock extends Clock {
  /** Moves wall time; timers and the monotonic clock go on as before. */
  jump(byMs: number): void
  /** No timer fires any more. */
  stop(): void
}

/** The clock of one node, wrong by `skewMs`. */
export function createNodeClock(world: World, skewMs = 0): NodeClock {
  let offsetMs = skewMs
  let isRunning = true
  const began = world.now()
  const plan = (delayMs: number, run: () => void) =>
    world.after(delayMs, () => {
      if (isRunning) run()
    })
  return {
    now: () => WORLD_BEGAN + Math.floor(world.now()) + offsetMs,
    monotonic: () => world.now() - began,
    after: (delayMs, run) => plan(Math.max(0, delayMs), run),
    turn: (run) => plan(0, run),
    jump: (byMs) => {
      offsetMs += byMs
    },
    stop: () => {
      isRunning = false
    },
  }
}
