// The flush: writes what the intents of a batch changed into SQL, with the positions of the rows that came under a parent. Which rows
// these are, and which write brought them there, buffer.ts knows; a row that plain SQL brought somewhere is placed at its adoption.
// Keeps this part of I11: rows stand under a parent in the order in which they came, new and moved alike.
import { check } from '../../base/assert.ts'
import type { Row } from '../../schema/table.ts'
import { ConstraintError, type Sql, type SqlValue } from '../db/db.ts'
import type { Layout, TableLayout } from '../db/layout.ts'
import { together } from '../db/together.ts'
import { nextPositions, setPositions } from '../state/append-index.ts'

export type Position = TableLayout['positions'][number]

/** A row that came under a parent, by the write with this number. */
export interface Arrival {
  readonly id: string
  readonly parent: string
  readonly cameAt: number
}

/** What changes in one table. */
export interface Changes {
  readonly deletes: readonly string[]
  readonly updates: readonly Update[]
  readonly inserts: readonly Row[]
  /** The rows of `updates` and `inserts` that came under a parent, for each position. */
  readonly arrivals: ReadonlyMap<Position, readonly Arrival[]>
}

/** A row that stays; `left` are the positions that count no longer, because it came under a parent since it had them. */
export interface Update {
  readonly from: Row
  readonly to: Row
  readonly left: readonly Position[]
}

/** The highest positions under parents, as far as they are known. */
export type Highest = Map<Position, Map<string, number>>

/** What is on its way to SQL, and in its order there; `done` rejects with a ConstraintError when a constraint refuses it. */
export interface Sent {
  readonly done: Promise<unknown>
}

/** Sends the changes on their way. */
export async function sendChanges(
  sql: Sql,
  layout: Layout,
  changes: ReadonlyMap<TableLayout, Changes>,
  highest: Highest,
): Promise<Sent> {
  const tables = layout.tables.flatMap((table) => {
    const ofTable = changes.get(table)
    return ofTable === undefined ? [] : [{ table, ...ofTable }]
  })
  const works: Promise<unknown>[] = []
  const begin = (work: Promise<unknown>): void => {
    // Whoever waits for all of them hears of it.
    work.catch(() => undefined)
    works.push(work)
  }
  // Deletes before updates before inserts, so that a unique value may pass from one row to another. Positions are given when all that
  // leave a parent have left it, and lie above all that stay: none collides, whichever is written first.
  // Children go before their parents, since a foreign key of the app may want that.
  for (const { table, deletes } of [...tables].reverse())
    begin(sql.delete(table.sql, table.id, table.compared('id', deletes)))
  for (const { table, updates } of tables) for (const work of update(sql, table, updates)) begin(work)
  for (const { table, inserts, arrivals } of tables)
    for (const work of await place(sql, table, inserts, arrivals, highest)) begin(work)
  return { done: together(works) }
}

/** Writes the columns that differ, and empties the positions that a row left. In order; neighbours that differ in the same columns share a statement. */
function* update(sql: Sql, table: TableLayout, updates: readonly Update[]): Iterable<Promise<unknown>> {
  let columns: readonly string[] = []
  let rows: SqlValue[][] = []
  for (const { from, to, left } of updates) {
    const before = table.writeValues(from)
    const values: SqlValue[] = []
    const names: string[] = []
    for (const [index, value] of table.writeValues(to).entries()) {
      if (value === before[index]) continue
      values.push(value)
      names.push(table.written[index] as string)
    }
    for (const { column } of left) {
      values.push(null)
      names.push(column)
    }
    if (names.length === 0) continue
    if (names.join() !== columns.join()) {
      if (rows.length > 0) yield change(sql, table, columns, rows)
      columns = names
      rows = []
    }
    rows.push([...values, to.id])
  }
  if (rows.length > 0) yield change(sql, table, columns, rows)
}

async function change(
  sql: Sql,
  table: TableLayout,
  columns: readonly string[],
  rows: readonly (readonly SqlValue[])[],
): Promise<void> {
  const changed = await sql.update(table.sql, table.id, columns.map(table.column), rows)
  // A foreign key of the app took the row along with one that was deleted.
  if (table.isExisting && changed < rows.length) throw new ConstraintError('foreign_key', `a row of ${table.name} went`)
  check(changed === rows.length, 'I10', `an update of ${rows.length} rows of ${table.name} met ${changed}`)
}

/**
 * Writes new rows with their positions, since giving those later would cost a second write of each row and of its mark, and gives moved
 * rows theirs.
 */
async function place(
  sql: Sql,
  table: TableLayout,
  inserts: readonly Row[],
  arrivals: ReadonlyMap<Position, readonly Arrival[]>,
  highest: Highest,
): Promise<readonly Promise<unknown>[]> {
  const values = inserts.map((row) => table.writeValues(row))
  const moved: (() => Promise<void>)[] = []
  for (const position of table.positions) {
    const inOrder = [...(arrivals.get(position) ?? [])].sort((a, b) => a.cameAt - b.cameAt)
    const parents = inOrder.map(({ parent }) => parent)
    const next = await nextPositions(sql, table, position, parents, highest.get(position))
    const given = new Map(inOrder.map(({ id }, index) => [id, next[index] ?? null]))
    for (const [index, { id }] of inserts.entries()) {
      values[index]?.push(given.get(id) ?? null)
      given.delete(id)
    }
    moved.push(() => setPositions(sql, table, position, given))
  }
  return [sql.insert(table.insertHead, values), ...moved.map((give) => give())]
}
