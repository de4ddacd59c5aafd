// Column codecs: how the values of one declared column stand in one SQL column, and whether SQL compares them as a device does.
// Columns that the engine made have the three codecs below, which trust what the database checked; which codec fits a column that
// was there before is decided by the dialect, from the declared type and the one that it found. Pure.
import type { Json } from '../../base/json.ts'
import { type Column, valueProblem } from '../../schema/column.ts'
import type { SqlValue } from './db.ts'

/** A value that the other side cannot hold: what stands in SQL is no value of the column, or SQL cannot store it. */
export const UNFIT: unique symbol = Symbol('a value that does not fit')

/** How the values of one column are read, written and compared. Columns are given quoted; null is never asked about. */
export interface ColumnCodec {
  /** In which form ids stand: a reference must have the one of the ids that it refers to, or `asText` joins them. */
  readonly form: string
  /** What is selected to be read by `fromSql`. */
  select(column: string): string
  /** What is compared with, and ordered by, values of `compared`. */
  value(column: string): string
  /** The value as text, as it stands in the change log. */
  asText(column: string): string
  /** Whether a comparison in SQL finds what a device would: in every order, only as equal or not, or not at all. */
  readonly compares: 'in order' | 'as equal' | 'never'
  /** UNFIT for what is no value of the declared column. */
  fromSql(value: SqlValue): Json | typeof UNFIT
  /** As it is written; UNFIT for what the SQL column cannot hold. */
  toSql(value: Json): SqlValue | typeof UNFIT
  /** As it is compared with `value`; UNFIT for what stands in no row. */
  compared(value: Json): SqlValue | typeof UNFIT
}

const itself = (column: string): string => column

/** The value stands in SQL as it is. */
export const PLAIN: ColumnCodec = Object.freeze({
  form: 'plain',
  select: itself,
  value: itself,
  asText: itself,
  compares: 'in order',
  fromSql: (value: SqlValue) => value as Json,
  toSql: (value: Json) => value as SqlValue,
  compared: (value: Json) => value as SqlValue,
})

const bit = (value: Json): SqlValue => (value === true ? 1 : 0)

/** Booleans, as 0 and 1 where the database knows none. */
export const BOOLEAN: ColumnCodec = Object.freeze({
  ...PLAIN,
  fromSql: (value: SqlValue) => value === 1 || value === true,
  toSql: bit,
  compared: bit,
})

/** JSON as text. */
export const JSON_TEXT: ColumnCodec = Object.freeze({
  ...PLAIN,
  compares: 'never',
  fromSql: (value: SqlValue) => JSON.parse(String(value)) as Json,
  toSql: (value: Json) => JSON.stringify(value),
  compared: () => UNFIT,
})

/** The codec of a column that the engine made. */
export function ownCodec({ type }: Column): ColumnCodec {
  return type === 'boolean' ? BOOLEAN : type === 'json' ? JSON_TEXT : PLAIN
}

/** The same codec over a column that was there before, in which anything may stand: what no device could hold is UNFIT. */
export function checked(column: Column, codec: ColumnCodec): ColumnCodec {
  return Object.freeze({
    ...codec,
    fromSql(value: SqlValue) {
      try {
        const read = codec.fromSql(value)
        return read === UNFIT || valueProblem(column, read) !== undefined ? UNFIT : read
      } catch {
        // Text that is no JSON.
        return UNFIT
      }
    },
  })
}

/** Milliseconds of a text in ISO 8601 with date and time, as SQL writes it too: with a blank between, and in UTC without a zone. */
export function millisOf(text: string): number | typeof UNFIT {
  const found = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s?(Z|[+-]\d\d(?::?\d\d)?)?$/i.exec(text)
  if (found === null) return UNFIT
  const [, date, time = '', zone = 'Z'] = found
  // Parsers differ in how many digits of a second they take; more than milliseconds are cut off.
  const cut = time.replace(/(\.\d{3})\d+$/, '$1')
  const offset = /^[+-]\d\d$/.test(zone) ? `${zone}:00` : zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2').toUpperCase()
  const at = Date.parse(`${date}T${cut}${offset}`)
  return Number.isNaN(at) ? UNFIT : at
}

/** A moment as text in ISO 8601, in UTC, with milliseconds; UNFIT beyond the years 0 to 9999, which have no such text. */
export function isoOf(at: Json): string | typeof UNFIT {
  const date = new Date(Number(at))
  const year = date.getUTCFullYear()
  return Number.isNaN(year) || year < 0 || year > 9999 ? UNFIT : date.toISOString()
}
