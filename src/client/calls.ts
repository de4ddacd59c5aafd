// The path of one call of a mutator on the device: checked, run on the overlay (the screen changes), kept in the outbox (durable),
// decided by the authority. Holds the handles of the calls made by this process. Who runs is the replica, who keeps the outbox.
import { asSyncError, type Details, SyncError } from '../base/errors.ts'
import { type Json, jsonProblem } from '../base/json.ts'
import { createLate, type Late, promiseOf, settle } from '../base/late.ts'
import { randomUuid } from '../base/random.ts'
import { utf8Bytes } from '../base/utf8.ts'
import { type IntentId, parseIntentId } from '../protocol/ids.ts'
import { LIMITS } from '../protocol/limits.ts'
import type { Outcome } from '../protocol/outcome.ts'
import type { App } from '../schema/app.ts'
import { Rejection } from '../schema/tx.ts'
import type { Host } from './host.ts'
import type { OutboxEntry } from './outbox/entry.ts'
import type { Outbox } from './outbox/outbox.ts'
import type { KeptIntent } from './outbox/stored.ts'
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

const saved = Symbol('saved')
const decided = Symbol('decided')

/** A handle, and what it tells. */
interface Call extends IntentHandle {
  readonly id: IntentId
  readonly [saved]: Late<void>
  readonly [decided]: Late<Decision>
}

/** What all handles have in common. */
const handles: ThisType<Call> = {
  get saved() {
    return promiseOf(this[saved])
  },
  get decided() {
    return promiseOf(this[decided])
  },
}

/** A call that has not run yet. */
interface Waiting {
  readonly call: Call
  readonly intent: PendingIntent
  /** Keep it even where storage is not durable. */
  readonly accept: boolean
}

/** What the calls work with once storage is loaded. */
export interface CallParts {
  readonly replica: Replica
  readonly outbox: Outbox
  /** Why nothing can be kept at present, if so. */
  refusal(accept: boolean): SyncError | undefined
  /** A run begins: see that it ends with its turn. */
  onRun(): void
  /** Where errors go that no caller awaits. */
  report(error: unknown): void
}

/** What a job between two calls works with. */
export interface Between extends CallParts {
  newId(): IntentId
  /** This device's time. */
  now(): number
  /** Hands an intent over to the outbox; its handle. One that is there already is not kept again. */
  keep(intent: KeptIntent): IntentHandle
}

/** The calls of one client. */
export interface Calls {
  call(name: string, args: unknown, options: CallOptions): IntentHandle
  /** Runs a job when its turn has come among the calls; rejects with why nothing can be kept at present, or with what the job throws. */
  between<Result>(job: (parts: Between) => Promise<Result>, options: CallOptions): Promise<Result>
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

/** Makes the calls of one client. */
export function createCalls(app: App, { random, clock }: Pick<Host, 'random' | 'clock'>): Calls {
  const calls = new Map<IntentId, Call>()
  let parts: CallParts | undefined
  let closedBy: SyncError | undefined
  /** What was called before storage was loaded. */
  let early: Waiting[] = []
  /** What is to run, the first of which may be running. Of those who wait only this is made: ten thousand may. */
  let line: (Waiting | (() => Promise<void>))[] = []
  let working: Promise<void> | undefined

  const call = (name: string, args: unknown, options: CallOptions): IntentHandle => {
    const id = options.id === undefined ? (randomUuid(random) as IntentId) : parseIntentId(options.id)
    const known = calls.get(id)
    if (known !== undefined) return known
    const made = register(id)
    const copy = copyArguments(app, name, args)
    if (copy instanceof SyncError) {
      refuseOne(made, copy)
      return made
    }
    const { version } = app.mutators[name] as App['mutators'][string]
    const intent: PendingIntent = { id, name, version, args: copy, madeAt: Math.floor(clock.now()) }
    begin({ call: made, intent, accept: options.accept === true })
    return made
  }

  const begin = (waiting: Waiting): void => {
    const { call, intent, accept } = waiting
    if (closedBy !== undefined) return refuseOne(call, closedBy)
    if (parts === undefined) return void early.push(waiting)
    const kept = parts.outbox.get(intent.id)
    if (kept !== undefined) return settleOne(call, kept)
    const refusal = parts.refusal(accept)
    if (refusal !== undefined) return refuseOne(call, refusal)
    line.push(waiting)
    working ??= work(parts)
  }

  /** Runs what was called, one after the other, until nothing waits. */
  const work = async ({ replica, outbox, onRun }: CallParts): Promise<void> => {
    for (const waiting of line) {
      onRun()
      if (typeof waiting === 'function') {
        await waiting()
        continue
      }
      const { call, intent } = waiting
      try {
        const result = await replica.run(intent, 'call')
        if (result.kept) {
          const needs = result.needs.slice(0, LIMITS.needs)
          const { base } = result
          outbox.add(
            needs.length > 0 || base
              ? { ...intent, ...(needs.length > 0 && { needs }), ...(base && { base }) }
              : intent,
            call[saved],
          )
        } else refuseOne(call, refusalOf(intent.name, result.error))
      } catch (error) {
        refuseOne(call, refusalOf(intent.name, error))
      }
    }
    line = []
    working = undefined
  }

  const register = (id: IntentId): Call => {
    const own = { id, [saved]: createLate<void>(), [decided]: createLate<Decision>() }
    const made = Object.freeze(Object.assign(Object.create(handles), own)) as Call
    calls.set(id, made)
    return made
  }

  const refuseOne = (call: Call, error: SyncError): void => {
    // The id was not used: the person may try again with it.
    calls.delete(call.id)
    // Nobody has to listen.
    call.saved.catch(() => undefined)
    settle(call[saved], Promise.reject(error))
    settle(call[decided], {
      status: 'refused',
      code: typeof error.details['code'] === 'string' ? error.details['code'] : error.code,
      details: error.details,
    })
  }

  const settleOne = (call: Call, { sequence, outcome, isRepeated }: OutboxEntry): void => {
    if (sequence === undefined) return
    settle(call[saved], undefined)
    if (outcome === undefined) return
    settle(call[decided], { ...outcome, repeated: isRepeated })
    calls.delete(call.id)
  }

  return {
    call,
    between: (job, { accept = false }) =>
      new Promise((resolve, reject) => {
        const refusal =
          parts === undefined ? (closedBy ?? new SyncError('client_closed', 'It is not open')) : parts.refusal(accept)
        if (parts === undefined || refusal !== undefined) return reject(refusal)
        const { outbox } = parts
        const between: Between = {
          ...parts,
          now: clock.now,
          newId: () => randomUuid(random) as IntentId,
          keep(intent) {
            const made = calls.get(intent.id) ?? register(intent.id)
            const kept = outbox.get(intent.id)
            if (kept === undefined) outbox.add(intent, made[saved])
            else settleOne(made, kept)
            return made
          },
        }
        line.push(() => job(between).then(resolve, reject))
        working ??= work(parts)
      }),
    handedOver: async () => working,
    areRunning: () => working !== undefined || early.length > 0,
    open(opened) {
      parts = opened
      early.forEach(begin)
      early = []
    },
    refuseAll(error) {
      parts = undefined
      closedBy = error
      early.forEach(begin)
      early = []
    },
    settle(entries) {
      // Who waits for the disk has been told by the outbox. The rest is looked up only where there is something to tell.
      for (const entry of entries) {
        const known = entry.outcome === undefined ? undefined : calls.get(entry.intent.id)
        if (known !== undefined) settleOne(known, entry)
      }
    },
    refuse(entries, error) {
      const fault = asSyncError(error, 'storage_failed', 'The intent could not be written')
      for (const { intent } of entries) {
        const known = calls.get(intent.id)
        if (known !== undefined) refuseOne(known, fault)
      }
    },
    decisionOf(id) {
      const known = calls.get(id) ?? register(id)
      const entry = parts?.outbox.get(id)
      if (entry !== undefined) settleOne(known, entry)
      return known.decided
    },
  }
}

/** A copy that nobody else can change, of arguments that fit on the wire; or why they do not. */
export function copyArguments(app: App, name: string, args: unknown): Json | SyncError {
  if (!Object.hasOwn(app.mutators, name)) return new SyncError('mutator_unknown', `The app declares no mutator ${name}`)
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
export function refusalOf(name: string, error: unknown): SyncError {
  if (!(error instanceof Rejection)) return asSyncError(error, 'client_broken', `${name} could not be run`)
  return new SyncError('refused', `${name} was called and rejected with ${error.code}`, {
    details: { ...error.details, code: error.code },
  })
}
