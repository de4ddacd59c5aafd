// Aggregates on the device: the authority's own rows, and what they come to with the pending intents. That they equal a recount in
// every case is rebase.test.ts; here is what it looks like, and what is told.
import { count, defineApp, sum, t, table } from 'holdfast'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { createReplica, type Replica } from '../../../src/client/replica/replica.ts'
import { app, frame, intent, patch, set, workout } from './app.ts'

const start = async (): Promise<Replica> => {
  const replica = createReplica(app)
  await replica.confirm(
    frame(0, [
      patch('ada', 0, 1, {
        rows: {
          workouts: [workout('w')],
          sets: [set('a', 'w', 1), set('b', 'v', 1)],
          workoutTotals: [
            { id: 'w', sets: 1, volume: 500 },
            { id: 'v', sets: 9, volume: 1 },
          ],
        },
      }),
    ]),
    new Set(),
  )
  return replica
}
const totals = (replica: Replica): unknown =>
  new Map([...replica.rows('workoutTotals')].map((row) => [row.id, [row['sets'], row['volume']]]))

test('[I11] groups that pending intents touch are counted, all others are as the authority says', async () => {
  const replica = await start()
  // What the authority says of v cannot be seen to be wrong: nothing is pending there.
  expect(totals(replica)).toEqual(
    new Map([
      ['w', [1, 500]],
      ['v', [9, 1]],
    ]),
  )
  const log = intent('logSet', { id: 'x', workoutId: 'w', exercise: 'Squat', reps: 3, kg: 33.33 })
  await replica.run(log, 'call')
  expect(totals(replica)).toEqual(
    new Map([
      ['w', [2, 599.99]],
      ['v', [9, 1]],
    ]),
  )
  expect(replica.provisionalOf('workoutTotals', 'w')).toEqual(['sets', 'volume'])
  expect(replica.provisionalOf('workoutTotals', 'v')).toEqual([])
  const move = intent('moveSet', { id: 'x', workoutId: 'v' })
  await replica.run(move, 'call')
  expect(totals(replica)).toEqual(
    new Map([
      ['w', [1, 500]],
      ['v', [2, 599.99]],
    ]),
  )
  expect(replica.writers('workoutTotals', 'v')).toEqual([log.id, move.id])
  expect(replica.keysOf(move.id)).toEqual([
    ['sets', 'x'],
    ['workoutTotals', 'v'],
  ])
  await replica.run(intent('deleteSet', { id: 'a' }), 'call')
  expect(replica.get('workoutTotals', 'w')).toBeUndefined()
  await replica.drop(new Set(replica.pending()))
  expect(totals(replica)).toEqual(
    new Map([
      ['w', [1, 500]],
      ['v', [9, 1]],
    ]),
  )
  expect(replica.writers('workoutTotals', 'v')).toEqual([])
})

test('[I14] commits tell of an aggregate while somebody observes it', async () => {
  const replica = await start()
  const told: unknown[] = []
  replica.onCommit(({ changes }) => told.push(changes.get('workoutTotals')?.get('w')?.after))
  const log = (id: string) =>
    replica.run(intent('logSet', { id, workoutId: 'w', exercise: 'Squat', reps: 1, kg: 10 }), 'call')
  await log('x')
  const stop = replica.observe('workoutTotals')
  await log('y')
  stop()
  stop()
  await log('z')
  expect(told).toEqual([undefined, { id: 'w', sets: 3, volume: 520 }, undefined])
  expect(replica.get('workoutTotals', 'w')).toEqual({ id: 'w', sets: 4, volume: 530 })
})

test('[I14] a row that comes to light again, because its deletion is taken back, is told of with its group', async () => {
  const replica = await start()
  replica.observe('workoutTotals')
  await replica.run(intent('logSet', { id: 'x', workoutId: 'u', exercise: 'Squat', reps: 1, kg: 10 }), 'call')
  const deletion = intent('deleteSet', { id: 'x' })
  await replica.run(deletion, 'call')
  expect(replica.get('workoutTotals', 'u')).toBeUndefined()
  const told: unknown[] = []
  replica.onCommit(({ changes }) => told.push(changes.get('workoutTotals')?.get('u')))
  await replica.drop(new Set([deletion.id]))
  expect(told).toEqual([{ before: undefined, after: { id: 'u', sets: 1, volume: 10 } }])
})

test('[I11] a sum that was beyond whole numbers is right again when it comes back', async () => {
  const big = defineApp({
    tables: { entries: table({ id: t.id(), owner: t.text(), value: t.real() }).scope('user', 'owner') },
    aggregates: ({ aggregate }) => ({
      sums: aggregate('entries')
        .by('owner')
        .values({ size: count(), total: sum((row) => row.value, { decimals: 1 }) }),
    }),
    mutators: ({ mutator, generated }) => ({
      ...generated('entries'),
      touch: mutator(v.object({}), async () => undefined),
    }),
  })
  const replica = createReplica(big)
  await replica.confirm(
    frame(0, [patch('ada', 0, 1, { rows: { entries: [{ id: 'a', owner: 'ada', value: 0.1 }] } })]),
    new Set(),
  )
  await replica.run(intent('insertEntries', { id: 'b', owner: 'ada', value: 0.2 }), 'call')
  expect(replica.get('sums', 'ada')).toEqual({ id: 'ada', size: 2, total: 0.3 })
  await replica.run(intent('insertEntries', { id: 'c', owner: 'ada', value: 1e300 }), 'call')
  expect(replica.get('sums', 'ada')).toMatchObject({ size: 3 })
  await replica.run(intent('deleteEntries', { id: 'c' }), 'call')
  expect(replica.get('sums', 'ada')).toEqual({ id: 'ada', size: 2, total: 0.3 })
})
