// What a person can do about an intent that is not synced: try it again, change it, give it up, and take that back. Each is a new intent of
// the same root in the place of the old one, kept in one write with the old one’s end, and always with those that build on it: they
// would be withdrawn with it. Nothing is ever run twice for it: the authority knows what the old one did (decision 0022).
// Functions that an app imports, and not methods: who offers no repair loads none of it. How intents are taken in is calls.ts.
import { SyncError } from '../../base/errors.ts'
import { jsonEqual } from '../../base/json.ts'
import { type IntentId, parseIntentId } from '../../protocol/ids.ts'
import { hasEffects } from '../../protocol/outcome.ts'
import type { Client } from '../api.ts'
import type { Decision, IntentHandle } from '../calls.ts'
import { type TakenIntent, take } from '../take.ts'
import type { OutboxEntry } from './entry.ts'

/** What can be done about one intent. */
export interface Repair {
  /** It was refused, parked or discarded, and may be made again as it was. */
  readonly canRetry: boolean
  /** It may be made again with other arguments. Not while it is on its way: what the authority says of it comes first. */
  readonly canEdit: boolean
  readonly canDiscard: boolean
  /** It, what it was refused with, and what builds on any of these, in order: one repair concerns all of them. */
  readonly group: readonly string[]
  /** What discarding it takes along: it and what builds on it, in order. */
  readonly dependants: readonly string[]
}

/** Something that was discarded, and can be had back. */
export interface Discarded {
  /** What was discarded, in order. */
  readonly group: readonly string[]
  /** What became of each in the end: `withdrawn`, or `applied` where the authority had been faster. */
  readonly decided: Promise<readonly Decision[]>
  /** Makes all of it again. Possible as long as the device keeps what was discarded (`tuning.keepDiscardedMs`). */
  undo(): Promise<readonly IntentHandle[]>
}

/** What an intent is waiting for, or has come to. */
type Standing = 'waiting' | 'failed' | 'discarded' | 'settled'

function standingOf({ outcome, givenUp, isReopened }: OutboxEntry): Standing {
  if (givenUp?.as === 'replaced' || (outcome !== undefined && hasEffects(outcome))) return 'settled'
  if (givenUp?.as === 'discarded') return 'discarded'
  return givenUp?.as === 'parked' || (outcome !== undefined && !isReopened) ? 'failed' : 'waiting'
}

/** The entries that go with this one: upwards those that failed, downwards all that are not settled. `how`: which to look at. */
function groupOf(
  entries: readonly OutboxEntry[],
  chosen: OutboxEntry,
  isIn: (standing: Standing) => boolean,
  withCauses: boolean,
): readonly OutboxEntry[] {
  const group = new Set([chosen.intent.id])
  const byId = new Map(entries.map((entry) => [entry.intent.id, entry]))
  const addCauses = ({ intent }: OutboxEntry): void => {
    for (const id of intent.needs ?? []) {
      const cause = byId.get(id)
      if (cause === undefined || group.has(id) || standingOf(cause) !== 'failed') continue
      group.add(id)
      addCauses(cause)
    }
  }
  if (withCauses) addCauses(chosen)
  // What builds on another stands behind it.
  return entries.filter((entry) => {
    const { id, needs } = entry.intent
    if (group.has(id)) return true
    const belongs = needs?.some((need) => group.has(need)) === true && isIn(standingOf(entry))
    if (belongs) group.add(id)
    return belongs
  })
}

const idsOf = (entries: readonly OutboxEntry[]): readonly IntentId[] => entries.map(({ intent }) => intent.id)
const isOpen = (standing: Standing): boolean => standing === 'waiting' || standing === 'failed'

function find(client: Client, id: string): OutboxEntry {
  const intentId = parseIntentId(id)
  const entry = client.inspect().entries.find(({ intent }) => intent.id === intentId)
  if (entry === undefined) throw new SyncError('row_gone', `The outbox holds no intent ${id}`)
  return entry
}

/** What can be done about an intent of the outbox. Throws a SyncError `row_gone` when it is not there. */
export function repairOf(client: Client, id: string): Repair {
  const entry = find(client, id)
  const { entries } = client.inspect()
  const standing = standingOf(entry)
  return {
    canRetry: standing === 'failed' || standing === 'discarded',
    canEdit: isOpen(standing) && !entry.isSending,
    canDiscard: isOpen(standing),
    group: idsOf(groupOf(entries, entry, isOpen, true)),
    dependants: idsOf(groupOf(entries, entry, isOpen, false)),
  }
}

/**
 * Makes an intent again as it was, with all that goes with it, and gives the handle of the new one when it shows. Rejects with a SyncError,
 * and then everything stands as it did: `row_gone` when the outbox does not hold it, `settled` when there is nothing to repair, or what a
 * call of the mutator is refused with, for that is how it runs.
 */
export async function retryIntent(client: Client, id: string): Promise<IntentHandle> {
  return reissue(client, id)
}

/** Makes an intent again with other arguments, in the form in which the app calls the mutator now; the rest as in `retryIntent`. */
export async function editIntent(client: Client, id: string, args: unknown): Promise<IntentHandle> {
  return reissue(client, id, { args })
}

async function reissue(client: Client, id: string, change?: { readonly args: unknown }): Promise<IntentHandle> {
  await client.ready
  const entry = await answered(client, id)
  if (standingOf(entry) === 'settled') throw new SyncError('settled', `Intent ${id} was to be repaired`)
  const group = groupOf(client.inspect().entries, entry, isOpen, true)
  const handles = await make(client, group, new Map(change === undefined ? [] : [[entry.intent.id, change]]))
  return handles[group.findIndex(({ intent }) => intent.id === entry.intent.id)] as IntentHandle
}

/**
 * Gives an intent up, and with it what builds on it: gone from the screen at once. Rejects with a SyncError: `row_gone` when the outbox
 * does not hold it, `settled` when it has had its effects.
 */
export async function discardIntent(client: Client, id: string): Promise<Discarded> {
  await client.ready
  const entry = find(client, id)
  if (!isOpen(standingOf(entry))) throw new SyncError('settled', `Intent ${id} was to be discarded`)
  const group = idsOf(groupOf(client.inspect().entries, entry, isOpen, false))
  // The last first: nothing is shown for a moment that builds on what is gone.
  const decided = Promise.all(group.toReversed().map((each) => client.discard(each)))
  // Each of them was given up when this has its turn.
  await client.between(async () => undefined, { accept: true })
  return { group, decided: decided.then((decisions) => decisions.toReversed()), undo: () => undo(client, group) }
}

async function undo(client: Client, ids: readonly IntentId[]): Promise<readonly IntentHandle[]> {
  const discarded = client
    .inspect()
    .entries.filter((entry) => ids.includes(entry.intent.id) && standingOf(entry) === 'discarded')
  return make(client, discarded, new Map())
}

/** Makes entries again in their order, in one piece. */
async function make(
  client: Client,
  group: readonly OutboxEntry[],
  changes: ReadonlyMap<IntentId, { readonly args: unknown }>,
): Promise<readonly IntentHandle[]> {
  const ids = new Set(idsOf(group))
  const chosen = group.find(({ intent }) => changes.has(intent.id)) ?? group[0]
  return take(
    client,
    group.map((entry): TakenIntent => {
      const { id, root = id, name, version, args, madeAt, base, needs } = entry.intent
      const change = changes.get(id)
      // What was meant, and when, is the same. What it builds on is found anew but for those that are made again with it.
      const again = { root, replaces: id, name, madeAt, base, needs: needs?.filter((need) => ids.has(need)) }
      return change === undefined || jsonEqual(change.args as never, args)
        ? { ...again, version, args, mode: entry === chosen ? 'call' : 'stored' }
        : { ...again, version: client.app.mutators[name]?.version ?? version, args: change.args as never, mode: 'call' }
    }),
  )
}

/** The entry, when no request is under way that may decide it. */
async function answered(client: Client, id: string): Promise<OutboxEntry> {
  for (;;) {
    const entry = find(client, id)
    if (!entry.isSending) return entry
    await new Promise<void>((resolve) => {
      const stop = client.onStatus(() => {
        stop()
        resolve()
      })
    })
  }
}
