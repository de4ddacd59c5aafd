// One intent of a caller that is no device: plain HTTP, with a key by which it is recognized or, where the mutator allows that, without
// one. The form of its request and of the answer; what a key means is server/plain.ts.
import type { Details } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import { anyJson, type Decoder, object, optional, refuse, text } from './codec.ts'
import { madeAt, mutatorName, mutatorVersion } from './intent.ts'
import { LIMITS } from './limits.ts'
import type { Outcome } from './outcome.ts'

/** One intent without a place. */
export interface PlainRequest {
  readonly name: string
  /** At which version of the mutator the arguments were made; left out for the present one. */
  readonly version?: number | undefined
  readonly args: Json
  /** When it was made, by the caller's clock: milliseconds since 1970. What is older than the ledger remembers is not run. */
  readonly madeAt?: number | undefined
  /** The key, for callers that cannot set a header. */
  readonly client_log_id?: string | undefined
}

/** What became of it. */
export interface PlainAnswer {
  readonly requestId: string
  /** The intent's id in the ledger; of a duplicate without a key, the first one's. */
  readonly intentId: string
  readonly status: Outcome['status']
  readonly code?: string | undefined
  readonly details?: Details | undefined
  /** The outcome had been recorded before this request, under the same key. */
  readonly repeated?: true | undefined
  /** There was no key, and this is the outcome of the same call shortly before. */
  readonly deduplicated?: true | undefined
  /** At least up to then the outcome is remembered: milliseconds since 1970, by the authority's clock. */
  readonly keptUntil: number
}

/** Why a text is no key, or undefined. */
export function keyProblem(key: string): string | undefined {
  return key.length <= LIMITS.keyLength && /^[\x21-\x7e]+$/.test(key)
    ? undefined
    : `must be 1 to ${LIMITS.keyLength} visible ASCII characters, best a fresh UUID`
}

const key = text(keyProblem)

/** Reads the header `Idempotency-Key`: one string of RFC 8941 without parameters, `"8e03…"`. Refuses as a decoder does. */
export const keyHeader: Decoder<string> = (value) => {
  const quoted = typeof value === 'string' ? /^[ \t]*"((?:[ !#-[\]-~]|\\["\\])*)"[ \t]*$/.exec(value) : null
  if (quoted === null) return refuse('must be one quoted string, such as "8e03978e-40d5-43dd-bc93-6894a57f9324"')
  return key((quoted[1] ?? '').replace(/\\(.)/g, '$1'))
}

const shape = object({
  name: mutatorName,
  version: optional(mutatorVersion),
  args: optional(anyJson),
  madeAt: optional(madeAt),
  client_log_id: optional(key),
})

/** Decodes a request of a plain caller. Arguments that are left out are `null`, as in a call without any. */
export const plainRequest: Decoder<PlainRequest> = (value) => {
  const { args = null, ...request } = shape(value)
  return { ...request, args }
}

/**
 * When a key was made, where it says so itself: a UUID of version 7 begins with its time, in milliseconds since 1970 (RFC 9562).
 */
export function keyTime(key: string): number | undefined {
  const parts = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i.exec(key)
  return parts === null ? undefined : Number.parseInt(`${parts[1]}${parts[2]}`, 16)
}
