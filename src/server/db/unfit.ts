// Rows of a table that was there before which hold what no device could: a text where numbers are declared, JSON that is none. The
// engine's own tables check what is stored; in others anything may stand. Says which rows; what becomes of them, adopt.ts decides.
import type { Sql } from './db.ts'
import { allIn } from './in-list.ts'
import type { TableLayout } from './layout.ts'

/** Which of these rows do not fit, each with the first column that holds what is no value of it. */
export async function unfitRows(sql: Sql, table: TableLayout, ids: readonly string[]): Promise<Map<string, string>> {
  const unfit = new Map<string, string>()
  const text = `SELECT ${table.columns} FROM ${table.sql} WHERE ${table.value('id')} IN (?*)`
  for (const row of await allIn(sql, text, [], table.compared('id', ids))) {
    const column = table.unfitColumn(row)
    if (column !== undefined) unfit.set(String(row['id']), column)
  }
  return unfit
}
