// SQLite's dialect: what a statement must look like here; from ddl.ts, how tables are made, and from existing.ts, how they are found.
import type { Dialect } from '../db.ts'
import { quote, sqliteTables } from './ddl.ts'
import { sqliteExisting } from './existing.ts'

/** What the engine must know of SQLite. */
export const sqliteDialect: Dialect = {
  ...sqliteTables,
  ...sqliteExisting,
  name: 'sqlite',
  isRemote: false,
  quote,
  keyOrdered: ' WITHOUT ROWID',
  text: 'TEXT',
  markNumber: 'n INTEGER PRIMARY KEY',
  stamp: 'PRAGMA data_version',
}
