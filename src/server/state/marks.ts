// Marks: which rows of synced tables were touched since the last adoption, whoever wrote them. Triggers fill the table; here it is
// read and emptied. What a mark leads to is decided by adopt.ts; nothing else may read meaning into it.
import type { Dialect, Sql } from '../db/db.ts'

/** The table of marks. `old_under` is what a changed or deleted row had in the column by which it found its scope. */
export const markTables = (dialect: Dialect): readonly string[] => [
  `CREATE TABLE IF NOT EXISTS holdfast_mark (${dialect.markNumber}, tbl ${dialect.text} NOT NULL, old_id ${dialect.text}, new_id ${dialect.text}, old_under ${dialect.text})`,
]

/** One touched row. */
export interface Mark {
  /** Rises from mark to mark. */
  readonly number: number
  readonly table: string
  readonly oldId: string | null
  readonly newId: string | null
  readonly oldUnder: string | null
}

/** Whether anything waits to be adopted. */
export async function hasMarks(sql: Sql): Promise<boolean> {
  return (await sql.all('SELECT 1 AS one FROM holdfast_mark LIMIT 1')).length > 0
}

/** All marks, oldest first. */
export async function readMarks(sql: Sql): Promise<readonly Mark[]> {
  const rows = await sql.all('SELECT n, tbl, old_id, new_id, old_under FROM holdfast_mark ORDER BY n')
  return rows.map((row) => ({
    number: Number(row['n']),
    table: String(row['tbl']),
    oldId: row['old_id'] as string | null,
    newId: row['new_id'] as string | null,
    oldUnder: row['old_under'] as string | null,
  }))
}

/**
 * The numbers of the marks by which rows of a table came under the parents that they have now: the last one that inserted the row,
 * or found it elsewhere. A row that no mark found elsewhere has its last one.
 */
export function arrivalMarks(
  marks: readonly Mark[],
  table: string,
  parentsById: ReadonlyMap<string, string>,
): Map<string, number> {
  const cameAt = new Map<string, number>()
  const found = new Set<string>()
  for (const [at, { table: marked, newId, oldUnder }] of [...marks.entries()].reverse()) {
    const parent = marked === table && newId !== null ? parentsById.get(newId) : undefined
    if (newId === null || parent === undefined || found.has(newId)) continue
    const isArrival = oldUnder !== parent
    if (isArrival) found.add(newId)
    if (isArrival || !cameAt.has(newId)) cameAt.set(newId, at)
  }
  return cameAt
}

/** Empties the table. Only adoption does this, in the transaction in which it read the marks. */
export async function clearMarks(sql: Sql): Promise<void> {
  await sql.run('DELETE FROM holdfast_mark')
}

/** Marks a row by hand: for a row that went without its trigger having been called. */
export async function markGone(sql: Sql, table: string, id: string): Promise<void> {
  await sql.run('INSERT INTO holdfast_mark (tbl, old_id) VALUES (?, ?)', [table, id])
}
