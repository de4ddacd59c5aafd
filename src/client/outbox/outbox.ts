// The outbox: the intents of this device in order, each with what is known of it. Appends in group commits: what comes while one
// strict write is under way shares the next (I1). An entry leaves only when it is decided and old, or replaced by a rebirth (I4).
// It decides nothing about sending (sync/) and nothing about what the screen shows (replica/); its form on disk is stored.ts.
import { check, unreachable } from '../../base/assert.ts'
import { hasCode } from '../../base/errors.ts'
import { createLane } from '../../base/lane.ts'
import { type Late, settle } from '../../base/late.ts'
import type { ClientId, IntentId, Sequence } from '../../protocol/ids.ts'
import { type OutcomeRange, outcomeOf } from '../../protocol/outcome.ts'
import type { Draft, Storage } from '../storage/storage.ts'
import { type GivenUp, makeEntry, type OutboxEntry, type OwnEntry, setRetired } from './entry.ts'
import { countForgettable, rebornEvents, snapshotEvents } from './snapshot.ts'
import { type KeptIntent, type OutboxEvent, placesOf } from './stored.ts'

/** The changes that others hear of. */
export interface OutboxListener {
  /** These entries look different now. */
  changed(entries: readonly OutboxEntry[]): void
  /** The disk refused these; they are not in the outbox any more. */
  refused(entries: readonly OutboxEntry[], error: unknown): void
}

/** The outbox of one open storage. */
export interface Outbox {
  readonly client: ClientId
  /** The highest number given in this birth. */
  readonly last: number
  /** Up to here outcomes are safely stored, so that the ledger may forget them. */
  readonly stored: number
  /** The lowest number that is still here; those below are decided and forgotten. */
  readonly first: number
  /** All entries in order; those still being saved last. */
  entries(): readonly OutboxEntry[]
  get(id: IntentId): OutboxEntry | undefined
  /** The entry with this number, if it is still here. */
  at(sequence: number): OutboxEntry | undefined
  /** Keeps a new intent. `saved` is settled when it is durable; that, and whether it was refused, is told to the listener too. */
  add(intent: KeptIntent, saved?: Late<void>): void
  /** The durable entries that the authority has to decide, in order: all from the first that it has not. */
  undecided(limit: number): readonly OutboxEntry[]
  countUndecided(): number
  /** How many are not durable yet. */
  countUnsaved(): number
  /** Takes in what another client of the same store kept; gives the entries that it concerns, of which the listener has heard. */
  take(events: readonly OutboxEvent[]): readonly OutboxEntry[]
  /** Takes outcomes in; resolves when they are stored. */
  decide(outcomes: readonly OutcomeRange[], at: number): Promise<void>
  /** Gives up the place of an undecided intent, or dismisses one that had no effect; resolves when that is stored. */
  giveUp(id: IntentId, how: GivenUp): Promise<void>
  /** The authority no longer knows what it decided from this number on. */
  reopen(from: number): void
  /**
   * The effects of all up to this number are in the confirmed rows, and of none above it: of an earlier history it may be lower than
   * before. Gives the entries for which that is new.
   */
  retire(through: number): readonly OutboxEntry[]
  setSending(entries: readonly OutboxEntry[], isSending: boolean): void
  /** Begins a new birth: the same intents under new numbers, all to be decided again. Resolves when that is stored. */
  rebirth(client: ClientId, at: number): Promise<void>
  /** Lets go of decided entries from before `decidedBefore`; rewrites the journal when that is worth it. */
  tidy(decidedBefore: number, at: number): Promise<void>
  /** Resolves when all that was added is kept or refused, and nothing is being written. */
  settled(): Promise<void>
}

/** Opens the outbox over what storage had kept. `afterCalls` calls back when what has been called so far has been handed over. */
export function createOutbox(
  storage: Storage,
  kept: readonly OutboxEvent[],
  afterCalls: (run: () => void) => void,
  listener: OutboxListener,
): Outbox {
  let client = '' as ClientId
  let first = 1
  let decided = 0
  let stored = 0
  let retiredAtBirth = 0
  /** What the newest frame of this birth said. */
  let retiredThrough = 0
  let numbered: OwnEntry[] = []
  let unnumbered: OwnEntry[] = []
  let saving: Promise<void> | undefined
  /** The unnumbered entries in words, where the storage wants them. */
  let draft: Draft | undefined
  const byId = new Map<IntentId, OwnEntry>()
  // Everything that goes to the journal goes one after the other, so that a rewrite holds all that came before it.
  const lane = createLane()

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
      default:
        unreachable(event)
    }
  }

  const place = (entry: OwnEntry): void => {
    entry.sequence = (lastNumber() + 1) as Sequence
    entry.isRetired = entry.sequence <= retiredAtBirth
    numbered.push(entry)
  }

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

  const saveGroup = async (): Promise<void> => {
    const group = unnumbered.slice()
    const written = draft
    draft = undefined
    check(written === undefined || written.count === group.length, 'I1', 'a draft does not hold what is to be kept')
    const intents = group.map(({ intent }) => intent)
    let from = 0
    try {
      from = await storage.append(intents, written)
      const place = group[0]?.sequence ?? lastNumber() + 1
      check(from === 0 || from === place, 'I18', `storage gave number ${from} where ${place} comes next`)
    } catch (error) {
      unnumbered = unnumbered.slice(group.length)
      for (const { id } of intents) byId.delete(id)
      listener.refused(group, error)
      return
    }
    unnumbered = unnumbered.slice(group.length)
    for (const entry of group) {
      // Another client's rewriting may have told of its place already, or have forgotten it.
      if (from === 0) byId.delete(entry.intent.id)
      else if (entry.sequence === undefined) place(entry)
      if (entry.saved !== undefined) settle(entry.saved, undefined)
      entry.saved = undefined
    }
    listener.changed(group)
  }

  const saveGroups = async (): Promise<void> => {
    try {
      while (unnumbered.length > 0) await lane.run(saveGroup)
    } finally {
      saving = undefined
    }
  }

  /** Notes events of this birth; when a rebirth comes first, its journal says the same already. */
  const note = (events: () => readonly OutboxEvent[]): Promise<boolean> => {
    const birth = client
    return lane.run(async () => {
      if (client !== birth) return false
      let isOfThisBirth = true
      await storage.note(() => {
        isOfThisBirth = client === birth
        return isOfThisBirth ? events() : []
      })
      return isOfThisBirth
    })
  }

  const giveUp = async (id: IntentId, how: GivenUp): Promise<void> => {
    const entry = byId.get(id)
    if (entry === undefined || entry.outcome?.status === 'applied' || entry.givenUp?.as === 'discarded') return
    entry.givenUp = how
    listener.changed([entry])
    // One that is still being saved is given up in the place that it gets.
    if (entry.sequence === undefined) await saving
    const noted = (): Promise<boolean> =>
      note(() => {
        const sequence = byId.get(id)?.sequence
        return sequence === undefined ? [] : [{ kind: 'withdrawn', sequence, ...how }]
      })
    // Whoever has just lost the lead may do so still, as any client of the store may.
    const isNoted = await noted().catch((error) => (hasCode(error, 'not_leading') ? noted() : Promise.reject(error)))
    // A new birth that was under way did not know of it yet.
    if (!isNoted && byId.get(id)?.givenUp === undefined) await giveUp(id, how)
  }

  for (const event of kept) apply(event)
  stored = decided
  return {
    get client() {
      return client
    },
    get last() {
      return lastNumber()
    },
    get stored() {
      return stored
    },
    get first() {
      return first
    },
    // What is being saved here may be in both, while another client's rewriting tells of it.
    entries: () =>
      unnumbered.length === 0 ? numbered : [...numbered, ...unnumbered.filter((entry) => !entry.sequence)],
    get: (id) => byId.get(id),
    at: (sequence) => numbered[sequence - first],
    add(intent, saved) {
      const entry = makeEntry(intent)
      draft ??= storage.draft?.()
      draft?.add(JSON.stringify(intent))
      entry.saved = saved
      byId.set(intent.id, entry)
      unnumbered.push(entry)
      // What is called in one go shares one write; what comes later shares the next.
      saving ??= new Promise<void>((begin) => afterCalls(begin)).then(saveGroups)
    },
    undecided: (limit) => numbered.slice(Math.max(0, decided + 1 - first), Math.max(0, decided + 1 - first) + limit),
    countUndecided: () => lastNumber() - decided,
    countUnsaved: () => unnumbered.length,
    take(events) {
      const changed = new Set<OwnEntry>()
      for (const event of events) {
        apply(event)
        if (event.kind === 'born') stored = event.last
        if (event.kind === 'decided' && event.again !== true)
          for (const { to } of event.outcomes) stored = Math.max(stored, Math.min(to, decided))
        for (const { from, to } of placesOf(event))
          for (const entry of numbered.slice(Math.max(0, from - first), Math.max(0, to + 1 - first))) changed.add(entry)
      }
      // A new birth knows nothing of what this client is still saving.
      for (const entry of unnumbered) byId.set(entry.intent.id, entry)
      const entries = [...changed]
      if (entries.length > 0) listener.changed(entries)
      return entries
    },
    async decide(outcomes, at) {
      const before = decided
      const changed = outcomes.flatMap((range) => settleRange(range, at, false))
      if (changed.length > 0) listener.changed(changed)
      if (changed.length === 0 && decided === before) return
      const through = decided
      if (await note(() => [{ kind: 'decided', outcomes, at }])) stored = Math.max(stored, Math.min(through, decided))
    },
    giveUp,
    reopen(from) {
      if (from > decided) return
      for (const entry of numbered.slice(Math.max(0, from - first))) entry.isReopened = entry.outcome !== undefined
      decided = Math.max(from, first) - 1
      stored = Math.min(stored, decided)
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
    setSending(entries, isSending) {
      const changed = entries
        .flatMap(({ intent }) => byId.get(intent.id) ?? [])
        .filter((entry) => entry.isSending !== isSending)
      for (const entry of changed) {
        entry.isSending = isSending
        if (isSending) entry.attempts++
      }
      if (changed.length > 0) listener.changed(changed)
    },
    rebirth: (next, at) =>
      lane.run(async () => {
        let events: readonly OutboxEvent[] = []
        await storage.rewriteOutbox(() => {
          events = rebornEvents(next, client, first, numbered, at)
          return events
        })
        const before = numbered
        for (const event of events) apply(event)
        for (const [index, entry] of numbered.entries()) entry.attempts = before[index]?.attempts ?? 0
        check(
          numbered.length === before.length,
          'I4',
          `${before.length} intents went into a new birth, ${numbered.length} came out`,
        )
        for (const entry of unnumbered) byId.set(entry.intent.id, entry)
        stored = 0
        listener.changed(numbered)
      }),
    async tidy(decidedBefore, at) {
      const count = countForgettable(numbered, decidedBefore)
      if (count > 0) {
        const event: OutboxEvent = { kind: 'forgotten', through: (first + count - 1) as Sequence }
        apply(event)
        await note(() => [event])
      }
      await lane.run(async () => {
        if (storage.folding().outbox)
          await storage.rewriteOutbox(() => snapshotEvents(client, first, numbered, at, retiredAtBirth))
      })
    },
    async settled() {
      await saving
      await lane.run(async () => undefined)
    },
  }
}
