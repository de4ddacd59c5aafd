// How the tables and aggregates of an app stand in SQL: names, columns, and the turning of rows from and into what SQL holds.
// Pure; made once at the start. In tables that the engine made names are the declared ones; a table that was there before has names
// of its own, and how its columns hold their values (codec.ts) is settled when the start has looked at it, before anything is read.
import { check } from '../../base/assert.ts'
import type { Json } from '../../base/json.ts'
import type { Aggregate } from '../../schema/aggregate.ts'
import type { App } from '../../schema/app.ts'
import type { Column } from '../../schema/column.ts'
import type { Row, Table } from '../../schema/table.ts'
import { type ColumnCodec, ownCodec, PLAIN, UNFIT } from './codec.ts'
import { ConstraintError, type Dialect, type SqlRow, type SqlValue } from './db.ts'

/** One table of the app. */
export interface TableLayout {
  readonly name: string
  readonly table: Table
  /** Its name in the database. */
  readonly storedAs: string
  /** Whether it was there before, and the engine makes nothing but triggers. */
  readonly isExisting: boolean
  /** The quoted name. */
  readonly sql: string
  /** The quoted column of the id. */
  readonly id: string
  /** All columns under their declared names, as a list for SELECT. */
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
  /** A column as it is written, quoted. */
  column(name: string): string
  /** A column as part of a list for SELECT, under its declared name. */
  select(name: string, alias?: string): string
  /** A column as it is compared with `compared`. */
  value(name: string, alias?: string): string
  /** A column of ids as text, as it stands in the change log. */
  asText(name: string, alias?: string): string
  codec(name: string): ColumnCodec
  /** Values as they are compared with `value`; those that can stand in no row are left out. */
  compared(name: string, values: readonly string[]): readonly SqlValue[]
  /** A row as mutators see it, without positions; undefined for one that holds what is no value of its column. */
  readRow(row: SqlRow): Row | undefined
  /** The values of `written`, in order. Throws a ConstraintError for one that its column cannot hold. */
  writeValues(row: Row): SqlValue[]
  /** A row of `columns` as it goes over the wire; undefined for one that holds what is no value of its column. */
  encodeRow(row: SqlRow): string | undefined
  /** The first column of a row of `columns` that holds what is no value of it. */
  unfitColumn(row: SqlRow): string | undefined
}

/** One aggregate of the app. */
export interface AggregateLayout {
  readonly name: string
  readonly aggregate: Aggregate
  readonly sql: string
  readonly columns: string
  readonly measures: readonly string[]
  readonly of: TableLayout
  value(name: 'id'): string
  compared(name: 'id', values: readonly string[]): readonly SqlValue[]
  /** The values of `columns`, in order. */
  writeValues(row: Row): SqlValue[]
  encodeRow(row: SqlRow): string
}

/** The whole app. */
export interface Layout {
  readonly dialect: Dialect
  /** Tables, parents before those whose scope they decide. */
  readonly tables: readonly TableLayout[]
  /** The aggregates whose tables can be used. */
  readonly aggregates: readonly AggregateLayout[]
  readonly declaredAggregates: readonly AggregateLayout[]
  /** Aggregates whose tables cannot be made: they are as if they were not declared. Only mend.ts changes this. */
  readonly withheld: Set<string>
  table(name: string): TableLayout
  /** Tells how the columns of a table that was there before hold their values, when the start has looked. */
  settle(name: string, codecs: ReadonlyMap<string, ColumnCodec>): void
  /** Whatever travels in frames under this name; undefined for what the app no longer declares. */
  synced(name: string): TableLayout | AggregateLayout | undefined
}

type Made = TableLayout & { children: TableLayout[]; aggregates: AggregateLayout[] }

/** Lays an app out. */
export function layOut(app: App, dialect: Dialect): Layout {
  const byName = new Map<string, Made>()
  const tables: TableLayout[] = []
  const begun = new Set<string>()
  const place = (name: string): Made => {
    const known = byName.get(name)
    if (known !== undefined) return known
    begun.add(name)
    const table = app.table(name)
    const { scopeRule } = table
    const parent = scopeRule.via === 'parent' ? place(table.columns[scopeRule.column]?.target ?? '') : undefined
    // A table that was there before may have foreign keys, which want that what is referred to is written first.
    if (table.storedAs !== undefined)
      for (const { type, target } of Object.values(table.columns))
        if (type === 'ref' && !begun.has(target)) place(target)
    const made: Made = {
      ...layOutTable(name, table, dialect, ownCodecs(table)),
      name,
      table,
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
  const declaredAggregates = Object.entries(app.aggregates).map(([name, aggregate]) => {
    const of = place(aggregate.of)
    const measures = Object.keys(aggregate.measures)
    const columns = ['id', ...measures]
    const kinds = Object.entries(aggregate.measures).map(([measure, { column }]) => [measure, column] as const)
    const made: AggregateLayout = {
      name,
      aggregate,
      sql: dialect.quote(name),
      columns: columns.map((column) => dialect.quote(column)).join(', '),
      measures,
      of,
      value: () => 'id',
      compared: (_name, values) => values,
      writeValues: (row) => [row.id, ...kinds.map(([measure, column]) => ownValue(column, row[measure] ?? null))],
      encodeRow: encoderOf([['id', 'text'], ...kinds.map(([measure, { type }]) => [measure, type] as const)]),
    }
    of.aggregates.push(made)
    return made
  })
  const synced = new Map<string, TableLayout | AggregateLayout>([
    ...byName,
    ...declaredAggregates.map((each) => [each.name, each] as const),
  ])
  const found = (name: string): Made => {
    const table = byName.get(name)
    check(table !== undefined, 'I10', `there is no table ${name} in the app`)
    return table
  }
  const withheld = new Set<string>()
  return {
    dialect,
    tables,
    get aggregates() {
      return withheld.size === 0 ? declaredAggregates : declaredAggregates.filter(({ name }) => !withheld.has(name))
    },
    declaredAggregates,
    withheld,
    table: found,
    settle(name, codecs) {
      const made = found(name)
      Object.assign(made, layOutTable(name, made.table, dialect, codecs))
    },
    synced: (name) => (withheld.has(name) ? undefined : synced.get(name)),
  }
}

const ownCodecs = ({ columns }: Table): ReadonlyMap<string, ColumnCodec> =>
  new Map(Object.entries(columns).map(([name, column]) => [name, ownCodec(column)]))

function layOutTable(name: string, table: Table, dialect: Dialect, codecs: ReadonlyMap<string, ColumnCodec>) {
  const all = Object.entries(table.columns)
  const others = all.filter(([name, column]) => name !== 'id' && column.type !== 'appendIndex')
  const written = [...all.filter(([name]) => name === 'id'), ...others].map(([name]) => name)
  const positions = all.flatMap(([name, column]) =>
    column.type === 'appendIndex' ? [{ column: name, parent: column.target }] : [],
  )
  const storedAs = table.storedAs?.table ?? name
  const sql = dialect.quote(storedAs)
  const column = (name: string): string => dialect.quote(table.storedAs?.columns[name] ?? name)
  const aliased = (name: string, alias?: string): string =>
    alias === undefined ? column(name) : `${alias}.${column(name)}`
  const codec = (name: string): ColumnCodec => codecs.get(name) ?? PLAIN
  const value = (name: string, alias?: string): string => codec(name).value(aliased(name, alias))
  const select = (name: string, alias?: string): string => {
    const plain = aliased(name, alias)
    const selected = codec(name).select(plain)
    return selected === plain && column(name) === dialect.quote(name) ? plain : `${selected} AS ${dialect.quote(name)}`
  }
  const columns = all.map(([name]) => select(name)).join(', ')
  const readers = written.map((name) => [name, codec(name)] as const)
  const isExisting = table.storedAs !== undefined
  return {
    storedAs,
    isExisting,
    sql,
    id: column('id'),
    columns,
    written,
    positions,
    selectById: `SELECT ${written.map((name) => select(name)).join(', ')} FROM ${sql} WHERE ${value('id')} = ?`,
    insertHead: `INSERT INTO ${sql} (${[...written, ...positions.map(({ column }) => column)].map(column).join(', ')})`,
    column,
    select,
    value,
    asText: (name: string, alias?: string) => codec(name).asText(aliased(name, alias)),
    codec,
    compared(name: string, values: readonly string[]): readonly SqlValue[] {
      if (!isExisting) return values
      return values.flatMap((each) => {
        const compared = codec(name).compared(each)
        return compared === UNFIT ? [] : [compared]
      })
    },
    readRow(row: SqlRow): Row | undefined {
      const result: { [column: string]: Json } = {}
      for (const [name, codec] of readers) {
        const value = row[name]
        const read = value === null || value === undefined ? null : codec.fromSql(value)
        if (read === UNFIT || (isExisting && read === null && !table.columns[name]?.isNullable)) return undefined
        result[name] = read
      }
      return result as Row
    },
    writeValues(row: Row): SqlValue[] {
      const values: SqlValue[] = []
      for (const [name, codec] of readers) {
        const value = row[name]
        const written = value === null || value === undefined ? null : codec.toSql(value)
        if (written === UNFIT) throw new ConstraintError('check', `${name} cannot be stored`)
        values.push(written)
      }
      return values
    },
    unfitColumn: (row: SqlRow): string | undefined =>
      all.find(([name, column]) => valueIn(row[name], codec(name), column) === UNFIT)?.[0],
    encodeRow: isExisting
      ? checkingEncoder(all.map(([name, column]) => [name, column, codec(name)] as const))
      : encoderOf(all.map(([name, column]) => [name, column.type])),
  }
}

/** A value as it is written into a column that the engine made. */
function ownValue(column: Column, value: Json): SqlValue {
  const written = value === null ? null : ownCodec(column).toSql(value)
  check(written !== UNFIT, 'I11', `a ${column.type} of an aggregate cannot be stored`)
  return written
}

/** A value of a row; UNFIT also for null where it is none. A position is null until it is given. */
function valueIn(value: SqlValue | undefined, codec: ColumnCodec, column: Column): Json | typeof UNFIT {
  if (value === null || value === undefined) return column.isNullable || column.type === 'appendIndex' ? null : UNFIT
  return codec.fromSql(value)
}

function checkingEncoder(
  columns: readonly (readonly [name: string, column: Column, codec: ColumnCodec])[],
): (row: SqlRow) => string | undefined {
  return (row) => {
    const made: { [column: string]: Json } = {}
    for (const [name, column, codec] of columns) {
      const value = valueIn(row[name], codec, column)
      if (value === UNFIT) return undefined
      made[name] = value
    }
    return JSON.stringify(made)
  }
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
