// SQLite's dialect: what a statement must look like here and, from ddl.ts, how tables are made.
import type { Dialect } from '../db.ts'
import { quote, sqliteTables } from './ddl.ts'

/** What the engine must know of SQLite. */
export const sqliteDialect: Dialect = {
  ...sqliteTables,
  name: 'sqlite',
  quote,
  keyOrdered: ' WITHOUT ROWID',
  text: 'TEXT',
  markNumber: 'n INTEGER PRIMARY KEY',
  stamp: 'PRAGMA data_version',
}
