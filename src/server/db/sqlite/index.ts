// The public entry «holdfast/sqlite»: the embedded database, and its world when it runs in Node.
export { type NodeHostOptions, nodeHost } from '../../../hosts/node/authority-host.ts'
export type { Database } from '../db.ts'
export { type SqliteOptions, sqlite } from './sqlite.ts'
