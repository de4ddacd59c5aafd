// A limit for what a place to keep things may take, by the host's clock. Nobody can make a browser stop: what comes too late is handed
// over to be let go of, and changes nothing any more (I8).
import type { Clock } from '../../base/clock.ts'
import { SyncError } from '../../base/errors.ts'

/** Waits for some work, and rejects with `storage_failed` when it takes too long; `late` gets what it came to then. */
export type Limit = <Result>(work: Promise<Result>, late: (result: Result) => void) => Promise<Result>

/** Makes one. */
export function createLimit(clock: Clock, limitMs: number): Limit {
  return (work, late) => {
    let isLate = false
    work.then(
      (result) => isLate && late(result),
      () => undefined,
    )
    return new Promise((resolve, reject) => {
      const tooLate = (): void => {
        isLate = true
        const details = { errno: 'TimeoutError' }
        reject(new SyncError('storage_failed', `Storage gave no answer within ${limitMs} ms`, { details }))
      }
      // A machine that slept meanwhile finds the first time over at once, and may have the answer in the next moment.
      let cancel = clock.after(limitMs * 0.9, () => {
        cancel = clock.after(limitMs * 0.1, tooLate)
      })
      work.then(resolve, reject).finally(() => cancel())
    })
  }
}
