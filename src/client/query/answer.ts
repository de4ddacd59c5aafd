// A query answered afresh from the overlay: rows as they are shown, with provisional positions and aggregates. Live queries begin with
// it, fall back to it, and must always equal it. Holds nothing.
import { matches, type QuerySpec } from '../../schema/query.ts'
import type { Row } from '../../schema/table.ts'
import type { Replica } from '../replica/replica.ts'
import { equalityOf, takeFirst } from '../replica/spec.ts'

/** The rows of a query in order. Throws a TypeError that names a table that the app does not have. */
export function answer(replica: Replica, spec: QuerySpec): Row[] {
  const rows = candidates(replica, spec)
  return takeFirst(spec.where.length === 0 ? rows : matching(rows, spec.where), spec.orderBy, spec.limit)
}

/** The rows that meet a query's conditions, each once, in no order. */
export function rowsWhere(replica: Replica, spec: QuerySpec): Iterable<Row> {
  return matching(candidates(replica, spec), spec.where)
}

function* matching(rows: Iterable<Row>, where: QuerySpec['where']): Iterable<Row> {
  for (const row of rows) if (matches(where, row)) yield row
}

/** At least the rows that meet the conditions, each once. */
function candidates(replica: Replica, spec: QuerySpec): Iterable<Row> {
  const table = replica.table(spec.table)
  const isIndexed = (column: string): boolean =>
    table.aggregate === undefined && table.columns[column]?.type !== 'appendIndex'
  const equality = equalityOf({
    ...spec,
    where: spec.where.filter(({ column }) => column === 'id' || isIndexed(column)),
  })
  if (equality === undefined) return replica.rows(spec.table)
  const ids =
    equality.column === 'id' ? [String(equality.value)] : replica.idsWhere(spec.table, equality.column, equality.value)
  return rowsOf(replica, spec.table, ids)
}

function* rowsOf(replica: Replica, table: string, ids: Iterable<string>): Iterable<Row> {
  for (const id of ids) {
    const row = replica.get(table, id)
    if (row !== undefined) yield row
  }
}
