// The time that one run of a mutator may wait: the writer waits with it. One timer for a whole batch, since most runs never wait
// and a timer for each would cost more than the run's own bookkeeping.
import type { Cancel, Clock } from '../../base/clock.ts'

/** Bounds the runs of one batch, one at a time. */
export interface Watch {
  /** Settles as `run` does, or rejects when it takes longer than the limit. What the run does later is not waited for. */
  race(run: Promise<void>): Promise<void>
  stop(): void
}

/** Makes a watch; `limitMs` in milliseconds. */
export function createWatch(clock: Clock, limitMs: number): Watch {
  let cancel: Cancel | undefined
  let giveUp: ((error: Error) => void) | undefined
  let startedAt = 0
  const look = () => {
    cancel = undefined
    if (giveUp === undefined) return
    const leftMs = startedAt + limitMs - clock.monotonic()
    if (leftMs > 0) cancel = clock.after(leftMs, look)
    else giveUp(new Error(`The mutator was still waiting after ${limitMs} ms`))
  }
  return {
    race(run) {
      startedAt = clock.monotonic()
      cancel ??= clock.after(limitMs, look)
      return new Promise<void>((resolve, reject) => {
        giveUp = reject
        run.then(resolve, reject)
      })
    },
    stop() {
      giveUp = undefined
      cancel?.()
    },
  }
}
