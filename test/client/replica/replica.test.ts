// What a replica promises, case by case; that it holds for all cases is rebase.test.ts.
import { expect, test } from 'vitest'
import { createLiveQueries } from '../../../src/client/query/live.ts'
import { createReplica } from '../../../src/client/replica/replica.ts'
import { app, frame, intent, patch, set, workout } from './app.ts'

test('[I5] a pending intent shows over the confirmed rows and its confirmation changes nothing that is shown', async () => {
  const replica = createReplica(app)
  const queries = createLiveQueries(replica, () => ({ state: 'synced', intents: [], provisional: [] }))
  const live = queries.live(app.query.sets.where({ workoutId: 'w1' }).orderBy('position').spec)
  await replica.confirm(
    frame(0, [patch('ada', 0, 1, { rows: { workouts: [workout('w1')], sets: [set('s1', 'w1', 1)] } })]),
    new Set(),
  )
  const log = intent('logSet', { id: 's2', workoutId: 'w1', exercise: 'Squat', reps: 5, kg: 100 })
  expect(await replica.run(log, 'call')).toMatchObject({ kept: true, picture: 'shown', needs: [] })
  expect(replica.get('sets', 's2')).toMatchObject({ id: 's2', position: 2 })
  expect(live.rows.map((row) => [row.id, row['position']])).toEqual([
    ['s1', 1],
    ['s2', 2],
  ])
  let told = 0
  live.subscribe(() => told++)
  await replica.confirm(frame(1, [patch('ada', 1, 2, { rows: { sets: [set('s2', 'w1', 2)] } })]), new Set([log.id]))
  expect(replica.get('sets', 's2')).toEqual(set('s2', 'w1', 2))
  expect(replica.writers('sets', 's2')).toEqual([])
  expect(told).toBe(0)
})
