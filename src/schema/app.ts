// What an app declares, checked as a whole: tables, aggregates, mutators; shared by device and authority as one value.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type Aggregate, type AggregateMaker, type AggregateRowOf, makeAggregate, staysInScope } from './aggregate.ts'
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
  type MutatorBody,
  type MutatorMaker,
  type MutatorOptions,
  makeMutator,
} from './mutator.ts'
import { createQuery, type Query } from './query.ts'
import { nameProblem, type RowOf, type Table } from './table.ts'
import { TX_NAMES } from './tx.ts'

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

/** Declares an app. Throws a TypeError that names the table, column or mutator when something does not fit together. */
export function defineApp<
  const T extends Tables,
  const A extends Aggregates = Record<never, never>,
  const M extends Mutators = Record<never, never>,
>(definition: {
  readonly tables: T & KnownRefs<T>
  readonly aggregates?: (make: { readonly aggregate: AggregateMaker<T> }) => A
  readonly mutators?: (make: {
    readonly mutator: MutatorMaker<T>
    /** `insertX`, `updateX` and `deleteX` for a simple table; rights are checked as for any mutator. */
    readonly generated: <const Name extends keyof T & string, const Policy extends ConflictPolicy = 'rerun'>(
      table: Name,
      options?: GenerateOptions<Policy>,
    ) => Generated<Name, T[Name], Declared<Policy>>
  }) => M
}): App<T, A, WithConflicts<M>> {
  const tables: T = definition.tables
  checkTables(tables)
  let all: Tables = tables
  const declared = (name: string): Table => {
    const table = Object.hasOwn(all, name) ? all[name] : undefined
    if (table === undefined)
      throw new TypeError(`The app declares no table ${JSON.stringify(name)}; it has ${Object.keys(tables).join(', ')}`)
    return table
  }
  const aggregates = (definition.aggregates?.({
    aggregate: ((of: string) => makeAggregate(of)) as unknown as AggregateMaker<T>,
  }) ?? {}) as A
  checkAggregates(aggregates, tables)
  const mutators = (definition.mutators?.({
    mutator: ((schema: StandardSchemaV1, body: MutatorBody<never, never>, options?: MutatorOptions<never>) =>
      makeMutator(schema, body, options)) as unknown as MutatorMaker<T>,
    generated: ((name: string, options?: GenerateOptions) =>
      generateMutators(name, declared(name), options)) as unknown as <
      const Name extends keyof T & string,
      const Policy extends ConflictPolicy,
    >(
      table: Name,
      options?: GenerateOptions<Policy>,
    ) => Generated<Name, T[Name], Declared<Policy>>,
  }) ?? {}) as M
  for (const name of Object.keys(mutators)) {
    throwIf(nameProblem(name), `mutator ${name}`)
    if (name === 'then')
      throwIf('a promise would be seen in what has a member then; choose another name', `mutator ${name}`)
  }
  const hasPolicy = Object.values<Mutator>(mutators).some(({ conflict }) => conflict !== 'rerun')
  if (hasPolicy) all = { ...tables, [CONFLICTS]: conflictTable }
  // An app may have mutators of its own in their place.
  const whole = { ...(hasPolicy && conflictMutators(tables)), ...mutators } as unknown as WithConflicts<M> & Mutators
  const queries = Object.fromEntries(
    [...Object.keys(tables), ...Object.keys(aggregates)].map((name) => [name, createQuery(name)]),
  )
  return Object.freeze({
    tables: Object.freeze({ ...tables }),
    aggregates: Object.freeze({ ...aggregates }),
    mutators: Object.freeze(whole),
    query: Object.freeze(queries) as App<T, A, M>['query'],
    conflicts: createQuery(CONFLICTS),
    fingerprint: fingerprintApp(tables, aggregates, whole),
    tableNames: Object.freeze(Object.keys(all)),
    table: declared,
  })
}

function throwIf(problem: string | undefined, where: string): void {
  if (problem !== undefined) throw new TypeError(`defineApp: ${where}: ${problem}`)
}

function checkTables(tables: Tables): void {
  if (Object.keys(tables).length === 0) throw new TypeError('defineApp: declare at least one table')
  const lowerNames = new Set<string>()
  for (const [name, table] of Object.entries(tables)) {
    const where = `table ${name}`
    throwIf(nameProblem(name), where)
    if (TX_NAMES.has(name)) throwIf(`${name} is a name that the transaction itself uses`, where)
    if (lowerNames.has(name.toLowerCase()))
      throwIf('another table has the same name in other case, which SQL does not tell apart', where)
    lowerNames.add(name.toLowerCase())
    if (table.scopeRule === undefined)
      throwIf('say whose its rows are with .scope(kind, column) or .scopeVia(column)', where)
    if (table.columns['id']?.type !== 'id') throwIf('it needs a column id: t.id()', where)
    const lowerColumns = new Set<string>()
    for (const [columnName, column] of Object.entries(table.columns)) {
      const at = `${where}, column ${columnName}`
      throwIf(nameProblem(columnName), at)
      if (columnName === 'sync') throwIf('rows of queries have a property sync of their own', at)
      if (lowerColumns.has(columnName.toLowerCase())) throwIf('another column has the same name in other case', at)
      lowerColumns.add(columnName.toLowerCase())
      if (column.type === 'id' && columnName !== 'id') throwIf('only the column id is made with t.id()', at)
      if (column.type === 'id' && column.isNullable) throwIf('the id of a row is never null', at)
      if (column.type === 'ref' && !Object.hasOwn(tables, column.target))
        throwIf(`it refers to ${column.target}, which is no table of this app`, at)
      if (column.type === 'appendIndex') {
        const parent = ownColumn(table, column.target)
        if (parent?.type !== 'ref' || parent.isNullable)
          throwIf(`its parent ${column.target} must be a column of this table made with t.ref that is never null`, at)
      }
    }
    const scopeColumn = ownColumn(table, table.scopeRule.column)
    if (scopeColumn === undefined || scopeColumn.isNullable)
      throwIf(`its scope comes from ${table.scopeRule.column}, which must be a column that is never null`, where)
    if (table.scopeRule.via === 'parent' && scopeColumn?.type !== 'ref')
      throwIf(`scopeVia names ${table.scopeRule.column}, which must be made with t.ref`, where)
    if (scopeColumn !== undefined && !['text', 'id', 'ref'].includes(scopeColumn.type))
      throwIf(`its scope comes from ${table.scopeRule.column}, which must hold texts: t.text, t.id or t.ref`, where)
  }
  for (const name of Object.keys(tables)) checkScopeEnds(tables, name)
}

function ownColumn(table: Table, name: string): Column | undefined {
  return Object.hasOwn(table.columns, name) ? table.columns[name] : undefined
}

/** Following scopeVia must end at a table with a scope of its own. */
function checkScopeEnds(tables: Tables, name: string): void {
  const seen = new Set<string>()
  for (let at = name; ; ) {
    if (seen.has(at)) throwIf(`scopeVia leads round in a circle: ${[...seen, at].join(' → ')}`, `table ${name}`)
    seen.add(at)
    const table = tables[at] as Table
    if (table.scopeRule.via !== 'parent') return
    at = table.columns[table.scopeRule.column]?.target ?? ''
  }
}

function checkAggregates(aggregates: Aggregates, tables: Tables): void {
  const lowerNames = new Map(Object.keys(tables).map((name) => [name.toLowerCase(), 'a table']))
  for (const [name, { of, by, measures, version }] of Object.entries(aggregates)) {
    const where = `aggregate ${name}`
    if (!Number.isSafeInteger(version) || version < 1) throwIf(`version is ${version}, it must be 1 or more`, where)
    throwIf(nameProblem(name), where)
    const other = lowerNames.get(name.toLowerCase())
    if (other !== undefined) throwIf(`${other} has the same name, and SQL does not tell upper case from lower`, where)
    lowerNames.set(name.toLowerCase(), 'another aggregate')
    const table = Object.hasOwn(tables, of) ? tables[of] : undefined
    if (table === undefined) throwIf(`it is over ${of}, which is no table of this app`, where)
    else if (!staysInScope(table, by))
      throwIf(`group by ${table.scopeRule.column}, by which ${of} finds its scope: a group must not span scopes`, where)
    if (Object.keys(measures).length === 0) throwIf('it has no values', where)
    const lowerMeasures = new Set(['id'])
    for (const [measure, made] of Object.entries(measures)) {
      throwIf(nameProblem(measure), `${where}, value ${measure}`)
      if (typeof made?.add !== 'function') throwIf(`${measure} is not made with count, sum, min, max or compute`, where)
      if (measure === 'id' || measure === 'sync') throwIf('a value cannot be named id or sync', where)
      if (lowerMeasures.has(measure.toLowerCase())) throwIf(`${measure} is there already in other case`, where)
      lowerMeasures.add(measure.toLowerCase())
    }
  }
}
