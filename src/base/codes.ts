// The table of codes as a whole: HTTP status, documentation, badge texts and metric labels are read from it. The authority answers by it
// and apps may; an engine on a device holds phase and remedy only, so that no page loads sentences which it does not show (errors.ts).
import { type Code, KNOWN, type Phase, type Remedy, type Words } from './errors.ts'

/** One row of the table of codes. */
export interface CodeEntry extends Words {
  readonly phase: Phase
  readonly remedy: Remedy
  /** The HTTP status of a problem with this code. */
  readonly status: number
}

const told = (code: Code, status: number, title: string, advice: string): CodeEntry =>
  Object.freeze({ ...KNOWN[code], status, title, advice })

/** Every code that the engine gives, on the device, on the wire and at the authority. */
export const CODES: { readonly [Name in Code]: CodeEntry } = Object.freeze({
  // On the device, before an intent is kept.
  mutator_unknown: told(
    'mutator_unknown',
    422,
    'The app declares no mutator of this name',
    'Declare it in defineApp, or correct the name.',
  ),
  mutator_waited: told(
    'mutator_waited',
    422,
    'The mutator waited for something else than its transaction',
    'Fetch what it needs before the call and pass it as an argument.',
  ),
  mutator_threw: told(
    'mutator_threw',
    422,
    'The mutator threw',
    'Nothing was kept. Mend the mutator, or refuse with tx.reject.',
  ),
  refused: told(
    'refused',
    422,
    'The mutator refused the call',
    'Nothing was kept. The reason is in details.code; change it and call again.',
  ),
  validation_async: told(
    'validation_async',
    422,
    'The schema of the arguments validates asynchronously',
    'Use a synchronous schema: a call shows at once.',
  ),
  not_held: told(
    'not_held',
    422,
    'The mutator read what is not on this device',
    'The intent is kept and sent without a picture; the authority decides it.',
  ),
  settled: told(
    'settled',
    409,
    'The intent has had its effects, or another one stands for it',
    'There is nothing to repair. Make a new call.',
  ),
  signed_out: told(
    'signed_out',
    401,
    'The person has signed out on this device',
    'Create a client for whoever signs in next.',
  ),
  unsent: told(
    'unsent',
    409,
    'The device holds changes that the authority has not applied',
    'Ask the person: keep them for the next sign-in, send them first, export them or discard them.',
  ),
  client_closed: told('client_closed', 422, 'The client is closed', 'Create a new client.'),
  client_broken: told(
    'client_broken',
    500,
    'An invariant of the engine failed',
    'What is stored was left untouched. Export the outbox and report the message.',
  ),
  // On the device's disk.
  not_durable: told(
    'not_durable',
    507,
    'This device cannot keep the change safely',
    'Nothing was kept. Keep the form open, free storage, or call again with accept.',
  ),
  storage_failed: told(
    'storage_failed',
    507,
    'The device’s storage refused the write',
    'Nothing was kept. Keep the form open and try again; the cause is in details.',
  ),
  storage_newer: told(
    'storage_newer',
    507,
    'What is stored was written by a newer version of the app',
    'Update the app. What is stored was left untouched.',
  ),
  storage_corrupt: told(
    'storage_corrupt',
    507,
    'What is stored cannot be read',
    'What is stored was left untouched. Export it, then start with an empty folder.',
  ),
  storage_in_use: told(
    'storage_in_use',
    507,
    'Another process has this storage open',
    'Close the other process, or give this device a folder of its own.',
  ),
  not_leading: told(
    'not_leading',
    409,
    'Another client of this store leads now',
    'Nothing to do: the one that leads sends what waits.',
  ),
  // Between device and authority.
  unreachable: told('unreachable', 503, 'The authority cannot be reached', 'Nothing is lost; the engine tries again.'),
  timed_out: told('timed_out', 504, 'The authority did not answer in time', 'Nothing is lost; the engine tries again.'),
  not_ours: told(
    'not_ours',
    502,
    'Something else than the authority answered',
    'Often a sign-in page of the network. The engine tries again.',
  ),
  server_error: told(
    'server_error',
    500,
    'The authority failed without saying why',
    'The engine tries again, with smaller batches.',
  ),
  unavailable: told(
    'unavailable',
    503,
    'The authority is not ready',
    'The engine tries again after the delay that it was told.',
  ),
  rate_limited: told(
    'rate_limited',
    429,
    'Too many requests',
    'The engine tries again after the delay that it was told.',
  ),
  stream_lost: told('stream_lost', 503, 'The live stream ended', 'The engine pulls and opens it again.'),
  frame_gap: told(
    'frame_gap',
    409,
    'A frame does not begin where this device stands',
    'Nothing of it was applied. The device pulls from where it stands.',
  ),
  // Who is asking.
  unauthenticated: told(
    'unauthenticated',
    401,
    'The authority does not know who is asking',
    'Sign in again. The outbox waits.',
  ),
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
  malformed: told('malformed', 400, 'The request cannot be read', 'Correct the field that detail names.'),
  too_large: told(
    'too_large',
    413,
    'The request is larger than its limit',
    'Send less at once; see the limits in PROTOCOL.md.',
  ),
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
  forked: told(
    'forked',
    409,
    'Another copy of this store has used its numbers',
    'The device takes a new client id and sends the same intents again.',
  ),
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
  fault: told(
    'fault',
    500,
    'The mutator failed at the authority',
    'Nothing was recorded; the intent keeps its place and is tried again.',
  ),
  behind: told('behind', 503, 'This replica of the database is behind', 'The engine tries again.'),
  // Codes of outcomes: final.
  arguments_invalid: told(
    'arguments_invalid',
    422,
    'The arguments do not fit the mutator’s schema',
    'Correct the fields named in details and call again.',
  ),
  row_exists: told(
    'row_exists',
    409,
    'A row with this id is already there',
    'Insert under another id, or update the row.',
  ),
  row_gone: told('row_gone', 404, 'The row is not there', 'It was deleted, or was never visible to this actor.'),
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
