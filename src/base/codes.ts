// The table of codes as a whole: HTTP status, documentation, badge texts and metric labels are read from it. The authority answers by it
// and apps may; an engine on a device does not hold it, so that no page loads sentences which reach it over the wire (errors.ts).
import { type Code, KNOWN, type Phase, type Remedy } from './errors.ts'

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

/** The row of a code: with the sentences that devices have too, or with those that only the authority has. */
const told = (code: Code, status: number, title = KNOWN[code].title, advice = KNOWN[code].advice): CodeEntry => {
  const { phase, remedy } = KNOWN[code]
  return Object.freeze({ phase, remedy, status, title, advice })
}

/** Every code that the engine gives, on the device, on the wire and at the authority. */
export const CODES: { readonly [Name in Code]: CodeEntry } = Object.freeze({
  // On the device, before an intent is kept.
  mutator_unknown: told('mutator_unknown', 422),
  mutator_waited: told('mutator_waited', 422),
  mutator_threw: told('mutator_threw', 422),
  refused: told('refused', 422),
  validation_async: told('validation_async', 422),
  not_held: told('not_held', 422),
  settled: told('settled', 409),
  client_closed: told('client_closed', 422),
  client_broken: told('client_broken', 500),
  // On the device's disk.
  not_durable: told('not_durable', 507),
  storage_failed: told('storage_failed', 507),
  storage_newer: told('storage_newer', 507),
  storage_corrupt: told('storage_corrupt', 507),
  storage_in_use: told('storage_in_use', 507),
  not_leading: told('not_leading', 409),
  // Between device and authority.
  unreachable: told('unreachable', 503),
  timed_out: told('timed_out', 504),
  not_ours: told('not_ours', 502),
  server_error: told('server_error', 500),
  unavailable: told('unavailable', 503),
  rate_limited: told('rate_limited', 429),
  stream_lost: told('stream_lost', 503),
  frame_gap: told('frame_gap', 409),
  // Who is asking.
  unauthenticated: told('unauthenticated', 401),
  actor_mismatch: told(
    'actor_mismatch',
    403,
    'The request names another actor than its credentials',
    'Sign in as the actor whose outbox this is. The outbox waits.',
  ),
  cross_site: told(
    'cross_site',
    403,
    'A page of another site sent this request with the cookies of this one',
    'Call from a page of this site, list its origin in browserOrigins, or send an authorization header.',
  ),
  // What was asked.
  malformed: told('malformed', 400),
  too_large: told('too_large', 413),
  media_type: told('media_type', 415, 'The body is not application/json', 'Send content-type: application/json.'),
  protocol_unsupported: told(
    'protocol_unsupported',
    426,
    'This version of the protocol is not spoken here',
    'Update the older side. The outbox waits.',
  ),
  not_found: told('not_found', 404, 'There is nothing at this address', 'See PROTOCOL.md for the addresses.'),
  method_not_allowed: told(
    'method_not_allowed',
    405,
    'This address does not take this method',
    'See PROTOCOL.md for the methods.',
  ),
  // Answers about an intent that are not outcomes: nothing is recorded.
  forked: told('forked', 409),
  gap: told('gap', 409, 'An earlier sequence number is missing', 'Send from the number that was named.'),
  version_unknown: told(
    'version_unknown',
    422,
    'The authority has no such mutator or version',
    'The intent is kept until one side is updated.',
  ),
  expired: told(
    'expired',
    410,
    'The intent is older than the ledger remembers',
    'It was not run. Check whether it had arrived, then make it again.',
  ),
  // Answers to plain callers alone.
  key_missing: told(
    'key_missing',
    400,
    'This mutator is only run for a request with a key',
    'Send Idempotency-Key: "<a fresh UUID>", the same one when the request is repeated.',
  ),
  key_reused: told(
    'key_reused',
    422,
    'This key was used before for another request',
    'Nothing was run. Send another request under a key of its own.',
  ),
  in_progress: told(
    'in_progress',
    409,
    'The first request with this key is still running',
    'Repeat it after the delay, with the same key; it then gets the outcome of the first.',
  ),
  fault: told('fault', 500),
  behind: told('behind', 503),
  // Codes of outcomes: final.
  arguments_invalid: told('arguments_invalid', 422),
  row_exists: told(
    'row_exists',
    409,
    'A row with this id is already there',
    'Insert under another id, or update the row.',
  ),
  row_gone: told('row_gone', 404),
  row_invalid: told('row_invalid', 422, 'A value does not fit its column', 'Correct the column named in details.'),
  forbidden: told('forbidden', 403, 'The actor may not write to this scope', 'Ask for the right, or write elsewhere.'),
  constraint: told('constraint', 409, 'A constraint of the database refused the change', 'See details for its kind.'),
  id_reused: told(
    'id_reused',
    422,
    'This intent id was used before for other content',
    'Make a new intent; ids are never used twice.',
  ),
  dependency: told(
    'dependency',
    424,
    'An intent that this one builds on was not applied',
    'Repair the earlier one; the group is made again in order.',
  ),
  conflict_rejected: told(
    'conflict_rejected',
    409,
    'Somebody else had changed what the intent was based on',
    'Nothing was written. Look at the record of the conflict; restoreConflict writes these values all the same.',
  ),
  conflict_merged: told(
    'conflict_merged',
    409,
    'The intent was applied over values that somebody else had changed',
    'Look at the record of the conflict; restoreConflict puts the other values back.',
  ),
  discarded: told('discarded', 409, 'The intent was withdrawn by its device', 'Nothing to do.'),
  internal: told('internal', 500, 'The authority failed', 'Try again; the request id leads to the cause in its log.'),
})
