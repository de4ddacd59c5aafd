// The sentinel: a note beside the store that outlives it, and says how far the store had come. When a start finds less than the note says,
// or the authority that another copy has used this store's numbers, the person is told what is gone, as exactly as can be known, until
// the app acknowledges it. Decides nothing about numbers: a store that went back is reborn when the authority says so (I18). Written some
// time after a change and never waited for, so the note may be a little behind: it never says more than there was.
import type { Cancel, Clock } from '../../base/clock.ts'
import { isRecord } from '../../base/json.ts'
import type { ClientId } from '../../protocol/ids.ts'
import type { Canary } from '../host.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { Storage } from '../storage/storage.ts'

/** Something that this device had and has no more. */
export interface Lost {
  /**
   * `vanished`: there was a store, and this one is new. `older`: the store went back to an earlier state. `copied`: the authority knows
   * numbers of this store that it never gave: it is a copy of another one that lives, or was restored from one.
   */
  readonly kind: 'vanished' | 'older' | 'copied'
  /** How many intents are known to be gone; undefined where nobody can know. */
  readonly intents: number | undefined
  /** How many of them the authority had not decided when that was noted. What it had decided comes back as rows. */
  readonly unsent: number | undefined
  /** When it was noticed, in milliseconds since 1970. */
  readonly at: number
}

/** How far a store has come. */
interface Reached {
  readonly client: ClientId
  readonly last: number
  readonly undecided: number
  readonly session: number
}

/** What stands in the note. */
interface Note extends Reached {
  readonly format: 1
  readonly lost: readonly Lost[]
}

/** What it works with. */
export interface SentinelParts {
  readonly canary: Canary
  readonly storage: Pick<Storage, 'hasLost'>
  readonly outbox: Outbox
  readonly clock: Clock
  /** Whether another client of the same store writes the note. */
  isFollowing(): boolean
  onChange(): void
  report(error: unknown): void
}

/** The sentinel of one client. */
export interface Sentinel {
  readonly lost: readonly Lost[]
  /** The store may have come farther. */
  look(): void
  /** The authority said that another copy has used this store's numbers. */
  forked(): void
  /** The person knows; resolves when that is noted. */
  acknowledge(): Promise<void>
  close(): Promise<void>
}

/** A note is written at most so often. */
const LAZY_MS = 1_000

/** More are not kept: the newest count. */
const MAX_LOST = 8

/** Makes the sentinel of a store that was just loaded. */
export function createSentinel(parts: SentinelParts): Sentinel {
  const { canary, storage, outbox, clock, report } = parts
  const reached = (): Reached => ({
    client: outbox.client,
    last: outbox.last,
    undecided: outbox.countUndecided(),
    session: outbox.session,
  })
  const opened = reached()
  let lost: readonly Lost[] = []
  let written = ''
  let stopWaiting: Cancel | undefined
  /** What was found at the start explains what the authority says later. */
  let isExplained = false
  let isOver = false

  const read = async (): Promise<Note | undefined> => parseNote((await canary.read()) ?? '')

  const write = async (): Promise<void> => {
    const text = JSON.stringify({ format: 1, ...reached(), lost } satisfies Note)
    if (text === written) return
    await canary.write(text)
    written = text
  }

  const add = (loss: Omit<Lost, 'at'>): void => {
    lost = [...lost, { ...loss, at: clock.now() }].slice(-MAX_LOST)
    parts.onChange()
  }

  const begin = async (): Promise<void> => {
    const note = await read()
    lost = note?.lost ?? []
    const descends = outbox.entries().some(({ intent }) => intent.births?.some(([client]) => client === note?.client))
    const found = descends ? undefined : lossOf(note, opened, storage.hasLost === true)
    isExplained = found !== undefined
    if (found !== undefined) add(found)
    else if (lost.length > 0) parts.onChange()
    if (isExplained || !parts.isFollowing()) await write()
  }

  const stopHearing = canary.onChange?.(() => {
    void read().then((note) => {
      lost = note?.lost ?? lost
      parts.onChange()
    }, report)
  })
  const begun = begin()

  /** Where there is no place for a note after all, that is said once. */
  const writeLater = async (): Promise<void> => {
    try {
      await begun
      await write()
    } catch (error) {
      if (!isOver) report(error)
      isOver = true
    }
  }
  void begun.catch(writeLater)

  const look = (): void => {
    if (isOver || stopWaiting !== undefined || parts.isFollowing()) return
    stopWaiting = clock.after(LAZY_MS, () => {
      stopWaiting = undefined
      void writeLater()
    })
  }

  return {
    get lost() {
      return lost
    },
    look,
    forked() {
      if (!isExplained) add({ kind: 'copied', intents: undefined, unsent: undefined })
      isExplained = false
      void writeLater()
    },
    async acknowledge() {
      await begun.catch(() => undefined)
      lost = []
      parts.onChange()
      await write()
    },
    async close() {
      stopWaiting?.()
      stopHearing?.()
      if (!isOver && !parts.isFollowing()) await writeLater()
      isOver = true
    },
  }
}

/** What a store has lost of what the note says. `hasLost`: the platform itself has told. */
function lossOf(note: Note | undefined, store: Reached, hasLost: boolean): Omit<Lost, 'at'> | undefined {
  if (note === undefined) return hasLost ? { kind: 'vanished', intents: undefined, unsent: undefined } : undefined
  // The person signed out of it since.
  if (store.session > note.session) return undefined
  const { client, last, undecided } = note
  if (client !== store.client)
    return { kind: store.last === 0 && store.session === 0 ? 'vanished' : 'older', intents: last, unsent: undecided }
  const gone = last - store.last
  // What is undecided stands at the end.
  return gone > 0 ? { kind: 'older', intents: gone, unsent: Math.min(gone, undecided) } : undefined
}

/** Whoever wrote it may have been another build, or a stranger: what does not read is no note. */
function parseNote(text: string): Note | undefined {
  try {
    const note: unknown = JSON.parse(text)
    const isOne =
      isRecord(note) && note['format'] === 1 && Number.isSafeInteger(note['last']) && Array.isArray(note['lost'])
    return isOne ? (note as unknown as Note) : undefined
  } catch {
    return undefined
  }
}
