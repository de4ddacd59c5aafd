// Storage mode `localstorage`: a rescue copy for where the browser refuses a database. It keeps the outbox alone, in one item for each
// write; frames are accepted and not kept, so cursors begin at nothing and all rows come anew (I5). It is never called durable: browsers
// write these items to the disk when they like. One tab has it at a time, by a Web Lock: where there are no locks nobody could say that
// no other tab gives the same numbers (I18), and it refuses. Loaded on demand; when to turn to it is not decided here.
import { SyncError } from '../../base/errors.ts'
import { mustBeKnown, type OutboxEvent } from '../../client/outbox/stored.ts'
import { lastNumberAfter, lastNumberOfRewrite } from '../../client/storage/numbers.ts'
import type { Storage } from '../../client/storage/storage.ts'
import type { Sequence } from '../../protocol/ids.ts'
import { rescueHead, rescuePrefix } from './rescue-name.ts'
import { inStore } from './store-fault.ts'

/** What of Web Storage is needed. */
export type Area = Pick<globalThis.Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>

/** Takes a name for this tab alone; gives what lets go of it, done when others may have it, or undefined while another tab has it. */
export type Hold = (name: string) => Promise<(() => Promise<unknown>) | undefined>

/** Where the copy lies. */
export interface LocalStorageOptions {
  /** The name of the device's store. */
  readonly name: string
  readonly area?: Area
  readonly hold?: Hold
}

/** The number of the format of these items; what is newer is left untouched. */
export const RESCUE_FORMAT = 1

/** What stands in the head: which generation of records counts. Those of others are what a rewriting had no time to remove. */
interface Head {
  readonly format: number
  readonly generation: number
}

/** The journal is worth writing anew when it has grown by this many characters and has doubled: an origin has five million. */
const FOLD_LENGTH = 256 * 1024

/** Opens the rescue copy. Rejects with `storage_in_use` while another tab has it, with `storage_failed` where there is none to be had. */
export async function openLocalStorage({ name, area, hold = holdLock }: LocalStorageOptions): Promise<Storage> {
  // In some browsers even to ask for it is refused.
  const items = await inStore('be reached', async () => area ?? globalThis.localStorage)
  await inStore('take a trial', async () => tryOut(items, name))
  const release = await inStore('be held for this tab', () => hold(rescueHead(name)))
  if (release === undefined) throw new SyncError('storage_in_use', 'Another tab has the rescue copy of this device')

  let generation = 0
  let count = 0
  let client = ''
  let last = 0
  let length = 0
  let base = 0
  let isLoaded = false
  let isClosed = false
  let closing: Promise<unknown> | undefined

  const keyOf = (of: number, index: number): string => `${rescuePrefix(name)}${of}/${index}`
  const mustBeOpen = (): void => {
    if (isClosed || !isLoaded)
      throw new SyncError('storage_failed', 'The storage is not open', { details: { closed: isClosed } })
  }

  /** Adds one record: one item is written whole or not at all. */
  const keep = (events: readonly OutboxEvent[]): void => {
    if (events.length === 0) return
    const text = JSON.stringify(events)
    items.setItem(keyOf(generation, count), text)
    count++
    length += text.length
    for (const event of events) last = lastNumberAfter(last, event)
  }

  /** Puts these events in the place of all: they count from the moment in which the head names them. */
  const replace = (events: readonly OutboxEvent[]): void => {
    const text = JSON.stringify(events)
    const next = generation + 1
    const key = keyOf(next, 0)
    try {
      items.setItem(key, text)
      items.setItem(rescueHead(name), JSON.stringify({ format: RESCUE_FORMAT, generation: next } satisfies Head))
    } catch (error) {
      items.removeItem(key)
      throw error
    }
    generation = next
    count = 1
    length = text.length
    base = text.length
    sweep()
  }

  /** Removes what does not count. */
  const sweep = (): void => {
    const prefix = `${rescuePrefix(name)}${generation}/`
    for (const key of keysOf(items, rescuePrefix(name)))
      if (key !== rescueHead(name) && !key.startsWith(prefix)) items.removeItem(key)
  }

  const read = (head: Head): OutboxEvent[] => {
    if (head.format > RESCUE_FORMAT) throw newer(head.format, RESCUE_FORMAT)
    generation = head.generation
    count = keysOf(items, `${rescuePrefix(name)}${generation}/`).length
    const events: OutboxEvent[] = []
    for (let index = 0; index < count; index++) {
      const text = items.getItem(keyOf(generation, index))
      if (text === null) throw corrupt(`Record ${index} of the rescue copy is missing`)
      length += text.length
      if (index === 0) base = text.length
      events.push(...parse<readonly OutboxEvent[]>(text))
    }
    const [born] = events
    if (born?.kind !== 'born') throw corrupt('The rescue copy does not begin with its birth')
    mustBeKnown(events)
    return events
  }

  return {
    mode: 'localstorage',
    isDurable: false,
    load: (birth) =>
      inStore('be read', async () => {
        const text = items.getItem(rescueHead(name))
        let events: readonly OutboxEvent[] = [birth]
        if (text === null) replace(events)
        else {
          events = read(parse<Head>(text))
          sweep()
        }
        for (const event of events) {
          if (event.kind === 'born') client = event.client
          last = lastNumberAfter(last, event)
        }
        isLoaded = true
        return { outbox: events, frames: [] }
      }),
    append: (intents) =>
      inStore('take an addition', async () => {
        mustBeOpen()
        const first = (last + 1) as Sequence
        if (intents.length > 0) keep([{ kind: 'made', first, intents }])
        return first
      }),
    note: (make) =>
      inStore('take a note', async () => {
        mustBeOpen()
        keep(make())
      }),
    rewriteOutbox: (make) =>
      inStore('be written anew', async () => {
        mustBeOpen()
        const events = make()
        const after = lastNumberOfRewrite({ client, last }, events)
        replace(events)
        ;({ client, last } = after)
      }),
    async keepFrame() {
      mustBeOpen()
    },
    async rewriteFrames() {
      mustBeOpen()
    },
    folding: () => ({ outbox: length - base > Math.max(FOLD_LENGTH, base), frames: false }),
    async close() {
      isClosed = true
      closing ??= release()
      await closing
    },
  }
}

/** Removes a rescue copy whose intents are kept elsewhere; nobody has it open. The head goes first: without it nothing counts. */
export function clearLocalStorage(name: string, area: Area = globalThis.localStorage): void {
  area.removeItem(rescueHead(name))
  for (const key of keysOf(area, rescuePrefix(name))) area.removeItem(key)
}

/** Writes, reads and deletes: some browsers have it, and refuse every write. */
function tryOut(items: Area, name: string): void {
  const key = `${rescuePrefix(name)}trial`
  items.setItem(key, name)
  const isSame = items.getItem(key) === name
  items.removeItem(key)
  if (!isSame) throw new SyncError('storage_failed', 'Web Storage does not give back what was put there')
}

function keysOf(items: Area, prefix: string): readonly string[] {
  const keys: string[] = []
  for (let index = 0; index < items.length; index++) {
    const key = items.key(index)
    if (key?.startsWith(prefix)) keys.push(key)
  }
  return keys
}

async function holdLock(name: string): Promise<(() => Promise<unknown>) | undefined> {
  const locks = globalThis.navigator?.locks as LockManager | undefined
  if (locks === undefined)
    throw new SyncError(
      'storage_failed',
      'This page has no Web Locks, so nobody knows whether another tab has the copy',
    )
  return new Promise((resolve, reject) => {
    const request = locks.request(name, { ifAvailable: true }, (lock) => {
      if (lock === null) return resolve(undefined)
      return new Promise<void>((release) => {
        resolve(() => {
          release()
          // Others may have it when the request itself is over, a moment later.
          return request
        })
      })
    })
    request.catch(reject)
  })
}

function parse<Value>(text: string): Value {
  try {
    return JSON.parse(text) as Value
  } catch (cause) {
    throw corrupt('A record of the rescue copy is not JSON', cause)
  }
}

const corrupt = (what: string, cause?: unknown): SyncError =>
  new SyncError('storage_corrupt', what, { details: { journal: 'outbox' }, cause })

const newer = (format: number, known: number): SyncError =>
  new SyncError('storage_newer', `The rescue copy has format ${format}, this build reads up to ${known}`)
