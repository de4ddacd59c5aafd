// Tables that the app's function of grants reads, each with a number that rises in every commit that touches it. A tick compares the
// numbers in its own snapshot, so that no stream is told anything under grants that no longer hold there (I9), whichever process wrote.
// Other tables have no number: one row for all writes of a table would be a lock that all writers share.
import type { Dialect, Sql } from '../db/db.ts'

/** The table of watched tables. */
export const watchedTables = (dialect: Dialect): readonly string[] => [
  `CREATE TABLE IF NOT EXISTS holdfast_watched (tbl ${dialect.text} NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (tbl))${dialect.keyOrdered}`,
]

/** Raises the numbers of these tables. */
export async function raiseWatched(sql: Sql, tables: readonly string[]): Promise<void> {
  await sql.insert(
    'INSERT INTO holdfast_watched (tbl, version)',
    tables.map((table) => [table, 1]),
    ' ON CONFLICT (tbl) DO UPDATE SET version = holdfast_watched.version + 1',
  )
}

/** The numbers of all watched tables; a table that was never touched has none. */
export async function readWatched(sql: Sql): Promise<ReadonlyMap<string, number>> {
  const rows = await sql.all('SELECT tbl, version FROM holdfast_watched')
  return new Map(rows.map((row) => [String(row['tbl']), Number(row['version'])]))
}
