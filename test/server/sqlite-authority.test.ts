// An authority on SQLite, where it differs from other databases: memory instead of a file, a file that cannot be opened, a full disk.
import { sqlite } from 'holdfast/sqlite'
import { expect, test } from 'vitest'
import { stage, uuid } from './scenario.ts'

const workout = (id: string) => ['insertWorkouts', { id, ownerId: 'anna', name: 'Legs', done: false }] as const

test('a database that cannot be opened says which and why', () => {
  expect(() => sqlite('/nowhere/at/all/data.db')).toThrow(/The database "\/nowhere\/at\/all\/data.db" cannot be opened/)
})

test('an authority in memory works without a file', async () => {
  const { authority, device } = await stage({ path: ':memory:' })
  const anna = device('anna')
  const id = uuid()
  await anna.call(workout(id))
  await anna.pull()
  expect(anna.rows('workouts')).toMatchObject([{ id }])
  expect(await authority.health()).toMatchObject({ status: 'ok' })
})

test('[I3] a full disk is nobody’s fault: the request is to be tried again, nothing is recorded, and then it goes on', async () => {
  const on = await stage()
  const anna = on.device('anna')
  await anna.call(workout(uuid()))
  const entries = anna.make(
    ...Array.from(
      { length: 200 },
      () => ['insertWorkouts', { id: uuid(), ownerId: 'anna', name: 'x'.repeat(2_000), done: false }] as const,
    ),
  )
  const [{ pages }] = on.foreign('SELECT page_count AS pages FROM pragma_page_count') as [{ readonly pages: number }]
  await on.database.write((sql) => sql.run(`PRAGMA max_page_count = ${pages + 10}`))
  expect(await anna.push(...entries)).toMatchObject({ status: 503, body: { code: 'unavailable', retryable: true } })
  expect(on.foreign('SELECT count(*) AS n FROM holdfast_ledger')).toEqual([{ n: 1 }])
  await on.database.write((sql) => sql.run('PRAGMA max_page_count = 1000000'))
  expect(await anna.push(...entries)).toMatchObject({ status: 200, decided: 201 })
})
