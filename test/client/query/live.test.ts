// Live queries against fresh answers, for random lives of a replica, and who is told what and when.
import fc from 'fast-check'
import { defineApp, t, table } from 'holdfast'
import { expect, test } from 'vitest'
import { answer } from '../../../src/client/query/answer.ts'
import { createLiveQueries, type LiveQuery, type SyncedRow } from '../../../src/client/query/live.ts'
import { createReplica, type Replica } from '../../../src/client/replica/replica.ts'
import type { Condition, QuerySpec } from '../../../src/schema/query.ts'
import type { Row } from '../../../src/schema/table.ts'
import { frame, intent, patch, set, workout, app as workouts } from '../replica/app.ts'
import { answerPlainly } from '../replica/model.ts'
import { createWorld, life, type Step } from '../replica/world.ts'

const runs = Number(process.env['HOLDFAST_RUNS'] ?? 1_000)

interface Sync {
  readonly state: string
  readonly intents: readonly string[]
  readonly provisional: readonly string[]
}

const syncOf =
  (replica: Replica) =>
  (table: string, id: string): Sync => {
    const intents = replica.writers(table, id)
    return { state: intents.length === 0 ? 'synced' : 'queued', intents, provisional: replica.provisionalOf(table, id) }
  }

const value = fc.integer({ min: 0, max: 9 })
const conditions: { readonly [table: string]: fc.Arbitrary<Condition> } = {
  boxes: fc.oneof(
    fc.constantFrom('ada', 'bob').map((owner): Condition => ({ column: 'owner', is: 'eq', value: owner })),
    fc.constantFrom(null, 't1').map((tag): Condition => ({ column: 'tag', is: 'eq', value: tag })),
    fc.constantFrom('b0', 'b1').map((id): Condition => ({ column: 'id', is: 'eq', value: id })),
    fc
      .tuple(fc.constantFrom('gte' as const, 'lt' as const, 'ne' as const), value)
      .map(([is, n]): Condition => ({ column: 'n', is, value: n })),
    fc.array(value, { maxLength: 4 }).map((n): Condition => ({ column: 'n', is: 'in', value: n })),
  ),
  items: fc.oneof(
    fc.constantFrom('b0', 'b1', 'b2').map((id): Condition => ({ column: 'boxId', is: 'eq', value: id })),
    fc.constantFrom('k0', 'k1').map((kind): Condition => ({ column: 'kind', is: 'eq', value: kind })),
    fc.constantFrom(1, 2, 3, 4).map((place): Condition => ({ column: 'place', is: 'eq', value: place })),
    fc
      .tuple(fc.constantFrom('lte' as const, 'gt' as const), value)
      .map(([is, n]): Condition => ({ column: 'place', is, value: n })),
  ),
  boxTotals: fc.oneof(
    fc.constantFrom('b0', 'b1').map((id): Condition => ({ column: 'id', is: 'eq', value: id })),
    value.map((n): Condition => ({ column: 'items', is: 'eq', value: n })),
  ),
}
const orderColumns: { readonly [table: string]: readonly string[] } = {
  boxes: ['n', 'tag', 'owner'],
  items: ['place', 'n', 'kind'],
  boxTotals: ['total', 'items', 'least', 'most'],
}

const query: fc.Arbitrary<QuerySpec> = fc.constantFrom('boxes', 'items', 'items', 'boxTotals').chain((table) =>
  fc.record({
    table: fc.constant(table),
    where: fc.array(conditions[table] as fc.Arbitrary<Condition>, { maxLength: 2 }),
    orderBy: fc.array(
      fc.record({
        column: fc.constantFrom(...(orderColumns[table] ?? [])),
        direction: fc.constantFrom('asc' as const, 'desc' as const),
      }),
      { maxLength: 2 },
    ),
    limit: fc.constantFrom(undefined, 0, 1, 2, 3),
  }),
)

// Once found by chance: the index of a column was built while a frame that moves a row was being swapped in, without that row.
const keepAll = { isPrefix: false, cut: { isChained: false, isReversed: false }, reorder: null }
const moved = (boxId: string, retires: boolean) => ({
  do: 'frame' as const,
  edits: [
    {
      do: 'put' as const,
      name: 'items' as const,
      row: { id: 'i0', boxId, place: 1, seat: 1, kind: 'k0', n: 0 },
      owner: 'ada',
    },
  ],
  retire: [retires, ...Array<boolean>(7).fill(false)],
  ...keepAll,
})
const equals = (table: string, column: string, value: string): QuerySpec => ({
  table,
  where: [{ column, is: 'eq', value }],
  orderBy: [],
  limit: undefined,
})
const indexAskedForDuringRebase: [[number, QuerySpec][], Step[]] = [
  [
    [2, equals('boxTotals', 'id', 'b0')],
    [3, equals('items', 'boxId', 'b2')],
  ],
  [
    { do: 'call', ops: [{ do: 'delete', table: 'items', id: 'i0' }], mode: 'call' },
    moved('b1', false),
    moved('b2', true),
    {
      do: 'call',
      ops: [{ do: 'insert', table: 'items', id: 'i0', under: 'b0', isTried: true }],
      mode: 'call',
    },
  ],
]

const bare = (rows: readonly SyncedRow<Sync>[]): unknown[] => rows.map(({ sync: _, ...row }) => row)

test('[I14] a live query equals a fresh answer after every commit, and tells of it once, when every query can be read', {
  timeout: 300_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(8), query), { minLength: 1, maxLength: 6 }),
      life,
      async (openings, steps) => {
        const world = createWorld()
        const queries = createLiveQueries(world.replica, syncOf(world.replica))
        const open: { readonly spec: QuerySpec; readonly live: LiveQuery<SyncedRow<Sync>>; told: number }[] = []
        const checkAll = (): void => {
          for (const { spec, live } of open) {
            const fresh = answer(world.replica, spec)
            expect(bare(live.rows)).toEqual(fresh)
            expect(fresh).toEqual(answerPlainly(spec, [...world.replica.rows(spec.table)]))
            for (const row of live.rows) expect(row.sync).toEqual(syncOf(world.replica)(spec.table, row.id))
          }
        }
        for (const [at, step] of steps.entries()) {
          for (const [when, spec] of openings) {
            if (when !== at) continue
            const entry = { spec, live: queries.live({ spec }), told: 0 }
            entry.live.subscribe((rows) => {
              entry.told++
              expect(rows).toBe(entry.live.rows)
              checkAll()
            })
            open.push(entry)
          }
          const wasComplete = world.replica.isComplete
          const before = open.map(({ live, told }) => ({ rows: live.rows, told, text: JSON.stringify(live.rows) }))
          await world.take(step)
          checkAll()
          for (const [index, { live, told }] of open.entries()) {
            const earlier = before[index]
            const isOther = JSON.stringify(live.rows) !== earlier?.text
            const isFirst = world.replica.isComplete && !wasComplete
            expect(told - (earlier?.told ?? 0)).toBe(isOther || isFirst ? 1 : 0)
            if (!isOther) expect(live.rows).toBe(earlier?.rows)
            expect(Object.isFrozen(live.rows)).toBe(true)
          }
        }
        queries.close()
      },
    ),
    { numRuns: runs, examples: [indexAskedForDuringRebase] },
  )
})

const heard = async (rows: readonly Row[] = []) => {
  const replica = createReplica(workouts, 'ada')
  await replica.confirm(frame(0, [patch('ada', 0, 1, { rows: { workouts: [workout('w')], sets: rows } })]), new Set())
  return replica
}
const log = (replica: Replica, id: string, kg = 100) =>
  replica.run(intent('logSet', { id, workoutId: 'w', exercise: 'Squat', reps: 5, kg }), 'call')
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('[I14] a change of sync alone is told once: with the next commit, with flush, or at the end of the microtasks', async () => {
  const replica = await heard()
  const states = new Map<string, string>()
  const queries = createLiveQueries<Sync>(replica, (table, id) => ({
    ...syncOf(replica)(table, id),
    state: states.get(id) ?? 'queued',
  }))
  const live = queries.live(workouts.query.sets.orderBy('position'))
  const a = intent('logSet', { id: 'a', workoutId: 'w', exercise: 'Squat', reps: 5, kg: 100 })
  await replica.run(a, 'call')
  await log(replica, 'b')
  const told: string[][] = []
  live.subscribe((rows) => told.push(rows.map(({ sync }) => sync.state)))
  const [first, second] = live.rows
  // Nothing is another: nobody is told.
  queries.touchSync([a.id])
  await turn()
  expect(told).toEqual([])
  states.set('a', 'sending')
  queries.touchSync([a.id, intent('bump', {}).id])
  expect(told).toEqual([])
  await turn()
  expect(told).toEqual([['sending', 'queued']])
  expect(live.rows[1]).toBe(second)
  expect(live.rows[0]).not.toBe(first)
  states.set('a', 'failed')
  queries.touchSync([a.id])
  queries.flush()
  expect(told.slice(1)).toEqual([['failed', 'queued']])
  await turn()
  expect(told).toHaveLength(2)
})

test('[I14] what is touched by a listener that hears of a commit before the queries is told together with its rows', async () => {
  const replica = await heard()
  const states = new Map<string, string>()
  const a = intent('logSet', { id: 'a', workoutId: 'w', exercise: 'Squat', reps: 5, kg: 100 })
  await replica.run(a, 'call')
  let queries: ReturnType<typeof createLiveQueries<Sync>> | undefined
  replica.onCommit(() => {
    states.set('a', 'sending')
    queries?.touchSync([a.id])
  })
  queries = createLiveQueries<Sync>(replica, (table, id) => ({
    ...syncOf(replica)(table, id),
    state: states.get(id) ?? 'queued',
  }))
  const live = queries.live(workouts.query.sets.orderBy('id'))
  const told: string[][] = []
  live.subscribe((rows) => told.push(rows.map(({ sync }) => sync.state)))
  await replica.confirm(frame(0, [patch('ada', 1, 2, { rows: { sets: [set('c', 'v', 1)] } })]), new Set())
  await turn()
  expect(told).toEqual([['sending', 'queued']])
})

test('[I14] rows whose writers change are looked at with the commit, without being touched', async () => {
  const replica = await heard()
  const queries = createLiveQueries<Sync>(replica, syncOf(replica))
  const live = queries.live(workouts.query.sets)
  const told: string[][] = []
  live.subscribe((rows) => told.push(rows.map(({ sync }) => `${sync.state} ${sync.provisional.join()}`)))
  const made = intent('logSet', { id: 'a', workoutId: 'w', exercise: 'Squat', reps: 5, kg: 100 })
  await replica.run(made, 'call')
  await replica.confirm(frame(1, [patch('ada', 1, 2, { rows: { sets: [set('a', 'w', 1)] } })]), new Set([made.id]))
  expect(told).toEqual([['queued position'], ['synced ']])
})

test('a query says when storage is loaded and when the authority was heard, each once, even if nothing is in it', async () => {
  const replica = createReplica(workouts, 'ada')
  const queries = createLiveQueries<Sync>(replica, syncOf(replica))
  const live = queries.live(workouts.query.sets)
  const told: [boolean, boolean, number][] = []
  live.subscribe((rows) => told.push([live.isLoaded, live.isComplete, rows.length]))
  queries.loaded()
  queries.loaded()
  await replica.confirm(frame(0, [patch('ada', 0, 1, {})]), new Set())
  await replica.confirm(frame(0, [patch('ada', 1, 2, { rows: { workouts: [workout('w')] } })]), new Set())
  expect(told).toEqual([
    [true, false, 0],
    [true, true, 0],
  ])
})

test('a query that is closed, or a listener that is taken away, hears nothing more', async () => {
  const replica = await heard()
  const queries = createLiveQueries<Sync>(replica, syncOf(replica))
  const [one, two, three] = [1, 2, 3].map(() => queries.live(workouts.query.sets)) as [
    LiveQuery<SyncedRow<Sync>>,
    LiveQuery<SyncedRow<Sync>>,
    LiveQuery<SyncedRow<Sync>>,
  ]
  const told: string[] = []
  one.subscribe(() => {
    told.push('one')
    // Closed before its turn comes.
    two.close()
  })
  two.subscribe(() => told.push('two'))
  const cancel = three.subscribe(() => told.push('three'))
  await log(replica, 'a')
  expect(told).toEqual(['one', 'three'])
  cancel()
  await log(replica, 'b')
  expect(told).toEqual(['one', 'three', 'one'])
  expect(two.rows.map(({ id }) => id)).toEqual(['a'])
  expect(three.rows.map(({ id }) => id)).toEqual(['a', 'b'])
  queries.close()
  await log(replica, 'c')
  expect(told).toHaveLength(3)
  expect(three.rows.map(({ id }) => id)).toEqual(['a', 'b'])
})

test('a listener that throws is reported, and neither the others nor the call hear of it', async () => {
  const replica = await heard()
  const reported: unknown[] = []
  const queries = createLiveQueries<Sync>(replica, syncOf(replica), (error) => reported.push(error))
  const live = queries.live(workouts.query.sets)
  let told = 0
  live.subscribe(() => {
    throw new Error('in the app')
  })
  live.subscribe(() => told++)
  expect(await log(replica, 'a')).toMatchObject({ kept: true })
  expect(told).toBe(1)
  expect(reported).toEqual([new Error('in the app')])
})

test('[I6] an app cannot change what the authority said by changing a row of a query', async () => {
  const app = defineApp({
    tables: { notes: table({ id: t.id(), owner: t.text(), tags: t.json<string[]>() }).scope('user', 'owner') },
  })
  const replica = createReplica(app, 'ada')
  const note = { id: 'n', owner: 'ada', tags: ['a', ['deep']] }
  await replica.confirm(frame(0, [patch('ada', 0, 1, { rows: { notes: [structuredClone(note)] } })]), new Set())
  const [row] = createLiveQueries<Sync>(replica, syncOf(replica)).live(app.query.notes).rows
  const tags = row?.['tags'] as string[][]
  expect(() => Object.assign(row ?? {}, { owner: 'eve' })).toThrow(TypeError)
  expect(() => tags.push(['more'])).toThrow(TypeError)
  expect(() => tags[1]?.push('more')).toThrow(TypeError)
  expect(replica.confirmedRows('notes').get('n')).toEqual(note)
})

test('[I14] a list with a limit stays right while hundreds of rows come and go', async () => {
  const many = Array.from({ length: 400 }, (_, index) =>
    set(`s${String(index).padStart(3, '0')}`, 'w', index + 1, { kg: (index * 37) % 101 }),
  )
  const replica = await heard(many)
  const queries = createLiveQueries<Sync>(replica, syncOf(replica))
  const spec = workouts.query.sets.where({ workoutId: 'w' }).orderBy('kg', 'desc').limit(10).spec
  const whole = workouts.query.sets.orderBy('kg').spec
  const live = queries.live({ spec })
  const all = queries.live({ spec: whole })
  let version = 1
  const check = () => {
    expect(bare(live.rows)).toEqual(answer(replica, spec))
    expect(bare(all.rows)).toEqual(answer(replica, whole))
  }
  check()
  // First away from the top, until what was kept in reserve has long run out; then all at once.
  for (let round = 0; round < 30; round++) {
    const gone = live.rows.slice(0, 7).map(({ id }) => id)
    // And some that come in far behind: what lies between them and the top must not be forgotten.
    const low = [1, 2, 3, 4, 5].map((index) =>
      set(`low${round}-${index}`, 'w', 1_000 + round * 5 + index, { kg: -round }),
    )
    await replica.confirm(
      frame(0, [patch('ada', version, version + 1, { rows: { sets: low }, gone: { sets: gone } })]),
      new Set(),
    )
    version++
    check()
  }
  for (const rows of [
    many.slice(0, 300),
    many.slice(300),
    many.map((row) => ({ ...row, kg: Number(row['kg']) / 2 })),
  ]) {
    await replica.confirm(frame(0, [patch('ada', version, version + 1, { rows: { sets: rows } })]), new Set())
    version++
    check()
  }
})
