// A query of a mutator as a SELECT: conditions, order and limit mean in SQL exactly what they mean on the device (schema/query).
// What SQL would read otherwise (a value of another type than its column) is left to `matches`, after the rows are there.

import type { Json } from '../../base/json.ts'
import { valueProblem } from '../../schema/column.ts'
import { type Condition, comparatorOf, matches, type QuerySpec } from '../../schema/query.ts'
import type { Row } from '../../schema/table.ts'
import { UNFIT } from '../db/codec.ts'
import type { Sql, SqlValue } from '../db/db.ts'
import type { Layout, TableLayout } from '../db/layout.ts'
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
    const clause = clauseOf(table, condition, parameters)
    if (clause === undefined) left.push(condition)
    else clauses.push(clause)
  }
  const visible = scopes === undefined ? undefined : visibleIn(table, scopes)
  if (visible !== undefined) {
    clauses.push(visible.condition)
    parameters.push(...visible.parameters)
  }
  const keys = query.orderBy.map(({ column, direction }) => ({ name: nameIn(table, column), column, direction }))
  const isOrdered = ['id', ...query.orderBy.map(({ column }) => column)].every(
    (column) => table.codec(column).compares === 'in order',
  )
  const order = keys.map(
    ({ name, direction }) => `${name} ${direction === 'asc' ? 'ASC NULLS FIRST' : 'DESC NULLS LAST'}, `,
  )
  // In a table that was there before, rows may hold what no device could; those are not counted.
  const isCut = query.limit !== undefined && left.length === 0 && isOrdered && !table.isExisting
  if (isCut) parameters.push(query.limit ?? 0)
  const columns = table.written.map((column) => table.select(column, 't0')).join(', ')
  const where = clauses.length === 0 ? '' : ` WHERE ${clauses.join(' AND ')}`
  const found = await sql.all(
    `SELECT ${columns} FROM ${table.sql} AS t0${visible?.joins ?? ''}${where} ORDER BY ${isOrdered ? order.join('') : ''}${table.value('id', 't0')}${isCut ? ' LIMIT ?' : ''}`,
    parameters,
  )
  const rows: Row[] = []
  for (const each of found) {
    const row = table.readRow(each)
    if (row !== undefined && (left.length === 0 || matches(left, row))) rows.push(row)
  }
  if (!isOrdered) rows.sort(comparatorOf(query.orderBy))
  return query.limit === undefined ? rows : rows.slice(0, query.limit)
}

function nameIn(table: TableLayout, column: string): string {
  if (!table.written.includes(column))
    throw new TypeError(`${table.name} has no column ${JSON.stringify(column)} that a mutator sees`)
  return table.value(column, 't0')
}

const operators = { lt: '<', lte: '<=', gt: '>', gte: '>=' } as const

/** More values than this are compared after the rows are there. */
const MAX_IN = 1_000

/** One condition in SQL, its parameters added to the list; undefined where SQL would compare otherwise. */
function clauseOf(table: TableLayout, { column, is, value }: Condition, parameters: SqlValue[]): string | undefined {
  const name = nameIn(table, column)
  const declared = table.table.columns[column]
  const { compares, compared } = table.codec(column)
  if (declared === undefined || compares === 'never' || (compares === 'as equal' && is in operators)) return undefined
  const fits = (each: Json) => each === null || valueProblem(declared, each) === undefined
  if (is === 'in') {
    if (!Array.isArray(value) || value.length > MAX_IN || !value.every(fits)) return undefined
    const values = value.flatMap((each) => {
      const bound = each === null ? UNFIT : compared(each)
      return bound === UNFIT ? [] : [bound]
    })
    const orNull = value.includes(null) ? ` OR ${name} IS NULL` : ''
    if (values.length === 0) return orNull === '' ? '0 = 1' : `${name} IS NULL`
    parameters.push(...values)
    return `(${name} IN (${values.map(() => '?').join(', ')})${orNull})`
  }
  if (!fits(value)) return undefined
  if (value === null) return is === 'eq' ? `${name} IS NULL` : is === 'ne' ? `${name} IS NOT NULL` : '0 = 1'
  const bound = compared(value)
  if (bound === UNFIT) return is === 'eq' ? '0 = 1' : undefined
  parameters.push(bound)
  if (is === 'eq') return `${name} = ?`
  return is === 'ne' ? `${name} IS DISTINCT FROM ?` : `${name} ${operators[is]} ?`
}
