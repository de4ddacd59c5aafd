// A clock that goes on as real time does, and that a case may move forward: what was to happen meanwhile happens at once, in order.
// A year passes without anybody waiting for it, and a slow database is still waited for as long as it takes.
import type { Cancel, Clock } from '../../../base/clock.ts'

/** When cases begin, by the authority's clock: 2026-03-01T00:00Z, in milliseconds since 1970. */
export const BEGAN = 1_772_323_200_000

/** A clock that can be moved. */
export interface MovedClock extends Clock {
  /** Moves time forward and runs every timer that is due by then. */
  move(byMs: number): void
}

interface Timer {
  readonly dueAt: number
  readonly fire: () => void
}

/** Makes one over real time. */
export function createMovedClock(real: Clock): MovedClock {
  const began = real.monotonic()
  const timers = new Set<Timer>()
  let movedMs = 0
  const monotonic = (): number => real.monotonic() - began + movedMs
  return {
    now: () => BEGAN + Math.floor(monotonic()),
    monotonic,
    turn: (run) => real.turn(run),
    after(delayMs, run) {
      let cancelReal: Cancel = () => undefined
      const timer: Timer = {
        dueAt: monotonic() + delayMs,
        fire() {
          timers.delete(timer)
          cancelReal()
          run()
        },
      }
      timers.add(timer)
      cancelReal = real.after(delayMs, timer.fire)
      return () => {
        timers.delete(timer)
        cancelReal()
      }
    },
    move(byMs) {
      movedMs += byMs
      const now = monotonic()
      const due = [...timers].filter(({ dueAt }) => dueAt <= now).sort((a, b) => a.dueAt - b.dueAt)
      for (const timer of due) if (timers.has(timer)) timer.fire()
    },
  }
}
