// The outbox: the intents of this device in order, each with what is known of it. Appends in group commits: what comes while one
// strict write is under way shares the next (I1). An entry leaves only when it is decided and old, or replaced by a rebirth (I4).
// What stands at each number and what events make of it is line.ts, its form on disk stored.ts. Decides nothing about sending (sync/) and
// nothing about what the screen shows (replica/).
import { check } from '../../base/assert.ts'
import { hasCode } from '../../base/errors.ts'
import { createLane } from '../../base/lane.ts'
import { type Late, settle } from '../../base/late.ts'
import type { ClientId, IntentId, Sequence } from '../../protocol/ids.ts'
import type { OutcomeRange } from '../../protocol/outcome.ts'
import type { Draft, Storage } from '../storage/storage.ts'
import { type GivenUp, makeEntry, type OutboxEntry, type OwnEntry } from './entry.ts'
import { createLine } from './line.ts'
import { createSessionNotes, type SessionNotes } from './session.ts'
import { countForgettable, rebornEvents, snapshotEvents } from './snapshot.ts'
import { type KeptIntent, type OutboxEvent, placesOf } from './stored.ts'

/** The changes that others hear of. */
export interface OutboxListener {
  /** These entries look different now. */
  changed(entries: readonly OutboxEntry[]): void
  /** The disk refused these; they are not in the outbox any more. */
  refused(entries: readonly OutboxEntry[], error: unknown): void
  /** The person has signed out of this store, here or in another client of it. */
  left(): void
}

/** The outbox of one open storage. */
export interface Outbox extends SessionNotes {
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
  /**
   * Keeps a new intent. `saved` is settled when it is durable; that, and whether it was refused, is told to the listener too. What it
   * replaces is given up with it; until then that is not sent.
   */
  add(intent: KeptIntent, saved?: Late<void>): void
  /** The durable entries that the authority has to decide, in order: all from the first that it has not. */
  undecided(limit: number): readonly OutboxEntry[]
  countUndecided(): number
  /** How many have no number here yet: most often because they are not durable yet. */
  countUnsaved(): number
  /** Takes in what another client of the same store kept; gives the entries that it concerns, of which the listener has heard. */
  take(events: readonly OutboxEvent[]): readonly OutboxEntry[]
  /** Takes outcomes in; resolves when they are stored. */
  decide(outcomes: readonly OutcomeRange[], at: number): Promise<void>
  /** Gives up the place of an undecided intent, or dismisses one that had no effect; resolves when that is stored. */
  giveUp(id: IntentId, how: GivenUp & { readonly as: 'discarded' | 'parked' }): Promise<void>
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
  /** The journal of a new birth of all that is durable, for a storage that goes on elsewhere; nothing is changed here. */
  reborn(client: ClientId, at: number): readonly OutboxEvent[]
  /**
   * Lets go of decided entries from before `decidedBefore`, of discarded ones from before `discardedBefore`; rewrites the journal when that is
   * worth it.
   */
  tidy(decidedBefore: number, at: number, discardedBefore?: number): Promise<void>
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
  let stored = 0
  let unnumbered: OwnEntry[] = []
  /** Durable, but the store was taken away before it could say where: whatever is heard next tells of them. */
  let untold: OwnEntry[] = []
  let saving: Promise<void> | undefined
  /** The unnumbered entries in words, where the storage wants them. */
  let draft: Draft | undefined
  const byId = new Map<IntentId, OwnEntry>()
  const line = createLine(byId)
  // Everything that goes to the journal goes one after the other, so that a rewrite holds all that came before it.
  const lane = createLane()

  const countUnnumbered = (): number => unnumbered.length + untold.length

  const saveGroup = async (): Promise<void> => {
    const group = unnumbered.slice()
    const written = draft
    draft = undefined
    check(written === undefined || written.count === group.length, 'I1', 'a draft does not hold what is to be kept')
    const intents = group.map(({ intent }) => intent)
    let from: number | undefined
    try {
      from = await storage.append(intents, written)
      const place = group[0]?.sequence ?? line.last + 1
      check(
        from === undefined || from === 0 || from === place,
        'I18',
        `storage gave number ${from} where ${place} comes next`,
      )
    } catch (error) {
      unnumbered = unnumbered.slice(group.length)
      for (const entry of group) line.release(entry)
      for (const { id } of intents) byId.delete(id)
      listener.refused(group, error)
      return
    }
    unnumbered = unnumbered.slice(group.length)
    if (from === undefined) untold.push(...group)
    for (const entry of group) {
      // Another client's rewriting may have told of its place already, or have forgotten it.
      if (from === 0) byId.delete(entry.intent.id)
      else if (from !== undefined && entry.sequence === undefined) line.place(entry)
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
    const birth = line.client
    return lane.run(async () => {
      if (line.client !== birth) return false
      let isOfThisBirth = true
      await storage.note(() => {
        isOfThisBirth = line.client === birth
        return isOfThisBirth ? events() : []
      })
      return isOfThisBirth
    })
  }

  const giveUp: Outbox['giveUp'] = async (id, how) => {
    const entry = byId.get(id)
    if (entry === undefined || entry.outcome?.status === 'applied') return
    if (entry.givenUp !== undefined && entry.givenUp.as !== 'parked') return
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

  const rewrite = async (at: number, format?: number): Promise<void> => {
    let events: readonly OutboxEvent[] = []
    await storage.rewriteOutbox(() => {
      const { client, first, retiredAtBirth } = line
      events = snapshotEvents(client, first, line.entries(), at, retiredAtBirth, line.ofSession(), format)
      return events
    })
    line.rewritten(events)
  }

  /** Puts a new birth in the place of all. */
  const replace = async (make: () => readonly OutboxEvent[]): Promise<void> => {
    let events: readonly OutboxEvent[] = []
    await storage.rewriteOutbox(() => {
      events = make()
      return events
    })
    for (const event of events) line.apply(event)
    for (const entry of unnumbered) byId.set(entry.intent.id, entry)
    stored = 0
  }

  for (const event of kept) line.apply(event)
  stored = line.decided
  const notes = createSessionNotes({
    line,
    alone: lane.run,
    note,
    rewrite,
    replace,
    left: listener.left,
  })
  return {
    get client() {
      return line.client
    },
    get last() {
      return line.last
    },
    get stored() {
      return stored
    },
    get first() {
      return line.first
    },
    // What is being saved here may be in both, while another client's rewriting tells of it.
    entries: () =>
      countUnnumbered() === 0
        ? line.entries()
        : [...line.entries(), ...untold, ...unnumbered.filter((entry) => !entry.sequence)],
    get: (id) => byId.get(id),
    at: line.at,
    add(intent, saved) {
      const entry = makeEntry(intent)
      draft ??= storage.draft?.()
      draft?.add(JSON.stringify(intent))
      entry.saved = saved
      byId.set(intent.id, entry)
      unnumbered.push(entry)
      const replaced = line.hold(entry)
      if (replaced !== undefined) listener.changed([replaced])
      // What is called in one go shares one write; what comes later shares the next.
      saving ??= new Promise<void>((begin) => afterCalls(begin)).then(saveGroups)
    },
    undecided: (limit) => line.undecided(limit),
    countUndecided: () => line.last - line.decided,
    countUnsaved: countUnnumbered,
    take(events) {
      const changed = new Set<OwnEntry>()
      for (const event of events) {
        line.apply(event)
        if (event.kind === 'born') stored = event.last
        if (event.kind === 'decided' && event.again !== true)
          for (const { to } of event.outcomes) stored = Math.max(stored, Math.min(to, line.decided))
        for (const { from, to } of placesOf(event)) {
          for (const entry of line.between(from, to)) {
            changed.add(entry)
            const replaced = event.kind === 'made' ? line.replacedBy(entry) : undefined
            if (replaced !== undefined) changed.add(replaced)
          }
        }
      }
      // A new birth knows nothing of what this client is still saving.
      for (const entry of unnumbered) byId.set(entry.intent.id, entry)
      // What was not told of now either is decided and forgotten.
      for (const { sequence, intent } of untold) if (sequence === undefined) byId.delete(intent.id)
      untold = []
      const entries = [...changed]
      if (entries.length > 0) listener.changed(entries)
      notes.heard()
      return entries
    },
    async decide(outcomes, at) {
      const before = line.decided
      const changed = outcomes.flatMap((range) => line.settle(range, at, false))
      if (changed.length > 0) listener.changed(changed)
      if (changed.length === 0 && line.decided === before) return
      const through = line.decided
      if (await note(() => [{ kind: 'decided', outcomes, at }]))
        stored = Math.max(stored, Math.min(through, line.decided))
    },
    giveUp,
    get session() {
      return notes.session
    },
    pointers: notes.pointers,
    point: notes.point,
    onPointers: notes.onPointers,
    leave: notes.leave,
    reopen(from) {
      line.reopen(from)
      stored = Math.min(stored, line.decided)
    },
    retire: (through) => line.retire(through),
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
    reborn: (next, at) => rebornEvents(next, line.client, line.first, line.entries(), at, line.ofSession()),
    rebirth: (next, at) =>
      lane.run(async () => {
        let before: readonly OwnEntry[] = []
        await replace(() => {
          before = line.entries()
          return rebornEvents(next, line.client, line.first, before, at, line.ofSession())
        })
        const numbered = line.entries()
        for (const [index, entry] of numbered.entries()) entry.attempts = before[index]?.attempts ?? 0
        check(
          numbered.length === before.length,
          'I4',
          `${before.length} intents went into a new birth, ${numbered.length} came out`,
        )
        listener.changed(numbered)
      }),
    async tidy(decidedBefore, at, discardedBefore = decidedBefore) {
      const count = countForgettable(line.entries(), decidedBefore, discardedBefore)
      if (count > 0) {
        const event: OutboxEvent = { kind: 'forgotten', through: (line.first + count - 1) as Sequence }
        line.apply(event)
        await note(() => [event])
      }
      await lane.run(async () => {
        if (storage.folding().outbox || line.isAhead) await rewrite(at)
      })
    },
    async settled() {
      await saving
      await lane.run(async () => undefined)
    },
  }
}
