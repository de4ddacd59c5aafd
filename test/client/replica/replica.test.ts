// What a replica promises to those who use it, case by case; that the overlay is right in all cases is rebase.test.ts.
import { expect, test } from 'vitest'
import {
  createReplica,
  type PendingIntent,
  type Replica,
  type ReplicaCommit,
} from '../../../src/client/replica/replica.ts'
import { app, frame, intent, patch, place, scope, set, workout } from './app.ts'

const heard = async (): Promise<Replica> => {
  const replica = createReplica(app, 'ada')
  await replica.confirm(frame(0, [patch('ada', 0, 1, { rows: { workouts: [workout('w')] } })]), new Set())
  return replica
}

test('a replica that was never told anything knows nothing, and says so', async () => {
  const replica = createReplica(app, 'ada')
  expect([replica.isComplete, replica.decided, replica.client, replica.at]).toEqual([false, 0, undefined, undefined])
  expect([replica.cursors(), replica.pending(), [...replica.rows('sets')], [...replica.frames()]]).toEqual([
    [],
    [],
    [],
    [],
  ])
  await replica.confirm(frame(3, [patch('ada', 0, 1, {})]), new Set())
  expect([replica.isComplete, replica.decided, replica.client, replica.at]).toEqual([
    true,
    3,
    '00000000-0000-4000-8000-00000000c11e',
    5_000,
  ])
  expect(replica.cursors()).toEqual([{ scope: scope('ada'), ...place(1) }])
})

test('a table that the app does not have is an error, not an empty answer', async () => {
  const replica = await heard()
  const message = 'no table or aggregate "laps"; it has workouts, sets, workoutTotals'
  expect(() => replica.get('laps', 'x')).toThrow(message)
  expect(() => replica.rows('laps')).toThrow(message)
  expect(() => replica.confirmedRows('laps')).toThrow(message)
  expect(() => replica.writers('laps', 'x')).toThrow(message)
})

test('[I5] calls that overlap run one at a time, in the order in which they were made', async () => {
  const replica = await heard()
  const counts: unknown[] = []
  replica.onCommit(({ changes }) => counts.push(changes.get('workouts')?.get('w')?.after?.['count']))
  const made = Array.from({ length: 20 }, () => intent('bump', { id: 'w' }))
  const runs = made.map((each) => replica.run(each, 'call'))
  expect(replica.isRunning()).toBe(true)
  await Promise.all(runs)
  expect(replica.isRunning()).toBe(false)
  expect(counts).toEqual(made.map((_, index) => index + 1))
  expect(replica.pending()).toEqual(made.map(({ id }) => id))
})

test('[I5] what takes an intent out runs again only what was built on it', async () => {
  const replica = await heard()
  const start = intent('startWorkout', { id: 'v', name: 'Push' })
  const log = intent('logSet', { id: 's', workoutId: 'w', exercise: 'Squat', reps: 5, kg: 100 })
  const rename = intent('rename', { id: 'v', name: 'Pull' })
  for (const made of [start, log, rename]) await replica.run(made, 'call')
  await replica.drop(new Set([start.id, intent('bump', {}).id]))
  expect(replica.picture(rename.id)).toBe('in-doubt')
  expect(replica.counters.replays).toBe(1)
  expect(replica.pending()).toEqual([log.id, rename.id])
  expect(replica.get('workouts', 'v')).toBeUndefined()
  expect(replica.get('sets', 's')).toBeDefined()
})

test('[I5] a new order is taken over in one commit: known intents move, unknown ones are run, those not named stay at the end', async () => {
  const replica = await heard()
  const [one, two, three, four] = ['one', 'two', 'three', 'four'].map((name) =>
    intent('rename', { id: 'w', name }),
  ) as [PendingIntent, PendingIntent, PendingIntent, PendingIntent]
  for (const made of [one, two, three]) await replica.run(made, 'call')
  const commits: ReplicaCommit[] = []
  replica.onCommit((commit) => commits.push(commit))
  await replica.reorder([one, four, two])
  expect(replica.pending()).toEqual([one.id, four.id, two.id, three.id])
  expect(replica.get('workouts', 'w')).toMatchObject({ name: 'three' })
  await replica.reorder([three, one, two])
  expect(replica.pending()).toEqual([three.id, one.id, two.id, four.id])
  expect(replica.get('workouts', 'w')).toMatchObject({ name: 'four' })
  expect(commits.map(({ changes }) => changes.get('workouts')?.get('w')?.after?.['name'])).toEqual([undefined, 'four'])
  await replica.reorder([three, one, two, four])
  expect(commits).toHaveLength(2)
})

test('[I5] a frame of an earlier history and the intents that it makes pending again are one commit', async () => {
  const replica = await heard()
  const [one, two] = [intent('bump', { id: 'w' }), intent('bump', { id: 'w' })]
  await replica.run(one, 'call')
  await replica.confirm(
    frame(1, [patch('ada', 1, 2, { rows: { workouts: [workout('w', { count: 1 })] } })]),
    new Set([one.id]),
  )
  await replica.run(two, 'call')
  const counts: unknown[] = []
  replica.onCommit(({ changes }) => counts.push(changes.get('workouts')?.get('w')?.after?.['count']))
  // The authority was set back to before the first one.
  await replica.confirm(
    frame(0, [patch('ada', 0, 9, { reset: true, rows: { workouts: [workout('w')] } })]),
    new Set(),
    [one, two],
  )
  expect(replica.pending()).toEqual([one.id, two.id])
  expect(replica.get('workouts', 'w')).toMatchObject({ count: 2 })
  // Nobody saw it flicker.
  expect(counts).toEqual([undefined])
})

const touchedIds = (touched: ReplicaCommit['touched']): { readonly [table: string]: readonly string[] } =>
  Object.fromEntries([...touched].map(([{ name }, rows]) => [name, [...rows.keys()]]))

test('[I14] a frame is told even if nothing is shown otherwise, and with it which rows have other writers', async () => {
  const replica = await heard()
  const log = intent('logSet', { id: 's', workoutId: 'w', exercise: 'Squat', reps: 5, kg: 100 })
  await replica.run(log, 'call')
  const commits: ReplicaCommit[] = []
  replica.onCommit((commit) => commits.push(commit))
  await replica.confirm(frame(1, [patch('ada', 1, 2, { rows: { sets: [set('s', 'w', 1)] } })]), (id) => id === log.id)
  await replica.confirm(frame(1, []), new Set())
  expect(commits.map(({ changes, touched, frame }) => [changes.size, touchedIds(touched), frame?.decided])).toEqual([
    [0, { sets: ['s'] }, 1],
    [0, {}, 1],
  ])
})

test('[I14] a listener of commits that throws keeps neither the others nor the engine from going on', async () => {
  const reported: unknown[] = []
  const replica = createReplica(app, 'ada', (error) => reported.push(error))
  let told = 0
  replica.onCommit(() => {
    throw new Error('a listener')
  })
  const stop = replica.onCommit(() => told++)
  await replica.confirm(frame(0, [patch('ada', 0, 1, {})]), new Set())
  stop()
  await replica.confirm(frame(0, [patch('ada', 1, 2, {})]), new Set())
  expect(told).toBe(1)
  expect(reported).toHaveLength(2)
})
