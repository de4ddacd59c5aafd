// Aggregates: declared derived rows of groups of rows. Only their definition and how one group is computed from its rows:
// the authority recomputes touched groups when it adopts changes, the device where pending intents touch a group (I11).
import type { Row, Table, TxRowOf } from './table.ts'

/** One derived value of a group. */
export interface Measure<R> {
  readonly kind: 'count' | 'sum'
  /** Decimal places that a sum is kept to; 0 for counts. */
  readonly decimals: number
  /** What a row adds to a sum. */
  readonly term?: (row: R) => number
}

/** How many rows the group has. */
export function count<R = never>(): Measure<R> {
  return Object.freeze({ kind: 'count', decimals: 0 })
}

/**
 * The sum of `term` over the group. Each term is rounded to `decimals` places (0 to 9; default 0) and added as a whole
 * number, so that the same rows give the same sum in any order on every machine. A term that is no finite number counts as 0.
 */
export function sum<R>(term: (row: R) => number, options: { readonly decimals?: number } = {}): Measure<R> {
  const decimals = options.decimals ?? 0
  if (!Number.isInteger(decimals) || decimals < 0 || decimals > 9)
    throw new TypeError(`sum: decimals is ${decimals}, it must be 0 to 9`)
  return Object.freeze({ kind: 'sum', decimals, term })
}

/** A declared aggregate: one row for each value of `by` among the rows of `of`, with `id` equal to that value. */
export interface Aggregate<By extends string = string, Names extends string = string> {
  readonly of: string
  readonly by: By
  readonly measures: { readonly [Name in Names]: Measure<Row> }
}

/** The rows of an aggregate. */
export type AggregateRowOf<A> =
  A extends Aggregate<string, infer Names> ? { readonly id: string } & { readonly [Name in Names]: number } : never

/** Declares an aggregate over one of the app's tables. */
export type AggregateMaker<Tables> = <const Name extends keyof Tables & string>(
  table: Name,
) => {
  /** Groups by the column that decides the rows' scope (that of `scope` or `scopeVia`), so that a group never spans scopes. */
  by<const By extends string>(
    column: By & ScopeColumns<Tables[Name]>,
  ): {
    values<const M extends { readonly [value: string]: Measure<TxRowOf<Tables[Name]>> }>(
      measures: M,
    ): Aggregate<By, keyof M & string>
  }
}

type ScopeColumns<T> = T extends { readonly columns: infer C } ? keyof C & string : never

/** The maker that defineApp hands to the callback. */
export function makeAggregate(of: string) {
  return {
    by: (by: string) => ({
      values: (measures: { readonly [name: string]: Measure<Row> }): Aggregate =>
        Object.freeze({ of, by, measures: Object.freeze({ ...measures }) }),
    }),
  }
}

/** The aggregate's row for the group `key`, computed from all its rows; undefined for an empty group, which has no row. */
export function computeGroup(aggregate: Aggregate, key: string, rows: Iterable<Row>): Row | undefined {
  const totals = createTotals(aggregate)
  for (const row of rows) addToTotals(aggregate, totals, row, 1)
  return rowOfTotals(aggregate, key, totals)
}

/** What a group's rows come to so far, in whole numbers: a sum to two decimals counts hundredths. */
export interface Totals {
  size: number
  readonly sums: (number | bigint)[]
}

/** The totals of an empty group. */
export function createTotals(aggregate: Aggregate): Totals {
  return { size: 0, sums: Object.keys(aggregate.measures).map(() => 0) }
}

/** Adds a row to a group's totals, or takes it out again: exact, so that the order does not matter. */
export function addToTotals({ measures }: Aggregate, totals: Totals, row: Row, sign: 1 | -1): void {
  totals.size += sign
  let index = 0
  for (const name in measures) {
    const { term, decimals } = measures[name] as Measure<Row>
    const amount = term === undefined ? 1 : Math.round(term(row) * 10 ** decimals)
    totals.sums[index] = addExactly(totals.sums[index] as number | bigint, sign * amount)
    index++
  }
}

/** A term that is no number (a column that is null, a division by nothing) adds nothing; what leaves the safe integers goes on exactly. */
function addExactly(sum: number | bigint, amount: number): number | bigint {
  if (!Number.isFinite(amount)) return sum
  if (typeof sum === 'number') {
    const next = sum + amount
    if (Number.isSafeInteger(next)) return next
  }
  return BigInt(sum) + BigInt(amount)
}

/** The aggregate's row for the group `key` with these totals; undefined for an empty group. */
export function rowOfTotals({ measures }: Aggregate, key: string, totals: Totals): Row | undefined {
  if (totals.size === 0) return undefined
  const row: { [column: string]: string | number; id: string } = { id: key }
  for (const [index, name] of Object.keys(measures).entries()) {
    // What no number can hold is shown as the largest one: a row must stay readable for every device.
    const total = Math.min(Math.max(Number(totals.sums[index]), -Number.MAX_VALUE), Number.MAX_VALUE)
    row[name] = total / 10 ** (measures[name] as Measure<Row>).decimals
  }
  return row
}

/** Whether groups by this column lie within one scope: it must be the column by which the table finds its scope. */
export function staysInScope(table: Table, by: string): boolean {
  return table.scopeRule.column === by
}
