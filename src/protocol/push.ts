// The push: a batch of one client's intents in sequence, and the authority's answer.
import {
  array,
  type Decoder,
  integer,
  object,
  oneOf,
  optional,
  refuse,
  refuseAt,
  text,
  withMembers,
  yes,
} from './codec.ts'
import { type ActorId, actorProblem, type ClientId, type IntentId } from './ids.ts'
import { clientId, type Entry, entry, intentId, sequence, uuid } from './intent.ts'
import { LIMITS } from './limits.ts'
import { type OutcomeRange, outcomeRange } from './outcome.ts'
import { PROTOCOL } from './version.ts'

/** What every request of a device says of itself. */
export interface Caller {
  readonly protocol: typeof PROTOCOL
  /** The fingerprint of the app that the device runs. */
  readonly app: string
  /** Whose outbox and replica this is; must be who the credentials say. */
  readonly actor: ActorId
  readonly client: ClientId
  /** The highest sequence number that this store ever gave; 0 if none. */
  readonly last: number
  /** Up to this number the device has its outcomes safely stored; the ledger may forget them. */
  readonly stored: number
}

/** A batch. Sequence numbers rise by one. */
export interface PushRequest extends Caller {
  /**
   * The intent that the device has at the number before the first of the batch; left out when there is none, or when the device has
   * let go of it. Where the authority has another one there, two copies of one store have gone apart, and one of them is `forked`.
   */
  readonly after?: IntentId | undefined
  readonly intents: readonly Entry[]
}

/** Why a batch stopped before its end. Nothing was recorded for the intent at `sequence`. */
export interface Stop {
  readonly sequence: number
  readonly code: 'gap' | 'fault' | 'version_unknown' | 'expired'
  /** What to know about it, in a sentence without secrets. */
  readonly detail: string
  /** For `gap`: the number to send from. */
  readonly expected?: number | undefined
  readonly retryAfterMs?: number | undefined
  /** For `fault`: others of the same mutator pass meanwhile, so that it is this intent which fails. */
  readonly pinned?: true | undefined
}

/** The answer to a push. Repeating a request gives the same outcomes. */
export interface PushAnswer {
  readonly requestId: string
  readonly client: ClientId
  /** The last number that is decided; all below are too. */
  readonly decided: number
  readonly outcomes: readonly OutcomeRange[]
  readonly stop?: Stop | undefined
}

export const protocolVersion: Decoder<typeof PROTOCOL> = (value) =>
  value === PROTOCOL ? PROTOCOL : refuse(`must be ${PROTOCOL}`)

/** The members of Caller. */
export const caller = {
  protocol: protocolVersion,
  app: uuid,
  actor: text<ActorId>(actorProblem),
  client: clientId,
  last: integer(0),
  stored: integer(0),
}

const shape = object(withMembers(caller, { after: optional(intentId), intents: array(entry, LIMITS.batchIntents) }))

/** Decodes a push. */
export const pushRequest: Decoder<PushRequest> = (value) => {
  const request = shape(value)
  const first = request.intents[0]?.sequence ?? 1
  for (const [index, { sequence }] of request.intents.entries()) {
    if (sequence !== first + index)
      refuseAt(`intents[${index}].sequence`, `is ${sequence}, in a batch numbers rise by one`)
  }
  if (first + request.intents.length - 1 > request.last)
    refuseAt('last', `is ${request.last}, the batch has numbers up to ${first + request.intents.length - 1}`)
  if (request.stored > request.last) refuseAt('stored', `is ${request.stored}, above last`)
  return request
}

/** Decodes an answer to a push. */
export const pushAnswer: Decoder<PushAnswer> = object({
  requestId: text(),
  client: clientId,
  decided: integer(0),
  outcomes: array(outcomeRange, LIMITS.batchIntents),
  stop: optional(
    object({
      sequence,
      code: oneOf(['gap', 'fault', 'version_unknown', 'expired']),
      detail: text(),
      expected: optional(integer(1)),
      retryAfterMs: optional(integer(0)),
      pinned: optional(yes),
    }),
  ),
})
