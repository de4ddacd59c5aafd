// The public entry «holdfast/postgres»: a PostgreSQL database behind a pool of `pg`, and its world when it runs in Node.
export { type NodeHostOptions, nodeHost } from '../../../hosts/node/authority-host.ts'
export type { Database } from '../db.ts'
export type { PgConnection, PgNotification, PgPool, PgResult, PgStatement, PgTypes } from './pool.ts'
export { type PostgresOptions, postgres } from './postgres.ts'
