// The runs of a batch's mutators: upgrade and validate the arguments, run the body under the actor's rights, and tell an outcome from a
// fault: only tx.reject, a missing right and a constraint decide an intent; whatever else is thrown is a fault of ours, for which
// nothing is recorded. Rights are read again when an intent wrote where they come from (I9). Records nothing (push.ts does).
import { type Details, SyncError } from '../../base/errors.ts'
import { type Json, jsonEqual } from '../../base/json.ts'
import type { Sequence } from '../../protocol/ids.ts'
import { type Entry, isWithdrawal, type NumberedIntent } from '../../protocol/intent.ts'
import type { Outcome } from '../../protocol/outcome.ts'
import type { Stop } from '../../protocol/push.ts'
import type { ConflictPolicy, Mutator } from '../../schema/mutator.ts'
import type { Row } from '../../schema/table.ts'
import { Rejection } from '../../schema/tx.ts'
import { upgradeArguments } from '../../schema/upgrade.ts'
import { ConstraintError, type Sql } from '../db/db.ts'
import type { Rights } from '../rights/grants.ts'
import type { Authors } from '../state/authors.ts'
import type { OpenLog } from '../state/change-log.ts'
import { keyOf } from '../state/turns.ts'
import type { World } from '../world.ts'
import { type Attempt, beginAttempt, type RunRules } from './attempt.ts'
import { createBuffer } from './buffer.ts'
import { type Comparison, type Conflicts, createComparison } from './conflicts.ts'
import { type Foreseen, foresee } from './foresee.ts'
import { type RecordParts, recordMerge, recordRefusal } from './records.ts'
import { createWatch } from './watch.ts'

/** Thrown when a constraint refused the writes of several intents: they are decided again, at last with a flush after each intent. */
export const CULPRIT_UNKNOWN = Symbol('a constraint refused the writes of several intents')

/** The runs of the batches of one commit, over one buffer. All functions throw CULPRIT_UNKNOWN, unless the runs are made `oneByOne`. */
export interface Runs {
  /** Reads what these batches will probably ask for, all at once, where each statement is dear; of the change log into `log`. */
  foresee(batches: readonly RunBatch[], log: OpenLog | undefined): Promise<void>
  /** Begins the next batch. */
  begin(batch: RunBatch): BatchRuns
  /** Ends it: what the next one must find in SQL is written. */
  end(): Promise<void>
  /** Sends what the intents wrote on its way. */
  send(): Promise<void>
  /** Settles when everything that was sent is in SQL. */
  sent(): Promise<unknown>
  /** Lets go of the clock. */
  stop(): void
}

/** The runs of one batch. */
export interface BatchRuns {
  /** Runs an intent that the ledger does not know: what became of it, or why nothing may be recorded for it. */
  run(intent: NumberedIntent): Promise<{ readonly outcome: Outcome } | { readonly stop: Stop }>
}

/** What runs must know of a batch. */
export interface RunBatch {
  readonly actor: string
  readonly client: string
  readonly requestId: string
  readonly entries: readonly Entry[]
}

/** So many rows are worth a statement of their own: 100 take a millisecond to be written, as they take to be decided. */
const SENT_ROWS = 100

const APPLIED: Outcome = Object.freeze({ status: 'applied' })

/** Makes the runs. */
export function createRuns(world: World, sql: Sql, oneByOne: boolean, authors: Authors | undefined): Runs {
  const { app, host, layout, tuning } = world
  const buffer = createBuffer(sql, layout)
  const watch = createWatch(host.clock, tuning.mutatorTimeoutMs)
  const mayChangeMore = layout.tables.some(({ isExisting }) => isExisting)
  /** The rights of each actor, as long as nothing was written where they come from; an error where the app did not give them. */
  const rightsOf = new Map<string, Rights | SyncError>()

  /** That the app's function of grants fails is no intent's fault: the whole batch fails. */
  async function readRights(actor: string): Promise<Rights | SyncError> {
    const known = rightsOf.get(actor)
    if (known !== undefined) return known
    const rights = await world.rights.read(actor, buffer.grantsSource).catch((error: unknown) => {
      if (error instanceof ConstraintError) throw culprit(error)
      return new SyncError('internal', 'The rights of the actor could not be found', { cause: error })
    })
    rightsOf.set(actor, rights)
    return rights
  }

  function forgetRights(written: ReadonlySet<string>): void {
    for (const [actor, rights] of rightsOf)
      if (rights instanceof SyncError || [...written].some((table) => rights.tables.has(table))) rightsOf.delete(actor)
  }

  /** What a constraint that refused the writes of several intents means. */
  const culprit = (error: unknown): unknown => (error instanceof ConstraintError && !oneByOne ? CULPRIT_UNKNOWN : error)

  const blame = (error: unknown): never => {
    throw culprit(error)
  }
  const send = (): Promise<void> => buffer.send().catch(blame)
  const sent = (): Promise<unknown> => buffer.sent().catch(blame)

  function begin(batch: RunBatch): BatchRuns {
    let comparison: Comparison | undefined
    buffer.beginBatch()

    async function run(intent: NumberedIntent): Promise<{ readonly outcome: Outcome } | { readonly stop: Stop }> {
      const result = await judge(intent)
      if ('outcome' in result) world.culprits.passed(intent.name, intent.id)
      return result
    }

    async function judge(intent: NumberedIntent): Promise<{ readonly outcome: Outcome } | { readonly stop: Stop }> {
      const { sequence, name, version } = intent
      const mutator = Object.hasOwn(app.mutators, name) ? app.mutators[name] : undefined
      if (mutator === undefined) return { stop: unfit(sequence, `The app at the authority has no mutator ${name}.`) }
      let input: unknown
      try {
        const upgraded = upgradeArguments(name, mutator, version, intent.args)
        if (upgraded.kind === 'unfit') {
          host.log(
            {
              level: 'warn',
              message: 'no upgrade fits an intent',
              requestId: batch.requestId,
              intentId: intent.id,
              mutator: name,
            },
            upgraded.reason,
          )
          return {
            stop: unfit(
              sequence,
              `Arguments of version ${version} of ${name} do not fit version ${mutator.version}, which the authority runs.`,
            ),
          }
        }
        if (upgraded.kind === 'invalid')
          return { outcome: rejected('arguments_invalid', { problems: upgraded.problems }) }
        input = upgraded.input
      } catch (error) {
        return { stop: fault(intent, error) }
      }
      const rights = await readRights(batch.actor)
      if (rights instanceof SyncError) throw rights
      const met = await compare(intent, mutator.conflict, rights)
      const isRefused = mutator.conflict === 'reject' && met !== undefined && met.size > 0
      const parts: RecordParts = { ...batch, sql, layout, buffer, rights, intent, at: host.clock.now() }
      const context = { actor: batch.actor, madeAt: intent.madeAt, rootId: intent.root ?? intent.id }
      const attempt = beginAttempt(app, layout, sql, buffer, rights, context, rulesOf(intent, mutator.conflict, met))
      let failure: unknown
      try {
        const body = world.bodies[name] ?? mutator.body
        await watch.race(runBody(body, attempt, input))
        if (oneByOne) await attempt.settle()
        // A mutator that caught the error of a constraint has not thereby lifted it.
        if (!isRefused && !attempt.isUpset() && attempt.refused() === undefined) {
          const written = await attempt.keep()
          if (written === undefined) rightsOf.clear()
          else forgetRights(written)
          const overwrote =
            met === undefined || met.size === 0 ? undefined : await recordMerge(parts, met, attempt.writes())
          return { outcome: overwrote ?? APPLIED }
        }
      } catch (error) {
        failure = error
      }
      // An intent that is refused has run all the same, to see what it would write; whether it could is nobody's affair any more.
      const writes = isRefused && failure === undefined ? attempt.writes() : []
      await attempt.drop()
      if (attempt.isUpset()) throw CULPRIT_UNKNOWN
      if (isRefused && !isFailing(failure)) return { outcome: await recordRefusal(parts, met, writes) }
      const refusal = attempt.refused()
      if (refusal !== undefined) return { outcome: rejected('constraint', { kind: refusal.kind }) }
      // The database failed under the mutator: that is neither its fault nor an outcome.
      if (isFailing(failure)) throw failure
      // It asked for something behind rows that are on their way and were refused.
      if (failure instanceof ConstraintError) throw culprit(failure)
      if (failure instanceof Rejection) return { outcome: rejected(failure.code, failure.details) }
      return { stop: fault(intent, failure) }
    }

    /** What others have changed of what an intent was based on; undefined where that makes no difference. */
    async function compare(
      { base }: NumberedIntent,
      policy: ConflictPolicy,
      rights: Rights,
    ): Promise<Conflicts | undefined> {
      if (authors === undefined || base === undefined || policy === 'rerun') return undefined
      comparison ??= await createComparison(sql, layout, buffer, authors, batch)
      return comparison.look(base, rights)
    }

    function fault(intent: NumberedIntent, error: unknown): Stop {
      host.log(
        {
          level: 'error',
          message: 'a mutator failed',
          requestId: batch.requestId,
          intentId: intent.id,
          mutator: intent.name,
          actor: batch.actor,
        },
        error,
      )
      return {
        sequence: intent.sequence,
        code: 'fault',
        detail: `The mutator ${intent.name} failed at the authority.`,
        retryAfterMs: world.tuning.faultRetryMs,
        ...(world.culprits.failed(intent.name, intent.id) && { pinned: true }),
      }
    }

    return { run }
  }

  return {
    async foresee(batches, log) {
      // Where something was refused, only what SQL says at the moment itself counts.
      if (!layout.dialect.isRemote || oneByOne) return
      const runs: Foreseen[] = []
      for (const { actor, entries } of batches) {
        const intents = entries.filter((entry): entry is NumberedIntent => !isWithdrawal(entry))
        if (intents.length === 0) continue
        const rights = await readRights(actor)
        if (rights instanceof SyncError) continue
        for (const intent of intents) runs.push({ actor, rights, intent })
      }
      if (runs.length > 0) await foresee(world, buffer, runs, log)
    },
    begin,
    async end() {
      // Who keeps authors wants to hear of the marks of each batch.
      const isAwaited = mayChangeMore || authors !== undefined || buffer.hasDeleted()
      // The database works on what is decided while the next one is.
      if (isAwaited || (layout.dialect.isRemote && buffer.size() >= SENT_ROWS)) await send()
      if (isAwaited) await sent()
      if (mayChangeMore) rightsOf.clear()
    },
    send,
    sent,
    stop: watch.stop,
  }
}

/** A run is over when its mutator is and everything that it began: a forgotten await loses no write. */
async function runBody(body: Mutator['body'], attempt: Attempt, input: unknown): Promise<void> {
  try {
    await body(attempt.tx, input)
  } finally {
    await attempt.drained()
  }
}

const isFailing = (failure: unknown): boolean => failure instanceof SyncError && failure.code === 'unavailable'

/** How an intent runs under its policy. */
function rulesOf({ base }: NumberedIntent, policy: ConflictPolicy, met: Conflicts | undefined): RunRules {
  if (met === undefined) return {}
  if (policy === 'reject') return { overwrites: (table, id) => met.get(keyOf(table, id))?.base.at === -1 }
  const kept = new Map<string, { readonly [column: string]: Json }>()
  for (const { table, id, same } of base?.rows ?? []) if (same !== undefined) kept.set(keyOf(table, id), same)
  return {
    // A column that was only set to what it was before (a form sends all of its fields) stays as others made it.
    merge(table, from, to) {
      const same = kept.get(keyOf(table, from.id)) ?? {}
      const stale = Object.keys(same).filter((name) => jsonEqual(to[name], same[name]))
      return { ...to, ...Object.fromEntries(stale.map((name) => [name, from[name] ?? null])) } as Row
    },
  }
}

const unfit = (sequence: Sequence, detail: string): Stop => ({ sequence, code: 'version_unknown', detail })

const rejected = (code: string, details: Details): Outcome => ({ status: 'rejected', code, details })
