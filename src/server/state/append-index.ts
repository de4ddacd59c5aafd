// Append indexes: the position of a row under its parent, given by the authority as max + 1 and unique there (I11). What a batch puts
// under a parent gets its position in the flush, in the order in which it came there; adoption gives one to whatever row still has
// none, because plain SQL put it there. The unique index on (parent, position) is the last word; under the write lock it is reached only
// where a foreign writer put a row there itself, and then the whole transaction runs again (the adapter's business).
// Where positions are declared never to be given again, the highest one that was given under each parent is remembered.
// Which rows want a position, and in which order they came, flush.ts and adopt.ts know.
import type { Dialect, Sql } from '../db/db.ts'
import { allIn } from '../db/in-list.ts'
import type { TableLayout } from '../db/layout.ts'

/** The table of the highest positions that were given. */
export const positionTables = (dialect: Dialect): readonly string[] => [
  `CREATE TABLE holdfast_position (tbl ${dialect.text} NOT NULL, col ${dialect.text} NOT NULL, parent ${dialect.text} NOT NULL, last BIGINT NOT NULL, PRIMARY KEY (tbl, col, parent))${dialect.keyOrdered}`,
]

/** A row that wants a position. */
export interface Unplaced {
  readonly id: string
  readonly parent: string
}

type Position = TableLayout['positions'][number]

/** The highest positions that rows have under these parents; 0 for a parent without. */
export async function highestPositions(
  sql: Sql,
  table: TableLayout,
  position: Position,
  parents: readonly string[],
): Promise<Map<string, number>> {
  const highest = new Map(parents.map((parent) => [parent, 0]))
  const parent = table.value(position.parent)
  const rows = await sql.highest(
    table.sql,
    table.column(position.column),
    parent,
    table.compared(position.parent, parents),
  )
  for (const { value, last } of rows) highest.set(String(value), Number(last ?? 0))
  return highest
}

/**
 * The next free positions for new rows under these parents, in the order of the list. They count as given from here on. `known` are the
 * highest ones, as far as they are known, and are raised to those that are given.
 */
export async function nextPositions(
  sql: Sql,
  table: TableLayout,
  position: Position,
  parents: readonly string[],
  known?: Map<string, number>,
): Promise<number[]> {
  const distinct = [...new Set(parents)]
  const last = new Map<string, number>()
  const unknown = distinct.filter((parent) => {
    const highest = known?.get(parent)
    if (highest !== undefined) last.set(parent, highest)
    return highest === undefined
  })
  for (const [parent, highest] of await highestPositions(sql, table, position, unknown)) last.set(parent, highest)
  const isNeverReused = table.table.columns[position.column]?.gaps === 'never-reuse'
  if (isNeverReused) await raiseToGiven(sql, table, position, distinct, last)
  const given = parents.map((id) => {
    const next = (last.get(id) ?? 0) + 1
    last.set(id, next)
    known?.set(id, next)
    return next
  })
  if (isNeverReused)
    await sql.insert(
      'INSERT INTO holdfast_position (tbl, col, parent, last)',
      distinct.map((parent) => [table.name, position.column, parent, last.get(parent) ?? 0]),
      ' ON CONFLICT (tbl, col, parent) DO UPDATE SET last = excluded.last',
    )
  return given
}

/** Takes account of positions whose rows went since they were given. */
async function raiseToGiven(
  sql: Sql,
  { name }: TableLayout,
  { column }: Position,
  parents: readonly string[],
  last: Map<string, number>,
): Promise<void> {
  const text = 'SELECT parent, last FROM holdfast_position WHERE tbl = ? AND col = ? AND parent IN (?*)'
  for (const row of await allIn(sql, text, [name, column], parents)) {
    const parent = String(row['parent'])
    last.set(parent, Math.max(last.get(parent) ?? 0, Number(row['last'])))
  }
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
