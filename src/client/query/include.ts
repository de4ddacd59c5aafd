// Rows with their relations, one hop: a parent with its children, or a child with its parent, by references that the app declared; live and
// incremental. Functions that an app imports, so that nobody else loads them. A changed child costs a look at its parent's key: each
// outer row has a small list of its own, found by the automatic index of the reference. A nested row carries its own `sync`; the outer
// row's speaks of the outer row alone. Always equals the fresh answer (proved by property test).
import { newList, obtain } from '../../base/collections.ts'
import { matches, type Query, type QuerySpec } from '../../schema/query.ts'
import type { Row } from '../../schema/table.ts'
import type { Change, Replica } from '../replica/replica.ts'
import type { SyncInfo } from '../status.ts'
import { createList, type List } from './list.ts'
import { type Part, type Question, type RowSync, type Sources, type SyncedRow, syncEqual, type View } from './view.ts'

declare const related: unique symbol
type TextNames<R> = { [Name in keyof R & string]: R[Name] extends string | null ? Name : never }[keyof R & string]

/** The rows that refer to the outer row. Made by `many`. */
export interface Many<R> {
  readonly kind: 'many'
  readonly column: string
  readonly spec: QuerySpec
  readonly [related]?: R
}

/** The row to which the outer row refers. Made by `one`. */
export interface One<R, Column extends string = string> {
  readonly kind: 'one'
  readonly column: Column
  readonly spec: QuerySpec
  readonly [related]?: R
}

/** A row as a query shows it. */
type Shown<R> = R & { readonly sync: SyncInfo }

/** A row with its relations. */
export type Included<R, I> = Shown<R> & {
  readonly [Name in keyof I]: I[Name] extends Many<infer Child>
    ? readonly Shown<Child>[]
    : I[Name] extends One<infer Parent>
      ? Shown<Parent> | undefined
      : never
}

/** Relations by name, of rows like these: a reference is a column of theirs, and no name is that of a column. */
type Relations<R, I> = {
  readonly [Name in keyof I]: Name extends keyof R | 'sync'
    ? 'This is the name of a column: give the relation another one'
    : I[Name] extends One<unknown, infer Column>
      ? Column extends TextNames<R>
        ? I[Name]
        : 'one names a column of the outer rows that refers to the other table'
      : I[Name]
}

/**
 * The rows of `query` whose `column`, made with `t.ref`, refers to the outer row. Their order and limit hold for each outer row.
 */
export function many<R>(query: Query<R>, column: TextNames<R>): Many<R> {
  return Object.freeze({ kind: 'many', column, spec: query.spec })
}

/**
 * The row of `query` to which the outer row refers by its `column`, made with `t.ref`; `undefined` where it is not here, or does not
 * meet the conditions. Of an aggregate it is the row of that group; then `column` may also be `id`.
 */
export function one<R, const Column extends string>(query: Query<R>, column: Column): One<R, Column> {
  return Object.freeze({ kind: 'one', column, spec: query.spec })
}

/**
 * A query whose rows carry others with them, each by the name that is given here.
 *
 * ```ts
 * const workouts = client.live(
 *   include(app.query.workouts.orderBy('startedAt', 'desc').limit(20), {
 *     sets: many(app.query.sets.orderBy('position'), 'workoutId'),
 *     totals: one(app.query.workoutTotals, 'id'),
 *   }),
 * )
 * workouts.rows[0]?.sets[0]?.sync.state
 * ```
 *
 * Opening it throws a TypeError where a column is no reference to the other table.
 */
export function include<R, const I extends { readonly [name: string]: Many<unknown> | One<unknown> }>(
  query: Query<R>,
  relations: I & Relations<R, I>,
): Question<readonly Included<R, I>[]> {
  const named: readonly [string, Many<unknown> | One<unknown>][] = Object.entries(relations)
  const include = named.map(([name, { kind, column, spec }]) => [name, kind, column, spec] as const)
  return Object.freeze({
    spec: Object.freeze({ ...query.spec, include: Object.freeze(include) }),
    view: (sources: Sources<SyncInfo>) =>
      createInclude(sources, query.spec, named) as View<unknown> as View<readonly Included<R, I>[]>,
  })
}

/** The other rows of each outer row. */
interface Relation<Sync> extends Part<Sync> {
  /** By what an outer row finds its others. */
  keyOf(row: SyncedRow<Sync>): unknown
  /** They, the same as long as nothing in them changes. */
  of(key: unknown): unknown
  /** How many keys it keeps others for. */
  size(): number
  /** Forgets all other keys. */
  keep(keys: ReadonlySet<unknown>): void
}

interface Composed {
  readonly outer: unknown
  readonly others: readonly unknown[]
  readonly row: object
}

function createInclude<Sync extends RowSync>(
  sources: Sources<Sync>,
  spec: QuerySpec,
  named: readonly (readonly [string, Many<unknown> | One<unknown>])[],
): View<readonly object[], Sync> {
  const list = createList(sources, spec)
  const relations = named.map(([name, { kind, column, spec: of }]) => {
    checkRelation(sources.replica, spec.table, name, kind, column, of)
    const relation = (kind === 'many' ? createMany : createOne)(sources, of, column)
    return { name, relation }
  })
  let composed = new Map<string, Composed>()
  let rows: readonly object[] = Object.freeze([])
  let outer: readonly SyncedRow<Sync>[] | undefined
  let isStale = true

  const noting = (relation: Relation<Sync>): Part<Sync> => ({
    asked: relation.asked,
    apply: (changes) => note(relation.apply(changes)),
    refill() {
      relation.refill()
      isStale = true
    },
    resync: (row, sync) => note(relation.resync?.(row, sync) === true),
  })
  const note = (isTouched: boolean): boolean => {
    isStale ||= isTouched
    return isTouched
  }

  const compose = (row: SyncedRow<Sync>): Composed => {
    const others = relations.map(({ relation }) => relation.of(relation.keyOf(row)))
    const before = composed.get(row.id)
    if (before?.outer === row && others.every((other, at) => other === before.others[at])) return before
    const members = relations.map(({ name }, at) => [name, others[at]] as const)
    return { outer: row, others, row: Object.freeze({ ...row, ...Object.fromEntries(members) }) }
  }

  return {
    parts: [list, ...relations.map(({ relation }) => noting(relation))],
    read() {
      const now = list.read()
      if (!isStale && now === outer) return rows
      isStale = false
      outer = now
      const made = now.map(compose)
      composed = new Map(now.map(({ id }, at) => [id, made[at] as Composed]))
      if (made.length !== rows.length || made.some(({ row }, at) => row !== rows[at]))
        rows = Object.freeze(made.map(({ row }) => row))
      for (const { relation } of relations)
        if (relation.size() > now.length) relation.keep(new Set(now.map(relation.keyOf)))
      return rows
    },
  }
}

function createMany<Sync extends RowSync>(sources: Sources<Sync>, spec: QuerySpec, column: string): Relation<Sync> {
  const lists = new Map<unknown, List<Sync>>()
  return {
    asked: spec,
    keyOf: ({ id }) => id,
    // The reference comes first among the conditions: by its index the rows are found.
    of: (id) =>
      obtain(lists, id, () =>
        createList(sources, { ...spec, where: [{ column, is: 'eq', value: id as string }, ...spec.where] }),
      ).read(),
    apply(changes) {
      const byList = new Map<List<Sync>, Change[]>()
      for (const change of changes) {
        for (const id of new Set([change.before?.[column], change.after?.[column]])) {
          const list = lists.get(id)
          if (list !== undefined) obtain(byList, list, newList<Change>).push(change)
        }
      }
      let isTouched = false
      for (const [list, changes] of byList) if (list.apply(changes)) isTouched = true
      return isTouched
    },
    refill() {
      for (const list of lists.values()) list.refill()
    },
    resync: (row, sync) => lists.get(row[column])?.resync(row, sync) === true,
    size: () => lists.size,
    keep(ids) {
      for (const id of lists.keys()) if (!ids.has(id)) lists.delete(id)
    },
  }
}

function createOne<Sync extends RowSync>(
  { replica, make }: Sources<Sync>,
  spec: QuerySpec,
  column: string,
): Relation<Sync> {
  /** By id, those that are not there too. */
  const known = new Map<unknown, SyncedRow<Sync> | undefined>()
  return {
    asked: spec,
    keyOf: (row) => row[column],
    of(id) {
      if (id === null) return undefined
      if (!known.has(id)) {
        const row = replica.get(spec.table, id as string)
        known.set(id, row !== undefined && matches(spec.where, row) ? make(spec.table, row) : undefined)
      }
      return known.get(id)
    },
    apply(changes) {
      let isTouched = false
      for (const { before, after } of changes) if (known.delete((after ?? (before as Row)).id)) isTouched = true
      return isTouched
    },
    refill: () => known.clear(),
    resync(row, sync) {
      const made = known.get(row.id)
      return made !== undefined && !syncEqual(made.sync, sync()) && known.delete(row.id)
    },
    size: () => known.size,
    keep(ids) {
      for (const id of known.keys()) if (!ids.has(id)) known.delete(id)
    },
  }
}

/** Throws where the column is not declared as a reference between the two tables, or the query means nothing here. */
function checkRelation(
  replica: Replica,
  outer: string,
  name: string,
  kind: 'many' | 'one',
  column: string,
  spec: QuerySpec,
): void {
  const fail = (problem: string): never => {
    throw new TypeError(`include: ${name}: ${problem}`)
  }
  if (name === 'sync' || Object.hasOwn(replica.table(outer).columns, name)) fail(`${outer} has a column of this name`)
  const inner = replica.table(spec.table)
  /** The table whose ids stand in a column. */
  const targetOf = (table: string, of: string): string => {
    const { aggregate, columns } = replica.table(table)
    if (of !== 'id') return columns[of]?.target ?? ''
    return aggregate === undefined ? table : targetOf(aggregate.of, aggregate.by)
  }
  const [from, to] = kind === 'many' ? [inner.name, outer] : [outer, inner.name]
  const target = targetOf(from, column)
  if (target === '' || target !== targetOf(to, 'id') || (kind === 'many' && column === 'id'))
    fail(`${from}.${column} is no reference to ${to}, made with t.ref('${to}')`)
  if (kind === 'one' && (spec.limit !== undefined || spec.orderBy.length > 0))
    fail('one row has neither an order nor a limit')
}
