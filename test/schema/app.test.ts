// What defineApp refuses, and that each refusal says where, why and what to do; and when the fingerprint changes.
import { type App, count, defineApp, sum, t, table } from 'holdfast'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { app } from './workouts.ts'

/** As somebody without types would write it. */
// biome-ignore lint/suspicious/noExplicitAny: what the types refuse is refused again at run time, for those who have none
const loose = (definition: any): App => defineApp(definition) as unknown as App
// biome-ignore lint/suspicious/noExplicitAny: as above
const untyped = table as any
// biome-ignore lint/suspicious/noExplicitAny: as above
type Make = (...args: any[]) => any
const owned = { id: t.id(), ownerId: t.text() }
const body = async () => undefined

describe('defineApp refuses', () => {
  const refusals: readonly (readonly [what: string, make: () => unknown, says: RegExp])[] = [
    ['no table at all', () => loose({ tables: {} }), /declare at least one table/],
    [
      'a table without a scope',
      () => loose({ tables: { a: untyped(owned) } }),
      /table a: say whose its rows are with \.scope/,
    ],
    [
      'a table without an id',
      () => loose({ tables: { a: untyped({ ownerId: t.text() }).scope('user', 'ownerId') } }),
      /table a: it needs a column id: t\.id\(\)/,
    ],
    [
      'an id of another type',
      () => loose({ tables: { a: untyped({ id: t.text() }).scope('user', 'id') } }),
      /needs a column id/,
    ],
    [
      'a second id',
      () => loose({ tables: { a: untyped({ ...owned, other: t.id() }).scope('user', 'ownerId') } }),
      /column other: only the column id/,
    ],
    [
      'an id that may be null',
      () =>
        loose({
          tables: {
            a: untyped({ ...owned, id: { type: 'id', isNullable: true, target: '' } }).scope('user', 'ownerId'),
          },
        }),
      /column id: .*never null/,
    ],
    [
      'a table named as something of the transaction',
      () => loose({ tables: { now: untyped(owned).scope('user', 'ownerId') } }),
      /table now: now is a name that the transaction itself uses/,
    ],
    [
      'a name that is no name',
      () => loose({ tables: { 'my-table': untyped(owned).scope('user', 'ownerId') } }),
      /"my-table" must be 1 to 63 letters/,
    ],
    [
      'a name that begins with a digit',
      () => loose({ tables: { '1st': untyped(owned).scope('user', 'ownerId') } }),
      /beginning with a letter/,
    ],
    [
      'a name that is too long',
      () => loose({ tables: { ['a'.repeat(64)]: untyped(owned).scope('user', 'ownerId') } }),
      /1 to 63/,
    ],
    [
      'the engine’s own names',
      () => loose({ tables: { Holdfast_ledger: untyped(owned).scope('user', 'ownerId') } }),
      /kept for the engine/,
    ],
    [
      'SQLite’s own names',
      () => loose({ tables: { sqlite_things: untyped(owned).scope('user', 'ownerId') } }),
      /SQLite keeps for itself/,
    ],
    [
      'a column that means something to JavaScript',
      () => loose({ tables: { a: untyped({ ...owned, constructor: t.text() }).scope('user', 'ownerId') } }),
      /column constructor: .*choose another name/,
    ],
    [
      'tables that differ in case only',
      () =>
        loose({
          tables: { sets: untyped(owned).scope('user', 'ownerId'), Sets: untyped(owned).scope('user', 'ownerId') },
        }),
      /table Sets: another table has the same name in other case/,
    ],
    [
      'columns that differ in case only',
      () => loose({ tables: { a: untyped({ ...owned, OwnerId: t.text() }).scope('user', 'ownerId') } }),
      /column OwnerId: another column/,
    ],
    [
      'a column named sync',
      () => loose({ tables: { a: untyped({ ...owned, sync: t.text() }).scope('user', 'ownerId') } }),
      /column sync: rows of queries have a property sync/,
    ],
    [
      'a reference to no table',
      () => loose({ tables: { a: untyped({ ...owned, b: t.ref('nowhere') }).scope('user', 'ownerId') } }),
      /column b: it refers to nowhere, which is no table/,
    ],
    [
      'a reference to what objects inherit',
      () => loose({ tables: { a: untyped({ ...owned, b: t.ref('toString') }).scope('user', 'ownerId') } }),
      /refers to toString/,
    ],
    [
      'a position under no reference',
      () => loose({ tables: { a: untyped({ ...owned, n: t.appendIndex('ownerId') }).scope('user', 'ownerId') } }),
      /column n: its parent ownerId must be a column/,
    ],
    [
      'a position under a reference that may be null',
      () =>
        loose({
          tables: {
            a: untyped({ ...owned, b: t.ref('a').nullable(), n: t.appendIndex('b') }).scope('user', 'ownerId'),
          },
        }),
      /never null/,
    ],
    [
      'a scope from no column',
      () => loose({ tables: { a: untyped(owned).scope('user', 'nobody') } }),
      /its scope comes from nobody/,
    ],
    [
      'a scope from what objects inherit',
      () => loose({ tables: { a: untyped(owned).scope('user', 'toString') } }),
      /its scope comes from toString/,
    ],
    [
      'a scope from a column that may be null',
      () => loose({ tables: { a: untyped({ ...owned, b: t.text().nullable() }).scope('user', 'b') } }),
      /its scope comes from b, which must be a column that is never null/,
    ],
    [
      'a scope from a number',
      () => loose({ tables: { a: untyped({ ...owned, n: t.integer() }).scope('user', 'n') } }),
      /must hold texts/,
    ],
    [
      'a kind of scope that is none',
      () => loose({ tables: { a: untyped(owned).scope('a b', 'ownerId') } }),
      /table a: the kind of scope "a b" must be/,
    ],
    [
      'scopeVia over what is no reference',
      () => loose({ tables: { a: untyped(owned).scopeVia('ownerId') } }),
      /scopeVia names ownerId, which must be made with t\.ref/,
    ],
    [
      'scopeVia that leads round in a circle',
      () =>
        loose({
          tables: {
            a: untyped({ id: t.id(), b: t.ref('b') }).scopeVia('b'),
            b: untyped({ id: t.id(), a: t.ref('a') }).scopeVia('a'),
          },
        }),
      /a → b → a/,
    ],
    [
      'an aggregate with the name of a table',
      () => loose({ tables: app.tables, aggregates: (make: never) => ({ Sets: aggregateOf(make) }) }),
      /aggregate Sets: a table has the same name/,
    ],
    [
      'aggregates that differ in case only',
      () =>
        loose({
          tables: app.tables,
          aggregates: (make: never) => ({ totals: aggregateOf(make), Totals: aggregateOf(make) }),
        }),
      /aggregate Totals: another aggregate has the same name/,
    ],
    [
      'an aggregate over no table',
      () => loose({ tables: app.tables, aggregates: (make: never) => ({ x: aggregateOf(make, 'nothing') }) }),
      /it is over nothing/,
    ],
    [
      'a group that would span scopes',
      () => loose({ tables: app.tables, aggregates: (make: never) => ({ x: aggregateOf(make, 'sets', 'exercise') }) }),
      /group by workoutId, by which sets finds its scope/,
    ],
    [
      'an aggregate without values',
      () =>
        loose({ tables: app.tables, aggregates: (make: never) => ({ x: aggregateOf(make, 'sets', 'workoutId', {}) }) }),
      /it has no values/,
    ],
    [
      'a value named id',
      () =>
        loose({
          tables: app.tables,
          aggregates: (make: never) => ({ x: aggregateOf(make, 'sets', 'workoutId', { id: count() }) }),
        }),
      /cannot be named id/,
    ],
    [
      'values that differ in case only',
      () =>
        loose({
          tables: app.tables,
          aggregates: (make: never) => ({ x: aggregateOf(make, 'sets', 'workoutId', { n: count(), N: count() }) }),
        }),
      /N is there already in other case/,
    ],
    [
      'a sum to half a place',
      () =>
        loose({
          tables: app.tables,
          aggregates: (make: never) => ({
            x: aggregateOf(make, 'sets', 'workoutId', { n: sum(() => 1, { decimals: 1.5 }) }),
          }),
        }),
      /aggregate x, value n: decimals is 1\.5, it must be 0 to 9/,
    ],
    [
      'a mutator with a name that is none',
      () => withMutator({ 'log set': 'ok' }),
      /mutator log set: "log set" must be/,
    ],
    [
      'a mutator named then',
      () => withMutator(Object.fromEntries([['then', 'ok']])),
      /mutator then: a promise would be seen/,
    ],
    [
      'a mutator without a schema',
      () =>
        loose({
          tables: app.tables,
          mutators: ({ mutator }: never) => ({ x: (mutator as Make)(undefined, body) }),
        }),
      /needs a schema of its arguments/,
    ],
    [
      'a mutator whose schema is something else',
      () =>
        loose({
          tables: app.tables,
          mutators: ({ mutator }: never) => ({ x: (mutator as Make)({ parse: body }, body) }),
        }),
      /Standard Schema/,
    ],
    [
      'a mutator without a body',
      () =>
        loose({
          tables: app.tables,
          mutators: ({ mutator }: never) => ({ x: (mutator as Make)(v.string(), undefined) }),
        }),
      /needs a body/,
    ],
    ['version 0', () => withMutator({ x: { version: 0 } }), /version is 0/],
    ['a version that the wire does not take', () => withMutator({ x: { version: 1_000_001 } }), /1 to 1000000/],
    [
      'an upgrade from the version itself',
      () => withMutator({ x: { version: 2, upgrades: { 2: body } } }),
      /step from version 2, but this is version 2/,
    ],
    [
      'an upgrade from half a version',
      () => withMutator({ x: { version: 3, upgrades: { 1.5: body } } }),
      /step from version 1\.5/,
    ],
    [
      'generated mutators of no table',
      () => loose({ tables: app.tables, mutators: ({ generated }: never) => (generated as Make)('nothing') }),
      /declares no table "nothing"; it has workouts, sets/,
    ],
  ]
  test.each(refusals)('%s', (_what, make, says) => {
    expect(make).toThrow(TypeError)
    expect(make).toThrow(says)
  })

  function aggregateOf(make: never, of = 'sets', by = 'workoutId', values: object = { n: count() }): unknown {
    const { aggregate } = make as { aggregate: (of: string) => { by(by: string): { values(values: object): unknown } } }
    return aggregate(of).by(by).values(values)
  }
  function withMutator(options: Record<string, unknown>): App {
    return loose({
      tables: app.tables,
      mutators: ({ mutator }: { mutator: Make }) =>
        Object.fromEntries(
          Object.entries(options).map(([name, option]) => [
            name,
            mutator(v.string(), body, option === 'ok' ? undefined : option),
          ]),
        ),
    })
  }
})

describe('an app', () => {
  test('is frozen, knows its tables by name and refuses other names in a sentence', () => {
    for (const part of [
      app,
      app.tables,
      app.aggregates,
      app.mutators,
      app.query,
      app.tables.sets,
      app.tables.sets.columns,
      app.mutators.logSet,
    ])
      expect(Object.isFrozen(part)).toBe(true)
    expect(app.tableNames).toEqual(['workouts', 'sets'])
    expect(app.table('sets')).toBe(app.tables.sets)
    for (const name of ['nothing', 'toString', '__proto__', 'workoutTotals'])
      expect(() => app.table(name)).toThrow(/declares no table/)
  })

  test('has a query for each table and aggregate, and the generated mutators under their names', () => {
    expect(Object.keys(app.query)).toEqual(['workouts', 'sets', 'workoutTotals'])
    expect(Object.keys(app.mutators)).toEqual(['logSet', 'insertWorkouts', 'updateWorkouts', 'deleteWorkouts'])
  })
})

describe('the fingerprint', () => {
  const column = (extra: object = {}) => ({
    id: t.id(),
    ownerId: t.text(),
    n: t.integer(),
    parent: t.ref('a').nullable(),
    ...extra,
  })
  const make = (columns: object, scope: readonly [string, string] = ['user', 'ownerId'], more: object = {}): string =>
    loose({ tables: { a: untyped(columns).scope(...scope) }, ...more }).fingerprint
  const measured = (values: object) => ({
    aggregates: ({ aggregate }: { aggregate: Make }) => ({ totals: aggregate('a').by('ownerId').values(values) }),
  })
  const mutated = (options: object, name = 'run') => ({
    mutators: ({ mutator }: { mutator: Make }) => ({ [name]: mutator(v.string(), body, options) }),
  })

  test('is one UUID, the same each time and whatever the order in which things are declared', () => {
    expect(make(column())).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    expect(make(column())).toBe(make(Object.fromEntries(Object.entries(column()).reverse())))
  })

  test('changes with everything that both sides must agree on', () => {
    const said = [
      make(column()),
      make(column({ extra: t.text() })),
      make(column({ n: t.real() })),
      make(column({ n: t.integer().nullable() })),
      make(column({ n2: t.integer() })),
      make(column({ parent: t.ref('a') })),
      make(column({ parent: t.ref('a'), at: t.appendIndex('parent') })),
      make(column(), ['gym', 'ownerId']),
      make(column(), ['user', 'id']),
      make(column(), undefined, measured({ n: count() })),
      make(column(), undefined, measured({ m: count() })),
      make(column(), undefined, measured({ n: sum(() => 1) })),
      make(column(), undefined, measured({ n: sum(() => 1, { decimals: 2 }) })),
      make(column(), undefined, mutated({})),
      make(column(), undefined, mutated({ version: 2 })),
      make(column(), undefined, mutated({}, 'other')),
    ]
    expect(new Set(said).size).toBe(said.length)
  })

  test('does not change with bodies, schemas, descriptions and upgrades, which each side has of its own', () => {
    const described = mutated({ version: 2, describe: () => 'x', upgrades: { 1: (args: unknown) => args } })
    expect(make(column(), undefined, mutated({ version: 2 }))).toBe(make(column(), undefined, described))
    expect(make(column(), undefined, measured({ n: sum(() => 1) }))).toBe(
      make(column(), undefined, measured({ n: sum(() => 2) })),
    )
  })
})
