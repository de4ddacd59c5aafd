// Intents of callers that are no devices: one each, recognized by a key within its actor, or, where the mutator allows it, by being the
// same as one shortly before. They go the way of `authority.run`: the ledger decides once for (actor, intent id), and the id is made of
// the key. What is refused before it runs is not recorded, so it may be sent again under the same key. Knows no HTTP. I3.
import { hashJson } from '../base/canonical.ts'
import { SyncError } from '../base/errors.ts'
import { derivedUuid, randomUuid } from '../base/random.ts'
import type { ActorId, ClientId, IntentId, Sequence } from '../protocol/ids.ts'
import { fingerprintIntent } from '../protocol/intent.ts'
import { type Outcome, outcomeOf } from '../protocol/outcome.ts'
import { keyTime, type PlainAnswer, type PlainRequest } from '../protocol/plain.ts'
import type { DedupeRule, Mutator } from '../schema/mutator.ts'
import { upgradeArguments } from '../schema/upgrade.ts'
import type { Counters } from './counters.ts'
import type { Sql } from './db/db.ts'
import { takeFirst, takeOver } from './state/dedupe.ts'
import { readKept } from './state/ledger.ts'
import type { Verdict } from './sync/push.ts'
import type { Writer } from './sync/writer.ts'
import type { World } from './world.ts'

/** Decides one intent of a plain caller, or gives the outcome that its key has. Rejects with a SyncError. */
export type Plain = (
  actor: ActorId,
  key: string | undefined,
  request: PlainRequest,
  requestId: string,
) => Promise<PlainAnswer>

/** Under which ids of intents are derived from keys; drawn once. */
const NAMESPACE = '6f0d3c52-9a41-4b7e-8f15-c2e7d90ab863'
/** Who repeats a request without a version may mean one of so many before the present one. */
const EARLIER_VERSIONS = 16
/** When to ask again after one that is still running. */
const RUNNING_MS = 1_000

/** Makes it. Each authority is a client of its own here, as in run.ts. */
export function createPlain({ app, database, host, tuning }: World, writer: Writer, counters: Counters): Plain {
  let client: ClientId | undefined
  /** What runs in this process, by actor and intent, with its fingerprint. Another process waits for the database and finds the outcome. */
  const running = new Map<string, string>()

  return async (actor, key, request, requestId) => {
    const { name } = request
    const mutator = Object.hasOwn(app.mutators, name) ? app.mutators[name] : undefined
    if (mutator === undefined) throw new SyncError('version_unknown', `The app at the authority has no mutator ${name}`)
    const call: Call = { actor, request, requestId, mutator, version: request.version ?? mutator.version }
    const answer = key === undefined ? await decideWithoutKey(call) : await decideUnderKey(call, key)
    counters.plain++
    if (answer.repeated === true) counters.repeated++
    if (answer.deduplicated === true) counters.deduplicated++
    return answer
  }

  async function decideUnderKey(call: Call, key: string): Promise<PlainAnswer> {
    const { actor, request, version } = call
    const id = intentIdOf(actor, key)
    const known = await recall(call, id)
    if (known !== undefined) return known
    const place = JSON.stringify([actor, id])
    const fingerprint = fingerprintIntent({ ...request, version })
    const started = running.get(place)
    if (started !== undefined) {
      if (started !== fingerprint) throw reused(id)
      throw new SyncError('in_progress', 'The request was not run a second time', {
        retryAfterMs: RUNNING_MS,
        details: { intentId: id },
      })
    }
    running.set(place, fingerprint)
    try {
      refuseOld(request.madeAt ?? keyTime(key), id)
      inputOf(call)
      const now = host.clock.now()
      const { outcome, isRepeated } = await decide(call, id)
      // Decided elsewhere since the look above: what the ledger holds tells whether for the same request.
      if (outcome.status === 'rejected' && outcome.code === 'id_reused')
        return (await recall(call, id)) ?? answerOf(call, id, outcome, now)
      const answer = answerOf(call, id, outcome, now)
      return isRepeated ? { ...answer, repeated: true } : answer
    } finally {
      running.delete(place)
    }
  }

  async function decideWithoutKey(call: Call): Promise<PlainAnswer> {
    const { actor, request, mutator } = call
    const rule = mutator.dedupe
    if (rule === undefined) throw new SyncError('key_missing', `${request.name} was sent without a key`)
    refuseOld(request.madeAt, undefined)
    const hash = hashJson([actor, request.name, request.args, parentOf(rule, inputOf(call))])
    const id = randomUuid(host.random) as IntentId
    let first: { readonly id: string; readonly outcome: Outcome } | undefined
    const now = host.clock.now()
    const { outcome } = await decide(call, id, async (sql) => {
      first = await findFirst(sql, call, hash, id, rule.withinMs)
      // The batch is empty then: nothing is recorded for this call.
      return first === undefined
        ? undefined
        : { decided: 0, outcomes: [{ from: 1, to: 1, ...first.outcome }], isNews: false }
    })
    if (first === undefined) return answerOf(call, id, outcome, now)
    return { ...answerOf(call, first.id, first.outcome, now), deduplicated: true }
  }

  /** The intent that was the same shortly before, or undefined when this one is now the first. */
  async function findFirst(
    sql: Sql,
    { actor }: Call,
    hash: string,
    intentId: string,
    withinMs: number,
  ): Promise<{ readonly id: string; readonly outcome: Outcome } | undefined> {
    const takenAt = host.clock.now()
    const taking = { hash, actor, intentId, takenAt, endsAt: takenAt + withinMs }
    const id = await takeFirst(sql, taking)
    if (id === undefined) return undefined
    const known = await readKept(sql, actor, id)
    if (known !== undefined) return { id, outcome: known.outcome }
    // Its mutator failed, so nothing came of it.
    await takeOver(sql, taking)
    return undefined
  }

  /** What the ledger has for this intent, if anything. */
  async function recall(call: Call, id: IntentId): Promise<PlainAnswer | undefined> {
    const kept = await database.read((sql) => readKept(sql, call.actor, id))
    if (kept === undefined) return undefined
    if (!isSame(kept.fingerprint, call)) throw reused(id)
    refuseOld(kept.decidedAt, id)
    return { ...answerOf(call, id, kept.outcome, kept.decidedAt), repeated: true }
  }

  /** Below the window the ledger may have forgotten, so nothing is run and nothing is said of what became of it. */
  function refuseOld(at: number | undefined, intentId: string | undefined): void {
    if (at === undefined || at + tuning.keepSilentMs >= host.clock.now()) return
    throw new SyncError('expired', 'The request was made before the time for which outcomes are kept', {
      details: intentId === undefined ? {} : { intentId },
    })
  }

  async function decide(
    { actor, request, requestId, version }: Call,
    id: IntentId,
    instead?: (sql: Sql) => Promise<Verdict | undefined>,
  ): Promise<{ readonly outcome: Outcome; readonly isRepeated: boolean }> {
    const { name, args } = request
    client ??= randomUuid(host.random) as ClientId
    const verdict = await writer.push({
      actor,
      client,
      owner: '',
      last: Number.MAX_SAFE_INTEGER,
      stored: 0,
      entries: [{ sequence: 1 as Sequence, id, name, version, args, madeAt: request.madeAt ?? host.clock.now() }],
      takesNext: true,
      ...(instead === undefined ? {} : { instead }),
      requestId,
    })
    const [range] = verdict.outcomes
    if (range !== undefined) return { outcome: outcomeOf(range), isRepeated: range.repeated === true }
    const { code = 'fault', detail = `${name} was not decided`, retryAfterMs = 0 } = verdict.stop ?? {}
    throw new SyncError(code, detail, { retryAfterMs, details: { intentId: id } })
  }

  function answerOf({ requestId }: Call, intentId: string, outcome: Outcome, decidedAt: number): PlainAnswer {
    return { requestId, intentId, ...outcome, keptUntil: decidedAt + tuning.keepSilentMs }
  }
}

/** One call, with what the app says of its mutator. */
interface Call {
  readonly actor: ActorId
  readonly request: PlainRequest
  readonly requestId: string
  readonly mutator: Mutator
  readonly version: number
}

/**
 * The id of an intent under a key. The actor is part of it even where the key is a UUID: ids of rows are made of it (`tx.newId`), and two
 * actors may well use one key, such as the id of an event that concerns both.
 */
function intentIdOf(actor: string, key: string): IntentId {
  return derivedUuid(NAMESPACE, JSON.stringify([actor, key])) as IntentId
}

/** What the mutator's body would be given. What does not fit is refused here, before anything is recorded. */
function inputOf({ request, mutator, version }: Call): unknown {
  const upgraded = upgradeArguments(request.name, mutator, version, request.args)
  if (upgraded.kind === 'ready') return upgraded.input
  if (upgraded.kind === 'invalid') throw new SyncError('arguments_invalid', upgraded.problems.join('; '))
  throw new SyncError(
    'version_unknown',
    `Arguments of version ${version} of ${request.name} do not fit version ${mutator.version}, which the authority runs`,
  )
}

function parentOf(rule: DedupeRule<unknown>, input: unknown): string | null {
  if (rule.parent === undefined) return null
  const parent: unknown = rule.parent(input)
  if (typeof parent !== 'string') throw new TypeError('dedupe.parent gave something else than a text')
  return parent
}

/** Whether an intent's fingerprint is that of this call. A withdrawal saw no content, so it is the same as any. */
function isSame(fingerprint: string, { request, version }: Call): boolean {
  if (fingerprint === '') return true
  const oldest = request.version === undefined ? Math.max(1, version - EARLIER_VERSIONS) : version
  for (let at = version; at >= oldest; at--)
    if (fingerprintIntent({ ...request, version: at }) === fingerprint) return true
  return false
}

const reused = (intentId: string): SyncError =>
  new SyncError('key_reused', 'The request differs from the first one in its name, version or arguments', {
    details: { intentId },
  })
