// The path of one call of a mutator on the device: checked, run on the overlay (the screen changes), kept in the outbox (durable),
// decided by the authority. Holds the handles of the calls made by this process. Who runs is the replica, who keeps the outbox.
import { createDeferred, type Deferred } from '../base/deferred.ts'
import { type Details, SyncError } from '../base/errors.ts'
import { type Json, jsonProblem } from '../base/json.ts'
import { type Random, randomUuid } from '../base/random.ts'
import { utf8Bytes } from '../base/utf8.ts'
import { type ActorId, type IntentId, parseIntentId } from '../protocol/ids.ts'
import { LIMITS } from '../protocol/limits.ts'
import type { Outcome } from '../protocol/outcome.ts'
import type { App } from '../schema/app.ts'
import { Rejection } from '../schema/tx.ts'
import type { OutboxEntry } from './outbox/entry.ts'
import type { Outbox } from './outbox/outbox.ts'
import type { PendingIntent, Replica } from './replica/replica.ts'

/** What became of a call: the authority's outcome, or `refused` when it was never kept on this device. */
export type Decision =
  | (Outcome & {
      /** The ledger knew it before: an answer had been lost, or another device had sent the same id. */ readonly repeated: boolean
    })
  | { readonly status: 'refused'; readonly code: string; readonly details: Details }

/** One call of a mutator. Neither promise ever causes an unhandled rejection. */
export interface IntentHandle {
  readonly id: string
  /** Resolves when the intent is durable on this device; rejects with a SyncError when it was not kept. */
  readonly saved: Promise<void>
  /** What became of it; may take days. Never rejects. */
  readonly decided: Promise<Decision>
}

/** How one call differs from others. */
export interface CallOptions {
  /** The id of the intent, a UUID: a call with an id that this device knows already makes nothing new and gives the first one's handle. */
  readonly id?: string
  /** Keep it even where storage is not durable. */
  readonly accept?: boolean
}

interface Call {
  readonly handle: IntentHandle
  readonly saved: Deferred<void>
  readonly decided: Deferred<Decision>
}

/** What the calls work with once storage is loaded. */
export interface CallParts {
  readonly app: App
  readonly actor: ActorId
  readonly random: Random
  readonly replica: Replica
  readonly outbox: Outbox
  /** Why nothing can be kept at present, if so. */
  refusal(accept: boolean): SyncError | undefined
  now(): number
  /** A run has begun: see that it ends with its turn. */
  onRun(): void
}

/** The calls of one client. */
export interface Calls {
  call(name: string, args: unknown, options: CallOptions): IntentHandle
  /** Storage is loaded: what was called before runs now, in order. */
  open(parts: CallParts): void
  /** Nothing can be kept any more: what is not kept yet is refused. */
  refuseAll(error: SyncError): void
  /** Outbox entries changed: those who wait for a decision that is there now are told. */
  settle(entries: readonly OutboxEntry[]): void
  /** The disk refused these. */
  refuse(entries: readonly OutboxEntry[], error: unknown): void
  /** Whether a call has neither been kept nor refused yet. */
  areRunning(): boolean
  /** Resolves when each call so far has been handed to the outbox, or refused. */
  handedOver(): Promise<void>
  /** The decision about an intent that is in the outbox, whoever called it. */
  decisionOf(id: IntentId): Promise<Decision>
}

/** Makes the calls of one client; `randomOf` gives ids before storage is loaded. */
export function createCalls(app: App, random: Random): Calls {
  const calls = new Map<IntentId, Call>()
  let parts: CallParts | undefined
  let closedBy: SyncError | undefined
  let early: (() => void)[] = []
  let running = 0
  let idleWaiters: (() => void)[] = []

  function call(name: string, args: unknown, options: CallOptions): IntentHandle {
    const id = options.id === undefined ? (randomUuid(random) as IntentId) : parseIntentId(options.id)
    const known = calls.get(id)
    if (known !== undefined) return known.handle
    const made = register(id)
    const copy = copyArguments(app, name, args)
    if (copy instanceof SyncError) refuseOne(id, copy)
    else if (parts === undefined && closedBy === undefined) early.push(() => begin(made, id, name, copy, options))
    else begin(made, id, name, copy, options)
    return made.handle
  }

  function begin({ saved }: Call, id: IntentId, name: string, args: Json, options: CallOptions): void {
    if (parts === undefined) return refuseOne(id, closedBy ?? new SyncError('client_closed', `${name} was called`))
    const { replica, outbox, actor } = parts
    const kept = outbox.get(id)
    if (kept !== undefined) return settleOne(kept)
    const refusal = parts.refusal(options.accept === true)
    if (refusal !== undefined) return refuseOne(id, refusal)
    const { version } = app.mutators[name] as App['mutators'][string]
    const intent: PendingIntent = { id, rootId: id, name, version, args, madeAt: Math.floor(parts.now()), actor }
    running++
    const run = replica.run(intent, 'call')
    parts.onRun()
    run.then(
      (result) => {
        if (result.kept) {
          const needs = result.needs.length > 0 ? { needs: result.needs.slice(0, LIMITS.needs) } : {}
          outbox.add({ id, name, version, args, madeAt: intent.madeAt, ...needs }, saved.resolve)
        } else refuseOne(id, refusalOf(name, result.error))
        endRun()
      },
      (error: unknown) => {
        refuseOne(
          id,
          error instanceof SyncError ? error : new SyncError('client_broken', `${name} was called`, { cause: error }),
        )
        endRun()
      },
    )
  }

  function endRun(): void {
    running--
    if (running > 0) return
    const waiters = idleWaiters
    idleWaiters = []
    for (const resolve of waiters) resolve()
  }

  function register(id: IntentId): Call {
    const saved = createDeferred<void>()
    const decided = createDeferred<Decision>()
    const made: Call = {
      handle: Object.freeze({ id, saved: saved.promise, decided: decided.promise }),
      saved,
      decided,
    }
    calls.set(id, made)
    return made
  }

  function refuseOne(id: IntentId, error: SyncError): void {
    const refused = calls.get(id)
    if (refused === undefined) return
    // The id was not used: the person may try again with it.
    calls.delete(id)
    // Nobody has to listen. Said only where it fails: ten thousand promises of one burst cost as many again.
    refused.saved.promise.catch(() => undefined)
    refused.saved.reject(error)
    refused.decided.resolve({
      status: 'refused',
      code: typeof error.details['code'] === 'string' ? error.details['code'] : error.code,
      details: error.details,
    })
  }

  function settle(entries: readonly OutboxEntry[]): void {
    // Who waits for the disk has been told by the outbox. The rest is asked only where there is something to tell.
    for (const entry of entries) if (entry.outcome !== undefined) settleOne(entry)
  }

  function settleOne({ intent, sequence, outcome, isRepeated }: OutboxEntry): void {
    const known = calls.get(intent.id)
    if (known === undefined || sequence === undefined) return
    known.saved.resolve()
    if (outcome === undefined) return
    known.decided.resolve({ ...outcome, repeated: isRepeated })
    calls.delete(intent.id)
  }

  return {
    call,
    handedOver: () =>
      new Promise((resolve) => {
        if (running === 0) resolve()
        else idleWaiters.push(resolve)
      }),
    areRunning: () => running + early.length > 0,
    open(opened) {
      parts = opened
      for (const run of early) run()
      early = []
    },
    refuseAll(error) {
      parts = undefined
      closedBy = error
      for (const run of early) run()
      early = []
    },
    settle,
    refuse(entries, error) {
      const fault =
        error instanceof SyncError
          ? error
          : new SyncError('storage_failed', 'The intent could not be written', { cause: error })
      for (const { intent } of entries) refuseOne(intent.id, fault)
    },
    decisionOf(id) {
      const known = calls.get(id) ?? register(id)
      const entry = parts?.outbox.get(id)
      if (entry !== undefined) settleOne(entry)
      return known.handle.decided
    },
  }
}

/** A copy that nobody else can change, of arguments that fit on the wire; or why they do not. */
function copyArguments(app: App, name: string, args: unknown): Json | SyncError {
  if (!Object.hasOwn(app.mutators, name)) return new SyncError('mutator_unknown', `${name} was called`)
  const value = args === undefined ? null : args
  const problem = jsonProblem(value)
  if (problem !== undefined)
    return new SyncError('arguments_invalid', `${name} was called, but ${problem}`, { details: { problem } })
  const text = JSON.stringify(value)
  const bytes = utf8Bytes(text)
  if (bytes > LIMITS.argsBytes)
    return new SyncError(
      'too_large',
      `${name} was called with arguments of ${bytes} bytes, the limit is ${LIMITS.argsBytes}`,
    )
  return JSON.parse(text) as Json
}

/** A refusal at the first run: nothing is kept, and the person is told at once. */
function refusalOf(name: string, error: SyncError | Rejection): SyncError {
  if (!(error instanceof Rejection)) return error
  return new SyncError('refused', `${name} was called and rejected with ${error.code}`, {
    details: { ...error.details, code: error.code },
  })
}
