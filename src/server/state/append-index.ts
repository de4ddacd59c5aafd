// Append indexes: the position of a row under its parent, given by the authority as max + 1 and unique there (I11). Adoption calls
// this for rows that have none: new ones, and those that moved to another parent. The unique index on (parent, position) is the
// last word; here, under the write lock, it is never reached.

import type { Sql } from '../db/db.ts'
import { allIn } from '../db/in-list.ts'
import type { Layout, TableLayout } from '../db/layout.ts'

/** A row that wants a position. */
export interface Unplaced {
  readonly id: string
  readonly parent: string
}

/** Gives each row the next free position under its parent, in the order of the list. */
export async function givePositions(
  sql: Sql,
  layout: Layout,
  table: TableLayout,
  position: TableLayout['positions'][number],
  rows: readonly Unplaced[],
): Promise<void> {
  if (rows.length === 0) return
  const column = layout.dialect.quote(position.column)
  const parent = layout.dialect.quote(position.parent)
  const parents = [...new Set(rows.map((row) => row.parent))]
  const last = new Map<string, number>()
  for (const row of await allIn(
    sql,
    `SELECT ${parent} AS parent, max(${column}) AS last FROM ${table.sql} WHERE ${parent} IN (?*) GROUP BY ${parent}`,
    [],
    parents,
  )) {
    last.set(String(row['parent']), Number(row['last'] ?? 0))
  }
  const text = `UPDATE ${table.sql} SET ${column} = ? WHERE id = ?`
  for (const row of rows) {
    const next = (last.get(row.parent) ?? 0) + 1
    last.set(row.parent, next)
    await sql.run(text, [next, row.id])
  }
}
