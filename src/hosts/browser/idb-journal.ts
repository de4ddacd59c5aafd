// One journal in one object store of IndexedDB: texts under rising keys, and beside them a head that says whose turn it is and from
// where the journal was last written anew. Several tabs have it open; each transaction first reads what others have put there since
// the last one, so that what a tab knows always ends where its own record begins. One lane per journal: transactions of one tab never
// overlap. Knows nothing of what the texts mean; that is indexeddb.ts.
import { check } from '../../base/assert.ts'
import { SyncError } from '../../base/errors.ts'
import { createLane } from '../../base/lane.ts'
import { answered, completed } from './idb-promise.ts'
import { addRecord, addRecords, addText, readJournal } from './idb-record.ts'
import { inStore } from './store-fault.ts'

/** The number of the format of these records; what is newer is left untouched. */
export const IDB_FORMAT = 1

/** What stands at the key `head`: strings sort behind all numbers. */
interface Head {
  readonly format: number
  /** The fence: who leads has this epoch, everybody else's fenced writes are refused (I8). */
  readonly epoch: number
  /** The keys of the records with which the journal was last written anew. */
  readonly first: number
  readonly last: number
  /** Whoever had read up to this key knows what those records say. */
  readonly covers: number
}

/** What stands behind a key, and the head; the usual one where there is none yet. */
interface Found {
  readonly head: Head
  readonly isNew: boolean
  readonly keys: readonly number[]
  readonly texts: readonly string[]
}

/** Records that others have written. `areAll`: the journal was written anew, and they are all of it. */
export type Heard = (texts: readonly string[], areAll: boolean) => void

/**
 * What is known of a record that was added: `placed` behind all that was heard; `told`, when the journal was written anew before this tab
 * knew where its record stood: then what was heard is all of the journal, the record, or what came of it, included; `untold`, when
 * what stands before it could not be read: then it will be heard of with that.
 */
export type Added = 'placed' | 'told' | 'untold'

/** A journal, open in this tab. */
export interface IdbJournal {
  /**
   * Reads all, each record by `parse` while the next ones come. An empty one begins with `begin`, if that is given. `read` is called
   * when the last record is here, before it is parsed.
   */
  load<Value>(
    parse: (text: string) => Value,
    options?: { readonly begin?: string; readonly read?: () => void },
  ): Promise<readonly Value[]>
  /** Adds one record behind what others have added, of which is heard first; anybody may. Rejects only when nothing was kept. */
  add(text: string): Promise<Added>
  /** Adds what `make` gives once all that others have added is heard; fenced when this tab leads. */
  note(make: () => string | undefined): Promise<void>
  /** Adds these records, all or none; only the leader may. Each is taken when the one before is written: many rows take a while. */
  keep(texts: Iterable<string>): Promise<void>
  /** Replaces everything by what `make` gives; only the leader may. `isSame`: whoever knows all of the old journal knows the new one. */
  rewrite(make: () => { readonly texts: Iterable<string>; readonly isSame: boolean }): Promise<void>
  catchUp(): Promise<void>
  readAll(): Promise<readonly string[]>
  /** Leads: under the next epoch, or under this one, which must be a new one here. Gives the epoch. */
  lead(epoch?: number): Promise<number>
  resign(): void
  /** How long the texts are, and how long those with which the journal was last written anew. */
  length(): { readonly all: number; readonly base: number }
  /** Resolves when nothing is under way. */
  settled(): Promise<void>
}

const HEAD = 'head'
const empty: Head = { format: IDB_FORMAT, epoch: 0, first: 0, last: 0, covers: -1 }

/** Opens the journal in the object store of this name. `mayWrite` is waited for before anything is written. */
export function openIdbJournal(
  db: IDBDatabase,
  name: string,
  durability: 'strict' | 'relaxed',
  heard: Heard,
  mayWrite: () => Promise<void>,
): IdbJournal {
  const lane = createLane()
  /** The key of the last record that is known here. */
  let position = 0
  /** Under which this tab leads; undefined while it does not. */
  let epoch: number | undefined
  let base = 0
  let all = 0

  /**
   * Runs one transaction; what it did is durable, as far as the journal promises, when it resolves. What follows from that for this
   * tab is done in `kept`: a browser may refuse at the very end, and then gives the same keys again.
   */
  const transact = <Result>(
    mode: 'readonly' | 'readwrite',
    what: string,
    work: (store: IDBObjectStore) => Promise<Result>,
    kept: (result: Result) => void = () => undefined,
  ): Promise<Result> =>
    inStore(what, async () => {
      if (mode === 'readwrite') await mayWrite()
      const transaction = db.transaction([name], mode, { durability })
      const over = completed(transaction)
      try {
        const result = await work(transaction.objectStore(name))
        await over
        kept(result)
        return result
      } catch (error) {
        abort(transaction)
        throw transaction.error ?? error
      }
    })

  const within: typeof transact = (...asked) => lane.run(() => transact(...asked))

  const since = (key: number): IDBKeyRange => IDBKeyRange.bound(key, Number.POSITIVE_INFINITY, true, true)

  const headOf = async (store: IDBObjectStore): Promise<Head | undefined> => {
    const head = await answered<Head | undefined>(store.get(HEAD))
    if (head !== undefined && head.format > IDB_FORMAT)
      throw new SyncError(
        'storage_newer',
        `The stored journal ${name} has format ${head.format}, this build reads up to ${IDB_FORMAT}`,
        { details: { journal: name, format: head.format } },
      )
    return head
  }

  const read = async (store: IDBObjectStore, key: number): Promise<Found> => {
    const [head, keys, texts] = await Promise.all([
      headOf(store),
      answered(store.getAllKeys(since(key)) as IDBRequest<number[]>),
      answered<string[]>(store.getAll(since(key))),
    ])
    return { head: head ?? empty, isNew: head === undefined, keys, texts }
  }

  /** Takes in what a transaction found behind the last known record. What it cannot take in was not read: the next one meets it again. */
  const take = ({ head, keys, texts }: Found): void => {
    const wasRewritten = position < head.first
    // What the rewriting says is known here, if everything before it is.
    const known = wasRewritten && position === head.covers ? keys.filter((key) => key <= head.last).length : 0
    const areAll = wasRewritten && position !== head.covers
    const news = texts.slice(known)
    if (news.length > 0) heard(news, areAll)
    position = keys.at(-1) ?? position
    if (wasRewritten) {
      base = lengthOf(texts.filter((_, index) => (keys[index] as number) <= head.last))
      all = 0
    }
    all += lengthOf(texts)
  }

  /** What stands behind the last known record. */
  const look = (): Promise<Found> => transact('readonly', 'be read', (store) => read(store, position))

  const mustLead = (head: Head): void => {
    if (epoch === undefined || head.epoch !== epoch)
      throw new SyncError(
        'not_leading',
        `A client under epoch ${epoch ?? 'none'} was to write, the store has ${head.epoch}`,
      )
  }

  const own = (key: number, length: number): void => {
    check(key > position, 'I18', `a record was put at ${key}, after ${position}`)
    position = key
    all += length
  }

  return {
    async load<Value>(
      parse: (text: string) => Value,
      { begin, read: wasRead }: { readonly begin?: string; readonly read?: () => void } = {},
    ) {
      const values: Value[] = []
      const isNew = await within('readonly', 'be read', async (store) => {
        const head = await headOf(store)
        const { first, last } = head ?? empty
        const take = (text: string, isBase: boolean): void => {
          all += text.length
          if (isBase) base += text.length
          values.push(parse(text))
        }
        position = (await readJournal(store, first, last, take, wasRead)) ?? last
        return head === undefined
      })
      if (!isNew || begin === undefined) return values
      const found = await within('readwrite', 'be begun', async (store) => {
        // Another tab may have come first.
        const again = await read(store, 0)
        if (!again.isNew) return again
        const [key] = await Promise.all([addText(store, begin), answered(store.put(empty, HEAD))])
        return { ...again, keys: [key], texts: [begin] }
      })
      position = found.keys.at(-1) ?? 0
      base = lengthOf(found.texts.filter((_, index) => (found.keys[index] as number) <= found.head.last))
      all = lengthOf(found.texts)
      return found.texts.map(parse)
    },
    add: (text) =>
      lane.run(async () => {
        await mayWrite()
        // When others have written since the last known record, what they wrote: asked for at once, before much can happen to it.
        let missed: Promise<Found> | undefined
        const key = await inStore('take an addition', () =>
          addRecord(db, name, durability, text, (given) => {
            if (given !== position + 1) missed = look()
            // When the commit fails, nobody asks for it.
            missed?.catch(() => undefined)
          }),
        )
        const found = await missed?.catch(() => 'unread' as const)
        if (found === 'unread') return 'untold'
        const isGone = found !== undefined && found.head.first > key
        if (found !== undefined) take(isGone ? found : before(found, key))
        if (isGone) return 'told'
        own(key, text.length)
        return 'placed'
      }),
    async note(make) {
      let text: string | undefined
      await within(
        'readwrite',
        'take a note',
        async (store) => {
          const found = await read(store, position)
          if (epoch !== undefined) mustLead(found.head)
          take(found)
          text = make()
          return text === undefined ? undefined : addText(store, text)
        },
        (key) => {
          if (key !== undefined && text !== undefined) own(key, text.length)
        },
      )
    },
    async keep(texts) {
      await within(
        'readwrite',
        'take a frame',
        async (store) => {
          const found = await read(store, position)
          mustLead(found.head)
          take(found)
          return addRecords(store, texts)
        },
        (added) => {
          for (const { key, length } of added) own(key, length)
        },
      )
    },
    async rewrite(make) {
      await within(
        'readwrite',
        'be written anew',
        async (store) => {
          const found = await read(store, position)
          mustLead(found.head)
          take(found)
          const { texts, isSame } = make()
          await answered(store.delete(IDBKeyRange.upperBound(Number.POSITIVE_INFINITY)))
          const added = await addRecords(store, texts)
          const head: Head = {
            ...found.head,
            first: added[0]?.key ?? position + 1,
            last: added.at(-1)?.key ?? position,
            covers: isSame ? position : -1,
          }
          await answered(store.put(head, HEAD))
          return { last: head.last, length: added.reduce((sum, { length }) => sum + length, 0) }
        },
        ({ last, length }) => {
          position = last
          base = length
          all = length
        },
      )
    },
    catchUp: () => within('readonly', 'be read', async (store) => take(await read(store, position))),
    readAll: () =>
      within('readonly', 'be read', async (store) => {
        const found = await read(store, 0)
        position = found.keys.at(-1) ?? position
        return found.texts
      }),
    lead: (under) =>
      within(
        'readwrite',
        'be led',
        async (store) => {
          const found = await read(store, position)
          take(found)
          const next = under ?? found.head.epoch + 1
          if (next <= found.head.epoch)
            throw new SyncError('not_leading', `Epoch ${found.head.epoch} leads already, ${next} comes too late`)
          await answered(store.put({ ...found.head, epoch: next }, HEAD))
          return next
        },
        (next) => {
          epoch = next
        },
      ),
    resign() {
      epoch = undefined
    },
    length: () => ({ all, base }),
    settled: () => lane.run(async () => undefined),
  }
}

/** Of what was found, what stands before a key. */
function before(found: Found, key: number): Found {
  const keys = found.keys.filter((other) => other < key)
  return { ...found, keys, texts: found.texts.slice(0, keys.length) }
}

/** Ends a transaction that is not over; harmless for one that is. */
function abort(transaction: { abort(): void }): void {
  try {
    transaction.abort()
  } catch {
    // It was over.
  }
}

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((length, text) => length + text.length, 0)
}
