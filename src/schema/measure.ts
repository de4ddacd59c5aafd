// The values of aggregates: `count`, `sum`, `min`, `max` and `compute`. What each does lies in its own record, together with what computes
// groups on a device, so that an app loads only the kinds that it uses, and nothing of it without any.
import { textProblem } from '../base/json.ts'
import type { Measure, Scalar, Total } from './aggregate.ts'
import type { Column } from './column.ts'
import { createGroups } from './derived/groups.ts'
import { compareText } from './query.ts'
import type { Row } from './table.ts'

const number: Column = { type: 'real', isNullable: false, target: '' }
const numberOrNull: Column = { type: 'real', isNullable: true, target: '' }
const scalar: Column = { type: 'json', isNullable: true, target: '' }

/** How many rows the group has. */
export function count<R = never>(): Measure<R> {
  return Object.freeze({
    groups: createGroups,
    kind: 'count',
    decimals: 0,
    column: number,
    start: 0,
    add: (total: Total, _row: R, sign: 1 | -1) => Number(total) + sign,
    value: (total: Total) => Number(total),
  })
}

/**
 * The sum of `term` over the group. Each term is rounded to `decimals` places (0 to 9; default 0) and added as a whole
 * number, so that the same rows give the same sum in any order on every machine. A row whose term is no finite number adds nothing.
 */
export function sum<R>(term: (row: R) => number, options: { readonly decimals?: number } = {}): Measure<R> {
  const decimals = options.decimals ?? 0
  const unit = 10 ** decimals
  return Object.freeze({
    groups: createGroups,
    kind: 'sum',
    decimals,
    column: number,
    start: 0,
    add: (total: Total, row: R, sign: 1 | -1) => addExactly(total ?? 0, sign * Math.round(finite(term(row)) * unit)),
    // What no number can hold is shown as the largest one: a row must stay readable for every device.
    value: (total: Total) => Math.min(Math.max(Number(total), -Number.MAX_VALUE), Number.MAX_VALUE) / unit,
  })
}

/** What leaves the safe integers goes on exactly; what leaves the numbers adds nothing. */
function addExactly(sum: number | bigint, amount: number): number | bigint {
  if (!Number.isFinite(amount)) return sum
  if (typeof sum === 'number') {
    const next = sum + amount
    if (Number.isSafeInteger(next)) return next
  }
  return BigInt(sum) + BigInt(amount)
}

/**
 * The least number that `of` gives for a row of the group: numbers only, of which a timestamp is one. A row for which it gives null,
 * or no finite number, has none; where no row has one, the value is null.
 */
export function min<R>(of: (row: R) => number | null): Measure<R, number | null> {
  return extreme('min', of, (a, b) => a < b)
}

/** The greatest number that `of` gives for a row of the group; see `min`. */
export function max<R>(of: (row: R) => number | null): Measure<R, number | null> {
  return extreme('max', of, (a, b) => a > b)
}

function extreme<R>(
  kind: 'min' | 'max',
  of: (row: R) => number | null,
  isBeyond: (a: number, b: number) => boolean,
): Measure<R, number | null> {
  const add = (total: Total, row: R, sign: 1 | -1): Total => {
    // From the rows it is found again when somebody asks for it.
    if (total === undefined) return undefined
    const given = of(row)
    const value = given === null ? null : finite(given)
    if (value === null) return total
    if (sign < 0) return value === total ? undefined : total
    return total === null || isBeyond(value, Number(total)) ? value : total
  }
  return Object.freeze({
    groups: createGroups,
    kind,
    decimals: 0,
    column: numberOrNull,
    start: null,
    add,
    value: (total: Total) => total as number | null,
  })
}

/**
 * Whatever `of` makes of all rows of the group, which it gets in the order of their ids: a text, a finite number, true, false or null.
 * It runs on devices and at the authority and must be pure: the same rows give the same value. It sees all rows of a group with each
 * change in it, so it is for groups of hundreds of rows, not of hundreds of thousands. Where it throws or gives something else, the
 * value is null.
 */
export function compute<R, Value extends Scalar>(of: (rows: readonly R[]) => Value): Measure<R, Value> {
  return Object.freeze({
    groups: createGroups,
    kind: 'compute',
    decimals: 0,
    column: scalar,
    start: undefined,
    add: () => undefined,
    value: (_total: Total, rows: () => readonly R[]) => {
      const given: unknown = of([...rows()].sort((a, b) => compareText((a as Row).id, (b as Row).id)))
      if (typeof given === 'number') return finite(given)
      if (given === null || typeof given === 'boolean') return given
      const problem = typeof given === 'string' ? textProblem(given, 'it') : `it is of type ${typeof given}`
      if (problem !== undefined) throw new TypeError(`compute gave what no row can hold: ${problem}`)
      return given as string
    },
  })
}

/** A number that SQL and JSON can hold; minus zero is zero. */
function finite(value: number): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new TypeError(`${value} is no finite number`)
  return value + 0
}
