// The raw limit of IndexedDB: one database with one object store of texts under rising keys, and the least code that writes and reads
// them. No engine in here. Runs in a page.

interface Request<Result> {
  readonly result: Result
  readonly error: unknown
  onsuccess: () => void
  onerror: () => void
}

interface Store {
  add(value: string): unknown
  getAll(): Request<readonly string[]>
}

interface Transaction {
  readonly error: unknown
  objectStore(name: string): Store
  oncomplete: () => void
  onabort: () => void
}

interface Database {
  createObjectStore(name: string, options: { readonly autoIncrement: boolean }): unknown
  transaction(names: readonly string[], mode?: string, options?: { readonly durability: string }): Transaction
  close(): void
}

const factory = (
  globalThis as unknown as {
    readonly indexedDB: {
      open(name: string, version: number): Request<Database> & { onupgradeneeded: () => void }
      deleteDatabase(name: string): Request<unknown>
    }
  }
).indexedDB

/** A database of texts. */
export interface RawDatabase {
  /** Adds these texts in one transaction; resolves at `oncomplete`. */
  add(texts: readonly string[], durability: 'strict' | 'relaxed'): Promise<void>
  readAll(): Promise<readonly string[]>
  close(): void
}

/** Opens it, and makes it on first use. */
export async function openRaw(name: string): Promise<RawDatabase> {
  const opening = factory.open(name, 1)
  opening.onupgradeneeded = () => void opening.result.createObjectStore('texts', { autoIncrement: true })
  const db = await answered(opening)
  return {
    add: (texts, durability) =>
      new Promise((resolve, reject) => {
        const transaction = db.transaction(['texts'], 'readwrite', { durability })
        transaction.oncomplete = () => resolve()
        transaction.onabort = () => reject(transaction.error)
        const store = transaction.objectStore('texts')
        for (const text of texts) store.add(text)
      }),
    readAll: () => answered(db.transaction(['texts']).objectStore('texts').getAll()),
    close: () => db.close(),
  }
}

/** Deletes a database that nobody has open. */
export async function deleteDatabase(name: string): Promise<void> {
  await answered(factory.deleteDatabase(name))
}

function answered<Result>(request: Request<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
