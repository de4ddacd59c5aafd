// The one error class for faults, and what a device knows of each code: in which phase it happens, who acts next, and, if a device may
// raise it by itself, what to tell people. What the authority alone raises comes with the authority's words: base/codes.ts has them, the
// HTTP statuses, and the table that documentation and apps read. Nothing decides by the text of a message.
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
  /** What happened, in one plain sentence without values; empty for what the authority alone raises. */
  readonly title: string
  /** What to do about it. */
  readonly advice: string
}

const entry = (phase: Phase, remedy: Remedy, title = '', advice = ''): Known =>
  Object.freeze({ phase, remedy, title, advice })

/** Every code that the engine gives, on the device, on the wire and at the authority. */
export const KNOWN = Object.freeze({
  // On the device, before an intent is kept.
  mutator_unknown: entry(
    'capture',
    'person',
    'The app declares no mutator of this name',
    'Declare it in defineApp, or correct the name.',
  ),
  mutator_waited: entry(
    'capture',
    'person',
    'The mutator waited for something else than its transaction',
    'Fetch what it needs before the call and pass it as an argument.',
  ),
  mutator_threw: entry(
    'capture',
    'person',
    'The mutator threw',
    'Nothing was kept. Mend the mutator, or refuse with tx.reject.',
  ),
  refused: entry(
    'capture',
    'person',
    'The mutator refused the call',
    'Nothing was kept. The reason is in details.code; change it and call again.',
  ),
  validation_async: entry(
    'capture',
    'person',
    'The schema of the arguments validates asynchronously',
    'Use a synchronous schema: a call shows at once.',
  ),
  not_held: entry(
    'capture',
    'recover',
    'The mutator read what is not on this device',
    'The intent is kept and sent without a picture; the authority decides it.',
  ),
  settled: entry(
    'capture',
    'final',
    'The intent has had its effects, or another one stands for it',
    'There is nothing to repair. Make a new call.',
  ),
  client_closed: entry('capture', 'person', 'The client is closed', 'Create a new client.'),
  client_broken: entry(
    'capture',
    'person',
    'An invariant of the engine failed',
    'What is stored was left untouched. Export the outbox and report the message.',
  ),
  // On the device's disk.
  not_durable: entry(
    'persist',
    'person',
    'This device cannot keep the change safely',
    'Nothing was kept. Keep the form open, free storage, or call again with accept.',
  ),
  storage_failed: entry(
    'persist',
    'person',
    'The device’s storage refused the write',
    'Nothing was kept. Keep the form open and try again; the cause is in details.',
  ),
  storage_newer: entry(
    'persist',
    'person',
    'What is stored was written by a newer version of the app',
    'Update the app. What is stored was left untouched.',
  ),
  storage_corrupt: entry(
    'persist',
    'person',
    'What is stored cannot be read',
    'What is stored was left untouched. Export it, then start with an empty folder.',
  ),
  storage_in_use: entry(
    'persist',
    'person',
    'Another process has this storage open',
    'Close the other process, or give this device a folder of its own.',
  ),
  not_leading: entry(
    'persist',
    'recover',
    'Another client of this store leads now',
    'Nothing to do: the one that leads sends what waits.',
  ),
  // Between device and authority.
  unreachable: entry('send', 'retry', 'The authority cannot be reached', 'Nothing is lost; the engine tries again.'),
  timed_out: entry('send', 'retry', 'The authority did not answer in time', 'Nothing is lost; the engine tries again.'),
  not_ours: entry(
    'send',
    'retry',
    'Something else than the authority answered',
    'Often a sign-in page of the network. The engine tries again.',
  ),
  server_error: entry(
    'send',
    'retry',
    'The authority failed without saying why',
    'The engine tries again, with smaller batches.',
  ),
  unavailable: entry(
    'send',
    'retry',
    'The authority is not ready',
    'The engine tries again after the delay that it was told.',
  ),
  rate_limited: entry('send', 'retry', 'Too many requests', 'The engine tries again after the delay that it was told.'),
  stream_lost: entry('pull', 'retry', 'The live stream ended', 'The engine pulls and opens it again.'),
  frame_gap: entry(
    'merge',
    'recover',
    'A frame does not begin where this device stands',
    'Nothing of it was applied. The device pulls from where it stands.',
  ),
  // Who is asking.
  unauthenticated: entry(
    'authenticate',
    'person',
    'The authority does not know who is asking',
    'Sign in again. The outbox waits.',
  ),
  actor_mismatch: entry('authenticate', 'person'),
  cross_site: entry('authenticate', 'person'),
  // What was asked.
  malformed: entry('decode', 'final', 'The request cannot be read', 'Correct the field that detail names.'),
  too_large: entry(
    'decode',
    'recover',
    'The request is larger than its limit',
    'Send less at once; see the limits in PROTOCOL.md.',
  ),
  media_type: entry('decode', 'final'),
  protocol_unsupported: entry('decode', 'person'),
  not_found: entry('decode', 'final'),
  method_not_allowed: entry('decode', 'final'),
  // Answers about an intent that are not outcomes: nothing is recorded.
  forked: entry(
    'apply',
    'recover',
    'Another copy of this store has used its numbers',
    'The device takes a new client id and sends the same intents again.',
  ),
  gap: entry('apply', 'recover'),
  version_unknown: entry('validate', 'person'),
  expired: entry('apply', 'person'),
  key_missing: entry('decode', 'final'),
  key_reused: entry('apply', 'final'),
  in_progress: entry('apply', 'retry'),
  fault: entry(
    'apply',
    'retry',
    'The mutator failed at the authority',
    'Nothing was recorded; the intent keeps its place and is tried again.',
  ),
  behind: entry('pull', 'retry', 'This replica of the database is behind', 'The engine tries again.'),
  // Codes of outcomes: final.
  arguments_invalid: entry(
    'validate',
    'final',
    'The arguments do not fit the mutator’s schema',
    'Correct the fields named in details and call again.',
  ),
  row_exists: entry('apply', 'final'),
  row_gone: entry('apply', 'final', 'The row is not there', 'It was deleted, or was never visible to this actor.'),
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

/**
 * A fault: no network, disk full, session ended. `message` says what happened, why, and what to do;
 * programs look only at `code`, `phase` and `remedy`.
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
    const known = KNOWN[code]
    const seen = `${what.replace(/\.$/, '')}.`
    const rest = known.title === '' ? '' : ` ${known.title}. ${known.advice}`
    super(title === undefined ? seen + rest : `${title}. ${seen}`, cause === undefined ? undefined : { cause })
    this.name = 'SyncError'
    this.code = code
    this.phase = known.phase
    this.remedy = known.remedy
    this.details = details
    this.retryAfterMs = retryAfterMs
    this.requestId = requestId
    this.what = seen
  }
}

/** The error, if it is a SyncError; else one of this code that names it as its cause. */
export function asSyncError(error: unknown, code: Code, what: string): SyncError {
  return error instanceof SyncError ? error : new SyncError(code, what, { cause: error })
}

/** Whether this is the SyncError of that code. */
export function hasCode(error: unknown, code: Code): error is SyncError {
  return error instanceof SyncError && error.code === code
}
