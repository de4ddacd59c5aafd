// How the tables of an app, their indexes and their triggers are made in PostgreSQL. Columns check what they may hold, so that plain SQL
// cannot store what no device could read, and texts are compared by their bytes. References are not foreign keys: rows of other scopes
// come and go without asking, and a device's batch may hold a child before what it refers to.
import { hashJson } from '../../../base/canonical.ts'
import { type Column, MAX_ID_LENGTH } from '../../../schema/column.ts'
import type { Table } from '../../../schema/table.ts'
import type { Addition, Ddl } from '../ddl.ts'
import type { TableLayout } from '../layout.ts'
import { postgresExisting } from './existing.ts'

/** A name as it stands in a statement. */
export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** PostgreSQL cuts longer names off without a word, so that two may become one. */
const MAX_NAME = 63

/** A name of the engine at a table of the app: what is too long ends in a hash of the whole. */
function nameOf(...parts: readonly string[]): string {
  const name = ['holdfast', ...parts].join('.')
  return name.length <= MAX_NAME ? name : `${name.slice(0, MAX_NAME - 17)}.${hashJson(name).slice(0, 16)}`
}

/** A text that is compared and ordered by its bytes, as a device compares it. */
export const TEXT = 'TEXT COLLATE "C"'

/** The tables that the engine makes. */
export const postgresTables: Ddl = {
  ...postgresExisting,
  createTable: (name, table) =>
    `CREATE TABLE ${quote(name)} (${Object.entries(table.columns)
      .map(([column, kind]) => columnOf(column, kind))
      .join(', ')})`,
  indexes,
  triggers,
  additionsTo:
    "WITH at AS (SELECT to_regclass(quote_ident(?)) AS tbl) SELECT relname AS name, NULL AS text FROM at JOIN pg_index ON indrelid = at.tbl JOIN pg_class ON pg_class.oid = indexrelid UNION ALL SELECT tgname, obj_description(pg_trigger.oid, 'pg_trigger') FROM at JOIN pg_trigger ON tgrelid = at.tbl",
  createAggregate: (name, aggregate) =>
    `CREATE TABLE ${quote(name)} (id ${TEXT} PRIMARY KEY NOT NULL, ${Object.entries(aggregate.measures)
      .map(([measure, { column }]) => columnOf(measure, column))
      .join(', ')})`,
  columnsOf:
    'SELECT attname AS name FROM pg_attribute WHERE attrelid = to_regclass(quote_ident(?)) AND attnum > 0 AND NOT attisdropped',
  addColumn: (name, table, column) =>
    `ALTER TABLE ${quote(name)} ADD COLUMN ${columnOf(column, table.columns[column] as Column)}`,
}

/** Neither infinite nor «not a number», which PostgreSQL holds to be greater than all others. */
const finite = (name: string): string =>
  `CHECK (${quote(name)} BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308)`

function columnOf(name: string, column: Column): string {
  const column_ = quote(name)
  const required = column.isNullable || column.type === 'appendIndex' ? '' : ' NOT NULL'
  switch (column.type) {
    case 'id':
      return `${column_} ${TEXT} PRIMARY KEY NOT NULL CHECK (length(${column_}) BETWEEN 1 AND ${MAX_ID_LENGTH})`
    case 'ref':
      return `${column_} ${TEXT}${required} CHECK (length(${column_}) BETWEEN 1 AND ${MAX_ID_LENGTH})`
    case 'text':
      return `${column_} ${TEXT}${required}`
    case 'integer':
    case 'timestamp':
    case 'appendIndex':
      return `${column_} BIGINT${required} CHECK (${column_} BETWEEN -9007199254740991 AND 9007199254740991)`
    case 'real':
      return `${column_} DOUBLE PRECISION${required} ${finite(name)}`
    case 'boolean':
      return `${column_} BOOLEAN${required}`
    case 'json':
      // Not jsonb, which would give the members of an object back in another order.
      return `${column_} JSON${required}`
  }
}

/** One unique index for each position, and one on the column by which rows find their scope, unless a position's begins with it. */
function indexes(name: string, table: Table): Addition[] {
  const positions = Object.entries(table.columns).filter(([, column]) => column.type === 'appendIndex')
  const index = (column: string, text: (index: string) => string): Addition => {
    const index = nameOf(name, column)
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
 * A trigger and its function, of which the trigger's comment says what they are. The function is its owner's and finds the engine's
 * tables wherever they stand: who may write a table of the app needs no right to them, and no path that leads there.
 */
function trigger(name: string, on: string, how: string, body: string): Addition {
  const make = `CREATE OR REPLACE FUNCTION %1$I.${quote(name)}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $body$ BEGIN ${body} END $body$`
  const statements = [
    `DO $do$ BEGIN EXECUTE format($make$${make}$make$, current_schema()); END $do$`,
    `DROP TRIGGER IF EXISTS ${quote(name)} ON ${on}`,
    `CREATE TRIGGER ${quote(name)} ${how.replace('%', () => on)} EXECUTE FUNCTION ${quote(name)}()`,
  ]
  const expected = hashJson(statements)
  return {
    name,
    expected,
    statements: [...statements, `COMMENT ON TRIGGER ${quote(name)} ON ${on} IS ${literal(expected)}`],
  }
}

/**
 * Triggers only mark, whoever writes, and once for all rows of a statement. They also take the position of a row that moves to another
 * parent and keeps it, since a position counts under one parent only.
 */
function triggers({ name, sql, table, id: idColumn, under: underColumn, column }: TableLayout): Addition[] {
  const [id, under] = [`${idColumn}::text`, `${column(underColumn)}::text`]
  const inFormat = (text: string): string => text.replaceAll('%', '%%')
  const marks = (columns: string, query: string): string =>
    `INSERT INTO %1$I.holdfast_mark (tbl, ${columns}) SELECT ${inFormat(`${literal(name)}, ${query}`)}; RETURN NULL;`
  const moved = Object.entries(table.columns).flatMap(([declared, { type, target }]) => {
    if (type !== 'appendIndex') return []
    const [position, parent] = [column(declared), column(target)]
    return [
      trigger(
        nameOf(name, declared, 'moved'),
        sql,
        `BEFORE UPDATE ON % FOR EACH ROW WHEN (OLD.${parent} IS DISTINCT FROM NEW.${parent} AND NEW.${position} = OLD.${position})`,
        `NEW.${inFormat(position)} := NULL; RETURN NEW;`,
      ),
    ]
  })
  return [
    trigger(
      nameOf(name, 'insert'),
      sql,
      'AFTER INSERT ON % REFERENCING NEW TABLE AS came FOR EACH STATEMENT',
      marks('new_id', `${id} FROM came`),
    ),
    // Both tables hold the same rows in the same order.
    trigger(
      nameOf(name, 'update'),
      sql,
      'AFTER UPDATE ON % REFERENCING OLD TABLE AS went NEW TABLE AS came FOR EACH STATEMENT',
      marks(
        'old_id, new_id, old_under',
        `w.id, c.id, w.under FROM (SELECT row_number() OVER () AS place, ${id} AS id, ${under} AS under FROM went) AS w JOIN (SELECT row_number() OVER () AS place, ${id} AS id FROM came) AS c ON c.place = w.place ORDER BY w.place`,
      ),
    ),
    trigger(
      nameOf(name, 'delete'),
      sql,
      'AFTER DELETE ON % REFERENCING OLD TABLE AS went FOR EACH STATEMENT',
      marks('old_id, old_under', `${id}, ${under} FROM went`),
    ),
    trigger(
      nameOf(name, 'truncate'),
      sql,
      'BEFORE TRUNCATE ON % FOR EACH STATEMENT',
      `RAISE EXCEPTION ${inFormat(literal(`${name} is synced by Holdfast: TRUNCATE tells nobody which rows went. Use DELETE`))} USING ERRCODE = 'feature_not_supported';`.replaceAll(
        '%%',
        '%%%%',
      ),
    ),
    ...moved,
  ]
}
