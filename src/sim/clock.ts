// The clock of one node of a simulated world: its wall time may be wrong and may jump, its timers follow the world's queue. A node
// that crashed takes its clock along: no timer of it fires again.
import type { Cancel, Clock } from '../base/clock.ts'
import type { World } from './world.ts'

/** When simulated worlds begin, by a right clock: 2026-03-01T00:00Z, in milliseconds since 1970. */
export const WORLD_BEGAN = 1_772_323_200_000

/** A node as those see it who bring it something. */
export interface Wakeful {
  /** Whether its process lives. */
  isAlive(): boolean
  /** Runs `run` now, when the node wakes up, or never if its process dies before. */
  hear(run: () => void): void
}

/** A clock that can be set wrong and stopped, and whose node can stand still. */
export interface NodeClock extends Clock, Wakeful {
  /** Moves wall time; timers and the monotonic clock go on as before. */
  jump(byMs: number): void
  /** The process stands still: what happens to it meanwhile, it hears when it wakes, in order. */
  freeze(): void
  thaw(): void
  /** The process is dead: no timer fires any more, and nothing is heard. */
  stop(): void
}

/** The clock of one node, wrong by `skewMs`. */
export function createNodeClock(world: World, skewMs = 0): NodeClock {
  const began = world.now()
  let offsetMs = skewMs
  let isRunning = true
  let unheard: (() => void)[] | undefined
  const hear = (run: () => void): void => {
    if (!isRunning) return
    if (unheard === undefined) run()
    else unheard.push(run)
  }
  const plan = (delayMs: number, run: () => void): Cancel => {
    let isCancelled = false
    const cancel = world.after(delayMs, () =>
      hear(() => {
        if (!isCancelled) run()
      }),
    )
    return () => {
      isCancelled = true
      cancel()
    }
  }
  return {
    now: () => WORLD_BEGAN + Math.floor(world.now()) + offsetMs,
    monotonic: () => world.now() - began,
    after: (delayMs, run) => plan(Math.max(0, delayMs), run),
    turn: (run) => plan(0, run),
    isAlive: () => isRunning,
    hear,
    jump: (byMs) => {
      offsetMs += byMs
    },
    freeze: () => {
      unheard ??= []
    },
    thaw() {
      const heard = unheard ?? []
      unheard = undefined
      for (const run of heard) world.after(0, () => hear(run))
    },
    stop: () => {
      isRunning = false
    },
  }
}
