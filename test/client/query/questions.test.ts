// Relations and values as an app asks for them: what is the same object as before, what `sync` a nested row has, what a lost scope
// leaves, and what cannot be asked. That they are always right is recomputed.test.ts.
import { countOf, include, many, maxOf, minOf, one, type SyncInfo, sumOf } from 'holdfast/client'
import { describe, expect, test } from 'vitest'
import { createLiveQueries } from '../../../src/client/query/live.ts'
import { createReplica, type Replica } from '../../../src/client/replica/replica.ts'
import { app, frame, intent, patch, set, workout } from '../replica/app.ts'

const { workouts, sets, workoutTotals } = app.query

/** Two workouts, one of which has two sets; and its live queries. */
async function begin() {
  const replica = createReplica(app, 'ada')
  const rows = {
    workouts: [workout('v'), workout('w')],
    sets: [set('a', 'w', 1, { kg: 80 }), set('b', 'w', 2, { kg: 90 })],
    workoutTotals: [{ id: 'w', sets: 2, volume: 850 }],
  }
  await replica.confirm(frame(0, [patch('ada', 0, 1, { rows })]), new Set())
  const syncOf = (table: string, id: string): SyncInfo => {
    const intents = replica.writers(table, id)
    return { state: intents.length === 0 ? 'synced' : 'queued', intents, provisional: replica.provisionalOf(table, id) }
  }
  return { replica, queries: createLiveQueries(replica, syncOf) }
}

const log = (replica: Replica, id: string, workoutId: string, kg = 100) =>
  replica.run(intent('logSet', { id, workoutId, exercise: 'Squat', reps: 5, kg }), 'call')

const withSets = include(workouts, {
  sets: many(sets.orderBy('position', 'desc').limit(2), 'workoutId'),
  totals: one(workoutTotals, 'id'),
})

describe('relations', () => {
  test('carry their own sync, and the outer row that of its own', async () => {
    const { replica, queries } = await begin()
    const live = queries.live(withSets)
    await log(replica, 'c', 'w')
    const [, w] = live.value
    expect(w?.sync.state).toBe('synced')
    expect(w?.sets.map(({ id, position, sync }) => [id, position, sync.state])).toEqual([
      ['c', 3, 'queued'],
      ['b', 2, 'synced'],
    ])
    expect(w?.sets[0]?.sync.provisional).toEqual(['position'])
    expect(w?.totals).toMatchObject({ sets: 3, volume: 1350, sync: { state: 'queued' } })
  })

  test('leave what they do not touch the same object, and a list without any change the same list', async () => {
    const { replica, queries } = await begin()
    const live = queries.live(withSets)
    const before = live.value
    await log(replica, 'c', 'v')
    const after = live.value
    expect(after).not.toBe(before)
    expect(after[1]).toBe(before[1])
    expect(after[0]).not.toBe(before[0])
    // Behind the limit of this workout's list, so that neither list nor totals show it.
    const quiet = queries.live(include(workouts, { first: many(sets.orderBy('position').limit(1), 'workoutId') }))
    const rows = quiet.value
    await log(replica, 'd', 'w')
    expect(quiet.value).toBe(rows)
  })

  test('follow a child that moves to another parent', async () => {
    const { replica, queries } = await begin()
    const live = queries.live(include(workouts, { sets: many(sets, 'workoutId') }))
    const told: unknown[] = []
    live.subscribe((rows) => told.push(rows.map((row) => row.sets.map(({ id }) => id))))
    await replica.run(intent('moveSet', { id: 'a', workoutId: 'v' }), 'call')
    expect(told).toEqual([[['a'], ['b']]])
  })

  test('have no parent that is not here, and lose one whose scope is lost', async () => {
    const { replica, queries } = await begin()
    const live = queries.live(include(sets, { workout: one(workouts, 'workoutId') }))
    expect(live.value.map(({ workout }) => workout?.name)).toEqual(['workout w', 'workout w'])
    expect(live.value[0]?.workout).toBe(live.value[1]?.workout)
    await log(replica, 'c', 'nowhere')
    expect(live.value.find(({ id }) => id === 'c')).toHaveProperty('workout', undefined)
    const kept = { rows: { sets: [set('b', 'w', 2, { kg: 90 })] } }
    await replica.confirm(frame(0, [patch('bob', 0, 1, kept)], ['bob']), new Set())
    expect(live.value.map(({ id, workout }) => [id, workout])).toEqual([
      ['b', undefined],
      ['c', undefined],
    ])
  })

  test('are frozen with all that is in them, and stay as they are once closed', async () => {
    const { replica, queries } = await begin()
    const live = queries.live(withSets)
    const rows = live.value
    expect(() => Object.assign(rows[1] ?? {}, { sets: [] })).toThrow(TypeError)
    expect(() => Object.assign(rows[1]?.sets ?? {}, [1])).toThrow(TypeError)
    live.close()
    await log(replica, 'c', 'w')
    expect(live.value).toBe(rows)
  })

  const wrong = (relations: unknown): unknown => include(workouts, relations as never)
  test.each<[string, unknown, string]>([
    ['a column that is no reference', { sets: many(sets, 'exercise') }, 'sets.exercise is no reference to workouts'],
    ['a reference to another table', { self: many(workouts as never, 'ownerId' as never) }, 'is no reference'],
    ['an aggregate of which there are many', { all: many(workoutTotals, 'id') }, 'is no reference'],
    ['the name of a column', { name: many(sets, 'workoutId') }, 'workouts has a column of this name'],
    ['the name that every row has', { sync: many(sets, 'workoutId') }, 'workouts has a column of this name'],
    ['one row in an order', { totals: one(workoutTotals.orderBy('sets'), 'id') }, 'neither an order nor a limit'],
    [
      'a table that there is not',
      { laps: many({ spec: { ...sets.spec, table: 'laps' } } as never, 'x' as never) },
      'laps',
    ],
  ])('by %s are refused', async (_what, relations, said) => {
    const { queries } = await begin()
    expect(() => queries.live(wrong(relations) as typeof withSets)).toThrow(said)
  })
})

describe('values', () => {
  test('follow calls, and what becomes of them', async () => {
    const { replica, queries } = await begin()
    const ofW = sets.where({ workoutId: 'w' })
    const live = [countOf(ofW), sumOf(ofW, 'kg'), minOf(ofW, 'kg'), maxOf(ofW, 'id')].map((each) =>
      queries.live<unknown>(each),
    )
    const values = () => live.map(({ value }) => value)
    expect(values()).toEqual([2, 170, 80, 'b'])
    const call = intent('logSet', { id: 'c', workoutId: 'w', exercise: 'Squat', reps: 5, kg: 70.1 })
    await replica.run(call, 'call')
    expect(values()).toEqual([3, 240.1, 70.1, 'c'])
    await replica.drop(new Set([call.id]))
    expect(values()).toEqual([2, 170, 80, 'b'])
  })

  test('of no row are none', async () => {
    const { queries } = await begin()
    const none = sets.where({ workoutId: 'v' })
    const values = [countOf(none), sumOf(none, 'kg'), minOf(none, 'kg'), maxOf(none, 'exercise')]
    expect(values.map((each) => queries.live<unknown>(each).value)).toEqual([0, 0, null, null])
  })

  test('tell nobody when they are the same', async () => {
    const { replica, queries } = await begin()
    const most = queries.live(maxOf(sets, 'kg'))
    const told: unknown[] = []
    most.subscribe((value) => told.push(value))
    await log(replica, 'c', 'w', 85)
    await log(replica, 'd', 'w', 95)
    expect(told).toEqual([95])
  })

  test('of the first rows of a query are of these alone', async () => {
    const { replica, queries } = await begin()
    const heaviest = sets.orderBy('kg', 'desc').limit(2)
    const live = [countOf(heaviest), sumOf(heaviest, 'kg'), minOf(heaviest, 'kg')].map((each) => queries.live(each))
    await log(replica, 'c', 'v', 100)
    expect(live.map(({ value }) => value)).toEqual([2, 190, 90])
  })
})
