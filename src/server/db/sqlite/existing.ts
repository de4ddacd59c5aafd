// What SQLite says of a table that the engine did not make, and how its columns hold what an app declares. SQLite goes by affinities
// (https://www.sqlite.org/datatype3.html): a column whose affinity would turn a value into another type is refused, and where the
// table is not STRICT anything may stand in a row, so every value is checked as it is read. Judges no table (db/existing.ts does).
import type { Json } from '../../../base/json.ts'
import type { Column } from '../../../schema/column.ts'
import { BOOLEAN, type ColumnCodec, checked, isoOf, JSON_TEXT, millisOf, PLAIN, UNFIT } from '../codec.ts'
import type { Sql, SqlValue } from '../db.ts'
import type { Ddl, FoundColumn } from '../ddl.ts'

/** How tables are found that were there before. */
export const sqliteExisting: Pick<Ddl, 'inspect' | 'codecOf'> = { inspect, codecOf }

async function inspect(sql: Sql, table: string) {
  const [found] = await sql.all(
    "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE",
    [table],
  )
  if (found === undefined) return undefined
  const columns = await sql.all('SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)', [
    table,
  ])
  const indexes: { readonly isUnique: boolean; readonly columns: readonly string[] }[] = []
  for (const index of await sql.all('SELECT name, "unique" AS isUnique FROM pragma_index_list(?) WHERE partial = 0', [
    table,
  ])) {
    const parts = await sql.all('SELECT cid, name, coll FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno', [
      index['name'] ?? null,
    ])
    // An expression has no name; texts that are compared without case would find other rows than a device does.
    if (parts.every(({ name, coll }) => name !== null && String(coll).toLowerCase() === 'binary'))
      indexes.push({ isUnique: index['isUnique'] === 1, columns: parts.map(({ name }) => String(name)) })
  }
  return {
    name: String(found['name']),
    kind: String(found['type']) === 'virtual' ? 'virtual table' : String(found['type']),
    columns: columns
      .filter(({ hidden }) => hidden !== 1)
      .map((column) => ({
        name: String(column['name']),
        type: String(column['type'])
          .toLowerCase()
          .replace(/\s*\(.*\)$/, ''),
        // A primary key may be null in SQLite where it does not say otherwise; a row without an id is in no scope.
        isNullable: column['notnull'] === 0 && column['pk'] === 0,
        hasDefault: column['dflt_value'] !== null || (column['pk'] === 1 && /^integer$/i.test(String(column['type']))),
        isGenerated: column['hidden'] === 2 || column['hidden'] === 3,
      })),
    indexes,
  }
}

/** The affinity of a declared type, by SQLite's own rules, in their order. */
function affinityOf(type: string): 'integer' | 'text' | 'none' | 'real' | 'numeric' {
  if (type.includes('int')) return 'integer'
  if (/char|clob|text/.test(type)) return 'text'
  if (type === '' || type.includes('blob')) return 'none'
  return /real|floa|doub/.test(type) ? 'real' : 'numeric'
}

/** Texts of a column with another collation are compared by their bytes all the same; an index with that collation does not help. */
const TEXT: ColumnCodec = Object.freeze({
  ...PLAIN,
  value: (column: string) => `${column} COLLATE BINARY`,
  asText: (column: string) => `${column} COLLATE BINARY`,
})

const LIMIT = Number.MAX_SAFE_INTEGER

/** Numbers that JavaScript cannot hold stop a statement as it is read; as texts they are told as values that do not fit. */
const INTEGER: ColumnCodec = Object.freeze({
  ...PLAIN,
  select: (column: string) =>
    `CASE WHEN typeof(${column}) = 'integer' AND ${column} NOT BETWEEN -${LIMIT} AND ${LIMIT} THEN 'too large' ELSE ${column} END`,
})

/** Moments as texts in ISO 8601; numbers are taken as milliseconds. SQL would compare texts that mean the same moment as different. */
const ISO: ColumnCodec = Object.freeze({
  ...INTEGER,
  compares: 'never',
  fromSql: (value: SqlValue) => (typeof value === 'string' ? millisOf(value) : (value as Json)),
  toSql: isoOf,
  compared: () => UNFIT,
})

const BIT: ColumnCodec = Object.freeze({
  ...BOOLEAN,
  fromSql: (value: SqlValue) => (value === 1 ? true : value === 0 ? false : UNFIT),
})

function codecOf(column: Column, found: FoundColumn): ColumnCodec | string {
  const codec = plainCodecOf(column, found)
  return typeof codec === 'string' ? codec : checked(column, codec)
}

function plainCodecOf({ type: declared }: Column, { type }: FoundColumn): ColumnCodec | string {
  const affinity = affinityOf(type)
  const isWhole = affinity === 'integer' || affinity === 'numeric'
  const isTime = /^(?:datetime|timestamp)/.test(type)
  switch (declared) {
    case 'id':
    case 'ref':
      if (affinity === 'text' || type === 'any') return TEXT
      return affinity === 'integer'
        ? 'TEXT: ids are made on devices that know nothing of each other, so they are texts (UUIDs), and not numbers that the database counts. Give the table a TEXT key beside its INTEGER one and name that'
        : 'TEXT: another type may turn an id into a number'
    case 'text':
      return affinity === 'text' || type === 'any' ? TEXT : 'TEXT, VARCHAR or another type of text'
    case 'integer':
    case 'appendIndex':
      return isWhole && !isTime ? INTEGER : 'INTEGER'
    case 'timestamp':
      if (affinity === 'integer') return INTEGER
      if (affinity === 'text' || isTime) return ISO
      return 'INTEGER for milliseconds since 1970, or TEXT or DATETIME for ISO 8601'
    case 'real':
      return affinity === 'real' || affinity === 'numeric' ? PLAIN : 'REAL, DOUBLE or NUMERIC'
    case 'boolean':
      return isWhole ? BIT : 'INTEGER or BOOLEAN, holding 0 and 1'
    case 'json':
      return affinity === 'text' || type === 'json' ? JSON_TEXT : 'TEXT or JSON, holding JSON as text'
  }
}
