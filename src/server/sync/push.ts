// The push: deciding one batch of one client's intents, in order, inside the writer's transaction. For each: known to the ledger? Its
// outcome. Else upgrade, validate, run over the buffer under the actor's rights, and record. Stops where nothing may be recorded.
// Does not commit or adopt (writer.ts does) and knows no HTTP. I2, I3, I9, I18.
import { check } from '../../base/assert.ts'
import type { HashText } from '../../base/canonical.ts'
import { SyncError } from '../../base/errors.ts'
import type { ActorId, ClientId, IntentId, Sequence } from '../../protocol/ids.ts'
import { type Entry, fingerprintIntent, isWithdrawal, type NumberedIntent } from '../../protocol/intent.ts'
import { appendOutcome, hasEffects, type Outcome, type OutcomeRange } from '../../protocol/outcome.ts'
import type { Stop } from '../../protocol/push.ts'
import type { Sql } from '../db/db.ts'
import type { Authors } from '../state/authors.ts'
import {
  type Decision,
  type LedgerRecord,
  readClient,
  readClients,
  readIntents,
  readPlaces,
  record,
  writeClient,
} from '../state/ledger.ts'
import type { World } from '../world.ts'
import { createRuns } from './runs.ts'
import { refuseForked } from './seal.ts'
import { createWatch } from './watch.ts'

/** A batch of intents of one client. */
export interface Batch {
  readonly actor: ActorId
  readonly client: ClientId
  /** Whose client it is: the actor, or nobody for the authority’s own. */
  readonly owner: string
  /** The highest number that the device ever gave. */
  readonly last: number
  readonly stored: number
  /** The intent that the device has at the number before the first entry, as far as it knows one. */
  readonly after?: IntentId | undefined
  readonly entries: readonly Entry[]
  /** The entries have no numbers of their own and take the next ones: for the authority's own client. */
  readonly takesNext?: true
  /** Asked in the transaction before anything is decided: what stands in the place of the batch, of which nothing is then recorded. */
  readonly instead?: (sql: Sql) => Promise<Verdict | undefined>
  readonly requestId: string
}

/** What became of a batch. */
export interface Verdict {
  readonly decided: number
  readonly outcomes: readonly OutcomeRange[]
  readonly stop?: Stop
  /** Whether anything was recorded for the first time. */
  readonly isNews: boolean
}

/** Decides a batch. Throws a SyncError `forked`, or CULPRIT_UNKNOWN unless `oneByOne`. */
export async function decideBatch(
  world: World,
  sql: Sql,
  batch: Batch,
  oneByOne: boolean,
  authors?: Authors | undefined,
): Promise<Verdict> {
  const { client, actor } = batch
  const instead = await batch.instead?.(sql)
  if (instead !== undefined) return instead
  const known = await readClient(sql, client)
  const decidedBefore = known?.decided ?? 0
  const entries = batch.takesNext
    ? batch.entries.map((entry, index) => ({ ...entry, sequence: (decidedBefore + 1 + index) as Sequence }))
    : batch.entries
  refuseForked(known, batch.owner, batch.last)
  const outcomes: OutcomeRange[] = []
  const first = entries[0]?.sequence ?? decidedBefore + 1
  if (first > decidedBefore + 1) {
    return {
      decided: decidedBefore,
      outcomes,
      stop: {
        sequence: first,
        code: 'gap',
        detail: `Number ${decidedBefore + 1} comes next.`,
        expected: decidedBefore + 1,
      },
      isNews: false,
    }
  }
  // Below that, the numbers themselves are compared.
  if (
    first === decidedBefore + 1 &&
    known !== undefined &&
    batch.after !== undefined &&
    batch.after !== known.decidedId
  )
    throw forked(`Number ${decidedBefore} of this client was used for something else`)
  const repeated = entries.slice(0, Math.max(0, decidedBefore + 1 - first))
  const stop = await repeatOutcomes(sql, client, repeated, outcomes, world.host.sha256)
  if (stop !== undefined) return { decided: decidedBefore, outcomes, stop, isNews: false }

  const fresh = entries.slice(repeated.length)
  const ledger = await lookUp(sql, actor, fresh)
  const isExpired = await expiredBirths(sql, actor, fresh)
  const decisions: Decision[] = []
  const watch = createWatch(world.host.clock, world.tuning.mutatorTimeoutMs)
  const runs = createRuns(world, sql, batch, watch, oneByOne, authors)
  let stopped: Stop | undefined
  try {
    await runs.foresee(fresh.filter((entry) => !isWithdrawal(entry) && !ledger.has(entry.id)) as NumberedIntent[])
    for (const entry of fresh) {
      const decided = await decide(entry)
      if ('stop' in decided) {
        stopped = decided.stop
        break
      }
      decisions.push(decided.decision)
      if (!decided.decision.isAlias) ledger.set(entry.id, decided.decision)
      appendOutcome(outcomes, entry.sequence, decided.decision.outcome, decided.isRepeated)
    }
    await runs.flush()
  } finally {
    watch.stop()
  }

  for (const [index, { sequence }] of decisions.entries()) {
    check(
      sequence === decidedBefore + 1 + index,
      'I2',
      `number ${sequence} of a client was decided after ${decidedBefore + index}`,
    )
  }
  const at = world.host.clock.now()
  const decided = decisions.at(-1)?.sequence ?? decidedBefore
  const decidedId = decisions.at(-1)?.intentId ?? known?.decidedId ?? ''
  await record(sql, client, actor, decisions, at)
  const stored = Math.min(Math.max(batch.stored, known?.stored ?? 0), decided)
  if (decisions.length > 0 || (known !== undefined && stored > known.stored)) {
    await writeClient(sql, client, { actor: batch.owner, decided, decidedId, stored, pruned: known?.pruned ?? 0 }, at)
  }
  return { decided, outcomes, isNews: decisions.length > 0, ...(stopped === undefined ? {} : { stop: stopped }) }

  async function decide(
    entry: Entry,
  ): Promise<{ readonly decision: Decision; readonly isRepeated: boolean } | { readonly stop: Stop }> {
    const { sequence, id } = entry
    const before = ledger.get(id)
    const decision = (outcome: Outcome, fingerprint: string, isAlias = false): Decision => ({
      sequence,
      intentId: id,
      isAlias,
      fingerprint,
      outcome,
    })
    if (isWithdrawal(entry)) {
      if (before !== undefined)
        return { decision: decision(before.outcome, before.fingerprint, true), isRepeated: true }
      return {
        decision: decision({ status: 'withdrawn', code: 'discarded', details: { as: entry.withdraw } }, ''),
        isRepeated: false,
      }
    }
    const fingerprint = fingerprintIntent(entry, world.host.sha256)
    if (before !== undefined) {
      if (isSame(before, fingerprint))
        return { decision: decision(before.outcome, fingerprint, true), isRepeated: true }
      return {
        decision: decision({ status: 'rejected', code: 'id_reused', details: {} }, fingerprint, true),
        isRepeated: false,
      }
    }
    if (isExpired(entry))
      return {
        stop: {
          sequence,
          code: 'expired',
          detail: 'The ledger no longer remembers the time when this intent may have been decided.',
        },
      }
    const missing = entry.needs?.find((need) => {
      const needed = ledger.get(need)
      return needed !== undefined && !hasEffects(needed.outcome)
    })
    if (missing !== undefined)
      return {
        decision: decision({ status: 'withdrawn', code: 'dependency', details: { intent: missing } }, fingerprint),
        isRepeated: false,
      }
    const result = await runs.run(entry)
    return 'stop' in result ? result : { decision: decision(result.outcome, fingerprint), isRepeated: false }
  }
}

const forked = (what: string): SyncError => new SyncError('forked', what)

/** A withdrawal saw no content, so it is the same as any. */
const isSame = (before: LedgerRecord, fingerprint: string): boolean =>
  before.fingerprint === '' || before.fingerprint === fingerprint

/** Adds what is recorded at places that are decided already. */
async function repeatOutcomes(
  sql: Sql,
  client: string,
  entries: readonly Entry[],
  outcomes: OutcomeRange[],
  hash: HashText | undefined,
): Promise<Stop | undefined> {
  const [first] = entries
  if (first === undefined) return undefined
  const places = await readPlaces(sql, client, first.sequence, first.sequence + entries.length - 1)
  for (const entry of entries) {
    const { sequence, id } = entry
    const before = places.get(sequence)
    if (before === undefined)
      return { sequence, code: 'expired', detail: 'This number was decided, and the ledger no longer remembers how.' }
    if (before.intentId !== id || !(isWithdrawal(entry) || isSame(before, fingerprintIntent(entry, hash))))
      throw forked(`Number ${sequence} of this client was used for something else`)
    appendOutcome(outcomes, sequence, before.outcome, true)
  }
  return undefined
}

/** What the ledger knows of these intents, and of those that they need. */
async function lookUp(sql: Sql, actor: string, entries: readonly Entry[]): Promise<Map<string, LedgerRecord>> {
  const ids = new Set<string>()
  for (const entry of entries) {
    ids.add(entry.id)
    if (!isWithdrawal(entry)) for (const need of entry.needs ?? []) ids.add(need)
  }
  return readIntents(sql, actor, [...ids])
}

/** Tells whether an intent may have been decided at a place that the ledger has pruned. */
async function expiredBirths(
  sql: Sql,
  actor: string,
  entries: readonly Entry[],
): Promise<(intent: NumberedIntent) => boolean> {
  const clients = new Set<string>()
  for (const entry of entries) if (!isWithdrawal(entry)) for (const [client] of entry.births ?? []) clients.add(client)
  const records = await readClients(sql, [...clients])
  return (intent) =>
    (intent.births ?? []).some(([client, sequence]) => {
      const known = records.get(client)
      return known !== undefined && known.actor === actor && sequence <= known.pruned
    })
}
