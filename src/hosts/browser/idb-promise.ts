// IndexedDB as promises: a database that is opened, a request that is answered, a transaction that is over. These three are all that the
// journals and the new log need of it. Whoever waits for a request continues in the same turn, so that its transaction is still open.
// Decides nothing about what a failure means; that is store-fault.ts.

/** Why a database is made: `dataLoss` is `total` when the browser had to throw the old one away. Not every browser tells. */
export type Making = IDBVersionChangeEvent & { readonly dataLoss?: string }

/** Opens a database; `make` makes its object stores where there is none yet. */
export function openDatabase(
  name: string,
  version: number,
  make: (fresh: IDBDatabase, making: Making) => void,
): Promise<IDBDatabase> {
  const opening = indexedDB.open(name, version)
  opening.onupgradeneeded = (making) => make(opening.result, making)
  return answered(opening)
}

/** What a request gives. A failure that nobody waits for is told by the transaction. */
export function answered<Result>(request: IDBRequest<Result>): Promise<Result> {
  return handled(
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    }),
  )
}

/** Resolves when a transaction is complete: only then is what it wrote as durable as it was asked to be (I1). */
export function completed(transaction: IDBTransaction): Promise<void> {
  return handled(
    new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(transaction.error ?? new DOMException('It was taken back', 'AbortError'))
    }),
  )
}

/** Of several failures of one step, one is told. */
function handled<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined)
  return promise
}
