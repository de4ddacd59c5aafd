// Storage mode `indexeddb`: the storage contract over one database for each device and actor, with an object store for each of the two
// journals, so that a slow write of rows never stands before a strict one of intents. Intents are acknowledged at `oncomplete` of a
// strict transaction (I1), which also gives their numbers: they follow from the order of the records, so none is given twice (I18).
// Rows lie as frames of many rows in one text: as single records they would take ten times as long. How several tabs share a journal
// is idb-journal.ts.
import { check } from '../../base/assert.ts'
import { hasCode, SyncError } from '../../base/errors.ts'
import { mustBeKnown, type OutboxEvent } from '../../client/outbox/stored.ts'
import { lastNumberAfter, lastNumberOfRewrite } from '../../client/storage/numbers.ts'
import type { Draft, OthersListener, Storage, StoredFrame } from '../../client/storage/storage.ts'
import type { Patch } from '../../protocol/frame.ts'
import type { Sequence } from '../../protocol/ids.ts'
import { IDB_FORMAT, type IdbJournal, openIdbJournal } from './idb-journal.ts'
import { openDatabase } from './idb-promise.ts'
import { beginNewLog } from './new-log.ts'
import { packedLength } from './packed.ts'
import { inStore } from './store-fault.ts'

/** Which database, and how it keeps intents. */
export interface IndexedDbOptions {
  /** The name of the database. */
  readonly name: string
  readonly durability?: 'strict' | 'relaxed'
}

/** A journal is worth writing anew when it has grown by this many characters and has doubled since the last time. */
const FOLD_LENGTH = 1024 * 1024

/** An event as a record holds it: the number of a `made` follows from where it stands. */
type Recorded = OutboxEvent | { readonly kind: 'made'; readonly intents: OutboxEvent & { readonly kind: 'made' } }

/** A record of the journal of frames: a frame, or a part of the patches of the next one. */
type FrameRecord = StoredFrame | { readonly part: readonly Patch[] }

/**
 * Chromium compresses a text of more than 64 KiB, and keeps what then is still longer in a file of its own. Rows go into records that just
 * do not come to that; what does all the same into few long ones: docs/decisions/0003 has the figures.
 */
const PACKED_LENGTH = 56_000
const FILE_LENGTH = 1_000_000

/** Opens the database, and makes it on first use. Rejects with `storage_failed` where the browser refuses. */
export async function openIndexedDbStorage({ name, durability = 'strict' }: IndexedDbOptions): Promise<Storage> {
  let hasLost = false
  const db = await inStore('be opened', () =>
    openDatabase(name, IDB_FORMAT, (fresh, { dataLoss }) => {
      // Chromium and Firefox tell when they had to throw away a database that they could not read.
      hasLost = dataLoss === 'total'
      fresh.createObjectStore('outbox', { autoIncrement: true })
      fresh.createObjectStore('frames', { autoIncrement: true })
    }),
  )
  // Another build wants to change the database, or a person to delete it: it must not wait for this tab.
  db.onversionchange = () => db.close()
  // Before anything is written: what is written has to stand in the new log. And not before all is read, which it would slow down by
  // a quarter.
  let newLog: Promise<void> | undefined
  const mayWrite = (): Promise<void> => {
    newLog ??= beginNewLog(name)
    return newLog
  }
  let listener: OthersListener | undefined
  let client = ''
  let last = 0
  let isLoaded = false
  let closing: Promise<void> | undefined
  // A frame could not be kept. One kept after it would tell of effects whose rows are missing.
  let hasGap = false

  /** What others put there, as it was heard last. */
  let heardOf: readonly OutboxEvent[] = []

  const outbox = openIdbJournal(
    db,
    'outbox',
    durability,
    (texts) => {
      const events = eventsOf(texts.map(parseEvents))
      heardOf = events
      if (events.length > 0) listener?.outbox(events)
    },
    mayWrite,
  )
  const frames = openIdbJournal(
    db,
    'frames',
    'relaxed',
    (texts, areAll) => listener?.frames(framesOf(texts.map(parseFrame)), areAll),
    mayWrite,
  )

  /** The events of some records, with their numbers. */
  function eventsOf(records: readonly (readonly Recorded[])[]): OutboxEvent[] {
    const events: OutboxEvent[] = []
    // Before the first of them counts.
    records.forEach(mustBeKnown)
    for (const record of records) {
      for (const recorded of record) {
        const event = (
          recorded.kind === 'made' ? { ...recorded, first: (last + 1) as Sequence } : recorded
        ) as OutboxEvent
        if (event.kind === 'born') client = event.client
        last = lastNumberAfter(last, event)
        events.push(event)
      }
    }
    return events
  }

  const opened = (): void => {
    if (!isLoaded) throw new SyncError('storage_failed', 'The storage is not loaded')
    if (closing !== undefined)
      throw new SyncError('storage_failed', 'The storage is closed', { details: { closed: true } })
  }

  return {
    mode: 'indexeddb',
    writesElsewhere: true,
    hasLost,
    isDurable: durability === 'strict',
    async load(birth) {
      // Rows first: what the outbox then says is as new as they are, or newer.
      let coming: Promise<readonly (readonly Recorded[])[]> | undefined
      const read = (): void => {
        coming = outbox.load(parseEvents, { begin: JSON.stringify([birth]) })
        // When the rows cannot be parsed, nobody asks for it.
        coming.catch(() => undefined)
      }
      const kept = framesOf(await frames.load(parseFrame, { read }))
      const events = eventsOf((await coming) ?? [])
      if (events[0]?.kind !== 'born')
        throw new SyncError('storage_corrupt', 'The stored outbox does not begin with its birth')
      isLoaded = true
      void mayWrite()
      return { outbox: events, frames: kept }
    },
    draft: createTextDraft,
    async append(intents, draft) {
      opened()
      if (intents.length === 0) return (last + 1) as Sequence
      const items =
        (draft as TextDraft | undefined)?.text() ?? intents.map((intent) => JSON.stringify(intent)).join(',')
      heardOf = []
      const added = await outbox.add(`[{"kind":"made","intents":[${items}]}]`)
      if (added === 'untold') return undefined
      if (added === 'told') return placeIn(heardOf, intents[0]?.id)
      const first = (last + 1) as Sequence
      last += intents.length
      return first
    },
    async note(make) {
      opened()
      // What is noted gives no numbers.
      await outbox.note(() => {
        const events = make()
        return events.length === 0 ? undefined : JSON.stringify(events)
      })
    },
    async rewriteOutbox(make) {
      opened()
      const before = { client, last }
      let after = before
      await outbox.rewrite(() => {
        const events = make()
        after = lastNumberOfRewrite({ client, last }, events)
        return { texts: [JSON.stringify(events)], isSame: after.client === client }
      })
      ;({ client, last } = after)
    },
    async keepFrame(frame) {
      opened()
      if (hasGap)
        throw new SyncError(
          'storage_failed',
          'An earlier frame could not be kept, and the rows were not written anew since',
          { details: { gap: true } },
        )
      try {
        await frames.keep(textsOf(frame))
      } catch (error) {
        // To whom the lead was lost, the rows come from whoever leads.
        hasGap = !hasCode(error, 'not_leading')
        throw error
      }
    },
    async rewriteFrames(next) {
      opened()
      // Asked for at once: whoever gives the frames may go on changing what they are made from. Put into words one by one.
      const given = [...next]
      await frames.rewrite(() => ({
        texts: recordsOf(given),
        // Who knows the rows that were there does not know that they left, nor which came after.
        isSame: !hasGap && given.length > 0 && frames.length().all > 0,
      }))
      hasGap = false
    },
    folding: () => ({ outbox: isLong(outbox), frames: hasGap || isLong(frames) }),
    close() {
      closing ??= Promise.all([outbox.settled(), frames.settled()]).then(() => db.close())
      return closing
    },
    shared: {
      listen(others) {
        check(listener === undefined, 'I14', 'two were to hear what other tabs kept')
        listener = others
      },
      async catchUp() {
        opened()
        // In the order in which a leader writes: outcomes, then the rows in which they show.
        await outbox.catchUp()
        await frames.catchUp()
      },
      readFrames: async () => framesOf((await frames.readAll()).map(parseFrame)),
      async lead() {
        opened()
        await frames.lead(await outbox.lead())
        hasGap = false
      },
      resign() {
        outbox.resign()
        frames.resign()
      },
    },
  }
}

/** The number of an intent in events that tell of all; 0 when they tell of it no more. */
function placeIn(events: readonly OutboxEvent[], id: string | undefined): Sequence {
  for (const event of events) {
    const at = event.kind === 'made' ? event.intents.findIndex((intent) => intent.id === id) : -1
    if (event.kind === 'made' && at >= 0) return (event.first + at) as Sequence
  }
  return 0 as Sequence
}

function isLong(journal: IdbJournal): boolean {
  const { all, base } = journal.length()
  return all - base > Math.max(FOLD_LENGTH, base)
}

/** A frame as its records: as many parts of its patches as are longer than one record may be, and what closes it. */
function* textsOf({ patches, ...frame }: StoredFrame): Iterable<string> {
  let part: string[] = []
  let length = 0
  let packed = 0
  for (const patch of patches) {
    const text = JSON.stringify(patch)
    const more = packedLength(text)
    const isFile = packed > PACKED_LENGTH
    if (length > 0 && (isFile ? length + text.length > FILE_LENGTH : packed + more > PACKED_LENGTH)) {
      yield `{"part":[${part.join(',')}]}`
      part = []
      length = 0
      packed = 0
    }
    part.push(text)
    length += text.length
    packed += more
  }
  yield `${JSON.stringify(frame).slice(0, -1)},"patches":[${part.join(',')}]}`
}

function* recordsOf(frames: readonly StoredFrame[]): Iterable<string> {
  for (const frame of frames) yield* textsOf(frame)
}

/** The frames of some records, each whole. */
function framesOf(records: readonly FrameRecord[]): StoredFrame[] {
  const frames: StoredFrame[] = []
  let patches: readonly Patch[] = []
  for (const record of records) {
    if ('part' in record) {
      patches = [...patches, ...record.part]
    } else {
      frames.push(patches.length === 0 ? record : { ...record, patches: [...patches, ...record.patches] })
      patches = []
    }
  }
  return frames
}

const parseFrame = (text: string): FrameRecord => parse(text, 'frames')
const parseEvents = (text: string): readonly Recorded[] => parse(text, 'outbox')

function parse<Value>(text: string, journal: string): Value {
  try {
    return JSON.parse(text) as Value
  } catch (cause) {
    throw new SyncError('storage_corrupt', `A record of the stored ${journal} is not JSON`, {
      details: { journal },
      cause,
    })
  }
}

interface TextDraft extends Draft {
  /** Its intents, parted by commas. */
  text(): string
}

function createTextDraft(): TextDraft {
  let count = 0
  let joined = ''
  return {
    get count() {
      return count
    },
    add(text) {
      joined = count++ === 0 ? text : `${joined},${text}`
    },
    text: () => joined,
  }
}
