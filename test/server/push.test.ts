// The push as a device sees it: outcomes, repeats, numbers, dependencies, faults.
import { expect, test } from 'vitest'
import { stage, uuid } from './scenario.ts'

test('[I3] a batch that is sent twice is decided once, and the second answer repeats the first', async () => {
  const { device, foreign } = await stage()
  const anna = device('anna')
  const workout = uuid()
  const entries = anna.make(
    ['insertWorkouts', { id: workout, ownerId: 'anna', name: 'Legs', done: false }],
    ['insertSets', { id: uuid(), workoutId: workout, reps: 5, kg: 100.5 }],
  )
  const first = await anna.push(...entries)
  expect(first).toMatchObject({ status: 200, decided: 2, outcomes: [{ from: 1, to: 2, status: 'applied' }] })
  const second = await anna.push(...entries)
  expect(second).toMatchObject({
    status: 200,
    decided: 2,
    outcomes: [{ from: 1, to: 2, status: 'applied', repeated: true }],
  })
  expect(foreign('SELECT count(*) AS n FROM sets')).toEqual([{ n: 1 }])
  const seal = await anna.pull()
  expect(seal).toMatchObject({ decided: 2, scopes: ['user:anna'], outcomes: [{ from: 1, to: 2, status: 'applied' }] })
  expect(anna.rows('sets')).toMatchObject([{ workoutId: workout, position: 1, reps: 5, kg: 100.5 }])
  expect(anna.rows('workoutTotals')).toEqual([{ id: workout, sets: 1, volume: 502.5 }])
  expect(anna.rows('userTotals')).toEqual([{ id: 'anna', workouts: 1 }])
})
