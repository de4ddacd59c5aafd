// A query answered afresh from the overlay: rows as they are shown, with provisional positions and aggregates. Live queries begin with
// it, fall back to it, and must always equal it. Holds nothing.
import { comparatorOf, matches, type QuerySpec } from '../../schema/query.ts'
import type { Row } from '../../schema/table.ts'
import type { Replica } from '../replica/replica.ts'
import { checkSpec, equalityOf, takeFirst } from '../replica/spec.ts'

/** The rows of a query in order. Throws a TypeError that names a table or column that the app does not have. */
export function answer(replica: Replica, spec: QuerySpec): Row[] {
  checkSpec(replica.table(spec.table), spec, 'query')
  const rows: Row[] = []
  for (const row of candidates(replica, spec)) if (matches(spec.where, row)) rows.push(row)
  return takeFirst(rows, comparatorOf(spec.orderBy), spec.limit)
}

/** At least the rows that meet the conditions, each once. */
function* candidates(replica: Replica, spec: QuerySpec): Iterable<Row> {
  const table = replica.table(spec.table)
  const isIndexed = (column: string): boolean =>
    table.aggregate === undefined && table.columns[column]?.type !== 'appendIndex'
  const equality = equalityOf({
    ...spec,
    where: spec.where.filter(({ column }) => column === 'id' || isIndexed(column)),
  })
  if (equality === undefined) {
    yield* replica.rows(spec.table)
    return
  }
  const ids =
    equality.column === 'id' ? [String(equality.value)] : replica.idsWhere(spec.table, equality.column, equality.value)
  for (const id of ids) {
    const row = replica.get(spec.table, id)
    if (row !== undefined) yield row
  }
}
