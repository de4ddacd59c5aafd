// Queries answered afresh: what they find by an index and without one, and how a query that cannot be asked is refused.
import { expect, test } from 'vitest'
import { answer } from '../../../src/client/query/answer.ts'
import { createReplica, type Replica } from '../../../src/client/replica/replica.ts'
import type { QuerySpec } from '../../../src/schema/query.ts'
import { app, frame, intent, patch, set, workout } from '../replica/app.ts'

const start = async (): Promise<Replica> => {
  const replica = createReplica(app, 'ada')
  const sets = [
    set('a', 'w', 1, { kg: 80 }),
    set('b', 'w', 2, { kg: 90 }),
    set('c', 'v', 1, { kg: 85, exercise: 'Bench' }),
  ]
  await replica.confirm(frame(0, [patch('ada', 0, 1, { rows: { workouts: [workout('w')], sets } })]), new Set())
  await replica.run(intent('logSet', { id: 'd', workoutId: 'w', exercise: 'Bench', reps: 5, kg: 85 }), 'call')
  return replica
}
const ids = (replica: Replica, { spec }: { readonly spec: QuerySpec }): string[] =>
  answer(replica, spec).map((row) => row.id)

test('conditions, order and limit mean on the overlay what they mean on one row', async () => {
  const replica = await start()
  const { sets, workoutTotals } = app.query
  expect(ids(replica, sets)).toEqual(['a', 'b', 'c', 'd'])
  expect(ids(replica, sets.where({ workoutId: 'w' }).orderBy('position', 'desc'))).toEqual(['d', 'b', 'a'])
  expect(ids(replica, sets.where({ exercise: 'Bench' }).orderBy('kg'))).toEqual(['c', 'd'])
  expect(ids(replica, sets.where({ kg: { gte: 85, lt: 90 } }))).toEqual(['c', 'd'])
  expect(ids(replica, sets.where({ workoutId: 'w', position: 3 }))).toEqual(['d'])
  expect(ids(replica, sets.where({ position: 3 }))).toEqual(['d'])
  expect(ids(replica, sets.where({ id: 'c' }))).toEqual(['c'])
  expect(ids(replica, sets.where({ id: 'nowhere' }))).toEqual([])
  expect(ids(replica, sets.where({ workoutId: 'w', exercise: { in: ['Bench', 'Row'] } }))).toEqual(['d'])
  expect(ids(replica, sets.orderBy('kg', 'desc').limit(2))).toEqual(['b', 'c'])
  expect(ids(replica, sets.limit(0))).toEqual([])
  expect(answer(replica, workoutTotals.where({ id: 'w' }).spec)).toEqual([{ id: 'w', sets: 3, volume: 1275 }])
  expect(ids(replica, workoutTotals.where({ sets: 3 }))).toEqual(['w'])
})

test('the first few of many are found without an error of order, whatever the limit and however the rows lie', async () => {
  const count = 1_500
  const lying: readonly ((index: number) => { reps: number; exercise?: string })[] = [
    (index) => ({ reps: (index * 7919) % 50 }),
    (index) => ({ reps: index }),
    (index) => ({ reps: -index }),
    (index) => ({ reps: Math.min(index, count - index) }),
    (index) => ({ reps: index % 2, exercise: `lift ${(index * 7919) % 60}` }),
  ]
  for (const more of lying) {
    const replica = createReplica(app, 'ada')
    const many = Array.from({ length: count }, (_, index) => set(`s${index}`, 'w', index + 1, more(index)))
    await replica.confirm(frame(0, [patch('ada', 0, 1, { rows: { sets: many } })]), new Set())
    for (const query of [
      app.query.sets.orderBy('reps'),
      app.query.sets.orderBy('reps', 'desc'),
      app.query.sets.orderBy('exercise', 'desc').orderBy('reps'),
      app.query.sets,
    ]) {
      const all = ids(replica, query)
      expect(all).toHaveLength(count)
      for (const limit of [1, 7, 23, 24, 100, 512, count - 1, count, count + 1])
        expect(ids(replica, query.limit(limit))).toEqual(all.slice(0, limit))
    }
  }
})

test('a query over a table that there is not is refused', async () => {
  const replica = await start()
  const ask = () => answer(replica, { ...app.query.sets.spec, table: 'laps' })
  expect(ask).toThrow('no table or aggregate "laps"; it has workouts, sets, workoutTotals')
})
