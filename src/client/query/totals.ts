// One value of all rows of a query, kept up to date: how many they are, the sum, the least and the greatest of a column. Functions that
// an app imports, so that nobody else loads them; they bring along what answers them. A count and a sum are moved by each row that comes
// or goes; the least and the greatest are the first row of a query in that order. Always equal to the value of the fresh answer
// (proved by property test). Totals that the authority states are aggregates, which an app declares (schema/measure.ts).
import type { Json } from '../../base/json.ts'
import { compareValues, matches, type Query, type QuerySpec } from '../../schema/query.ts'
import type { Row } from '../../schema/table.ts'
import type { Replica } from '../replica/replica.ts'
import type { SyncInfo } from '../status.ts'
import { rowsWhere } from './answer.ts'
import { createExactSum } from './exact-sum.ts'
import type { Part, Question, Sources, View } from './view.ts'
import { createWindow } from './window.ts'

type Scalar = string | number | boolean | null
type ScalarNames<R> = { [Name in keyof R & string]: R[Name] extends Scalar ? Name : never }[keyof R & string]
type NumberNames<R> = { [Name in keyof R & string]: R[Name] extends number | null ? Name : never }[keyof R & string]

/**
 * How many rows a query has.
 *
 * ```ts
 * const waiting = client.live(countOf(app.query.tasks.where({ done: false })))
 * waiting.value // 3
 * ```
 */
export function countOf<R>(query: Query<R>): Question<number> {
  const { spec } = query
  const most = spec.limit ?? Number.POSITIVE_INFINITY
  return question<number>(spec, 'count', '', (replica) => {
    let count = 0
    return moved(
      replica,
      { ...spec, limit: undefined },
      {
        clear() {
          count = 0
        },
        add(_row, sign) {
          count += sign
        },
        value: () => Math.min(count, most),
      },
    )
  })
}

/**
 * The sum of a column over the rows of a query; 0 without any. Null adds nothing. Exact: the sum is rounded once, whatever came and went,
 * so that it equals the one that is added up afresh.
 */
export function sumOf<R>(query: Query<R>, column: NumberNames<R>): Question<number> {
  const { spec } = query
  return question<number>(spec, 'sum', column, (replica) => {
    let sum = createExactSum()
    const fold: Fold<number> = {
      clear() {
        sum = createExactSum()
      },
      add: (row, sign) => sum.add(sign * Number(row[column] ?? 0)),
      value: () => sum.value(),
    }
    return spec.limit === undefined ? moved(replica, spec, fold) : refolded(replica, spec, fold)
  })
}

/** The least value of a column over the rows of a query, in the order of `orderBy`: texts and times too. Null counts as none; null without any. */
export function minOf<R, const Name extends ScalarNames<R>>(
  query: Query<R>,
  column: Name,
): Question<NonNullable<R[Name]> | null> {
  return extremeOf(query.spec, column, 'min')
}

/** The greatest value of a column over the rows of a query; see `minOf`. */
export function maxOf<R, const Name extends ScalarNames<R>>(
  query: Query<R>,
  column: Name,
): Question<NonNullable<R[Name]> | null> {
  return extremeOf(query.spec, column, 'max')
}

function extremeOf<Value>(spec: QuerySpec, column: string, kind: 'min' | 'max'): Question<Value | null> {
  const first: QuerySpec = {
    ...spec,
    where: [...spec.where, { column, is: 'ne', value: null }],
    orderBy: [{ column, direction: kind === 'min' ? 'asc' : 'desc' }],
    limit: 1,
  }
  const sign = kind === 'min' ? 1 : -1
  return question(spec, kind, column, (replica) => {
    let best: Json = null
    return refolded(replica, spec.limit === undefined ? first : spec, {
      clear() {
        best = null
      },
      add(row) {
        const value = row[column] ?? null
        if (value !== null && (best === null || compareValues(value, best) * sign < 0)) best = value
      },
      value: () => best as Value | null,
    })
  })
}

/** What rows come to. */
interface Fold<Value> {
  clear(): void
  add(row: Row, sign: 1 | -1): void
  value(): Value
}

function question<Value>(
  spec: QuerySpec,
  kind: string,
  column: string,
  make: (replica: Replica) => Total<Value>,
): Question<Value> {
  return Object.freeze({
    spec: Object.freeze({ ...spec, value: Object.freeze([kind, column] as const) }),
    view({ replica }: Sources<SyncInfo>): View<Value> {
      const total = make(replica)
      return { parts: [total], read: total.read }
    },
  })
}

interface Total<Value> extends Part<never> {
  read(): Value
}

/** A total over all rows that meet the conditions: what comes is added, what goes is taken away. */
function moved<Value>(replica: Replica, spec: QuerySpec, fold: Fold<Value>): Total<Value> {
  const refill = (): void => {
    fold.clear()
    for (const row of rowsWhere(replica, spec)) fold.add(row, 1)
  }
  refill()
  return {
    asked: spec,
    refill,
    apply(changes) {
      for (const { before, after } of changes) {
        if (before !== undefined && matches(spec.where, before)) fold.add(before, -1)
        if (after !== undefined && matches(spec.where, after)) fold.add(after, 1)
      }
      return true
    },
    read: fold.value,
  }
}

/** A total over the first rows of a query with a limit, which are few: added up again after each change among them. */
function refolded<Value>(replica: Replica, spec: QuerySpec, fold: Fold<Value>): Total<Value> {
  const window = createWindow<never>(replica, spec)
  return {
    asked: spec,
    refill: window.refill,
    apply: window.apply,
    read() {
      fold.clear()
      for (const { row } of window.slots.slice(0, spec.limit)) fold.add(row, 1)
      return fold.value()
    },
  }
}
