// Append indexes: the position of a row under its parent, given by the authority as max + 1 and unique there (I11). What a batch puts
// under a parent gets its position in the flush, in the order in which it came there; adoption gives one to whatever row still has
// none, because plain SQL put it there. The unique index on (parent, position) is the last word; under the write lock it is never
// reached. Which rows want a position, and in which order they came, flush.ts and adopt.ts know.
import type { Sql } from '../db/db.ts'
import { allIn } from '../db/in-list.ts'
import type { TableLayout } from '../db/layout.ts'

/** A row that wants a position. */
export interface Unplaced {
  readonly id: string
  readonly parent: string
}

type Position = TableLayout['positions'][number]

/** The next free positions for new rows under these parents, in the order of the list. */
export async function nextPositions(
  sql: Sql,
  table: TableLayout,
  position: Position,
  parents: readonly string[],
): Promise<number[]> {
  const parent = table.value(position.parent)
  const text = `SELECT ${parent} AS parent, max(${table.column(position.column)}) AS last FROM ${table.sql} WHERE ${parent} IN (?*) GROUP BY ${parent}`
  const last = new Map<string, number>()
  for (const row of await allIn(sql, text, [], table.compared(position.parent, [...new Set(parents)])))
    last.set(String(row['parent']), Number(row['last'] ?? 0))
  return parents.map((id) => {
    const next = (last.get(id) ?? 0) + 1
    last.set(id, next)
    return next
  })
}

/** Gives rows that have none the next position under their parents, in the order of the list. */
export async function givePositions(
  sql: Sql,
  table: TableLayout,
  position: Position,
  rows: readonly Unplaced[],
): Promise<void> {
  const parents = rows.map(({ parent }) => parent)
  const next = await nextPositions(sql, table, position, parents)
  await setPositions(sql, table, position, new Map(rows.map(({ id }, index) => [id, next[index] ?? null])))
}

/** Writes positions that were found to be free, by the ids of their rows. */
export async function setPositions(
  sql: Sql,
  table: TableLayout,
  position: Position,
  positionsById: ReadonlyMap<string, number | null>,
): Promise<void> {
  if (positionsById.size === 0) return
  const rows = [...positionsById].map(([id, given]) => [given, id])
  await sql.update(table.sql, table.id, [table.column(position.column)], rows)
}
