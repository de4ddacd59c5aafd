// Scopes: `kind:value`, the unit of partial sync, permission, order and caching. A scope is found from a row and its parents.
import type { Brand } from '../base/brand.ts'
import { textProblem } from '../base/json.ts'
import type { Row, ScopeRule, Table } from './table.ts'

/** `kind:value`, for example `user:42`. */
export type Scope = Brand<string, 'Scope'>

/** Longest scope, in UTF-16 units. */
export const MAX_SCOPE_LENGTH = 200

/** Why a string is no scope, or undefined. */
export function scopeProblem(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > MAX_SCOPE_LENGTH)
    return `must be a text of at most ${MAX_SCOPE_LENGTH} characters`
  if (!/^[a-z][a-z0-9_-]{0,31}:[^\s]/i.test(value)) return 'must look like kind:value'
  return textProblem(value, 'it')
}

/** The scope in a string from outside; throws a TypeError that says what is wrong. */
export function parseScope(value: string): Scope {
  const problem = scopeProblem(value)
  if (problem !== undefined) throw new TypeError(`The scope ${JSON.stringify(value)} ${problem}`)
  return value as Scope
}

/** The scope of rows whose own column holds `value`. */
export function makeScope(kind: string, value: string): Scope {
  return `${kind}:${value}` as Scope
}

/** What stands before the value of the scope column in a scope; for a rule by a parent, nothing is known of it. */
export function scopePrefix(rule: ScopeRule): string {
  return rule.via === 'column' ? makeScope(rule.kind, '') : ''
}

/**
 * One step towards a row's scope: the scope itself, or the parent row that decides it. Whoever holds rows walks the steps,
 * since the device looks into its replica and the authority into its database.
 */
export function scopeStep(
  table: Table,
  row: Row,
): { readonly scope: Scope } | { readonly table: string; readonly id: string } {
  const rule = table.scopeRule
  const value = row[rule.column]
  if (rule.via !== 'parent') return { scope: `${scopePrefix(rule)}${String(value)}` as Scope }
  return { table: table.columns[rule.column]?.target ?? '', id: String(value) }
}
