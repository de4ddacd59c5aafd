// A storage that a process has opened which may end at any moment: from then on nothing that it was asked for is answered.
import type { Storage } from '../../../src/client/storage/storage.ts'

/** What becomes of answers. */
export interface Life {
  readonly isOver: () => boolean
  /** What an error is for whoever asked. */
  readonly error?: (error: unknown) => unknown
}

/** The same storage, which never answers once the life is over. */
export function aliveStorage(storage: Storage, life: Life): Storage {
  const here = <Value>(value: Value): Value =>
    (typeof value === 'function'
      ? (...args: unknown[]) => {
          const result: unknown = value(...args)
          return isPromise(result) ? alive(result, life) : result
        }
      : value) as Value
  const all = <Part extends object>(part: Part): Part =>
    Object.fromEntries(Object.entries(part).map(([name, value]) => [name, here(value)])) as Part
  return { ...all(storage), shared: storage.shared === undefined ? undefined : all(storage.shared) }
}

/** The same answer, if it comes in time. */
export function alive<Value>(result: PromiseLike<Value>, { isOver, error: errorOf = (error) => error }: Life) {
  return new Promise<Value>((resolve, reject) => {
    result.then(
      (value) => {
        if (!isOver()) resolve(value)
      },
      (error: unknown) => {
        if (!isOver()) reject(errorOf(error))
      },
    )
  })
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value
}
