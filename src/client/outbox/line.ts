// The numbered intents of one birth in order, and what each event of the journal makes of them. Only memory: what is written when, and
// what is not numbered yet, is outbox.ts. The numbers have no hole (I18), and what was decided once stays (I3).
import { check, unreachable } from '../../base/assert.ts'
import type { ClientId, IntentId, Sequence } from '../../protocol/ids.ts'
import { type OutcomeRange, outcomeOf } from '../../protocol/outcome.ts'
import { type GivenUp, makeEntry, type OutboxEntry, type OwnEntry, REPLACED, setRetired } from './entry.ts'
import type { SessionEvent } from './snapshot.ts'
import { type OutboxEvent, type PointerEvent, STORED_FORMAT } from './stored.ts'

/** The line of one outbox. */
export interface Line {
  readonly client: ClientId
  /** The lowest number that is still here. */
  readonly first: number
  /** The highest number given. */
  readonly last: number
  /** Up to here the authority has decided. */
  readonly decided: number
  /** Whatever the newest frame says, the effects of what stands up to here are in the confirmed rows. */
  readonly retiredAtBirth: number
  /** The format that the journal says it has, and when it began. */
  readonly format: number
  readonly bornAt: number
  /** The journal holds what its format does not know: a client that does not lead could not write it anew. */
  readonly isAhead: boolean
  /** Where the person is, by name. */
  readonly pointers: ReadonlyMap<string, PointerEvent>
  /** How often a person has signed out of this store. */
  readonly session: number
  /** Up to here all have their effects in the confirmed rows. */
  readonly retired: number
  /** What of the session a journal of this line has to say. */
  ofSession(): readonly SessionEvent[]
  entries(): readonly OwnEntry[]
  at(sequence: number): OwnEntry | undefined
  /** The entries with these numbers, as far as they are here. */
  between(from: number, to: number): readonly OwnEntry[]
  apply(event: OutboxEvent): void
  /** The journal was replaced by these, which say what is here. */
  rewritten(events: readonly OutboxEvent[]): void
  /** Gives an entry the next number; what it replaces is given up from here on. */
  place(entry: OwnEntry): void
  /** Takes outcomes in; gives what they changed. */
  settle(range: OutcomeRange, at: number, again: boolean): readonly OwnEntry[]
  /** What this one replaces is not to be sent until this one has its place; gives it. */
  hold(entry: OutboxEntry): OwnEntry | undefined
  /** This one will not have a place: what it was to replace stands as before. */
  release(entry: OutboxEntry): void
  /** The entries that the authority has to decide, in order, up to the first that is held. */
  undecided(limit: number): readonly OwnEntry[]
  /** What this one replaces, if that is here. */
  replacedBy(entry: OutboxEntry): OwnEntry | undefined
  /** The authority no longer knows what it decided from this number on. */
  reopen(from: number): void
  /** See Outbox. */
  retire(through: number): readonly OwnEntry[]
}

/** Makes an empty line; `byId` is shared with the outbox, which adds what has no number yet. */
export function createLine(byId: Map<IntentId, OwnEntry>): Line {
  let client = '' as ClientId
  let format = 0
  let bornAt = 0
  const pointers = new Map<string, PointerEvent>()
  let session = 0
  let first = 1
  let decided = 0
  let retiredAtBirth = 0
  /** What the newest frame of this birth said. */
  let retiredThrough = 0
  let numbered: OwnEntry[] = []
  /** What stands until the intent in its place is durable, with what was said of it before. */
  const held = new Map<IntentId, GivenUp | undefined>()

  const lastNumber = (): number => first + numbered.length - 1

  const apply = (event: OutboxEvent): void => {
    switch (event.kind) {
      case 'born':
        client = event.client
        first = event.last + 1
        decided = event.last
        retiredAtBirth = event.retired
        retiredThrough = 0
        for (const { intent } of numbered) byId.delete(intent.id)
        numbered = []
        format = event.format
        bornAt = event.at
        pointers.clear()
        return
      case 'made':
        check(
          event.first === lastNumber() + 1,
          'I18',
          `intents are stored from number ${event.first}, after ${lastNumber()}`,
        )
        for (const intent of event.intents) {
          const entry = byId.get(intent.id) ?? makeEntry(intent)
          byId.set(intent.id, entry)
          place(entry)
        }
        return
      case 'decided':
        for (const range of event.outcomes) settleRange(range, event.at, event.again === true)
        return
      case 'withdrawn': {
        const entry = numbered[event.sequence - first]
        if (entry !== undefined) entry.givenUp = { as: event.as, reason: event.reason, detail: event.detail }
        return
      }
      case 'forgotten':
        for (const { intent } of numbered.splice(0, Math.max(0, event.through - first + 1))) byId.delete(intent.id)
        first = Math.max(first, event.through + 1)
        return
      case 'pointer':
        if (event.id === undefined) pointers.delete(event.name)
        else pointers.set(event.name, event)
        return
      case 'left':
        session = Math.max(session, event.session)
        retiredAtBirth = Math.max(retiredAtBirth, event.retired)
        for (const entry of numbered.slice(0, Math.max(0, retiredAtBirth + 1 - first))) entry.isRetired = true
        return
      default:
        unreachable(event)
    }
  }

  const place = (entry: OwnEntry): void => {
    entry.sequence = (lastNumber() + 1) as Sequence
    entry.isRetired = entry.sequence <= retiredAtBirth
    numbered.push(entry)
    const replaced = replacedBy(entry)
    if (replaced === undefined) return
    held.delete(replaced.intent.id)
    replaced.givenUp = REPLACED
  }

  const replacedBy = ({ intent: { replaces } }: OutboxEntry): OwnEntry | undefined =>
    replaces === undefined ? undefined : byId.get(replaces)

  const settleRange = (range: OutcomeRange, at: number, again: boolean): OwnEntry[] => {
    const changed: OwnEntry[] = []
    const outcome = outcomeOf(range)
    for (let sequence = Math.max(range.from, first); sequence <= Math.min(range.to, lastNumber()); sequence++) {
      const entry = numbered[sequence - first] as OwnEntry
      if (entry.outcome !== undefined && !entry.isReopened) continue
      // What a person was told stays; that the authority says it again is all that is new (I3).
      entry.outcome ??= outcome
      entry.isRepeated = range.repeated === true
      entry.decidedAt = at
      entry.isReopened = again
      entry.isSending = false
      changed.push(entry)
    }
    if (!again && range.from <= decided + 1) decided = Math.max(decided, Math.min(range.to, lastNumber()))
    return changed
  }

  return {
    get client() {
      return client
    },
    get first() {
      return first
    },
    get last() {
      return lastNumber()
    },
    get decided() {
      return decided
    },
    get retiredAtBirth() {
      return retiredAtBirth
    },
    get format() {
      return format
    },
    get bornAt() {
      return bornAt
    },
    get isAhead() {
      return (pointers.size > 0 || session > 0) && format < STORED_FORMAT
    },
    pointers,
    get session() {
      return session
    },
    get retired() {
      return first + numbered.findLastIndex(({ isRetired }) => isRetired)
    },
    ofSession: () => [...pointers.values(), ...(session > 0 ? [{ kind: 'left' as const, session, retired: 0 }] : [])],
    rewritten([birth]) {
      if (birth?.kind === 'born') format = birth.format
    },
    entries: () => numbered,
    at: (sequence) => numbered[sequence - first],
    between: (from, to) => numbered.slice(Math.max(0, from - first), Math.max(0, to + 1 - first)),
    apply,
    place,
    settle: settleRange,
    hold(entry) {
      const replaced = replacedBy(entry)
      if (replaced !== undefined) {
        held.set(replaced.intent.id, replaced.givenUp)
        replaced.givenUp = REPLACED
      }
      return replaced
    },
    release(entry) {
      const replaced = replacedBy(entry)
      if (replaced === undefined || !held.has(replaced.intent.id)) return
      replaced.givenUp = held.get(replaced.intent.id)
      held.delete(replaced.intent.id)
    },
    undecided(limit) {
      const from = Math.max(0, decided + 1 - first)
      const entries = numbered.slice(from, from + limit)
      const end = held.size === 0 ? -1 : entries.findIndex(({ intent }) => held.has(intent.id))
      return end < 0 ? entries : entries.slice(0, end)
    },
    replacedBy,
    reopen(from) {
      if (from > decided) return
      for (const entry of numbered.slice(Math.max(0, from - first))) entry.isReopened = entry.outcome !== undefined
      decided = Math.max(from, first) - 1
    },
    retire(through) {
      const changed: OwnEntry[] = []
      const isNew = (entry: OwnEntry | undefined, isRetired: boolean): entry is OwnEntry =>
        entry?.isRetired === !isRetired
      // What is retired is a beginning of the list, so each way this meets only what is new.
      for (let at = Math.min(through, lastNumber()) - first; isNew(numbered[at], true); at--) {
        changed.push(setRetired(numbered[at] as OwnEntry, true))
      }
      if (through < retiredThrough) retiredAtBirth = 0
      retiredThrough = through
      for (let at = Math.max(through, retiredAtBirth, first - 1) + 1 - first; isNew(numbered[at], false); at++) {
        changed.push(setRetired(numbered[at] as OwnEntry, false))
      }
      return changed
    },
  }
}
