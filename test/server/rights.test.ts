// Rights: what an actor may read and write, statement by statement, as the grants stand in the same transaction.
import { expect, test } from 'vitest'
import { createDeferred } from '../../src/base/deferred.ts'
import { stage, uuid } from './scenario.ts'

const workout = (id: string, ownerId: string, name = 'Legs') =>
  ['insertWorkouts', { id, ownerId, name, done: false }] as const
const set = (id: string, workoutId: string) => ['insertSets', { id, workoutId, reps: 5, kg: 10 }] as const
const codes = (
  outcomes: readonly {
    readonly status: string
    readonly code?: string | undefined
    readonly from: number
    readonly to: number
  }[],
): string[] => outcomes.flatMap(({ status, code, from, to }) => Array(to - from + 1).fill(code ?? status))

test('[I9] no write is accepted in the scope of another, and absent and forbidden look the same', async () => {
  const { device, foreign } = await stage()
  const ben = device('ben')
  const his = uuid()
  const hisSet = uuid()
  await ben.call(workout(his, 'ben'), set(hisSet, his))
  const anna = device('anna')
  const absent = uuid()
  const [one, two] = [uuid(), uuid()]
  const answer = await anna.call(
    workout(one, 'ben'),
    ['updateWorkouts', { id: his, name: 'Mine' }],
    ['updateWorkouts', { id: absent, name: 'Mine' }],
    ['deleteWorkouts', { id: his }],
    ['deleteWorkouts', { id: absent }],
    set(uuid(), his),
    set(uuid(), absent),
    ['updateSets', { id: hisSet, reps: 1 }],
    workout(two, 'anna'),
    ['updateWorkouts', { id: two, ownerId: 'ben' }],
  )
  expect(codes(answer.outcomes)).toEqual([
    'forbidden',
    'row_gone',
    'row_gone',
    'row_gone',
    'row_gone',
    'row_gone',
    'row_gone',
    'row_gone',
    'applied',
    'forbidden',
  ])
  const told = (index: number) =>
    JSON.stringify(answer.outcomes[index]?.details).replaceAll(his, 'ID').replaceAll(absent, 'ID')
  expect(told(1)).toBe(told(2))
  expect(told(5)).toBe(told(6))
  expect(foreign('SELECT id, ownerId, name FROM workouts ORDER BY id')).toEqual([
    { id: his, ownerId: 'ben', name: 'Legs' },
    { id: two, ownerId: 'anna', name: 'Legs' },
  ])
})

test('[I9] a row cannot be moved under a parent in another scope, nor out of one that may only be read', async () => {
  const { device } = await stage({
    grants: (actor) => ({ read: [`user:${actor}`, 'user:public'], write: [`user:${actor}`] }),
  })
  const open = device('public')
  const shown = uuid()
  const shownSet = uuid()
  await open.call(workout(shown, 'public'), set(shownSet, shown))
  const anna = device('anna')
  const mine = uuid()
  const answer = await anna.call(
    workout(mine, 'anna'),
    ['updateSets', { id: shownSet, workoutId: mine }],
    set(uuid(), shown),
    ['updateWorkouts', { id: shown, ownerId: 'anna' }],
    ['deleteSets', { id: shownSet }],
  )
  expect(codes(answer.outcomes)).toEqual(['applied', 'forbidden', 'forbidden', 'forbidden', 'forbidden'])
})

test('[I9] queries of a mutator see rows of granted scopes only', async () => {
  const { device, foreign } = await stage()
  const [anna, ben] = [device('anna'), device('ben')]
  await ben.call(workout(uuid(), 'ben'))
  await anna.call(workout(uuid(), 'anna'), ['renameAll', { name: 'Hers' }])
  expect(foreign('SELECT ownerId, name FROM workouts ORDER BY ownerId')).toEqual([
    { ownerId: 'anna', name: 'Hers' },
    { ownerId: 'ben', name: 'Legs' },
  ])
})

test('[I9] a query sees children by the scope of their parents, as they are in the batch', async () => {
  const seen: unknown[] = []
  const { device } = await stage({
    mutators: {
      act: async (tx) => {
        seen.push(
          (
            await tx.laps
              .where({ ms: { gte: 0 } })
              .orderBy('ms', 'desc')
              .limit(2)
              .all()
          ).map(({ ms }) => ms),
        )
      },
    },
  })
  const [anna, ben] = [device('anna'), device('ben')]
  const [w, s, other, theirs] = [uuid(), uuid(), uuid(), uuid()]
  const lap = (setId: string, ms: number) => ['insertLaps', { id: uuid(), setId, ms }] as const
  await ben.call(workout(other, 'ben'), set(theirs, other), lap(theirs, 9))
  await anna.call(
    workout(w, 'anna'),
    set(s, w),
    lap(s, 1),
    lap(s, 2),
    lap(s, 3),
    ['act', {}],
    ['deleteWorkouts', { id: w }],
    ['act', {}],
  )
  expect(seen).toEqual([[3, 2], []])
})

test('[I9] a grant that an intent of the batch brings counts from the next intent on, not for itself', async () => {
  const { device } = await stage()
  const anna = device('anna')
  const note = () => ['insertNotes', { id: uuid(), gymId: 'oak', text: 'hello' }] as const
  const member = { id: uuid(), gymId: 'oak', userId: 'anna', role: 'owner' }
  const refused = await anna.call(note(), ['insertMembers', member])
  expect(codes(refused.outcomes)).toEqual(['forbidden', 'forbidden'])
})

test('[I9] grants gained and lost between two batches, and within one, hold for the next intent', async () => {
  const { device, foreign } = await stage()
  const anna = device('anna')
  const note = (id = uuid()) => ['insertNotes', { id, gymId: 'oak', text: 'hello' }] as const
  expect(codes((await anna.call(note())).outcomes)).toEqual(['forbidden'])
  foreign("INSERT INTO members (id, gymId, userId, role) VALUES ('m1', 'oak', 'anna', 'staff')")
  const kept = uuid()
  expect(
    codes(
      (await anna.call(note(kept), ['deleteMembers', { id: 'm1' }], note(), ['updateNotes', { id: kept, text: 'x' }]))
        .outcomes,
    ),
  ).toEqual(['applied', 'applied', 'forbidden', 'row_gone'])
  expect(foreign('SELECT id FROM notes')).toEqual([{ id: kept }])
})

test('[I9] rows whose parent was deleted cannot be taken over by inserting the parent’s id elsewhere', async () => {
  const { device, foreign } = await stage()
  const [anna, ben] = [device('anna'), device('ben')]
  const [w, s] = [uuid(), uuid()]
  await ben.call(workout(w, 'ben'), set(s, w))
  await ben.call(['deleteWorkouts', { id: w }])
  expect(codes((await anna.call(workout(w, 'anna'))).outcomes)).toEqual(['row_exists'])
  await anna.pull()
  expect(anna.rows('sets')).toEqual([])
  await ben.pull()
  expect(ben.rows('sets')).toEqual([])
  expect(codes((await ben.call(workout(w, 'ben', 'Again'))).outcomes)).toEqual(['applied'])
  await ben.pull()
  expect(ben.rows('sets')).toMatchObject([{ id: s, workoutId: w }])
  expect(foreign('SELECT count(*) AS n FROM workouts')).toEqual([{ n: 1 }])
})

test('a parent deleted and inserted again within one batch keeps its children', async () => {
  const { device } = await stage()
  const anna = device('anna')
  const [w, s] = [uuid(), uuid()]
  const answer = await anna.call(
    workout(w, 'anna'),
    set(s, w),
    ['renameAll', { name: 'x' }],
    ['deleteWorkouts', { id: w }],
    workout(w, 'anna', 'Again'),
  )
  expect(codes(answer.outcomes)).toEqual(Array(5).fill('applied'))
  await anna.pull()
  expect(anna.rows('sets')).toMatchObject([{ id: s, position: 1 }])
  expect(anna.rows('workouts')).toMatchObject([{ id: w, name: 'Again' }])
})

test.each([
  ['no arrays', { read: 'user:anna', write: [] }],
  ['no scopes', { read: ['everything'], write: [] }],
  ['too many', { read: Array.from({ length: 1_001 }, (_, n) => `user:${n}`), write: [] }],
])('grants that answer with %s are a failure of the authority and nothing is decided', async (_what, answer) => {
  const on = await stage({ grants: () => answer as never })
  const anna = on.device('anna')
  expect(await anna.call(workout(uuid(), 'anna'))).toMatchObject({ status: 500, body: { code: 'internal' } })
  expect(await anna.page()).toMatchObject({ status: 500, body: { code: 'internal' } })
  expect(on.foreign('SELECT count(*) AS n FROM holdfast_ledger')).toEqual([{ n: 0 }])
})

test('grants cannot write', async () => {
  const on = await stage({
    grants: async (actor, tx) => {
      await (tx as unknown as { readonly workouts: { insert(row: unknown): Promise<void> } }).workouts.insert({
        id: 'x',
        ownerId: actor,
        name: '',
        done: false,
      })
      return { read: [], write: [] }
    },
  })
  expect(await on.device('anna').call(workout(uuid(), 'anna'))).toMatchObject({ status: 500 })
  expect(on.foreign('SELECT count(*) AS n FROM workouts')).toEqual([{ n: 0 }])
})

test('grants that take too long fail their request only, and what they do later changes nothing', async () => {
  let isSlow = true
  const released = createDeferred<void>()
  const late: Promise<unknown>[] = []
  const on = await stage({
    tuning: { grantsTimeoutMs: 20 },
    grants: async (actor, tx) => {
      if (actor === 'anna' && isSlow) {
        await released.promise
        late.push(tx.workouts.where({}).all())
      }
      return { read: [`user:${actor}`], write: [`user:${actor}`] }
    },
  })
  const [anna, ben] = [on.device('anna'), on.device('ben')]
  const [hers, his] = await Promise.all([anna.call(workout(uuid(), 'anna')), ben.call(workout(uuid(), 'ben'))])
  expect(hers).toMatchObject({ status: 500, body: { code: 'internal', retryable: true } })
  expect(his).toMatchObject({ decided: 1 })
  expect(await anna.page()).toMatchObject({ status: 500 })
  isSlow = false
  released.resolve()
  await released.promise
  for (const each of late) await expect(each).rejects.toThrow('grants has been answered')
  expect(late).toHaveLength(2)
  expect(on.foreign('SELECT ownerId FROM workouts')).toEqual([{ ownerId: 'ben' }])
})
