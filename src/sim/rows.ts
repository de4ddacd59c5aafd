// Rows in one comparable form, whether they come from SQL, from the wire or from a replica: the values of the declared columns in
// their order, as a JSON text. Also all rows of the database at once, as the oracle reads them.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Json } from '../base/json.ts'
import type { Row } from '../schema/table.ts'
import { app } from './app.ts'
import { type Model, TABLES } from './model.ts'

/** Tables and aggregates, in one order. */
export const SYNCED: readonly string[] = [...TABLES, ...Object.keys(app.aggregates)]

/** The table whose row gives an aggregate's group its scope. */
export const GROUP_OF: { readonly [aggregate: string]: string } = {
  workoutTotals: 'workouts',
  gymTotals: 'gyms',
  repairTotals: 'machines',
}

const kinds = new Map<string, readonly { readonly name: string; readonly type: string }[]>()
for (const table of TABLES)
  kinds.set(
    table,
    Object.entries(app.table(table).columns).map(([name, { type }]) => ({ name, type })),
  )
for (const [name, { measures }] of Object.entries(app.aggregates)) {
  kinds.set(name, [
    { name: 'id', type: 'text' },
    ...Object.entries(measures).map(([measure, { column }]) => ({ name: measure, type: column.type })),
  ])
}
const columnsOf = (table: string) => kinds.get(table) ?? []

const known = new WeakMap<object, string>()

/** The comparable form of a row. */
export function textOf(table: string, row: Row): string {
  const before = known.get(row)
  if (before !== undefined) return before
  const text = JSON.stringify(columnsOf(table).map(({ name }) => row[name] ?? null))
  known.set(row, text)
  return text
}

/** Whether two rows say the same, positions aside, of which the model knows nothing. */
export function isPlainlyEqual(table: string, a: Row, b: Row): boolean {
  return columnsOf(table).every(({ name, type }) => {
    if (type === 'appendIndex' || (a[name] ?? null) === (b[name] ?? null)) return true
    return type === 'json' && JSON.stringify(a[name] ?? null) === JSON.stringify(b[name] ?? null)
  })
}

/** All rows of the database, by table and id. */
export type AllRows = ReadonlyMap<string, ReadonlyMap<string, Row>>

const readers = new WeakMap<DatabaseSync, Reader>()

/** The statements of one connection, which are used again and again. */
export function readerOf(db: DatabaseSync): Reader {
  let reader = readers.get(db)
  if (reader === undefined) {
    reader = createReader(db)
    readers.set(db, reader)
  }
  return reader
}

/** What the oracle reads. */
export interface Reader {
  all(text: string, ...parameters: readonly (string | number)[]): readonly { readonly [column: string]: Json }[]
  rows(): AllRows
}

function createReader(db: DatabaseSync): Reader {
  const statements = new Map<string, StatementSync>()
  const all: Reader['all'] = (text, ...parameters) => {
    let statement = statements.get(text)
    if (statement === undefined) {
      statement = db.prepare(text)
      statements.set(text, statement)
    }
    return statement.all(...parameters) as unknown as ReturnType<Reader['all']>
  }
  const rowsOf = (table: string): ReadonlyMap<string, Row> =>
    new Map(all(`SELECT * FROM "${table}"`).map((row) => [String(row['id']), fromSql(table, row)]))
  return { all, rows: () => new Map(SYNCED.map((table) => [table, rowsOf(table)])) }
}

/** A row of SQL as it goes over the wire. */
export function fromSql(table: string, row: { readonly [column: string]: Json }): Row {
  const kind = columnsOf(table)
  if (!kind.some(({ type }) => type === 'boolean' || type === 'json')) return row as Row
  const converted: { [column: string]: Json } = { ...row }
  for (const { name, type } of kind) {
    if (type === 'boolean') converted[name] = row[name] === 1
    if (type === 'json' && typeof row[name] === 'string') converted[name] = JSON.parse(row[name])
  }
  return converted as Row
}

/** The scope of a row of a table or an aggregate. */
export function scopeOfAny(model: Model, table: string, id: string): string | undefined {
  const holder = GROUP_OF[table] ?? table
  const row = model.rows(holder).get(id)
  return row === undefined ? undefined : model.scopeOf(holder, row)
}
