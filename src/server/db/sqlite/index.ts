// The public entry «holdfast/sqlite»: the embedded database, and its world when it runs in Node.
export type { Database } from '../db.ts'
export { type NodeHostOptions, nodeHost } from './host.ts'
export { type SqliteOptions, sqlite } from './sqlite.ts'
