// A query of a mutator as a SELECT: conditions, order and limit mean in SQL exactly what they mean on the device (schema/query).
// What SQL would read otherwise (a value of another type than its column) is left to `matches`, after the rows are there.

import type { Json } from '../../base/json.ts'
import { valueProblem } from '../../schema/column.ts'
import { type Condition, matches, type QuerySpec } from '../../schema/query.ts'
import type { Row } from '../../schema/table.ts'
import type { Sql, SqlValue } from '../db/db.ts'
import { type Layout, type TableLayout, toSql } from '../db/layout.ts'
import { visibleIn } from './scopes.ts'

/** The rows that answer a query; only those of `scopes`, unless that is undefined. */
export async function selectRows(
  sql: Sql,
  layout: Layout,
  query: QuerySpec,
  scopes: ReadonlySet<string> | undefined,
): Promise<readonly Row[]> {
  const table = layout.table(query.table)
  const clauses: string[] = []
  const parameters: SqlValue[] = []
  const left: Condition[] = []
  for (const condition of query.where) {
    const clause = clauseOf(layout, table, condition, parameters)
    if (clause === undefined) left.push(condition)
    else clauses.push(clause)
  }
  const visible = scopes === undefined ? undefined : visibleIn(layout, table, scopes)
  if (visible !== undefined) {
    clauses.push(visible.condition)
    parameters.push(...visible.parameters)
  }
  const order = query.orderBy
    .map(
      ({ column, direction }) =>
        `${nameIn(layout, table, column)} ${direction === 'asc' ? 'ASC NULLS FIRST' : 'DESC NULLS LAST'}, `,
    )
    .join('')
  const limit = query.limit === undefined || left.length > 0 ? '' : ' LIMIT ?'
  if (limit !== '') parameters.push(query.limit ?? 0)
  const columns = table.written.map((column) => `t0.${layout.dialect.quote(column)}`).join(', ')
  const where = clauses.length === 0 ? '' : ` WHERE ${clauses.join(' AND ')}`
  const found = await sql.all(
    `SELECT ${columns} FROM ${table.sql} AS t0${visible?.joins ?? ''}${where} ORDER BY ${order}t0.id${limit}`,
    parameters,
  )
  const rows = found.map((row) => table.readRow(row))
  if (left.length === 0) return rows
  const matching = rows.filter((row) => matches(left, row))
  return query.limit === undefined ? matching : matching.slice(0, query.limit)
}

function nameIn(layout: Layout, table: TableLayout, column: string): string {
  if (!table.written.includes(column))
    throw new TypeError(`${table.name} has no column ${JSON.stringify(column)} that a mutator sees`)
  return `t0.${layout.dialect.quote(column)}`
}

const operators = { lt: '<', lte: '<=', gt: '>', gte: '>=' } as const

/** More values than this are compared after the rows are there. */
const MAX_IN = 1_000

/** One condition in SQL, its parameters added to the list; undefined where SQL would compare otherwise. */
function clauseOf(
  layout: Layout,
  table: TableLayout,
  { column, is, value }: Condition,
  parameters: SqlValue[],
): string | undefined {
  const name = nameIn(layout, table, column)
  const declared = table.table.columns[column]
  if (declared === undefined || declared.type === 'json') return undefined
  const fits = (each: Json) => each === null || valueProblem(declared, each) === undefined
  if (is === 'in') {
    if (!Array.isArray(value) || value.length > MAX_IN || !value.every(fits)) return undefined
    const values = value.filter((each) => each !== null)
    const orNull = values.length < value.length ? ` OR ${name} IS NULL` : ''
    if (values.length === 0) return orNull === '' ? '0 = 1' : `${name} IS NULL`
    parameters.push(...values.map((each) => toSql(declared, each)))
    return `(${name} IN (${values.map(() => '?').join(', ')})${orNull})`
  }
  if (!fits(value)) return undefined
  if (value === null) return is === 'eq' ? `${name} IS NULL` : is === 'ne' ? `${name} IS NOT NULL` : '0 = 1'
  parameters.push(toSql(declared, value))
  if (is === 'eq') return `${name} = ?`
  return is === 'ne' ? `${name} IS DISTINCT FROM ?` : `${name} ${operators[is]} ?`
}
