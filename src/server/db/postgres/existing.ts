// What PostgreSQL says of a table that the engine did not make, and how its columns hold what an app declares: by their types, which are
// strict, so that only what a type may hold and no device could is told apart as it is read. Judges no table (db/existing.ts does).
import type { Json } from '../../../base/json.ts'
import type { Column } from '../../../schema/column.ts'
import { BOOLEAN, type ColumnCodec, checked, isoOf, JSON_TEXT, PLAIN, UNFIT } from '../codec.ts'
import type { Sql } from '../db.ts'
import type { Ddl, FoundColumn, FoundTable } from '../ddl.ts'

/** How tables are found that were there before. */
export const postgresExisting: Pick<Ddl, 'inspect' | 'codecOf'> = { inspect, codecOf }

const kinds: { readonly [relkind: string]: string } = {
  r: 'table',
  p: 'partitioned table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
}

async function inspect(sql: Sql, table: string): Promise<FoundTable | undefined> {
  const [found] = await sql.all(
    'SELECT oid::text AS oid, relname AS name, relkind::text AS kind FROM pg_class WHERE oid = to_regclass(quote_ident(?))',
    [table],
  )
  if (found === undefined) return undefined
  const oid = String(found['oid'])
  const columns = await sql.all(
    `SELECT attname AS name, format_type(atttypid, NULL) AS type, attnotnull AS required, atthasdef OR attidentity <> '' AS filled, attgenerated <> '' AS computed, coalesce(collname, '') AS collation, coalesce(collisdeterministic, true) AS exact FROM pg_attribute LEFT JOIN pg_collation ON pg_collation.oid = attcollation WHERE attrelid = CAST(? AS oid) AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    [oid],
  )
  // Only indexes over whole rows and plain columns, in which two texts are the same when their bytes are.
  const parts = await sql.all(
    `SELECT indexrelid::text AS index, indisunique AS unique, attname AS name FROM pg_index CROSS JOIN LATERAL unnest(indkey) WITH ORDINALITY AS key (attnum, place) JOIN pg_attribute ON attrelid = indrelid AND pg_attribute.attnum = key.attnum LEFT JOIN pg_collation ON pg_collation.oid = attcollation WHERE indrelid = CAST(? AS oid) AND indisvalid AND indpred IS NULL AND indexprs IS NULL AND place <= indnkeyatts AND coalesce(collisdeterministic, true) ORDER BY indexrelid, place`,
    [oid],
  )
  const indexes = new Map<string, { readonly isUnique: boolean; readonly columns: string[] }>()
  for (const { index, unique, name } of parts) {
    const known = indexes.get(String(index))
    if (known === undefined) indexes.set(String(index), { isUnique: unique === true, columns: [String(name)] })
    else known.columns.push(String(name))
  }
  return {
    name: String(found['name']),
    kind: kinds[String(found['kind'])] ?? 'thing of another kind',
    columns: columns.map(({ name, type, required, filled, computed, collation, exact }) => ({
      name: String(name),
      type: String(type).toLowerCase(),
      isNullable: required !== true,
      hasDefault: filled === true,
      isGenerated: computed === true,
      isBinary: collation === 'C' || collation === 'POSIX' || collation === 'ucs_basic',
      isLoose: exact !== true,
    })),
    indexes: [...indexes.values()],
  }
}

/**
 * Texts in the order of a language: two are the same when their bytes are, so an index finds them, and their order is made after the rows
 * are there.
 */
const TEXT: ColumnCodec = Object.freeze({ ...PLAIN, compares: 'as equal' })

/** As PostgreSQL writes it: in another spelling it is the same UUID there, and another id on a device. */
const canonical = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/
const uuidOf = (value: Json) => (typeof value === 'string' && canonical.test(value) ? value : UNFIT)

const UUID: ColumnCodec = Object.freeze({
  ...PLAIN,
  form: 'uuid',
  asText: (column: string) => `${column}::text`,
  toSql: uuidOf,
  compared: uuidOf,
})

/** A value out of the column's range stops even the statement that compares it. */
function whole(most: number): ColumnCodec {
  const within = (value: Json) => (Math.abs(Number(value)) <= most ? Number(value) : UNFIT)
  return Object.freeze({ ...PLAIN, toSql: within, compared: within })
}

/** Numbers of any length: compared as the number that a device reads. */
const DECIMAL: ColumnCodec = Object.freeze({ ...PLAIN, value: (column: string) => `${column}::double precision` })

/** Moments to the microsecond, of which a device sees the milliseconds. */
const MOMENT: ColumnCodec = Object.freeze({
  ...PLAIN,
  value: (column: string) => `date_trunc('milliseconds', ${column})`,
  toSql: isoOf,
  compared: isoOf,
})

function codecOf(column: Column, found: FoundColumn): ColumnCodec | string {
  const codec = plainCodecOf(column, found)
  return typeof codec === 'string' ? codec : checked(column, codec)
}

function plainCodecOf({ type: declared }: Column, { type, isBinary, isLoose }: FoundColumn): ColumnCodec | string {
  const isText = (type === 'text' || type === 'character varying') && isLoose !== true
  const text = isBinary === true ? PLAIN : TEXT
  switch (declared) {
    case 'id':
    case 'ref':
      if (type === 'uuid') return UUID
      if (isText) return text
      return /int|serial|numeric/.test(type)
        ? 'uuid or text: ids are made on devices that know nothing of each other, so they are texts (UUIDs), and not numbers that the database counts. Give the table a uuid key beside its number and name that'
        : 'uuid, or text whose collation is deterministic'
    case 'text':
      return type === 'uuid'
        ? UUID
        : isText
          ? text
          : 'text or character varying, with a deterministic collation, or uuid'
    case 'integer':
    case 'appendIndex':
      if (type === 'smallint') return whole(32_767)
      if (type === 'integer') return whole(2_147_483_647)
      return type === 'bigint' ? PLAIN : type === 'numeric' ? DECIMAL : 'bigint, integer, smallint or numeric'
    case 'timestamp':
      if (type === 'bigint') return PLAIN
      return type.startsWith('timestamp') ? MOMENT : 'timestamptz, or bigint for milliseconds since 1970'
    case 'real':
      if (type === 'double precision') return PLAIN
      return type === 'numeric' ? DECIMAL : 'double precision or numeric'
    case 'boolean':
      return type === 'boolean' ? BOOLEAN : 'boolean'
    case 'json':
      return isText || type === 'json' || type === 'jsonb' ? JSON_TEXT : 'jsonb, json or text that holds JSON'
  }
}
