// Aggregates on the device: the authority's own rows, and what they come to with the pending intents. That they equal a recount in
// every case is rebase.test.ts; here is what it looks like, and what is told.
import { compute, count, defineApp, max, min, sum, t, table } from 'holdfast'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { createReplica, type Replica } from '../../../src/client/replica/replica.ts'
import { app, frame, intent, patch, set, workout } from './app.ts'

const start = async (): Promise<Replica> => {
  const replica = createReplica(app, 'ada')
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
  const replica = createReplica(big, 'ada')
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

const entries = defineApp({
  tables: {
    lists: table({ id: t.id(), owner: t.text() }).scope('user', 'owner'),
    entries: table({
      id: t.id(),
      listId: t.ref('lists'),
      place: t.appendIndex('listId'),
      value: t.real().nullable(),
      tags: t.json<readonly string[]>(),
    }).scopeVia('listId'),
  },
  aggregates: ({ aggregate }) => ({
    bounds: aggregate('entries')
      .by('listId')
      .values({
        least: min((row) => row.value),
        most: max((row) => row.value),
        seen: compute((rows) => rows.map((row) => Object.keys(row).join()).join(' ')),
        tags: compute((rows) => {
          // What the app gets is not its own: a function that changes it fails, and what the authority said stays.
          for (const { tags } of rows) (tags as string[]).push('mine')
          return 'changed'
        }),
      }),
  }),
  mutators: ({ generated }) => ({ ...generated('entries') }),
})
const entry = (id: string, value: number | null) => ({ id, listId: 'l', value, tags: [] })

test('[I11] the greatest value goes, and the next one is it; where no row has a value, there is none', async () => {
  const replica = createReplica(entries, 'ada')
  await replica.confirm(
    frame(0, [
      patch('ada', 0, 1, {
        rows: {
          lists: [{ id: 'l', owner: 'ada' }],
          entries: [
            { ...entry('a', 5), place: 1 },
            { ...entry('b', null), place: 2 },
          ],
          bounds: [{ id: 'l', least: 5, most: 5, seen: 'as the authority says', tags: null }],
        },
      }),
    ]),
    new Set(),
  )
  const shown = () => {
    const row = replica.get('bounds', 'l')
    return [row?.['least'], row?.['most']]
  }
  expect(shown()).toEqual([5, 5])
  for (const [id, value] of [
    ['c', 9],
    ['d', 7],
    ['e', -1],
  ] as const)
    await replica.run(intent('insertEntries', entry(id, value)), 'call')
  expect(shown()).toEqual([-1, 9])
  await replica.run(intent('deleteEntries', { id: 'c' }), 'call')
  expect(shown()).toEqual([-1, 7])
  await replica.run(intent('updateEntries', { id: 'd', value: 6 }), 'call')
  expect(shown()).toEqual([-1, 6])
  for (const id of ['a', 'd', 'e']) await replica.run(intent('deleteEntries', { id }), 'call')
  expect(shown()).toEqual([null, null])
  expect(replica.provisionalOf('bounds', 'l')).toEqual(['least', 'most', 'seen', 'tags'])
})

test('[I6] [I11] a function of all rows sees them as the authority does, without positions, and cannot change them', async () => {
  const replica = createReplica(entries, 'ada')
  await replica.confirm(
    frame(0, [
      patch('ada', 0, 1, {
        rows: { lists: [{ id: 'l', owner: 'ada' }], entries: [{ ...entry('b', 5), place: 1 }] },
      }),
    ]),
    new Set(),
  )
  await replica.run(intent('insertEntries', entry('a', 1)), 'call')
  expect(replica.get('bounds', 'l')).toMatchObject({ seen: 'id,listId,value,tags id,listId,value,tags', tags: null })
  expect(replica.get('entries', 'b')).toMatchObject({ tags: [] })
})
