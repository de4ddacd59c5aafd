// The authority's own runs: the same mutators for the server’s own code, with the same outcomes.
import { expect, test } from 'vitest'
import { stage, uuid } from './scenario.ts'

const workout = (id: string, ownerId = 'anna') => ({ id, ownerId, name: 'Legs', note: null, done: false, extra: null })

test('a run is decided like a push, and devices see what it did', async () => {
  const { authority, device } = await stage()
  const id = uuid()
  expect(await authority.run('anna', 'insertWorkouts', workout(id))).toEqual({ status: 'applied' })
  expect(await authority.run('anna', 'insertWorkouts', workout(id))).toEqual({
    status: 'rejected',
    code: 'row_exists',
    details: { table: 'workouts', id },
  })
  expect(await authority.run('ben', 'updateWorkouts', { id, name: 'Mine' })).toMatchObject({
    status: 'rejected',
    code: 'row_gone',
  })
  const anna = device('anna')
  expect(await anna.pull()).toMatchObject({ decided: 0 })
  expect(anna.rows('workouts')).toMatchObject([{ id }])
})

test('[I3] a run repeated with its id gives its outcome again, and shares ids with devices of the same actor', async () => {
  const { authority, device, foreign } = await stage()
  const id = uuid()
  const args = workout(uuid())
  const [one, two] = await Promise.all([
    authority.run('anna', 'insertWorkouts', args, { id }),
    authority.run('anna', 'insertWorkouts', args, { id }),
  ])
  expect([one, two]).toEqual([{ status: 'applied' }, { status: 'applied', repeated: true }])
  expect(await authority.run('anna', 'insertWorkouts', workout(uuid()), { id })).toMatchObject({
    status: 'rejected',
    code: 'id_reused',
  })
  expect(await device('anna').call(['insertWorkouts', args, { id }])).toMatchObject({
    outcomes: [{ status: 'applied', repeated: true }],
  })
  expect(foreign('SELECT count(*) AS n FROM workouts')).toEqual([{ n: 1 }])
})

test('many runs at once share commits and keep their order', async () => {
  const { authority, foreign } = await stage()
  const ids = Array.from({ length: 50 }, () => uuid())
  await Promise.all(ids.map((id) => authority.run('anna', 'insertWorkouts', workout(id))))
  expect(foreign('SELECT count(*) AS n FROM workouts')).toEqual([{ n: 50 }])
  const [{ commits } = { commits: 0 }] = foreign(
    "SELECT count(*) AS commits FROM holdfast_commit WHERE scope = 'user:anna'",
  ) as { readonly commits: number }[]
  expect(commits).toBeLessThan(10)
})

test('what cannot be decided rejects: unknown mutator, bad arguments, bad id, a mutator that throws', async () => {
  const { authority } = await stage()
  await expect(authority.run('anna', 'dance' as never, {} as never)).rejects.toMatchObject({ code: 'mutator_unknown' })
  await expect(authority.run('anna', 'act', { how: () => 1 } as never)).rejects.toThrow('JSON cannot carry')
  await expect(authority.run('', 'act', { how: '', id: uuid() })).rejects.toThrow('The actor')
  await expect(authority.run('anna', 'act', { how: '', id: uuid() }, { id: 'x' })).rejects.toThrow('must be a UUID')
  await expect(authority.run('anna', 'act', { how: 'throw', id: uuid() })).rejects.toMatchObject({
    code: 'fault',
    requestId: expect.any(String),
  })
  expect(await authority.run('anna', 'act', { how: 'reject', id: uuid() })).toMatchObject({
    status: 'rejected',
    code: 'not_today',
  })
})

test('a device cannot push as the authority’s own client', async () => {
  const { authority, device, foreign } = await stage()
  await authority.run('anna', 'insertWorkouts', workout(uuid()))
  const [{ client }] = foreign('SELECT client FROM holdfast_client') as [{ readonly client: string }]
  const anna = device('anna')
  anna.client = client
  anna.last = 1
  expect(await anna.call(['insertWorkouts', workout(uuid())])).toMatchObject({ status: 409, body: { code: 'forked' } })
})
