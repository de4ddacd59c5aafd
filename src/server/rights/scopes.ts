// The scope of a row, found by walking its parents, and the clause by which a query sees only rows of some scopes.
// Works on rows as they are now in the transaction, not on the change log, which the last adoption wrote.
import { type Scope, scopePrefix, scopeProblem } from '../../schema/scope.ts'
import type { Row } from '../../schema/table.ts'
import type { SqlValue } from '../db/db.ts'
import type { TableLayout } from '../db/layout.ts'

/** How a walk looks a row up. */
export type LoadRow = (table: TableLayout, id: string) => Row | undefined | Promise<Row | undefined>

/** The scope of a row, or undefined when one of its parents is not there or a value makes no scope. */
export async function scopeOf(table: TableLayout, row: Row, load: LoadRow): Promise<Scope | undefined> {
  let at = table
  let found: Row | undefined = row
  while (at.parent !== undefined) {
    found = await load(at.parent, String(found[at.under]))
    if (found === undefined) return undefined
    at = at.parent
  }
  const scope = `${scopePrefix(at.table.scopeRule)}${String(found[at.under])}` as Scope
  return scopeProblem(scope) === undefined ? scope : undefined
}

/** Where a row refers to its parent: compared as they stand when both sides have one form, and as texts otherwise. */
function idsMeet(child: TableLayout, alias: string, parent: TableLayout, parentAlias: string): string {
  return child.codec(child.under).form === parent.codec('id').form
    ? `${parent.value('id', parentAlias)} = ${child.value(child.under, alias)}`
    : `${parent.asText('id', parentAlias)} = ${child.asText(child.under, alias)}`
}

/** Part of a SELECT: from which tables, and under which condition, rows of `table` (as `t0`) lie in one of the scopes. */
export function visibleIn(
  table: TableLayout,
  scopes: ReadonlySet<string>,
): { readonly joins: string; readonly condition: string; readonly parameters: readonly SqlValue[] } {
  let joins = ''
  let depth = 0
  let at = table
  while (at.parent !== undefined) {
    joins += ` JOIN ${at.parent.sql} AS t${depth + 1} ON ${idsMeet(at, `t${depth}`, at.parent, `t${depth + 1}`)}`
    at = at.parent
    depth++
  }
  const prefix = scopePrefix(at.table.scopeRule)
  const named: string[] = []
  for (const scope of scopes) if (scope.startsWith(prefix)) named.push(scope.slice(prefix.length))
  const values = [...at.compared(at.under, named)]
  if (values.length === 0) return { joins, condition: '0 = 1', parameters: [] }
  // Lists of few lengths, so that few texts are prepared: the last value stands for the missing ones.
  const last = values[values.length - 1] as SqlValue
  while ((values.length & (values.length - 1)) !== 0) values.push(last)
  return {
    joins,
    condition: `${at.value(at.under, `t${depth}`)} IN (${values.map(() => '?').join(', ')})`,
    parameters: values,
  }
}
