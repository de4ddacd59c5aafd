// Aggregates: declared derived rows of groups of rows. Their definition, and how a group's row is found from its rows; what each kind of
// value does is measure.ts. The authority recomputes touched groups when it adopts changes, the device where pending intents touch a
// group (derived/groups.ts): both by what is written here (I11).
// A function of the app that throws, or gives what no row can hold, spoils its own value and nothing else.
import type { Column } from './column.ts'
import type { createGroups } from './derived/groups.ts'
import type { Row, TxRowOf } from './table.ts'

/** What a value of a group may be. */
export type Scalar = string | number | boolean | null

/** What a value has come to so far; undefined when only the rows can tell. Whole numbers for sums: a sum to two decimals counts hundredths. */
export type Total = number | bigint | null | undefined

declare const measured: unique symbol

/** One derived value of a group. Made by `count`, `sum`, `min`, `max` and `compute`. */
export interface Measure<R, Value extends Scalar = number> {
  readonly kind: 'count' | 'sum' | 'min' | 'max' | 'compute'
  /** Decimal places that a sum is kept to; 0 for all others. */
  readonly decimals: number
  /** How the value stands in SQL, and what a device takes for one. */
  readonly column: Column
  /** What no row comes to; undefined for a value that is found from all rows each time. */
  readonly start: Total
  /** What the total is with one more row, or with one less; undefined when only the rows can tell. Throws where the app's function does. */
  readonly add: (total: Total, row: R, sign: 1 | -1) => Total
  /** The value of a group that has rows; `rows` gives them, in any order. Throws where the app's function does. */
  readonly value: (total: Total, rows: () => readonly R[]) => Scalar
  /** What computes groups on a device; it comes along with each value, so that an app without aggregates does not load it. */
  readonly groups: typeof createGroups
  readonly [measured]?: Value
}

/** Values of a group by name. */
export type Values = { readonly [name: string]: Scalar }

/** A declared aggregate: one row for each value of `by` among the rows of `of`, with `id` equal to that value. */
export interface Aggregate<By extends string = string, V extends Values = Values> {
  readonly of: string
  readonly by: By
  /** Raised by the app when a function gives something else than before: all groups are computed again. */
  readonly version: number
  readonly measures: { readonly [Name in keyof V]: Measure<Row, V[Name]> }
}

/** The rows of an aggregate. */
export type AggregateRowOf<A> =
  A extends Aggregate<string, infer V> ? { readonly id: string } & { readonly [Name in keyof V]: V[Name] } : never

type MeasuredBy<M> = { readonly [Name in keyof M]: M[Name] extends Measure<never, infer Value> ? Value : never }

/** Declares an aggregate over one of the app's tables. */
export type AggregateMaker<Tables> = <const Name extends keyof Tables & string>(
  table: Name,
) => {
  /** Groups by the column that decides the rows' scope (that of `scope` or `scopeVia`), so that a group never spans scopes. */
  by<const By extends string>(
    column: By & ScopeColumns<Tables[Name]>,
  ): {
    /**
     * The values of a group's row. No hash sees what is inside a function: when one of them gives something else than before, raise
     * `version`, and the authority computes all groups again at its next start.
     */
    values<const M extends { readonly [value: string]: Measure<TxRowOf<Tables[Name]>, Scalar> }>(
      measures: M,
      options?: { readonly version?: number },
    ): Aggregate<By, MeasuredBy<M>>
  }
}

type ScopeColumns<T> = T extends { readonly columns: infer C } ? keyof C & string : never

/** The maker that defineApp hands to the callback. */
export function makeAggregate(of: string) {
  return {
    by: (by: string) => ({
      values: (measures: Aggregate['measures'], { version = 1 }: { readonly version?: number } = {}): Aggregate =>
        Object.freeze({ of, by, version, measures: Object.freeze({ ...measures }) }),
    }),
  }
}

/** Hears of a function of the app that threw, or gave what no row can hold, with the name of the value that it was for. */
export type OnFailure = (measure: string, error: unknown) => void

/** The aggregate's row for the group `key`, computed from all its rows; undefined for an empty group, which has no row. */
export function computeGroup(
  aggregate: Aggregate,
  key: string,
  rows: readonly Row[],
  onFailure?: OnFailure,
): Row | undefined {
  const totals = createTotals(aggregate)
  for (const row of rows) addToTotals(aggregate, totals, row, 1, onFailure)
  return rowOfTotals(aggregate, key, totals, () => rows, onFailure)
}

/** What a group's rows come to so far. */
export interface Totals {
  size: number
  /** In the order in which the values are declared. */
  readonly of: Total[]
}

/** The totals of an empty group. */
export function createTotals({ measures }: Aggregate): Totals {
  return { size: 0, of: Object.values(measures).map(({ start }) => start) }
}

/** Adds a row to a group's totals, or takes it out again: exact, so that the order does not matter. */
export function addToTotals(aggregate: Aggregate, totals: Totals, row: Row, sign: 1 | -1, onFailure?: OnFailure): void {
  totals.size += sign
  let index = 0
  for (const name in aggregate.measures)
    addToTotal(aggregate.measures[name] as Measure<Row>, name, totals.of, index++, row, sign, onFailure)
}

/** A row for which the function fails counts as one without a value, when it comes and when it goes. */
function addToTotal(
  measure: Measure<Row>,
  name: string,
  totals: Total[],
  index: number,
  row: Row,
  sign: 1 | -1,
  onFailure: OnFailure | undefined,
): void {
  try {
    totals[index] = measure.add(totals[index], row, sign)
  } catch (error) {
    onFailure?.(name, error)
  }
}

/** The aggregate's row for the group `key` with these totals, and the rows for what totals cannot tell; undefined for an empty group. */
export function rowOfTotals(
  { measures }: Aggregate,
  key: string,
  totals: Totals,
  rows: () => readonly Row[],
  onFailure?: OnFailure,
): Row | undefined {
  if (totals.size === 0) return undefined
  const row: { [column: string]: Scalar; id: string } = { id: key }
  for (const [index, name] of Object.keys(measures).entries()) {
    const measure = measures[name] as Measure<Row>
    if (totals.of[index] === undefined && measure.start !== undefined) {
      totals.of[index] = measure.start
      for (const each of rows()) addToTotal(measure, name, totals.of, index, each, 1, onFailure)
    }
    row[name] = null
    try {
      row[name] = measure.value(totals.of[index], rows)
    } catch (error) {
      onFailure?.(name, error)
    }
  }
  return row
}
