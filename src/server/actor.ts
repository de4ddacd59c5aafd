// Who is asking: the app's own authentication, and whether a request names the same actor. Keeps no sessions.
import { SyncError } from '../base/errors.ts'
import { type ActorId, actorProblem } from '../protocol/ids.ts'

/** What the app's authentication may look at. */
export interface Credentials {
  /** A header's value by its lower-case name. */
  header(name: string): string | undefined
}

/** Who sent a request, and for how long that is known. */
export interface Authenticated {
  readonly actor: string
  /** When the credentials end: milliseconds since 1970. A live stream that they opened ends then. */
  readonly until?: number
}

/** The app's authentication: who sent this, or undefined (or an empty name) when nobody it knows did. */
export type Authenticate = (
  request: Credentials,
) => string | Authenticated | undefined | Promise<string | Authenticated | undefined>

/** Asks the app who sent a request. Throws a SyncError `unauthenticated`. */
export async function authenticated(
  authenticate: Authenticate,
  request: Credentials,
): Promise<{ readonly actor: ActorId; readonly until: number | undefined }> {
  const said = await authenticate({ header: (name) => request.header(name) })
  // An empty name is what is left of an empty header.
  if (said === undefined || said === '') throw new SyncError('unauthenticated', 'The request was refused')
  const { actor, until } = typeof said === 'string' ? { actor: said, until: undefined } : said
  const problem = actorProblem(actor)
  if (problem !== undefined) throw new TypeError(`authenticate gave an actor that ${problem}`)
  return { actor: actor as ActorId, until }
}

/** Throws a SyncError `actor_mismatch` when the body names another actor than the credentials. */
export function refuseMismatch(credentials: ActorId, named: ActorId): void {
  if (credentials !== named) throw new SyncError('actor_mismatch', 'The request was refused')
}
