// The two steps that a person waits for, each as short as IndexedDB allows: a record is added and the commit asked for in one breath,
// so that the disk does not wait for a page that is busy showing what was added (the browser commits by itself only after the page has
// seen the answer); and records are read at a start, by many requests at once. Decides nothing; what a key means is idb-journal.ts.
import { answered, completed } from './idb-promise.ts'

/** Adds a text under the next key and commits. `given` hears the key as soon as it is known, the promise when the record is durable. */
export async function addRecord(
  db: IDBDatabase,
  store: string,
  durability: 'strict' | 'relaxed',
  text: string,
  given: (key: number) => void,
): Promise<number> {
  const transaction = db.transaction([store], 'readwrite', { durability })
  const over = completed(transaction)
  // A step that cannot even be asked for fails with an error of its own, and its transaction ends empty.
  const adding = transaction.objectStore(store).add(text)
  adding.onsuccess = () => given(adding.result as number)
  transaction.commit()
  await over
  return adding.result as number
}

/** Adds a text under the next key, and gives that; its transaction goes on. */
export function addText(store: IDBObjectStore, text: string): Promise<number> {
  return answered(store.add(text) as IDBRequest<number>)
}

/** A record that was added: its key, and how long it is. */
export interface Placed {
  readonly key: number
  readonly length: number
}

/**
 * Adds records one after the other. Each is put into words in a task of its own, for all of them would be a long one: none is asked for
 * while another is on its way, because a browser hands answers that are there already over in one task.
 */
export async function addRecords(store: IDBObjectStore, texts: Iterable<string>): Promise<readonly Placed[]> {
  const placed: Placed[] = []
  for (const text of texts) placed.push({ key: await addText(store, text), length: text.length })
  return placed
}

/** In so many parts short records are asked for when a journal is read: with more, asking takes longer than what is gained by it. */
const PARTS = 16

/**
 * Reads a journal from the record `first` on, in order, and gives the last key; undefined when nothing stands behind `last`. It is asked
 * for in parts, so that the browser reads one while `take` parses the one before it: the records up to `last`, with which it was written
 * anew, one by one, those that have come since, which are short, some at a time. `wasRead` is called when the last part is here.
 */
export async function readJournal(
  store: IDBObjectStore,
  first: number,
  last: number,
  take: (text: string, isBase: boolean) => void,
  wasRead: () => void = () => undefined,
): Promise<number | undefined> {
  const coming = answered(
    store.getAllKeys(IDBKeyRange.bound(last, Number.POSITIVE_INFINITY, true, true)) as IDBRequest<number[]>,
  )
  const asked: Promise<readonly string[]>[] = []
  for (let key = first; key <= last; key++) asked.push(answered(store.getAll(key)))
  const bases = asked.length
  const keys = await coming
  const size = Math.ceil(keys.length / PARTS)
  for (let at = 0; at < keys.length; at += size)
    asked.push(answered(store.getAll(IDBKeyRange.bound(keys[at], keys[Math.min(at + size, keys.length) - 1]))))
  if (asked.length === 0) wasRead()
  for (const [at, part] of asked.entries()) {
    const texts = await part
    if (at === asked.length - 1) wasRead()
    for (const text of texts) take(text, at < bases)
  }
  return keys.at(-1)
}
