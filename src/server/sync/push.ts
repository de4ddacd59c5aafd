// The push: deciding the batches of one commit, each of one client's intents in order, inside the writer's transaction. For each intent:
// known to the ledger? Its outcome. Else upgrade, validate, run over the buffer under the actor's rights, and record. A batch stops where
// nothing may be recorded. What all batches need of the database is read together, and what they change is written together.
// Does not commit or adopt (writer.ts does) and knows no HTTP. I2, I3, I9, I18.
import { check } from '../../base/assert.ts'
import type { HashText } from '../../base/canonical.ts'
import { SyncError } from '../../base/errors.ts'
import type { ActorId, ClientId, IntentId, Sequence } from '../../protocol/ids.ts'
import { type Entry, fingerprintIntent, isWithdrawal, type NumberedIntent } from '../../protocol/intent.ts'
import { appendOutcome, hasEffects, type Outcome, type OutcomeRange } from '../../protocol/outcome.ts'
import type { Stop } from '../../protocol/push.ts'
import type { Sql } from '../db/db.ts'
import { together } from '../db/together.ts'
import type { Authors } from '../state/authors.ts'
import type { OpenLog } from '../state/change-log.ts'
import type { Decision, LedgerRecord } from '../state/ledger.ts'
import { type OpenLedger, openLedger } from '../state/open-ledger.ts'
import type { World } from '../world.ts'
import { lineOf } from './conflicts.ts'
import { type BatchRuns, createRuns } from './runs.ts'
import { refuseForked } from './seal.ts'

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

/** What became of a batch; an error for one that is refused as a whole. */
export type Decided = Verdict | SyncError

/** What became of batches that are decided together, and what is on its way of that. */
export interface Deciding {
  readonly results: readonly Decided[]
  /** Rejects when nothing of it may be kept, as `decideBatches` does. */
  readonly written: Promise<unknown>
  /** Writes what the ledger has to say; no adoption waits for that. */
  record(): Promise<void>
}

/** Whether a batch is refused by this, as a whole and for good. Other failures may be of the database itself. */
export const isRefusal = (error: unknown): error is SyncError =>
  error instanceof SyncError && error.code !== 'unavailable'

/**
 * Decides batches that share a commit, each over what those before it left, and sends their rows on their way. Rejects when nothing of all this may be kept: with the
 * SyncError of a batch that was refused after some of it was done, and with CULPRIT_UNKNOWN, unless `oneByOne`, when a constraint refused
 * what several intents wrote.
 */
export async function decideBatches(
  world: World,
  sql: Sql,
  batches: readonly Batch[],
  oneByOne: boolean,
  authors: Authors | undefined,
  log?: OpenLog,
): Promise<Deciding> {
  const runs = createRuns(world, sql, oneByOne, authors)
  const results: Decided[] = []
  try {
    // What is decided already is not known yet: of that some rows are read in vain.
    const [ledger] = await together([
      openLedger(sql, clientsIn(batches), batches.flatMap(intentsIn)),
      runs.foresee(batches, log),
    ])
    for (const batch of batches) {
      const { client, actor, entries } = batch
      // What this batch asks of the tables themselves must be there.
      if (batch.instead !== undefined) await ledger.write(world.host.clock.now())
      const before = ledger.count()
      try {
        const verdict =
          (await batch.instead?.(sql)) ?? (await decideBatch(ledger, batch, runs.begin(batch), world.host.sha256))
        await runs.end()
        await authors?.wrote({ client, actor, sequence: verdict.decided }, lineOf(client, entries))
        results.push(verdict)
      } catch (error) {
        const isUntouched = batch.instead === undefined && ledger.count() === before
        if (!isRefusal(error) || !isUntouched) throw error
        results.push(error)
      }
    }
    await runs.send()
    const written = runs.sent()
    written.catch(() => undefined)
    return { results, written, record: () => ledger.write(world.host.clock.now()) }
  } catch (error) {
    // Whatever came behind rows that were refused failed by them.
    await runs.sent()
    throw error
  } finally {
    runs.stop()
  }
}

async function decideBatch(
  ledger: OpenLedger,
  batch: Batch,
  runs: BatchRuns,
  hash: HashText | undefined,
): Promise<Verdict> {
  const { client, actor } = batch
  const known = ledger.client(client)
  const decidedBefore = known?.decided ?? 0
  const entries = numbered(batch, decidedBefore)
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
  const stop = await repeatOutcomes(ledger, client, repeated, outcomes, hash)
  if (stop !== undefined) return { decided: decidedBefore, outcomes, stop, isNews: false }

  let decided = decidedBefore
  let decidedId = known?.decidedId ?? ''
  let stopped: Stop | undefined
  for (const entry of entries.slice(repeated.length)) {
    const result = await decide(entry)
    if ('stop' in result) {
      stopped = result.stop
      break
    }
    const { decision, isRepeated } = result
    check(entry.sequence === decided + 1, 'I2', `number ${entry.sequence} of a client was decided after ${decided}`)
    decided = entry.sequence
    decidedId = entry.id
    ledger.decide(decision)
    appendOutcome(outcomes, entry.sequence, decision.outcome, isRepeated)
  }

  const stored = Math.min(Math.max(batch.stored, known?.stored ?? 0), decided)
  const isNews = decided > decidedBefore
  if (isNews || (known !== undefined && stored > known.stored))
    ledger.advance(client, { actor: batch.owner, decided, decidedId, stored, pruned: known?.pruned ?? 0 })
  return { decided, outcomes, isNews, ...(stopped === undefined ? {} : { stop: stopped }) }

  async function decide(
    entry: Entry,
  ): Promise<{ readonly decision: Decision; readonly isRepeated: boolean } | { readonly stop: Stop }> {
    const { sequence, id } = entry
    const before = ledger.intent(actor, id)
    const decision = (outcome: Outcome, fingerprint: string, isAlias = false): Decision => ({
      client,
      actor,
      sequence,
      intentId: id,
      isAlias,
      fingerprint,
      outcome,
    })
    if (isWithdrawal(entry)) {
      if (before !== undefined)
        return { decision: decision(before.outcome, before.fingerprint, true), isRepeated: true }
      const applied = await appliedBefore(ledger, actor, entry)
      const details = { as: entry.withdraw, ...(applied && { applied: applied.intentId }) }
      return { decision: decision({ status: 'withdrawn', code: 'discarded', details }, ''), isRepeated: false }
    }
    const fingerprint = fingerprintIntent(entry, hash)
    if (before !== undefined) {
      if (isSame(before, fingerprint))
        return { decision: decision(before.outcome, fingerprint, true), isRepeated: true }
      return {
        decision: decision({ status: 'rejected', code: 'id_reused', details: {} }, fingerprint, true),
        isRepeated: false,
      }
    }
    if (mayBeForgotten(ledger, actor, entry))
      return {
        stop: {
          sequence,
          code: 'expired',
          detail: 'The ledger no longer remembers the time when this intent may have been decided.',
        },
      }
    const replaced = await appliedBefore(ledger, actor, entry)
    if (replaced !== undefined && isSame(replaced, fingerprint))
      return { decision: decision(replaced.outcome, fingerprint), isRepeated: true }
    const missing = entry.needs?.find((need) => {
      const needed = ledger.intent(actor, need)
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

/**
 * What the ledger knows of the intent in whose place this one was made, where that has had its effects after all: its device could not
 * know, because the answer was lost. A withdrawal on the way between the two says where to look.
 */
async function appliedBefore(
  ledger: OpenLedger,
  actor: string,
  { replaces }: Entry,
): Promise<LedgerRecord | undefined> {
  const replaced = replaces === undefined ? undefined : ledger.intent(actor, replaces)
  if (replaced === undefined || hasEffects(replaced.outcome)) return replaced
  const applied = replaced.outcome.status === 'withdrawn' ? replaced.outcome.details['applied'] : undefined
  return typeof applied === 'string' ? ledger.find(actor, applied) : undefined
}

/** Adds what is recorded at places that are decided already. */
async function repeatOutcomes(
  ledger: OpenLedger,
  client: string,
  entries: readonly Entry[],
  outcomes: OutcomeRange[],
  hash: HashText | undefined,
): Promise<Stop | undefined> {
  const [first] = entries
  if (first === undefined) return undefined
  const places = await ledger.places(client, first.sequence, first.sequence + entries.length - 1)
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

/** Whether an intent may have been decided at a place that the ledger has pruned. */
function mayBeForgotten(ledger: OpenLedger, actor: string, { births = [] }: NumberedIntent): boolean {
  return births.some(([client, sequence]) => {
    const known = ledger.client(client)
    return known !== undefined && known.actor === actor && sequence <= known.pruned
  })
}

/** The entries with their numbers. */
function numbered({ entries, takesNext }: Batch, decidedBefore: number): readonly Entry[] {
  if (takesNext !== true) return entries
  return entries.map((entry, index) => ({ ...entry, sequence: (decidedBefore + 1 + index) as Sequence }))
}

/** The clients of these batches, and those of earlier births. */
function clientsIn(batches: readonly Batch[]): ReadonlySet<string> {
  const clients = new Set<string>()
  for (const { client, entries } of batches) {
    clients.add(client)
    for (const entry of entries) if (!isWithdrawal(entry)) for (const [birth] of entry.births ?? []) clients.add(birth)
  }
  return clients
}

/** The intents of a batch, and those that they need. */
function intentsIn({ actor, entries }: Batch): readonly (readonly [actor: string, id: string])[] {
  const ids = new Set<string>()
  for (const entry of entries) {
    ids.add(entry.id)
    if (entry.replaces !== undefined) ids.add(entry.replaces)
    if (!isWithdrawal(entry)) for (const need of entry.needs ?? []) ids.add(need)
  }
  return [...ids].map((id) => [actor, id] as const)
}
