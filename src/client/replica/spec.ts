// What of a query an index can answer, and the first of many rows in its order. Whether a query can be asked at all was looked at where
// it was made (schema/checks.ts); what a condition means for a row is schema/query.ts.
import { countBefore } from '../../base/collections.ts'
import type { Json } from '../../base/json.ts'
import { comparatorOf, type QuerySpec } from '../../schema/query.ts'
import type { Row } from '../../schema/table.ts'

/** As much of a query as says which rows it asks for. */
export type Asked = Pick<QuerySpec, 'where'>

/** The condition of a query by which an index finds its rows: the id itself, or another column that equals one value. */
export function equalityOf(spec: Asked): { readonly column: string; readonly value: Json } | undefined {
  return spec.where.find(({ column, is }) => is === 'eq' && column === 'id') ?? spec.where.find(({ is }) => is === 'eq')
}

/** So many more rows than are wanted are gathered before they are sorted. */
const GATHERED = 512

/** Of many rows so many for each one wanted are looked at beforehand. */
const SAMPLED = 16

/**
 * The rows in order, at most `limit`: a small limit over many rows costs no sorting of all of them, in whatever order they come. A start
 * waits for this with a hundred thousand rows before anything of it is compiled; most of them are passed over by `nextAhead`.
 */
export function takeFirst(rows: Iterable<Row>, orderBy: QuerySpec['orderBy'], limit = Number.POSITIVE_INFINITY): Row[] {
  const compare = comparatorOf(orderBy)
  const list = Array.isArray(rows) ? (rows as readonly Row[]) : [...rows]
  const sample = sampleOf(list, limit)
  // Rows often lie in the opposite order, newest last: from behind, few of them are among the first so far.
  const step = sample.length > 1 && compare(sample.at(-1) as Row, sample[0] as Row) < 0 ? -1 : 1
  let bound = boundAt(sample.sort(compare)[limit - 1], orderBy)
  const first: Row[] = []
  for (let at = nextAhead(list, step > 0 ? 0 : list.length - 1, step, bound); at >= 0 && at < list.length; ) {
    const row = list[at] as Row
    at = nextAhead(list, at + step, step, bound)
    if (bound.row !== undefined && compare(row, bound.row) > 0) continue
    first.push(row)
    if (first.length < limit + GATHERED) continue
    first.sort(compare)
    first.length = limit
    bound = boundAt(first[limit - 1], orderBy)
  }
  return first.sort(compare).slice(0, limit)
}

/** A row behind which none of the first ones can be, and as much of the order as its column of most weight says, if that is a number. */
interface Bound {
  readonly row: Row | undefined
  readonly column: string
  readonly value: number
  readonly isRising: boolean
}

function boundAt(
  row: Row | undefined,
  [{ column, direction } = { column: 'id', direction: 'asc' } as const]: QuerySpec['orderBy'],
): Bound {
  const value = row?.[column]
  return { row, column, value: typeof value === 'number' ? value : Number.NaN, isRising: direction === 'asc' }
}

/** The place of the next row, from `at` on, whose number does not already say that it lies behind the bound. */
function nextAhead(list: readonly Row[], at: number, step: number, { column, value, isRising }: Bound): number {
  for (; at >= 0 && at < list.length; at += step) {
    const other = (list[at] as Row)[column]
    if (typeof other !== 'number' || !(isRising ? other > value : other < value)) return at
  }
  return at
}

/** Some of many rows, from all over the list; none where all of them are soon looked at. */
function sampleOf(list: readonly Row[], limit: number): Row[] {
  if (list.length < limit * SAMPLED * 4) return []
  const every = Math.floor(list.length / (limit * SAMPLED))
  const sample: Row[] = []
  for (let at = every - 1; at < list.length; at += every) sample.push(list[at] as Row)
  return sample
}

/** Where a row belongs in a sorted array. */
export function insertionPoint<Item>(
  sorted: readonly Item[],
  item: Item,
  compare: (a: Item, b: Item) => number,
): number {
  return countBefore(sorted, (other) => compare(other, item) < 0)
}
