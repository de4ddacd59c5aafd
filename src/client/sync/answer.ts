// What an answer means: the authority's word, a problem that it states, or something else that got in between. Decides by status,
// content type and `code`, never by text.
import { type Code, SyncError } from '../../base/errors.ts'
import { type Decoder, decodeText } from '../../protocol/codec.ts'
import { faultOf, PROBLEM_TYPE, problem } from '../../protocol/problem.ts'
import type { NetworkAnswer } from '../host.ts'

/** The decoded body of a good answer; throws a SyncError for anything else. `now` is needed for dates in Retry-After. */
export function readAnswer<Value>(answer: NetworkAnswer, decoder: Decoder<Value>, now: number): Value {
  const type = mediaType(answer)
  if (answer.status === 200 && type === 'application/json') {
    const decoded = decodeText(decoder, answer.body)
    if (decoded.ok) return decoded.value
    throw new SyncError(
      'not_ours',
      `The answer’s field ${decoded.field === '' ? '(whole)' : decoded.field} ${decoded.problem}`,
    )
  }
  throw faultOfAnswer(answer, now)
}

/** The fault that an answer without success means. */
export function faultOfAnswer(answer: NetworkAnswer, now: number): SyncError {
  // A date is meant by the clock of whoever answered; that of this device may be hours off.
  const theirNow = Date.parse(answer.header('date') ?? '')
  const retryAfterMs = readRetryAfter(answer.header('retry-after'), Number.isNaN(theirNow) ? now : theirNow)
  if (mediaType(answer) === PROBLEM_TYPE) {
    const decoded = decodeText(problem, answer.body)
    if (decoded.ok) return faultOf(decoded.value, retryAfterMs)
  }
  return new SyncError(
    codeOfStatus(answer.status),
    `The answer has status ${answer.status} and type ${mediaType(answer) || 'none'}`,
    { retryAfterMs },
  )
}

/** What a bare status means, when a proxy or a framework answered instead of the authority. */
function codeOfStatus(status: number): Code {
  if (status === 401) return 'unauthenticated'
  if (status === 413) return 'too_large'
  if (status === 429) return 'rate_limited'
  if (status === 503) return 'unavailable'
  return status >= 500 ? 'server_error' : 'not_ours'
}

function mediaType(answer: NetworkAnswer): string {
  return (answer.header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/** Milliseconds from a Retry-After header in either form (seconds, or an HTTP date); 0 when there is none that makes sense. At most one day. */
export function readRetryAfter(header: string | undefined, now: number): number {
  if (header === undefined) return 0
  const delayMs = /^\d{1,9}$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - now
  return Number.isFinite(delayMs) ? Math.min(Math.max(delayMs, 0), 86_400_000) : 0
}
