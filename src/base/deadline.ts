// A bound on how long something may be waited for. What comes after it is not waited for and not stopped: whoever calls must see to
// it that a late answer changes nothing.
import type { Clock } from './clock.ts'

/** Settles as `work` does, or rejects with an Error that names `what` after `limitMs` milliseconds. */
export function beforeDeadline<Value>(
  clock: Clock,
  limitMs: number,
  work: Promise<Value>,
  what: string,
): Promise<Value> {
  return new Promise<Value>((resolve, reject) => {
    const cancel = clock.after(limitMs, () => reject(new Error(`${what} was still waiting after ${limitMs} ms`)))
    work.then(resolve, reject).then(cancel)
  })
}
