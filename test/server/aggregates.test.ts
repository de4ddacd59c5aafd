// Derived rows at the authority: the kinds of values, functions that fail, tables that are missing, other or may not be made. That they
// equal their recomputation after whatever writes is adopt.test.ts and the simulator's business, too.
import fc from 'fast-check'
import { type Aggregate, compute, count, defineApp, max, min, sum, t, table } from 'holdfast'
import { type Authority, createAuthority, type Database, type LogEntry } from 'holdfast/server'
import { nodeHost } from 'holdfast/sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { computeGroup } from '../../src/schema/aggregate.ts'
import { layOut } from '../../src/server/db/layout.ts'
import { MIGRATIONS } from '../../src/server/state/tables.ts'
import { mendDatabase, verifyDatabase } from '../../src/server/verify.ts'
import { foreign, freshBase, openBase } from './bases.ts'

type SetRow = { readonly id: string; readonly reps: number; readonly kg: number | null; readonly name: string }

const tables = {
  workouts: table({ id: t.id(), ownerId: t.text() }).scope('user', 'ownerId'),
  sets: table({
    id: t.id(),
    workoutId: t.ref('workouts'),
    reps: t.integer(),
    kg: t.real().nullable(),
    name: t.text(),
  }).scopeVia('workoutId'),
}

/** A row of which the app's functions know nothing. */
const strict = ({ name }: SetRow): string => {
  if (name === 'bad') throw new Error('the app is wrong')
  return name
}

const app = defineApp({
  tables,
  aggregates: ({ aggregate }) => ({
    best: aggregate('sets')
      .by('workoutId')
      .values({
        sets: count(),
        reps: sum((set) => strict(set).length * set.reps),
        lightest: min((set) => set.kg),
        heaviest: max((set) => (strict(set) === 'warm' ? null : set.kg)),
        names: compute((sets) => sets.map(strict).join(' ')),
        isHard: compute((sets) => sets.length > 2),
        odd: compute((sets) => (sets.length === 2 ? Number.NaN : sets.length === 3 ? null : 0.1)),
      }),
  }),
  mutators: ({ generated }) => ({ ...generated('workouts'), ...generated('sets') }),
})

interface Opened {
  readonly authority: Authority<typeof app>
  readonly logged: LogEntry[]
}

/** An empty base, and plain SQL on it as a foreign process would run it. */
function scratch() {
  const path = freshBase()
  const plain = (text: string, ...values: (string | number | null)[]) => foreign(path, [{ text, values }])
  return { path, plain }
}

async function open(
  path: string,
  declared = app,
  around: (database: Database) => Database = (inner) => inner,
): Promise<Opened> {
  const logged: LogEntry[] = []
  const host = { ...nodeHost(), log: (entry: LogEntry) => void logged.push(entry) }
  const authority = createAuthority({
    app: declared,
    database: around(openBase(path, host)),
    authenticate: () => 'anna',
    grants: () => ({ read: ['user:anna'], write: ['user:anna'] }),
  })
  onTestFinished(() => authority.close())
  await authority.ready
  return { authority, logged }
}

const start = async () => {
  const { path, plain } = scratch()
  const opened = await open(path)
  await opened.authority.run('anna', 'insertWorkouts', { id: 'w', ownerId: 'anna' })
  await opened.authority.run('anna', 'insertWorkouts', { id: 'v', ownerId: 'anna' })
  return { path, plain, ...opened }
}
const set = (id: string, kg: number | null, name = 'squat', workoutId = 'w') => ({ id, workoutId, reps: 5, kg, name })

/** All rows of the actor, as a device that begins gets them. */
async function pull({ authority }: Pick<Opened, 'authority'>) {
  const answer = await authority.fetch(
    new Request('http://x/sync/pull', {
      method: 'POST',
      body: JSON.stringify({
        protocol: 1,
        app: app.fingerprint,
        actor: 'anna',
        client: '00000000-0000-4000-8000-000000000001',
        last: 0,
        stored: 0,
        cursors: [],
      }),
      headers: { 'content-type': 'application/json' },
    }),
  )
  const body = (await answer.json()) as {
    readonly patches?: readonly { readonly rows: { readonly [table: string]: readonly { readonly id: string }[] } }[]
  }
  expect([answer.status, body]).toMatchObject([200, {}])
  const rows = Object.entries(body.patches?.[0]?.rows ?? {})
  return Object.fromEntries(rows.map(([name, list]) => [name, [...list].sort((a, b) => (a.id < b.id ? -1 : 1))]))
}

test('[I11] each kind of value is right after inserts, updates, deletes and moves, and goes over the wire as what it is', async () => {
  const on = await start()
  const { authority } = on
  for (const each of [set('b', 90), set('a', 60, 'warm'), set('c', null)])
    await authority.run('anna', 'insertSets', each)
  expect((await pull(on))['best']).toEqual([
    { id: 'w', sets: 3, reps: 70, lightest: 60, heaviest: 90, names: 'warm squat squat', isHard: true, odd: null },
  ])
  await authority.run('anna', 'updateSets', { id: 'b', kg: -20.5 })
  await authority.run('anna', 'deleteSets', { id: 'c' })
  expect((await pull(on))['best']).toMatchObject([{ lightest: -20.5, heaviest: -20.5, names: 'warm squat', odd: null }])
  await authority.run('anna', 'updateSets', { id: 'b', workoutId: 'v' })
  expect((await pull(on))['best']).toEqual([
    { id: 'v', sets: 1, reps: 25, lightest: -20.5, heaviest: -20.5, names: 'squat', isHard: false, odd: 0.1 },
    { id: 'w', sets: 1, reps: 20, lightest: 60, heaviest: null, names: 'warm', isHard: false, odd: 0.1 },
  ])
  await authority.run('anna', 'deleteSets', { id: 'a' })
  expect(((await pull(on))['best'] ?? []).map(({ id }) => id)).toEqual(['v'])
})

test('[I11] groups equal their recomputation after any writes, of intents and of plain SQL', async () => {
  const step = fc.record({
    by: fc.constantFrom('intent', 'plain'),
    id: fc.constantFrom('a', 'b', 'c', 'd'),
    to: fc.constantFrom('w', 'v', 'gone'),
    kg: fc.constantFrom(null, 0, -1, 2.5, 1e300),
    name: fc.constantFrom('squat', 'warm', 'bad', '\u{10000}', '\uffff'),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const on = await start()
      const there = new Map<string, SetRow & { readonly workoutId: string }>()
      for (const { by, id, to, kg, name } of steps) {
        const row = { id, workoutId: to, reps: 5, kg, name }
        if (by === 'plain') {
          on.plain('DELETE FROM sets WHERE id = ?', id)
          if (to !== 'gone') on.plain('INSERT INTO sets VALUES (?, ?, 5, ?, ?)', id, to, kg, name)
        } else if (to !== 'gone') await on.authority.run('anna', there.has(id) ? 'updateSets' : 'insertSets', row)
        else if (there.has(id)) await on.authority.run('anna', 'deleteSets', { id })
        if (to === 'gone') there.delete(id)
        else there.set(id, row)
      }
      const expected = ['v', 'w'].flatMap(
        (key) =>
          computeGroup(
            app.aggregates.best as unknown as Aggregate,
            key,
            [...there.values()].filter(({ workoutId }) => workoutId === key),
          ) ?? [],
      )
      expect((await pull(on))['best'] ?? []).toEqual(expected)
      await on.authority.close()
    }),
    { numRuns: 25 },
  )
})

test('a function that fails spoils its own value and no commit, and is told of once for each group', async () => {
  const on = await start()
  await on.authority.run('anna', 'insertSets', set('a', 50))
  expect(await on.authority.run('anna', 'insertSets', set('b', 70, 'bad'))).toEqual({ status: 'applied' })
  expect((await pull(on))['best']).toEqual([
    { id: 'w', sets: 2, reps: 25, lightest: 50, heaviest: 50, names: null, isHard: false, odd: null },
  ])
  await on.authority.run('anna', 'updateSets', { id: 'a', reps: 6 })
  const told = on.logged.filter(({ message }) => message === 'a function of an aggregate failed')
  expect(told.map(({ aggregate, group, measure }) => [aggregate, group, measure])).toEqual([
    ['best', 'w', 'reps'],
    ['best', 'w', 'heaviest'],
    ['best', 'w', 'names'],
    ['best', 'w', 'odd'],
  ])
})

test.each([
  ['was dropped', 'DROP TABLE best'],
  ['has other columns', 'ALTER TABLE best DROP COLUMN names'],
])(
  '[I11] an aggregate whose table %s keeps nobody from pulling or pushing, and is made anew',
  async (_what, statement) => {
    const on = await start()
    await on.authority.run('anna', 'insertSets', set('a', 50))
    on.plain(statement)
    expect(await pull(on)).toMatchObject({ sets: [{ id: 'a' }], best: [{ id: 'w', names: 'squat' }] })
    on.plain(statement)
    expect(await on.authority.run('anna', 'insertSets', set('b', 70, 'press'))).toEqual({ status: 'applied' })
    expect((await pull(on))['best']).toMatchObject([{ id: 'w', names: 'squat press', heaviest: 70 }])
    const made = 'the table of an aggregate was not as declared, and was made anew'
    expect(on.logged.filter(({ message }) => message === made)).toMatchObject([
      { aggregate: 'best' },
      { aggregate: 'best' },
    ])
  },
)

test('[I11] rows of an aggregate that somebody deleted are computed again', async () => {
  const on = await start()
  for (const [id, workoutId] of [
    ['a', 'w'],
    ['b', 'v'],
  ] as const)
    await on.authority.run('anna', 'insertSets', set(id, 50, 'squat', workoutId))
  on.plain('DELETE FROM best')
  expect((await pull(on))['best']).toMatchObject([
    { id: 'v', sets: 1 },
    { id: 'w', sets: 1 },
  ])
})

test('[I11] an aggregate whose table may not be made has no rows, the rest goes on, and it comes back when it may', async () => {
  const { path, plain } = scratch()
  let mayMake = true
  const guarded = (inner: Database): Database => ({
    dialect: inner.dialect,
    host: {
      ...inner.host,
      clock: { ...inner.host.clock, now: () => inner.host.clock.now() + (mayMake ? 120_000 : 0) },
    },
    writes: () => inner.writes(),
    read: (body) => inner.read(body),
    write: (body) =>
      inner.write((sql) =>
        body({
          ...sql,
          run(text, parameters) {
            if (!mayMake && text.startsWith('CREATE')) throw new Error('must be owner of the database')
            return sql.run(text, parameters)
          },
        }),
      ),
    close: () => inner.close(),
  })
  const logged: LogEntry[] = []
  const database = guarded(openBase(path))
  const authority = createAuthority({
    app,
    database,
    host: { ...database.host, log: (entry: LogEntry) => void logged.push(entry) },
    authenticate: () => 'anna',
    grants: () => ({ read: ['user:anna'], write: ['user:anna'] }),
  })
  onTestFinished(() => authority.close())
  await authority.run('anna', 'insertWorkouts', { id: 'w', ownerId: 'anna' })
  await authority.run('anna', 'insertSets', set('a', 50))
  mayMake = false
  plain('DROP TABLE best')
  const rows = await pull({ authority })
  expect([rows['best'], rows['sets']]).toMatchObject([undefined, [{ id: 'a' }]])
  expect(await authority.run('anna', 'insertSets', set('b', 70))).toEqual({ status: 'applied' })
  expect((await pull({ authority }))['best']).toBeUndefined()
  expect(logged.map(({ message }) => message)).toEqual([
    'the table of an aggregate is not as declared and cannot be made: the aggregate is withheld',
  ])
  mayMake = true
  expect((await pull({ authority }))['best']).toMatchObject([{ id: 'w', sets: 2, heaviest: 70 }])
})

test('[I11] an authority that was told to make nothing withholds an aggregate until its table is made by somebody else', async () => {
  const { path, plain, authority: maker } = await start()
  await maker.run('anna', 'insertSets', set('a', 50))
  await maker.close()
  let now = 0
  const host = { ...nodeHost(), log: () => undefined }
  const authority = createAuthority({
    app,
    database: openBase(path),
    host: { ...host, clock: { ...host.clock, now: () => host.clock.now() + now } },
    authenticate: () => 'anna',
    grants: () => ({ read: ['user:anna'], write: ['user:anna'] }),
    migrate: 'check',
  })
  onTestFinished(() => authority.close())
  await authority.ready
  plain('DROP TABLE best')
  const rows = await pull({ authority })
  expect([rows['best'], rows['sets']]).toMatchObject([undefined, [{ id: 'a' }]])
  await authority.run('anna', 'insertSets', set('b', 70))
  const { authority: other } = await open(path)
  await other.close()
  await authority.run('anna', 'deleteSets', { id: 'a' })
  now += 61_000
  expect((await pull({ authority }))['best']).toMatchObject([{ id: 'w', sets: 1, heaviest: 70 }])
})

test('[I11] an aggregate that is declared otherwise under the same names is made anew, and one with a raised version', async () => {
  const on = await start()
  await on.authority.run('anna', 'insertSets', set('a', 50.55))
  await on.authority.run('anna', 'insertSets', set('b', 20))
  await on.authority.close()
  const declare = (values: Parameters<typeof declared>[0], version?: number) => declared(values, version) as never
  const declared = (
    values: { readonly kg: ReturnType<typeof max<SetRow>> | ReturnType<typeof sum<SetRow>> },
    version = 1,
  ) =>
    defineApp({
      tables,
      aggregates: ({ aggregate }) => ({ best: aggregate('sets').by('workoutId').values(values, { version }) }),
      mutators: ({ generated }) => ({ ...generated('workouts'), ...generated('sets') }),
    })
  const kg = async (declared: never) => {
    const opened = await open(on.path, declared)
    const rows = (await pull(opened))['best'] as readonly { readonly kg?: unknown }[] | undefined
    await opened.authority.close()
    return rows?.[0]?.kg
  }
  expect(await kg(declare({ kg: max(({ kg }) => kg) }))).toBe(50.55)
  expect(await kg(declare({ kg: min(({ kg }) => kg) as ReturnType<typeof max<SetRow>> }))).toBe(20)
  expect(await kg(declare({ kg: sum(({ kg }) => kg ?? 0) }))).toBe(71)
  expect(await kg(declare({ kg: sum(({ kg }) => kg ?? 0, { decimals: 1 }) }))).toBe(70.6)
  // A function is not seen into: the groups stay as they are until they are touched, or the version is raised.
  expect(await kg(declare({ kg: sum(() => 1, { decimals: 1 }) }))).toBe(70.6)
  expect(await kg(declare({ kg: sum(() => 1, { decimals: 1 }) }, 2))).toBe(2)
})

test('[I11] values of every kind are verified, and what somebody changed is mended', async () => {
  const on = await start()
  for (const each of [set('a', 50), set('b', null, 'bad'), set('c', 70, 'press', 'v')])
    await on.authority.run('anna', 'insertSets', each)
  await on.authority.close()
  const database = openBase(on.path)
  onTestFinished(() => database.close())
  const layout = layOut(app, database.dialect)
  const found = async () => (await verifyDatabase(database, layout, MIGRATIONS)).findings.map(({ kind }) => kind)
  expect(await found()).toEqual([])
  on.plain("UPDATE best SET names = 'null' WHERE id = 'v'")
  on.plain("UPDATE best SET heaviest = NULL WHERE id = 'w'")
  expect(await found()).toEqual(['aggregate', 'aggregate'])
  expect((await mendDatabase(database, layout, MIGRATIONS)).left).toMatchObject({ findings: [] })
})
