// The same database under another version of the app, and a database that fails: what starts, what is repaired, what is refused.
import { count, defineApp, sum, t, table } from 'holdfast'
import { type Authority, createAuthority } from 'holdfast/server'
import { expect, onTestFinished, test } from 'vitest'
import { freshBase, openBase } from './bases.ts'
import { app, grants, stage, uuid } from './scenario.ts'

const { workouts, sets } = app.tables
const workout = (id: string) => ['insertWorkouts', { id, ownerId: 'anna', name: 'Legs', done: false }] as const
const set = (id: string, workoutId: string) => ['insertSets', { id, workoutId, reps: 5, kg: 10 }] as const

/** Opens another app over a file. */
async function reopen(path: string, other: ReturnType<typeof defineApp>): Promise<Authority> {
  const authority = createAuthority({
    app: other,
    database: openBase(path),
    authenticate: () => 'anna',
    grants: () => ({ read: ['user:anna'], write: ['user:anna'] }),
  })
  onTestFinished(() => authority.close())
  await authority.ready
  return authority
}

async function pullAll(authority: Authority, fingerprint: string) {
  const body = { protocol: 1, app: fingerprint, actor: 'anna', client: uuid(), last: 0, stored: 0, cursors: [] }
  const answer = await authority.fetch(
    new Request('http://x/sync/pull', {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  )
  return (await answer.json()) as {
    readonly patches: readonly { readonly rows: { readonly [table: string]: unknown } }[]
  }
}

test('[I11] an aggregate that is declared later, or otherwise, is computed for the rows that are there', async () => {
  const first = await stage()
  const [w, s] = [uuid(), uuid()]
  await first.device('anna').call(workout(w), set(s, w))
  await first.authority.close()
  const later = defineApp({
    tables: { workouts, sets },
    aggregates: ({ aggregate }) => ({
      workoutTotals: aggregate('sets')
        .by('workoutId')
        .values({ reps: sum((row) => row.reps) }),
      setCounts: aggregate('sets').by('workoutId').values({ sets: count() }),
    }),
  })
  const second = await reopen(first.path, later as never)
  const { patches } = await pullAll(second, later.fingerprint)
  expect(patches[0]?.rows).toMatchObject({ workoutTotals: [{ id: w, reps: 5 }], setCounts: [{ id: w, sets: 1 }] })
  await second.close()
  const third = await reopen(first.path, later as never)
  await third.health()
  expect(first.foreign('SELECT count(*) AS n FROM holdfast_mark')).toEqual([{ n: 0 }])
})

test('[I11] a position that is declared later is given to the rows that are there', async () => {
  const first = await stage()
  const [w, a, b] = [uuid(), uuid(), uuid()]
  await first.device('anna').call(workout(w), set(a, w), set(b, w))
  await first.authority.close()
  const later = defineApp({
    tables: { workouts, sets: table({ ...sets.columns, place: t.appendIndex('workoutId') }).scopeVia('workoutId') },
  })
  const second = await reopen(first.path, later as never)
  const { patches } = await pullAll(second, later.fingerprint)
  expect(patches[0]?.rows['sets']).toMatchObject([
    { id: a, place: 1 },
    { id: b, place: 2 },
  ])
})

test('rows of a table that the app no longer declares are not told, and stop nothing', async () => {
  const first = await stage()
  const [w, s] = [uuid(), uuid()]
  await first.device('anna').call(workout(w), set(s, w))
  await first.authority.close()
  const later = defineApp({ tables: { workouts } })
  const second = await reopen(first.path, later as never)
  first.foreign('UPDATE sets SET reps = 9')
  const { patches } = await pullAll(second, later.fingerprint)
  expect(Object.keys(patches[0]?.rows ?? {})).toEqual(['workouts'])
})

test.each([
  [
    'a body for a mutator that is not declared',
    { mutators: { dance: async () => undefined } },
    /declares no mutator "dance"/,
  ],
  ['a base path that is none', { basePath: 'sync/' }, /must look like \/sync/],
])('an authority is refused %s', (_what, more, message) => {
  const database = openBase(freshBase())
  onTestFinished(() => database.close())
  expect(() => createAuthority({ app, database, authenticate: () => 'anna', grants, ...(more as object) })).toThrow(
    message,
  )
})

test('[I3] a ledger that was tampered with refuses to decide a place twice, in production too', async () => {
  const on = await stage()
  const anna = on.device('anna')
  await anna.call(workout(uuid()))
  on.foreign('UPDATE holdfast_client SET decided = 0')
  const answer = await anna.push({
    ...(anna.make(workout(uuid()))[0] as { readonly sequence: number; readonly id: string }),
    sequence: 1,
  })
  expect(answer).toMatchObject({ stop: { sequence: 1, code: 'fault' } })
  expect(on.foreign('SELECT count(*) AS n FROM workouts')).toEqual([{ n: 1 }])
})
