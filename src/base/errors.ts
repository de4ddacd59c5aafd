// The one error class for faults, and what a device knows of each code: in which phase it happens and who acts next. The sentences for
// people, and the HTTP statuses, are in base/codes.ts, the table that documentation and apps read. In Node, at the authority and under
// development that table is here too, and messages say what to do; a page in production does not load the words of fifty codes. A problem of the authority comes with the authority's words. Nothing decides by the text of a message.
// Outcomes («the authority refused») are values, not errors: see protocol/outcome. Broken invariants: see assert.

/** Where on its way an intent or a request was when something happened. */
export type Phase =
  | 'capture'
  | 'persist'
  | 'send'
  | 'authenticate'
  | 'decode'
  | 'validate'
  | 'authorize'
  | 'apply'
  | 'commit'
  | 'pull'
  | 'merge'

/** Who acts next: the engine after a delay, the engine at once by another way, a person, or nobody (it is final). */
export type Remedy = 'retry' | 'recover' | 'person' | 'final'

/** What a device knows of one code. */
export interface Known {
  readonly phase: Phase
  readonly remedy: Remedy
}

const entry = (phase: Phase, remedy: Remedy): Known => Object.freeze({ phase, remedy })

/** Every code that the engine gives, on the device, on the wire and at the authority. */
export const KNOWN = Object.freeze({
  // On the device, before an intent is kept.
  mutator_unknown: entry('capture', 'person'),
  mutator_waited: entry('capture', 'person'),
  mutator_threw: entry('capture', 'person'),
  refused: entry('capture', 'person'),
  validation_async: entry('capture', 'person'),
  not_held: entry('capture', 'recover'),
  settled: entry('capture', 'final'),
  client_closed: entry('capture', 'person'),
  signed_out: entry('authenticate', 'person'),
  unsent: entry('capture', 'person'),
  client_broken: entry('capture', 'person'),
  // On the device's disk.
  not_durable: entry('persist', 'person'),
  storage_failed: entry('persist', 'person'),
  storage_newer: entry('persist', 'person'),
  storage_corrupt: entry('persist', 'person'),
  storage_in_use: entry('persist', 'person'),
  not_leading: entry('persist', 'recover'),
  // Between device and authority.
  unreachable: entry('send', 'retry'),
  timed_out: entry('send', 'retry'),
  not_ours: entry('send', 'retry'),
  server_error: entry('send', 'retry'),
  unavailable: entry('send', 'retry'),
  rate_limited: entry('send', 'retry'),
  stream_lost: entry('pull', 'retry'),
  frame_gap: entry('merge', 'recover'),
  // Who is asking.
  unauthenticated: entry('authenticate', 'person'),
  actor_mismatch: entry('authenticate', 'person'),
  cross_site: entry('authenticate', 'person'),
  // What was asked.
  malformed: entry('decode', 'final'),
  too_large: entry('decode', 'recover'),
  media_type: entry('decode', 'final'),
  protocol_unsupported: entry('decode', 'person'),
  not_found: entry('decode', 'final'),
  method_not_allowed: entry('decode', 'final'),
  // Answers about an intent that are not outcomes: nothing is recorded.
  forked: entry('apply', 'recover'),
  gap: entry('apply', 'recover'),
  version_unknown: entry('validate', 'person'),
  expired: entry('apply', 'person'),
  key_missing: entry('decode', 'final'),
  key_reused: entry('apply', 'final'),
  in_progress: entry('apply', 'retry'),
  fault: entry('apply', 'retry'),
  behind: entry('pull', 'retry'),
  // Codes of outcomes: final.
  arguments_invalid: entry('validate', 'final'),
  row_exists: entry('apply', 'final'),
  row_gone: entry('apply', 'final'),
  row_invalid: entry('apply', 'final'),
  forbidden: entry('authorize', 'final'),
  constraint: entry('commit', 'final'),
  id_reused: entry('apply', 'final'),
  dependency: entry('apply', 'final'),
  conflict_rejected: entry('apply', 'person'),
  conflict_merged: entry('apply', 'person'),
  discarded: entry('apply', 'final'),
  internal: entry('commit', 'retry'),
} satisfies Readonly<Record<string, Known>>)

/** One code of the table. */
export type Code = keyof typeof KNOWN

/** Whether a string from outside is a code of the table. */
export function isCode(value: string): value is Code {
  return Object.hasOwn(KNOWN, value)
}

/** A value that explains an error: plain JSON, never a secret, SQL or a path. */
export type Details = {
  readonly [key: string]: string | number | boolean | null | Details | readonly Details[] | readonly string[]
}

/** What else an error may carry. */
export interface SyncErrorOptions {
  readonly details?: Details
  readonly cause?: unknown
  /** At least this many milliseconds until another try makes sense. */
  readonly retryAfterMs?: number
  /** The request during which it happened; the same id stands in the authority's log. */
  readonly requestId?: string | undefined
  /** The authority's own sentence for what happened; what was seen then says what to do, too. */
  readonly title?: string | undefined
}

/** What a code means, and what to do about it: a sentence each. */
export interface Words {
  readonly title: string
  readonly advice: string
}

let words: { readonly [Name in Code]?: Words } = {}

/** From here on messages say these words too. */
export function speak(spoken: { readonly [Name in Code]?: Words }): void {
  words = spoken
}

/**
 * A fault: no network, disk full, session ended. `message` says what was seen, what that means and what to do; in a page in production
 * only what was seen, and the code, for which `CODES[code]` has the sentences. Programs look only at `code`, `phase` and `remedy`.
 */
export class SyncError extends Error {
  readonly code: Code
  readonly phase: Phase
  readonly remedy: Remedy
  readonly details: Details
  readonly retryAfterMs: number
  readonly requestId: string | undefined
  /** What was seen, without what the table says of the code. */
  readonly what: string
  constructor(
    code: Code,
    what: string,
    { details = {}, cause, retryAfterMs = 0, requestId, title }: SyncErrorOptions = {},
  ) {
    const { phase, remedy } = KNOWN[code]
    const seen = `${what.replace(/\.$/, '')}.`
    super(
      title === undefined ? `${seen} ${meaningOf(code, seen)}` : `${title}. ${seen}`,
      cause === undefined ? undefined : { cause },
    )
    this.name = 'SyncError'
    this.code = code
    this.phase = phase
    this.remedy = remedy
    this.details = details
    this.retryAfterMs = retryAfterMs
    this.requestId = requestId
    this.what = seen
  }
}

/** What a code means and what to do, unless that was said already; where nobody has the words, the code. */
function meaningOf(code: Code, seen: string): string {
  const known = words[code]
  if (known === undefined) return `(${code})`
  return seen === `${known.title}.` ? known.advice : `${known.title}. ${known.advice}`
}

/** The error, if it is a SyncError; else one of this code that names it as its cause. */
export function asSyncError(error: unknown, code: Code, what: string): SyncError {
  return error instanceof SyncError ? error : new SyncError(code, what, { cause: error })
}

/** Whether this is the SyncError of that code. */
export function hasCode(error: unknown, code: Code): error is SyncError {
  return error instanceof SyncError && error.code === code
}
