// What an app declares, as one value that device and authority share: tables, aggregates, mutators, and the queries over them.
// Whether it fits together is checks.ts, which an app in production leaves to the authority (index.ts, lean.ts).
import { type Aggregate, type AggregateMaker, type AggregateRowOf, makeAggregate } from './aggregate.ts'
import type { Column } from './column.ts'
import { CONFLICTS, type ConflictQuery, conflictMutators, conflictTable, type WithConflicts } from './conflict.ts'
import { fingerprintApp } from './fingerprint.ts'
import {
  type ConflictPolicy,
  type Declared,
  type Generated,
  type GenerateOptions,
  generateMutators,
  type Mutator,
  type MutatorMaker,
  makeMutator,
} from './mutator.ts'
import { createQuery, type Query, type QueryCheck } from './query.ts'
import type { RowOf, Table } from './table.ts'

/** Tables by name. */
export type Tables = { readonly [name: string]: Table }
/** Aggregates by name. */
export type Aggregates = { readonly [name: string]: Aggregate }
/** Mutators by name. */
export type Mutators = { readonly [name: string]: Mutator }

/** An app: everything that device and authority must agree on. */
export interface App<T extends Tables = Tables, A extends Aggregates = Aggregates, M extends Mutators = Mutators> {
  readonly tables: T
  readonly aggregates: A
  readonly mutators: M
  /** An empty query for each table and aggregate: `app.query.sets.where({ workoutId }).orderBy('position')`. */
  readonly query: { readonly [Name in keyof T]: Query<RowOf<T[Name]>> } & {
    readonly [Name in keyof A]: Query<AggregateRowOf<A[Name]>>
  }
  /**
   * An empty query over the records of conflicts; only an app of which a mutator has a policy (`conflict: 'reject'` or `'fields'`) has
   * any, and in another one nothing can be asked by it.
   */
  readonly conflicts: ConflictQuery
  /** One hash of everything declared. */
  readonly fingerprint: string
  /** All tables, with the engine's own for conflicts where there is one. */
  readonly tableNames: readonly string[]
  /** A declared table by name; throws a TypeError for other names. */
  table(name: string): Table
  /** What looks at each query that a mutator makes; left out where nobody does. */
  readonly checkRead?: QueryCheck | undefined
}

/** What looks for a developer's mistakes, and throws a TypeError that names one. */
export interface Checks {
  /** At what was declared. */
  readonly app: (declared: Pick<App, 'tables' | 'aggregates' | 'mutators'>) => void
  /** Makes what looks at queries over these; a mutator does not see positions. */
  readonly query: (declared: Pick<App, 'tables' | 'aggregates'>, by: 'query' | 'mutator') => QueryCheck
}

/** Makes a reference to a table that is not there a compile-time sentence. */
type KnownRefs<T> = {
  readonly [Name in keyof T]: T[Name] extends { readonly columns: infer C }
    ? [RefTargets<C>] extends [keyof T]
      ? unknown
      : 'A column made with t.ref refers to a table that this app does not declare'
    : unknown
}
type RefTargets<C> = {
  [Name in keyof C]: C[Name] extends Column<infer _Value, 'ref', infer Target> ? Target : never
}[keyof C]

/** Declares an app. */
export type DefineApp = <
  const T extends Tables,
  const A extends Aggregates = Record<never, never>,
  const M extends Mutators = Record<never, never>,
>(
  definition: Definition<T, A, M>,
) => App<T, A, WithConflicts<M>>

/** What is declared of an app. */
export interface Definition<T extends Tables, A extends Aggregates, M extends Mutators> {
  readonly tables: T & KnownRefs<T>
  readonly aggregates?: (make: { readonly aggregate: AggregateMaker<T> }) => A
  readonly mutators?: (make: {
    readonly mutator: MutatorMaker<T>
    /** `insertX`, `updateX` and `deleteX` for a simple table; rights are checked as for any mutator. */
    readonly generated: GeneratedMaker<T>
  }) => M
}

type GeneratedMaker<T extends Tables> = <
  const Name extends keyof T & string,
  const Policy extends ConflictPolicy = 'rerun',
>(
  table: Name,
  options?: GenerateOptions<Policy>,
) => Generated<Name, T[Name], Declared<Policy>>

/** Makes the app of a definition. With `checks` it is looked at, and so are the queries over it. */
export function makeApp<const T extends Tables, const A extends Aggregates, const M extends Mutators>(
  definition: Definition<T, A, M>,
  checks?: Checks,
): App<T, A, WithConflicts<M>> {
  const tables: T = definition.tables
  let all: Tables = tables
  const declared = (name: string): Table => {
    const table = Object.hasOwn(all, name) ? all[name] : undefined
    if (table === undefined)
      throw new TypeError(`The app declares no table ${JSON.stringify(name)}; it has ${Object.keys(tables).join(', ')}`)
    return table
  }
  const aggregates = (definition.aggregates?.({ aggregate: makeAggregate as unknown as AggregateMaker<T> }) ?? {}) as A
  const mutators = (definition.mutators?.({
    mutator: makeMutator as unknown as MutatorMaker<T>,
    generated: ((name: string, options?: GenerateOptions) =>
      generateMutators(name, declared(name), options)) as unknown as GeneratedMaker<T>,
  }) ?? {}) as M
  checks?.app({ tables, aggregates, mutators })
  const hasPolicy = Object.values<Mutator>(mutators).some(({ conflict }) => conflict !== 'rerun')
  if (hasPolicy) all = { ...tables, [CONFLICTS]: conflictTable }
  // An app may have mutators of its own in their place.
  const whole = { ...(hasPolicy && conflictMutators(tables)), ...mutators } as unknown as WithConflicts<M> & Mutators
  const queried = { tables: all, aggregates }
  const check = checks?.query(queried, 'query')
  const queries = Object.fromEntries(
    [...Object.keys(tables), ...Object.keys(aggregates)].map((name) => [name, createQuery(name, check)]),
  )
  return Object.freeze({
    tables: Object.freeze({ ...tables }),
    aggregates: Object.freeze({ ...aggregates }),
    mutators: Object.freeze(whole),
    query: Object.freeze(queries) as App<T, A, M>['query'],
    conflicts: createQuery(CONFLICTS, hasPolicy ? check : undefined),
    fingerprint: fingerprintApp(tables, aggregates, whole),
    tableNames: Object.freeze(Object.keys(all)),
    table: declared,
    checkRead: checks?.query(queried, 'mutator'),
  })
}
