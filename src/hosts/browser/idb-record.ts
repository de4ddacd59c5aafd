// The two steps that a person waits for, without the promises of `idb`, which take a tenth of what a strict commit does: a record is
// added and the commit asked for in one breath, so that the disk does not wait for a page that is busy showing what was added (the
// browser commits by itself only after the page has seen the answer); and records are read at a start, by many requests at once.
// Decides nothing; what a key means is idb-journal.ts.

/** Adds a text under the next key and commits. `given` hears the key as soon as it is known, the promise when the record is durable. */
export function addRecord(
  db: IDBDatabase,
  store: string,
  durability: 'strict' | 'relaxed',
  text: string,
  given: (key: number) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const transaction = db.transaction([store], 'readwrite', { durability })
    transaction.onabort = () => reject(transaction.error ?? new DOMException('It was taken back', 'AbortError'))
    // A step that cannot even be asked for fails with an error of its own, and its transaction ends empty.
    const adding = transaction.objectStore(store).add(text)
    adding.onsuccess = () => given(adding.result as number)
    transaction.oncomplete = () => resolve(adding.result as number)
    transaction.commit()
  })
}

/** The texts under these keys. */
export function readRecords(store: IDBObjectStore, keys: number | IDBKeyRange): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const reading = store.getAll(keys)
    reading.onsuccess = () => resolve(reading.result)
    reading.onerror = () => reject(reading.error)
  })
}
