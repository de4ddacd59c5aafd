// Who is asking: the app's own authentication, and whether a request names the same actor. Keeps no sessions.
import { SyncError } from '../base/errors.ts'
import { type ActorId, actorProblem } from '../protocol/ids.ts'

/** What the app's authentication may look at. */
export interface Credentials {
  /** A header's value by its lower-case name. */
  header(name: string): string | undefined
}

/** The app's authentication: who sent this, or undefined when nobody it knows did. */
export type Authenticate = (request: Credentials) => string | undefined | Promise<string | undefined>

/** Asks the app who sent a request. Throws a SyncError `unauthenticated`. */
export async function authenticated(authenticate: Authenticate, request: Credentials): Promise<ActorId> {
  const actor = await authenticate({ header: (name) => request.header(name) })
  if (actor === undefined) throw new SyncError('unauthenticated', 'The request was refused')
  const problem = actorProblem(actor)
  if (problem !== undefined) throw new TypeError(`authenticate gave an actor that ${problem}`)
  return actor as ActorId
}

/** Throws a SyncError `actor_mismatch` when the body names another actor than the credentials. */
export function refuseMismatch(credentials: ActorId, named: ActorId): void {
  if (credentials !== named) throw new SyncError('actor_mismatch', 'The request was refused')
}
