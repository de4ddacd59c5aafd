// What of a query an index can answer, and the first of many rows in its order. Whether a query can be asked at all was looked at where
// it was made (schema/checks.ts); what a condition means for a row is schema/query.ts.
import { countBefore } from '../../base/collections.ts'
import type { Json } from '../../base/json.ts'
import type { QuerySpec } from '../../schema/query.ts'
import type { Row } from '../../schema/table.ts'

/** As much of a query as says which rows it asks for. */
export type Asked = Pick<QuerySpec, 'where'>

/** The condition of a query by which an index finds its rows: the id itself, or another column that equals one value. */
export function equalityOf(spec: Asked): { readonly column: string; readonly value: Json } | undefined {
  return spec.where.find(({ column, is }) => is === 'eq' && column === 'id') ?? spec.where.find(({ is }) => is === 'eq')
}

/** So many more rows than are wanted are gathered before they are sorted. */
const GATHERED = 512

/** Of a list of many rows so many for each one wanted are looked at beforehand. */
const SAMPLED = 16

/** The rows in order, at most `limit`: a small limit over many rows costs no sorting of all of them, in whatever order they come. */
export function takeFirst(
  rows: Iterable<Row>,
  compare: (a: Row, b: Row) => number,
  limit = Number.POSITIVE_INFINITY,
): Row[] {
  const first: Row[] = []
  let last = sampleLast(rows, compare, limit)
  for (const row of rows) {
    if (last !== undefined && compare(row, last) > 0) continue
    first.push(row)
    if (first.length < limit + GATHERED) continue
    first.sort(compare)
    first.length = limit
    last = first[limit - 1]
  }
  return first.sort(compare).slice(0, limit)
}

/**
 * A row of a list behind which none of the first ones can be: enough others lie before it. Rows that come in the opposite order would
 * otherwise each be among the first so far.
 */
function sampleLast(rows: Iterable<Row>, compare: (a: Row, b: Row) => number, limit: number): Row | undefined {
  if (!Array.isArray(rows) || rows.length < limit * SAMPLED * 4) return undefined
  const step = Math.floor(rows.length / (limit * SAMPLED))
  const sample: Row[] = []
  for (let at = step - 1; at < rows.length; at += step) sample.push(rows[at])
  return sample.sort(compare)[limit - 1]
}

/** Where a row belongs in a sorted array. */
export function insertionPoint<Item>(
  sorted: readonly Item[],
  item: Item,
  compare: (a: Item, b: Item) => number,
): number {
  return countBefore(sorted, (other) => compare(other, item) < 0)
}
