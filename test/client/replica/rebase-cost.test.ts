// What a rebase costs, counted in runs: only what was touched goes again, however much is pending.
import { expect, test } from 'vitest'
import { createReplica, type PendingIntent, type Replica } from '../../../src/client/replica/replica.ts'
import type { Row } from '../../../src/schema/table.ts'
import { app, frame, intent, patch, set, workout } from './app.ts'

const PENDING = 10_000

const confirmRows = (
  replica: Replica,
  decided: number,
  version: number,
  rows: { readonly [table: string]: readonly Row[] },
  retired: readonly PendingIntent[] = [],
): Promise<void> =>
  replica.confirm(frame(decided, [patch('ada', version, version + 1, { rows })]), new Set(retired.map(({ id }) => id)))

test('[I5] with 10,000 pending intents a frame of 100 foreign rows runs again only those that read one of them', async () => {
  const replica = createReplica(app, 'ada')
  const elsewhere = Array.from({ length: 100 }, (_, index) => workout(`foreign${index}`))
  await confirmRows(replica, 0, 0, { workouts: [workout('mine'), ...elsewhere] })
  const touched: PendingIntent[] = []
  for (let index = 0; index < PENDING; index++) {
    // Three of them look at foreign workouts, by key and by range; all others only log sets of their own.
    const made =
      index === 10
        ? intent('bump', { id: 'foreign7' })
        : index === 5_000
          ? intent('nameByBest', { id: 'foreign8' })
          : index === 9_000
            ? intent('bump', { id: 'foreign7' })
            : intent('logSet', { id: `s${index}`, workoutId: 'mine', exercise: 'Squat', reps: 5, kg: 100 })
    if (made.name !== 'logSet') touched.push(made)
    await replica.run(made, 'call')
  }
  expect(replica.counters).toMatchObject({ runs: PENDING, replays: 0 })
  const changed = elsewhere.map((row) => ({ ...row, count: 40 }))
  await confirmRows(replica, 0, 1, { workouts: changed, sets: [set('x', 'foreign8', 1, { kg: 77 })] })
  expect(replica.counters.replays).toBe(touched.length)
  expect(replica.get('workouts', 'foreign7')).toMatchObject({ count: 42 })
  expect(replica.get('workouts', 'foreign8')).toMatchObject({ name: 'best: 77', count: 40 })
  expect(replica.get('sets', `s${PENDING - 1}`)).toMatchObject({ workoutId: 'mine' })
  // The same frame again says nothing new.
  await confirmRows(replica, 0, 2, { workouts: changed })
  expect(replica.counters.replays).toBe(touched.length)
})

test('[I5] 1,000 of 10,000 that come out as foreseen are retired without a replay, also in a chain of one row', async () => {
  const replica = createReplica(app, 'ada')
  await confirmRows(replica, 0, 0, { workouts: [workout('w')] })
  const made: PendingIntent[] = []
  for (let index = 0; index < PENDING; index++) {
    const next =
      index % 2 === 0
        ? intent('bump', { id: 'w' })
        : intent('logSet', { id: `s${index}`, workoutId: 'w', exercise: 'Squat', reps: 5, kg: 100 })
    made.push(next)
    await replica.run(next, 'call')
  }
  const confirmed = Array.from({ length: 500 }, (_, index) => set(`s${index * 2 + 1}`, 'w', index + 1))
  await confirmRows(
    replica,
    1_000,
    1,
    { workouts: [workout('w', { count: 500 })], sets: confirmed },
    made.slice(0, 1_000),
  )
  expect(replica.counters.replays).toBe(0)
  expect(replica.get('workouts', 'w')).toMatchObject({ count: PENDING / 2 })
  expect(replica.get('sets', `s${PENDING - 1}`)).toMatchObject({ position: PENDING / 2 })
  // One that comes out otherwise touches all who build on it, and nobody else.
  await confirmRows(replica, 1_001, 2, { workouts: [workout('w', { count: 600 })] }, made.slice(1_000, 1_001))
  expect(replica.counters.replays).toBe(PENDING / 2 - 501)
  expect(replica.get('workouts', 'w')).toMatchObject({ count: 600 + PENDING / 2 - 501 })
})

test('[I5] a range with a limit is touched up to its last row and not beyond', async () => {
  const replica = createReplica(app, 'ada')
  await confirmRows(replica, 0, 0, {
    workouts: [workout('w')],
    sets: [set('heavy', 'w', 1, { kg: 100 }), set('light', 'w', 2, { kg: 50 })],
  })
  await replica.run(intent('nameByBest', { id: 'w' }), 'call')
  const replays = async (rows: readonly Row[]): Promise<number> => {
    const before = replica.counters.replays
    const version = replica.cursors()[0]?.version ?? 0
    await confirmRows(replica, 0, version, { sets: rows })
    return replica.counters.replays - before
  }
  expect(await replays([set('light', 'w', 2, { kg: 60 })])).toBe(0)
  expect(await replays([set('other', 'elsewhere', 1, { kg: 500 })])).toBe(0)
  expect(await replays([set('new', 'w', 3, { kg: 99 })])).toBe(0)
  // A position alone is nothing that a mutator sees.
  expect(await replays([set('heavy', 'w', 4, { kg: 100 })])).toBe(0)
  expect(await replays([set('light', 'w', 2, { kg: 120 })])).toBe(1)
  expect(replica.get('workouts', 'w')).toMatchObject({ name: 'best: 120' })
  expect(await replays([set('light', 'elsewhere', 1, { kg: 120 })])).toBe(1)
  expect(replica.get('workouts', 'w')).toMatchObject({ name: 'best: 100' })
})

test('[I5] an absent row that was read is touched when it comes', async () => {
  const replica = createReplica(app, 'ada')
  await confirmRows(replica, 0, 0, { workouts: [workout('w')] })
  await replica.run(intent('logSet', { id: 's', workoutId: 'w', exercise: 'Squat', reps: 5, kg: 100 }), 'call')
  const later = intent('deleteSet', { id: 's' })
  await replica.run(later, 'call')
  await confirmRows(replica, 0, 1, { sets: [set('s', 'w', 1, { exercise: 'Bench' })] })
  // The insert finds the id taken and is in doubt; the deletion takes what is there now.
  expect(replica.counters.replays).toBe(2)
  expect(replica.get('sets', 's')).toBeUndefined()
  expect(replica.writers('sets', 's')).toEqual([later.id])
})
