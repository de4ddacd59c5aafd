// How the tables of an app, their indexes and their triggers are made in SQLite. Tables are STRICT and check what a column may hold,
// so that plain SQL cannot store what no device could read. References are not foreign keys: rows of other scopes come and go without
// asking, and a device's batch may hold a child before what it refers to. Tables that were there before: existing.ts.
import { type Column, MAX_ID_LENGTH } from '../../../schema/column.ts'
import type { Table } from '../../../schema/table.ts'
import type { Addition, Ddl } from '../ddl.ts'
import type { TableLayout } from '../layout.ts'

/** A name as it stands in a statement. */
export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** The tables that the engine makes. */
export const sqliteTables: Omit<Ddl, 'inspect' | 'codecOf'> = {
  // With a rowid: random ids then dirty the pages of a narrow index and not of the rows (37 against 50 µs an intent at commit).
  createTable: (name, table) =>
    `CREATE TABLE ${quote(name)} (${Object.entries(table.columns)
      .map(([column, kind]) => columnOf(column, kind))
      .join(', ')}) STRICT`,
  indexes,
  triggers,
  additionsTo:
    "SELECT name, sql AS text FROM sqlite_schema WHERE tbl_name = ? COLLATE NOCASE AND type IN ('index', 'trigger')",
  createAggregate: (name, aggregate) =>
    `CREATE TABLE ${quote(name)} (id TEXT PRIMARY KEY NOT NULL, ${Object.entries(aggregate.measures)
      .map(([measure, { column }]) => columnOf(measure, column))
      .join(', ')}) STRICT`,
  columnsOf: 'SELECT name FROM pragma_table_info(?)',
  addColumn: (name, table, column) =>
    `ALTER TABLE ${quote(name)} ADD COLUMN ${columnOf(column, table.columns[column] as Column)}`,
}

const finite = (name: string): string =>
  `CHECK (${quote(name)} BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308)`

function columnOf(name: string, column: Column): string {
  const column_ = quote(name)
  const required = column.isNullable || column.type === 'appendIndex' ? '' : ' NOT NULL'
  switch (column.type) {
    case 'id':
      return `${column_} TEXT PRIMARY KEY NOT NULL CHECK (length(${column_}) BETWEEN 1 AND ${MAX_ID_LENGTH} AND instr(${column_}, char(0)) = 0)`
    case 'ref':
      return `${column_} TEXT${required} CHECK (length(${column_}) BETWEEN 1 AND ${MAX_ID_LENGTH} AND instr(${column_}, char(0)) = 0)`
    case 'text':
      return `${column_} TEXT${required} CHECK (instr(${column_}, char(0)) = 0)`
    case 'integer':
    case 'timestamp':
    case 'appendIndex':
      return `${column_} INTEGER${required} CHECK (${column_} BETWEEN -9007199254740991 AND 9007199254740991)`
    case 'real':
      return `${column_} REAL${required} ${finite(name)}`
    case 'boolean':
      return `${column_} INTEGER${required} CHECK (${column_} IN (0, 1))`
    case 'json':
      return `${column_} TEXT${required} CHECK (json_valid(${column_}))`
  }
}

/** One unique index for each position, and one on the column by which rows find their scope, unless a position's begins with it. */
function indexes(name: string, table: Table): Addition[] {
  const positions = Object.entries(table.columns).filter(([, column]) => column.type === 'appendIndex')
  const index = (column: string, text: (index: string) => string): Addition => {
    const index = `holdfast.${name}.${column}`
    return { name: index, statements: [text(quote(index))] }
  }
  const made = positions.map(([column, { target }]) =>
    index(column, (index) => `CREATE UNIQUE INDEX ${index} ON ${quote(name)} (${quote(target)}, ${quote(column)})`),
  )
  const under = table.scopeRule.column
  if (under !== 'id' && !positions.some(([, { target }]) => target === under))
    made.push(index(under, (index) => `CREATE INDEX ${index} ON ${quote(name)} (${quote(under)})`))
  return made
}

/**
 * Triggers only mark, whoever writes. They also take the position of a row that moves to another parent and keeps it, since a
 * position counts under one parent only; a plain UPDATE that would collide there must set it to NULL itself.
 */
function triggers({ name, sql, table, id, under: underName, column }: TableLayout): Addition[] {
  const under = column(underName)
  const trigger = (name: string, text: string): Addition => {
    const expected = `CREATE TRIGGER ${quote(name)} ${text}`
    return { name, expected, statements: [`DROP TRIGGER IF EXISTS ${quote(name)}`, expected] }
  }
  const on = (event: string, columns: string, values: string) =>
    trigger(
      `holdfast.${name}.${event.toLowerCase()}`,
      `AFTER ${event} ON ${sql} BEGIN INSERT INTO holdfast_mark (tbl, ${columns}) VALUES (${literal(name)}, ${values}); END`,
    )
  const moved = Object.entries(table.columns).flatMap(([name_, { type, target }]) => {
    if (type !== 'appendIndex') return []
    const [position, parent] = [column(name_), column(target)]
    return [
      trigger(
        `holdfast.${name}.${name_}.moved`,
        `AFTER UPDATE OF ${parent} ON ${sql} WHEN OLD.${parent} IS NOT NEW.${parent} AND NEW.${position} IS OLD.${position} AND NEW.${position} IS NOT NULL BEGIN UPDATE ${sql} SET ${position} = NULL WHERE ${id} = NEW.${id}; END`,
      ),
    ]
  })
  return [
    on('INSERT', 'new_id', `NEW.${id}`),
    on('UPDATE', 'old_id, new_id, old_under', `OLD.${id}, NEW.${id}, OLD.${under}`),
    on('DELETE', 'old_id, old_under', `OLD.${id}, OLD.${under}`),
    ...moved,
  ]
}
