// How the tables and aggregates of an app stand in SQL: names, columns, and the turning of rows from and into what SQL holds.
// Pure; made once at the start. Booleans are 0 and 1 in SQL and JSON columns are text; names are the declared ones, quoted.
import { check } from '../../base/assert.ts'
import type { Json } from '../../base/json.ts'
import type { Aggregate } from '../../schema/aggregate.ts'
import type { App } from '../../schema/app.ts'
import type { Column } from '../../schema/column.ts'
import type { Row, Table } from '../../schema/table.ts'
import type { Dialect, SqlRow, SqlValue } from './db.ts'

/** One table of the app. */
export interface TableLayout {
  readonly name: string
  readonly table: Table
  /** The quoted name. */
  readonly sql: string
  /** All columns, quoted, as a list for SELECT. */
  readonly columns: string
  /** Columns that mutators write: all but positions; the id comes first. */
  readonly written: readonly string[]
  /** The column by which a row finds its scope: directly, or as the id of its parent. */
  readonly under: string
  /** The table that decides the scope of this one's rows. */
  readonly parent: TableLayout | undefined
  /** Tables whose rows find their scope in rows of this one. */
  readonly children: readonly TableLayout[]
  readonly positions: readonly { readonly column: string; readonly parent: string }[]
  readonly aggregates: readonly AggregateLayout[]
  /** Selects the `written` columns of the row with an id. */
  readonly selectById: string
  /** Inserts rows of the `written` columns, then the positions. */
  readonly insertHead: string
  /** A row as mutators see it: without positions. */
  readRow(row: SqlRow): Row
  /** The values of `written`, in order. */
  writeValues(row: Row): SqlValue[]
  /** A row of `columns` as it goes over the wire. */
  encodeRow(row: SqlRow): string
}

/** One aggregate of the app. */
export interface AggregateLayout {
  readonly name: string
  readonly aggregate: Aggregate
  readonly sql: string
  readonly columns: string
  readonly measures: readonly string[]
  readonly of: TableLayout
  encodeRow(row: SqlRow): string
}

/** The whole app. */
export interface Layout {
  readonly dialect: Dialect
  /** Tables, parents before those whose scope they decide. */
  readonly tables: readonly TableLayout[]
  readonly aggregates: readonly AggregateLayout[]
  table(name: string): TableLayout
  /** Whatever travels in frames under this name; undefined for what the app no longer declares. */
  synced(name: string): TableLayout | AggregateLayout | undefined
}

/** Lays an app out. */
export function layOut(app: App, dialect: Dialect): Layout {
  const byName = new Map<string, TableLayout & { children: TableLayout[]; aggregates: AggregateLayout[] }>()
  const tables: TableLayout[] = []
  const place = (name: string): TableLayout & { children: TableLayout[]; aggregates: AggregateLayout[] } => {
    const known = byName.get(name)
    if (known !== undefined) return known
    const table = app.table(name)
    const { scopeRule } = table
    const parent = scopeRule.via === 'parent' ? place(table.columns[scopeRule.column]?.target ?? '') : undefined
    const made = {
      ...tableCodec(name, table, dialect),
      name,
      table,
      sql: dialect.quote(name),
      under: scopeRule.column,
      parent,
      children: [],
      aggregates: [],
    }
    byName.set(name, made)
    parent?.children.push(made)
    tables.push(made)
    return made
  }
  for (const name of app.tableNames) place(name)
  const aggregates = Object.entries(app.aggregates).map(([name, aggregate]) => {
    const of = place(aggregate.of)
    const measures = Object.keys(aggregate.measures)
    const columns = ['id', ...measures]
    const made: AggregateLayout = {
      name,
      aggregate,
      sql: dialect.quote(name),
      columns: columns.map((column) => dialect.quote(column)).join(', '),
      measures,
      of,
      encodeRow: encoderOf(columns.map((column) => [column, column === 'id' ? 'text' : 'real'])),
    }
    of.aggregates.push(made)
    return made
  })
  const synced = new Map<string, TableLayout | AggregateLayout>([
    ...byName,
    ...aggregates.map((each) => [each.name, each] as const),
  ])
  return {
    dialect,
    tables,
    aggregates,
    table(name) {
      const found = byName.get(name)
      check(found !== undefined, 'I10', `there is no table ${name} in the app`)
      return found
    },
    synced: (name) => synced.get(name),
  }
}

function tableCodec(name: string, table: Table, dialect: Dialect) {
  const all = Object.entries(table.columns)
  const others = all.filter(([name, column]) => name !== 'id' && column.type !== 'appendIndex')
  const written = [...all.filter(([name]) => name === 'id'), ...others]
  const positions = all.flatMap(([name, column]) =>
    column.type === 'appendIndex' ? [{ column: name, parent: column.target }] : [],
  )
  const names = written.map(([column]) => dialect.quote(column)).join(', ')
  return {
    selectById: `SELECT ${names} FROM ${dialect.quote(name)} WHERE id = ?`,
    insertHead: `INSERT INTO ${dialect.quote(name)} (${[names, ...positions.map(({ column }) => dialect.quote(column))].join(', ')})`,
    positions,
    columns: all.map(([name]) => dialect.quote(name)).join(', '),
    written: written.map(([name]) => name),
    readRow(row: SqlRow): Row {
      const result: { [column: string]: Json } = {}
      for (const [name, column] of written) result[name] = fromSql(column, row[name])
      return result as Row
    },
    writeValues(row: Row): SqlValue[] {
      const values: SqlValue[] = []
      for (const [name, column] of written) values.push(toSql(column, row[name]))
      return values
    },
    encodeRow: encoderOf(all.map(([name, column]) => [name, column.type])),
  }
}

function fromSql(column: Column, value: SqlValue | undefined): Json {
  if (value === null || value === undefined) return null
  if (column.type === 'boolean') return value === 1 || value === true
  if (column.type === 'json') return JSON.parse(String(value))
  return value as Json
}

/** A value as it is bound into a statement. */
export function toSql(column: Column, value: Json | undefined): SqlValue {
  if (value === null || value === undefined) return null
  if (column.type === 'boolean') return value === true ? 1 : 0
  if (column.type === 'json') return JSON.stringify(value)
  return value as SqlValue
}

/** Writes rows as JSON without making objects in between: what a pull sends most. */
function encoderOf(columns: readonly (readonly [name: string, type: Column['type']])[]): (row: SqlRow) => string {
  const parts = columns.map(([name, type], index) => ({
    name,
    type,
    key: `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`,
  }))
  return (row) => {
    let text = ''
    for (const { name, type, key } of parts) {
      const value = row[name]
      text += key
      if (value === null || value === undefined) text += 'null'
      else if (type === 'boolean') text += value === 1 || value === true ? 'true' : 'false'
      else if (type === 'json') text += String(value)
      else text += typeof value === 'string' ? JSON.stringify(value) : String(value)
    }
    return `${text}}`
  }
}
