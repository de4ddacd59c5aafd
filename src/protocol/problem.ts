// Problem details (RFC 9457) with code, phase and request id: every answer that is not a success looks like this.
// The device decides by `code`; texts are for people.
import { CODES } from '../base/codes.ts'
import { type Code, isCode, type Phase, SyncError } from '../base/errors.ts'
import { type Decoder, integer, object, optional, text } from './codec.ts'

/** The media type of a problem. */
export const PROBLEM_TYPE = 'application/problem+json'

/** A problem on the wire. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: Code
  readonly phase: Phase
  readonly retryable: boolean
  readonly retryAfterMs?: number | undefined
  readonly intentId?: string | undefined
  readonly requestId: string
}

/** The problem that a code makes of one request. `detail` says what was seen; never a stack, SQL, a path or a secret. */
export function makeProblem(
  code: Code,
  requestId: string,
  detail: string,
  more: { readonly retryAfterMs?: number; readonly intentId?: string } = {},
): Problem {
  const row = CODES[code]
  return {
    type: `urn:holdfast:problem:${code}`,
    title: row.title,
    status: row.status,
    detail: `${detail} ${row.advice}`,
    code,
    phase: row.phase,
    retryable: row.remedy === 'retry',
    ...(more.retryAfterMs === undefined ? {} : { retryAfterMs: more.retryAfterMs }),
    ...(more.intentId === undefined ? {} : { intentId: more.intentId }),
    requestId,
  }
}

/** What a device needs of a problem; other members, and codes that it does not know, are ignored. */
export interface ReadProblem {
  readonly code: string
  readonly title: string | undefined
  readonly detail: string | undefined
  readonly retryAfterMs: number | undefined
  readonly requestId: string | undefined
}

/** Decodes a problem. */
export const problem: Decoder<ReadProblem> = object({
  code: text(),
  title: optional(text()),
  detail: optional(text()),
  retryAfterMs: optional(integer(0, 86_400_000)),
  requestId: optional(text()),
}) as Decoder<ReadProblem>

/** The fault that a problem means on the device. A code that this build does not know counts as a server error. */
export function faultOf({ code, title, detail, requestId, ...read }: ReadProblem, retryAfterMs: number): SyncError {
  return new SyncError(isCode(code) ? code : 'server_error', detail || 'The authority refused the request', {
    title,
    retryAfterMs: Math.max(retryAfterMs, read.retryAfterMs ?? 0),
    requestId,
  })
}
