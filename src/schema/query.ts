// Queries as plain data: conditions, order, limit; and what they mean for one row. Both sides answer the same data: the device
// from its replica, the authority in SQL. Text is ordered by code point and null comes first, as in SQLite and PostgreSQL («C»).
import { isRecord, type Json } from '../base/json.ts'
import type { Row } from './table.ts'

/** The comparisons of a condition. */
export type Comparison = 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte' | 'in'

/** One condition on one column. All conditions of a query must hold. */
export interface Condition {
  readonly column: string
  readonly is: Comparison
  /** For `in` an array, else a single value. */
  readonly value: Json
}

/** One key of the order. Rows that are equal in all keys are ordered by id. */
export interface OrderKey {
  readonly column: string
  readonly direction: 'asc' | 'desc'
}

/** A query as data. */
export interface QuerySpec {
  readonly table: string
  readonly where: readonly Condition[]
  readonly orderBy: readonly OrderKey[]
  readonly limit: number | undefined
}

type Comparable = string | number | boolean | null
type ComparableNames<R> = { [Name in keyof R & string]: R[Name] extends Comparable ? Name : never }[keyof R & string]
type Range<V> = {
  readonly ne?: V
  readonly lt?: NonNullable<V>
  readonly lte?: NonNullable<V>
  readonly gt?: NonNullable<V>
  readonly gte?: NonNullable<V>
  readonly in?: readonly V[]
}

/** Conditions by column: a value means «equals». */
export type Filter<R> = { readonly [Name in ComparableNames<R>]?: R[Name] | Range<R[Name]> }

/** A query under construction: immutable, each step gives a new one. */
export interface Query<R> {
  readonly spec: QuerySpec
  /** Adds conditions; all must hold. */
  where(filter: Filter<R>): Query<R>
  /** Adds a key of the order. */
  orderBy(column: ComparableNames<R>, direction?: 'asc' | 'desc'): Query<R>
  /** At most this many rows. */
  limit(rows: number): Query<R>
}

/** What looks at a query at each step in which it is made, and throws a TypeError that names what is wrong. */
export type QueryCheck = (spec: QuerySpec) => void

/** The empty query over a table: all its rows, ordered by id. */
export function createQuery<R>(table: string, check?: QueryCheck): Query<R> {
  return chain<R>({ table, where: [], orderBy: [], limit: undefined }, check)
}

function chain<R>(spec: QuerySpec, check: QueryCheck | undefined): Query<R> {
  check?.(spec)
  const step = (more: Partial<QuerySpec>) => chain<R>({ ...spec, ...more }, check)
  return Object.freeze({
    spec: Object.freeze(spec),
    where: (filter: Filter<R>) =>
      step({ where: [...spec.where, ...conditionsOf(filter as { readonly [column: string]: unknown })] }),
    orderBy: (column: string, direction: 'asc' | 'desc' = 'asc') =>
      step({ orderBy: [...spec.orderBy, { column, direction }] }),
    limit: (rows: number) => step({ limit: parseLimit(rows) }),
  })
}

/** A number of rows; throws a TypeError for anything else. */
function parseLimit(rows: number): number {
  if (!Number.isSafeInteger(rows) || rows < 0)
    throw new TypeError(`limit is ${rows}, it must be a whole number of rows`)
  return rows
}

/** The conditions that a filter states. Throws a TypeError for a value that no column holds. */
export function conditionsOf(filter: { readonly [column: string]: unknown }): Condition[] {
  const conditions: Condition[] = []
  for (const [column, wanted] of Object.entries(filter)) {
    // What compares nothing, such as an array or a date, would become a condition that lets every row through.
    const compared = isRecord(wanted) && !(wanted instanceof Date) ? wanted : { eq: wanted }
    for (const [is, value] of Object.entries(compared) as [Comparison, Json | undefined][]) {
      // A bound that is undefined is no bound; the others would let every row through.
      if (value === undefined && /[lg]t/.test(is)) continue
      const values: readonly unknown[] = is === 'in' && Array.isArray(value) ? value : [value]
      for (const each of values) mustCompare(column, each)
      conditions.push({ column, is, value: value as Json })
    }
  }
  return conditions
}

/** Not what is missing by mistake, and no number that is not finite, which SQL would read as null. */
function mustCompare(column: string, value: unknown): void {
  if (typeof value === 'number' ? Number.isFinite(value) : value === null || /^(string|boolean)$/.test(typeof value))
    return
  const what = typeof value === 'object' ? 'an object or array' : String(value)
  throw new TypeError(
    `where: ${column} is compared with ${what}; leave it out, or say a text, a finite number, a boolean or null, or several with in`,
  )
}

/** Whether a row meets all conditions. As in SQL, null is smaller or greater than nothing; unlike SQL, it equals null. */
export function matches(conditions: readonly Condition[], row: Row): boolean {
  for (const { column, is, value } of conditions) {
    const actual = row[column] ?? null
    if (is === 'in') {
      if (!(value as readonly Json[]).includes(actual)) return false
    } else if (is === 'eq') {
      if (actual !== value) return false
    } else if (is === 'ne') {
      if (actual === value) return false
    } else {
      if (actual === null || value === null) return false
      const order = compareValues(actual, value)
      if (is === 'lt' ? order >= 0 : is === 'lte' ? order > 0 : is === 'gt' ? order <= 0 : order < 0) return false
    }
  }
  return true
}

/** Negative, zero or positive as `a` comes before, with or after `b`: null, then false, true, numbers, texts by code point. */
export function compareValues(a: Json, b: Json): number {
  if (a === b) return 0
  if (a === null) return -1
  if (b === null) return 1
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0
}

/** Order by code point: what UTF-8 bytes give, which differs from JavaScript's own order above U+D7FF. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index)
    const right = b.charCodeAt(index)
    if (left === right) continue
    const leftIsHalf = left >= 0xd800 && left <= 0xdfff
    const rightIsHalf = right >= 0xd800 && right <= 0xdfff
    if (leftIsHalf !== rightIsHalf) return leftIsHalf ? 1 : -1
    return left - right
  }
  return a.length - b.length
}

/** The comparison that a query's order means; total, because the id decides last. */
export function comparatorOf(orderBy: readonly OrderKey[]): (a: Row, b: Row) => number {
  const columns = orderBy.map(({ column }) => column)
  const signs = orderBy.map(({ direction }) => (direction === 'asc' ? 1 : -1))
  return (a, b) => {
    // By number: a first answer goes through a hundred thousand rows before anything of this is compiled.
    for (let at = 0; at < columns.length; at++) {
      const column = columns[at] as string
      const order = compareValues(a[column] ?? null, b[column] ?? null)
      if (order !== 0) return order * (signs[at] as number)
    }
    return a.id === b.id ? 0 : compareText(a.id, b.id)
  }
}
