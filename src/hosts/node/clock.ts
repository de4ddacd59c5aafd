// Real time, as the rooms may know it. Timers keep the process alive: whoever waits for something has not finished, and a client
// that is closed has cancelled all of its timers.
import type { Clock } from '../../base/clock.ts'

/** Longer waits overflow in Node and would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** The clock of this process. */
export const clock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs: number, run: () => void) {
    const dueAt = performance.now() + delayMs
    let timer: NodeJS.Timeout
    const wait = (): void => {
      const leftMs = dueAt - performance.now()
      // A timer of Node may be a fraction of a millisecond early.
      if (leftMs <= 0) return run()
      timer = setTimeout(wait, Math.min(Math.ceil(leftMs), MAX_TIMER_MS))
    }
    timer = setTimeout(wait, Math.min(Math.max(Math.ceil(delayMs), 0), MAX_TIMER_MS))
    return () => clearTimeout(timer)
  },
  turn(run: () => void) {
    const immediate = setImmediate(run)
    return () => clearImmediate(immediate)
  },
})
