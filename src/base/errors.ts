// The one error class for faults, and the one table of codes. Retry policy, HTTP status, documentation, badge texts and metric
// labels are all read from this table; nothing decides by the text of a message.
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

/** One row of the table of codes. */
export interface CodeEntry {
  readonly phase: Phase
  readonly remedy: Remedy
  /** The HTTP status of a problem with this code. */
  readonly status: number
  /** What happened, in one plain sentence without values. */
  readonly title: string
  /** What to do about it. */
  readonly advice: string
}

const entry = (phase: Phase, remedy: Remedy, status: number, title: string, advice: string): CodeEntry =>
  Object.freeze({ phase, remedy, status, title, advice })

/** Every code that the engine gives, on the device, on the wire and at the authority. */
export const CODES = Object.freeze({
  // On the device, before an intent is kept.
  mutator_unknown: entry(
    'capture',
    'person',
    422,
    'The app declares no mutator of this name',
    'Declare it in defineApp, or correct the name.',
  ),
  mutator_waited: entry(
    'capture',
    'person',
    422,
    'The mutator waited for something other than its transaction',
    'A mutator may await only what tx returns: fetch what it needs before the call and pass it as an argument.',
  ),
  mutator_threw: entry(
    'capture',
    'person',
    422,
    'The mutator threw',
    'Nothing was kept. Mend the mutator, or use tx.reject to refuse on purpose.',
  ),
  refused: entry(
    'capture',
    'person',
    422,
    'The mutator refused the call on this device',
    'Nothing was kept. The reason is in details.code; change the input and call again.',
  ),
  validation_async: entry(
    'capture',
    'person',
    422,
    'The schema of the arguments validates asynchronously',
    'Use a schema that validates synchronously: a call shows at once.',
  ),
  not_held: entry(
    'capture',
    'recover',
    422,
    'The mutator read a scope that is not on this device',
    'The intent is kept and sent without a picture; the authority decides it.',
  ),
  client_closed: entry('capture', 'person', 422, 'The client is closed', 'Create a new client.'),
  client_broken: entry(
    'capture',
    'person',
    500,
    'The client stopped because an invariant of the engine failed',
    'Nothing stored was touched. Export the outbox and report the message.',
  ),
  // On the device's disk.
  not_durable: entry(
    'persist',
    'person',
    507,
    'This device cannot keep the change safely',
    'The change was not kept. Keep the form open, free storage, or call again with accept.',
  ),
  storage_failed: entry(
    'persist',
    'person',
    507,
    'The device’s storage refused the write',
    'The change was not kept. Keep the form open and try again; the cause is in details.',
  ),
  storage_newer: entry(
    'persist',
    'person',
    507,
    'The stored data was written by a newer version of the app',
    'Update the app. What is stored was left untouched.',
  ),
  storage_corrupt: entry(
    'persist',
    'person',
    507,
    'The stored data cannot be read',
    'What is stored was left untouched. Export it, then start with an empty folder.',
  ),
  storage_in_use: entry(
    'persist',
    'person',
    507,
    'Another process has this storage open',
    'Close the other process, or give this device a folder of its own.',
  ),
  not_leading: entry(
    'persist',
    'recover',
    409,
    'Another client of this store leads now',
    'Nothing has to be done: the one that leads sends what waits, and this one hears of it.',
  ),
  // Between device and authority.
  unreachable: entry(
    'send',
    'retry',
    503,
    'The authority cannot be reached',
    'Nothing is lost; the engine tries again.',
  ),
  timed_out: entry(
    'send',
    'retry',
    504,
    'The authority did not answer in time',
    'Nothing is lost; the engine tries again and the authority decides once.',
  ),
  not_ours: entry(
    'send',
    'retry',
    502,
    'Something else than the authority answered',
    'Often a sign-in page of the network. The engine tries again.',
  ),
  server_error: entry(
    'send',
    'retry',
    500,
    'The authority failed without saying why',
    'The engine tries again, with smaller batches.',
  ),
  unavailable: entry(
    'send',
    'retry',
    503,
    'The authority is not ready',
    'The engine tries again after the delay that it was told.',
  ),
  rate_limited: entry(
    'send',
    'retry',
    429,
    'Too many requests',
    'The engine tries again after the delay that it was told.',
  ),
  stream_lost: entry('pull', 'retry', 503, 'The live stream ended', 'The engine pulls and opens it again.'),
  frame_gap: entry(
    'merge',
    'recover',
    409,
    'A frame does not begin where this device stands',
    'Nothing of it was applied. The device pulls from where it stands.',
  ),
  // Who is asking.
  unauthenticated: entry(
    'authenticate',
    'person',
    401,
    'The authority does not know who is asking',
    'Sign in again. The outbox waits.',
  ),
  actor_mismatch: entry(
    'authenticate',
    'person',
    403,
    'The request names another actor than its credentials',
    'Sign in as the actor whose outbox this is. The outbox waits.',
  ),
  // What was asked.
  malformed: entry('decode', 'final', 400, 'The request cannot be read', 'Correct the field that detail names.'),
  too_large: entry(
    'decode',
    'recover',
    413,
    'The request is larger than the published limit',
    'Send less at once; see the limits in PROTOCOL.md.',
  ),
  media_type: entry('decode', 'final', 415, 'The body is not application/json', 'Send content-type: application/json.'),
  protocol_unsupported: entry(
    'decode',
    'person',
    426,
    'This version of the protocol is not spoken here',
    'Update the older side. The outbox waits.',
  ),
  not_found: entry('decode', 'final', 404, 'There is nothing at this address', 'See PROTOCOL.md for the addresses.'),
  method_not_allowed: entry(
    'decode',
    'final',
    405,
    'This address does not take this method',
    'See PROTOCOL.md for the methods.',
  ),
  // Answers about an intent that are not outcomes: nothing is recorded.
  forked: entry(
    'apply',
    'recover',
    409,
    'This client’s numbers have been used by another copy of its store',
    'The device takes a new client id and sends the same intents again.',
  ),
  gap: entry('apply', 'recover', 409, 'An earlier sequence number is missing', 'Send from the number that was named.'),
  version_unknown: entry(
    'validate',
    'person',
    422,
    'The authority has no such mutator or version',
    'The intent is kept until one side is updated.',
  ),
  expired: entry(
    'apply',
    'person',
    410,
    'The intent is older than the ledger remembers',
    'It was not run. Check whether it had arrived, then make it again.',
  ),
  fault: entry(
    'apply',
    'retry',
    500,
    'The mutator failed at the authority',
    'Nothing was recorded; the intent keeps its place and is tried again.',
  ),
  behind: entry('pull', 'retry', 503, 'This replica of the database is behind', 'The engine tries again.'),
  // Codes of outcomes: final.
  arguments_invalid: entry(
    'validate',
    'final',
    422,
    'The arguments do not fit the mutator’s schema',
    'Correct the fields named in details and call again.',
  ),
  row_exists: entry(
    'apply',
    'final',
    409,
    'A row with this id is already there',
    'Insert under another id, or update the row.',
  ),
  row_gone: entry('apply', 'final', 404, 'The row is not there', 'It was deleted, or was never visible to this actor.'),
  row_invalid: entry('apply', 'final', 422, 'A value does not fit its column', 'Correct the column named in details.'),
  forbidden: entry(
    'authorize',
    'final',
    403,
    'The actor may not write to this scope',
    'Ask for the right, or write elsewhere.',
  ),
  constraint: entry(
    'commit',
    'final',
    409,
    'A constraint of the database refused the change',
    'See details for its kind.',
  ),
  id_reused: entry(
    'apply',
    'final',
    422,
    'This intent id was used before for other content',
    'Make a new intent; ids are never used twice.',
  ),
  dependency: entry(
    'apply',
    'final',
    424,
    'An intent that this one builds on was not applied',
    'Repair the earlier one; the group is made again in order.',
  ),
  discarded: entry('apply', 'final', 409, 'The intent was withdrawn by its device', 'Nothing to do.'),
  internal: entry(
    'commit',
    'retry',
    500,
    'The authority failed',
    'Try again; the request id leads to the cause in its log.',
  ),
} satisfies Readonly<Record<string, CodeEntry>>)

/** One code of the table. */
export type Code = keyof typeof CODES

/** Whether a string from outside is a code of the table. */
export function isCode(value: string): value is Code {
  return Object.hasOwn(CODES, value)
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
  readonly requestId?: string
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
  constructor(code: Code, what: string, options: SyncErrorOptions = {}) {
    const row = CODES[code]
    super(
      `${what.replace(/\.$/, '')}. ${row.title}. ${row.advice}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    )
    this.name = 'SyncError'
    this.code = code
    this.phase = row.phase
    this.remedy = row.remedy
    this.details = options.details ?? {}
    this.retryAfterMs = options.retryAfterMs ?? 0
    this.requestId = options.requestId
  }
}

/** Whether this is the SyncError of that code. */
export function hasCode(error: unknown, code: Code): error is SyncError {
  return error instanceof SyncError && error.code === code
}
