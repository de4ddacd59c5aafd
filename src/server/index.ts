// The public entry «holdfast/server»: the authority, for the server's own process.
export type { Authenticate, Credentials } from './actor.ts'
export { type Authority, type AuthorityOptions, createAuthority, type Health } from './authority.ts'
export type { Database, Dialect, Sql } from './db/db.ts'
export { ConstraintError } from './db/db.ts'
export type { LogEntry, ServerHost } from './host.ts'
export type { HttpAnswer, HttpRequest, StreamSink } from './http/exchange.ts'
export type { Grants, GrantsTx } from './rights/grants.ts'
export type { Tuning } from './world.ts'
