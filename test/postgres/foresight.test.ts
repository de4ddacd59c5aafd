// How many statements a batch takes where each is a way to the server and back: about as many for a hundred intents as for a few.
import { expect, test } from 'vitest'
import { stage, uuid } from '../server/scenario.ts'

test('the rows that the intents of a batch ask for are read together, their parents and missing ones too', async () => {
  const asked: string[] = []
  const on = await stage()
  const write = on.database.write
  Object.assign(on.database, {
    write: (body: Parameters<typeof write>[0]) =>
      write((sql) =>
        body({
          ...sql,
          all: (text, parameters) => {
            asked.push(text)
            return sql.all(text, parameters)
          },
        }),
      ),
  })
  const anna = on.device('anna')
  const ids = Array.from({ length: 100 }, uuid)
  const few = asked.length
  expect(
    await anna.call(
      ...ids.map((id) => ['insertWorkouts', { id, ownerId: 'anna', name: 'Legs', done: false }] as const),
    ),
  ).toMatchObject({ decided: 100, outcomes: [{ from: 1, to: 100, status: 'applied' }] })
  expect(
    await anna.call(
      ...ids.map((id) => ['insertSets', { id: `s${id}`, workoutId: id, reps: 1, kg: 1 }] as const),
      ['insertSets', { id: 'stray', workoutId: 'nowhere', reps: 1, kg: 1 }],
      ...ids.map((id) => ['updateSets', { id: `s${id}`, reps: 2 }] as const),
    ),
  ).toMatchObject({ decided: 301 })
  expect(await anna.call(...ids.map((id) => ['updateSets', { id: `s${id}`, reps: 3 }] as const))).toMatchObject({
    decided: 401,
    outcomes: [{ from: 302, to: 401, status: 'applied' }],
  })
  expect(asked.filter((text) => /FROM "(?:workouts|sets|laps)"/.test(text)).length - few).toBeLessThan(20)
  expect(on.foreign('SELECT count(*) AS n FROM sets WHERE reps = 3')).toEqual([{ n: 100 }])
})
