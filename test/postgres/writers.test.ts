// An authority on PostgreSQL among others: foreign transactions that overlap with its own, several authorities on one database, hints
// between them, and what an app may do in its own sessions.
import { Client } from 'pg'
import { expect, inject, onTestFinished, test } from 'vitest'
import { foreignly } from '../server/bases.ts'
import { type Device, type Stage, stage, uuid } from '../server/scenario.ts'

const workout = (id: string, ownerId = 'anna', more: object = {}) =>
  ['insertWorkouts', { id, ownerId, name: 'Legs', done: false, ...more }] as const
const set = (id: string, workoutId: string, reps = 1) => ['insertSets', { id, workoutId, reps, kg: 1 }] as const
/** Nothing is found by polling. */
const unpolled = { tickMs: 1, pollMs: 1_000_000 }

async function session({ path }: Stage): Promise<Client> {
  const client = new Client({ connectionString: inject('postgres'), options: `-c search_path=${path}` })
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

/** What a stream brought; applied to its device. */
async function listen(device: Device) {
  const events: string[] = []
  const stream = await device.live((event, data) => {
    events.push(event)
    if (event === 'patch') device.apply([data as never])
  })
  onTestFinished(() => stream.close())
  return { events, until }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
}

test('[I10] marks that a foreign transaction commits between the snapshot and the end of an adoption wait for the next', async () => {
  let between: () => void = () => undefined
  const on = await stage({
    mutators: {
      act: async (tx, { id }) => {
        await tx.workouts.insert({ id, ownerId: tx.actor, name: 'mine', done: false })
        // The snapshot of this transaction is taken: what comes now is not in it.
        await tx.workouts.get(uuid())
        between()
      },
    },
  })
  const anna = on.device('anna')
  const [w, theirs, mine] = [uuid(), uuid(), uuid()]
  await anna.call(workout(w))
  between = () => {
    on.foreign("INSERT INTO workouts (id, ownerId, name, done) VALUES (?, 'anna', 'theirs', false)", theirs)
    on.foreign('INSERT INTO sets (id, workoutId, reps, kg) VALUES (?, ?, 2, 2)', uuid(), w)
  }
  expect(await anna.call(['act', { how: '', id: mine }])).toMatchObject({ outcomes: [{ status: 'applied' }] })
  expect(on.foreign('SELECT new_id FROM holdfast_mark ORDER BY n')).toHaveLength(2)
  expect(on.foreign("SELECT version FROM holdfast_scope WHERE scope = 'user:anna'")).toEqual([{ version: 2 }])
  await anna.pull()
  expect(anna.rows('workouts').map(({ id }) => id)).toEqual([w, theirs, mine].sort())
  expect(anna.rows('sets')).toMatchObject([{ position: 1 }])
  expect(on.foreign("SELECT version FROM holdfast_scope WHERE scope = 'user:anna'")).toEqual([{ version: 3 }])
})

test('[I11] a foreign row that takes the next position in between makes the transaction begin again, and refuses nobody', async () => {
  let runs = 0
  const on = await stage({
    mutators: {
      act: async (tx, { id, how }) => {
        await tx.sets.insert({ id, workoutId: how, reps: 1, kg: 1 })
        if (++runs === 1)
          on.foreign('INSERT INTO sets (id, workoutId, position, reps, kg) VALUES (?, ?, 1, 1, 1)', uuid(), how)
      },
    },
  })
  const anna = on.device('anna')
  const [w, mine] = [uuid(), uuid()]
  await anna.call(workout(w))
  expect(await anna.call(['act', { how: w, id: mine }])).toMatchObject({ outcomes: [{ status: 'applied' }] })
  expect(runs).toBe(2)
  await anna.pull()
  expect(anna.rows('sets').find(({ id }) => id === mine)).toMatchObject({ position: 2 })
})

test('[I3] a row that others change under a mutator is read anew: no update is lost, and each intent is decided once', async () => {
  const on = await stage({
    mutators: {
      act: async (tx, { id }) => {
        const row = await tx.sets.get(id)
        if (row !== undefined) await tx.sets.update(id, { reps: row.reps + 1 })
      },
    },
  })
  const anna = on.device('anna')
  const [w, s] = [uuid(), uuid()]
  await anna.call(workout(w), set(s, w, 0))
  const other = await session(on)
  const raise = async () => {
    for (let turn = 0; turn < 40; turn++) await other.query('UPDATE sets SET reps = reps + 1 WHERE id = $1', [s])
  }
  const raising = raise()
  const devices = Array.from({ length: 8 }, () => on.device('anna'))
  for (let round = 0; round < 10; round++)
    await Promise.all(
      devices.map(async (device) => {
        const entries = device.make(['act', { how: '', id: s }])
        let answer = await device.push(...entries)
        // As a device does: others may have been in the way six times.
        while (answer.status === 503) answer = await device.push(...entries)
        expect(answer).toMatchObject({ outcomes: [{ status: 'applied' }] })
      }),
    )
  await raising
  expect(on.foreign('SELECT reps FROM sets')).toEqual([{ reps: 120 }])
  expect(on.foreign("SELECT count(*) AS n FROM holdfast_ledger WHERE status = 'applied'")).toEqual([{ n: 82 }])
})

test('a batch whose rows somebody keeps locked is to be sent again, and those of others that were merged with it go on', async () => {
  const on = await stage()
  const [anna, ben] = [on.device('anna'), on.device('ben')]
  const w = uuid()
  await anna.call(workout(w))
  const other = await session(on)
  await other.query('BEGIN')
  await other.query('UPDATE workouts SET note = $1 WHERE id = $2', ['x', w])
  const [hers, his] = await Promise.all([
    anna.call(['updateWorkouts', { id: w, name: 'Arms' }]),
    ben.call(workout(uuid(), 'ben')),
  ])
  expect(hers).toMatchObject({ status: 503, body: { code: 'unavailable', retryable: true, retryAfterMs: 1_000 } })
  expect(his).toMatchObject({ decided: 1 })
  await other.query('COMMIT')
})

test('TRUNCATE of a synced table is refused and says why; one of another table is not', async () => {
  const on = await stage()
  await on.device('anna').call(workout(uuid()))
  expect(() => on.foreign('TRUNCATE workouts')).toThrow('workouts is synced by Holdfast: TRUNCATE tells nobody')
  on.foreign('TRUNCATE holdfast_watched')
})

test('who may write a table of the app needs no right to the engine’s, and no path that leads there', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const [w, s] = [uuid(), uuid()]
  await anna.call(workout(w), set(s, w))
  const role = `clerk_${on.path}`
  on.foreignTransaction(
    `CREATE ROLE ${role}`,
    `GRANT USAGE ON SCHEMA ${on.path} TO ${role}`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ${on.path}.workouts, ${on.path}.sets TO ${role}`,
  )
  foreignly(
    'public',
    `SET LOCAL ROLE ${role}`,
    `UPDATE ${on.path}.workouts SET name = 'by the clerk'`,
    `UPDATE ${on.path}.sets SET reps = 9`,
  )
  await anna.pull()
  expect(anna.rows('workouts')).toMatchObject([{ name: 'by the clerk' }])
  expect(anna.rows('workoutTotals')).toMatchObject([{ volume: 9 }])
  on.foreignTransaction(`DROP OWNED BY ${role}`, `DROP ROLE ${role}`)
})

test('a bulk change by plain SQL marks each row once, in pairs and in order, also where ids change', async () => {
  const on = await stage()
  const anna = on.device('anna')
  await anna.call(
    workout('w'),
    ...Array.from({ length: 300 }, (_, at) => set(`s${String(at).padStart(3, '0')}`, 'w', at)),
  )
  on.foreign("UPDATE sets SET id = 'x' || id WHERE reps < 200")
  const marks = on.foreign("SELECT old_id, new_id, old_under FROM holdfast_mark WHERE tbl = 'sets' ORDER BY n")
  expect(marks).toHaveLength(200)
  for (const mark of marks as { old_id: string; new_id: string; old_under: string }[])
    expect([mark.new_id, mark.old_under]).toEqual([`x${mark.old_id}`, 'w'])
  on.foreign('DELETE FROM sets WHERE reps >= 100')
  await anna.pull()
  expect(anna.rows('sets')).toHaveLength(100)
  expect(anna.rows('sets').every(({ id }) => id.startsWith('xs'))).toBe(true)
})

test('[I17] two authorities on one database: a hint brings at once what the other decides, and what the other adopts', async () => {
  const here = await stage({ tuning: unpolled })
  const there = await stage({ path: here.path, tuning: unpolled })
  const anna = here.device('anna')
  await anna.pull()
  const stream = await listen(anna)
  const [w, v] = [uuid(), uuid()]
  await there.device('anna').call(workout(w))
  await stream.until(() => anna.rows('workouts').length === 1)
  there.foreign("INSERT INTO workouts (id, ownerId, name, done) VALUES (?, 'anna', 'plain', false)", v)
  await there.device('anna').pull()
  await stream.until(() => anna.rows('workouts').length === 2)
})

test('[I17] what is too long for a hint is told as one to look at everything, and strangers’ notes change nothing', async () => {
  const here = await stage({ tuning: unpolled })
  const there = await stage({ path: here.path, tuning: unpolled, grants: () => ({ read: [], write: scopes }) })
  const scopes = Array.from({ length: 400 }, (_, at) => `user:${'long'.repeat(8)}${at}`).concat('user:anna')
  const anna = here.device('anna')
  await anna.pull()
  const stream = await listen(anna)
  const stranger = await session(here)
  for (const text of ['no JSON', '[]', '{"scopes":[1,{}],"clients":7}', '{"isFull":"yes"}'])
    await stranger.query('SELECT pg_notify($1, $2)', ['holdfast', text])
  await there.device('ben').call(...scopes.map((scope) => workout(uuid(), scope.slice(5))))
  await stream.until(() => anna.rows('workouts').length === 1)
})

test('[I17] a listener whose connection dies comes back and looks at everything', async () => {
  const here = await stage({ tuning: unpolled })
  const anna = here.device('anna')
  await anna.pull()
  const stream = await listen(anna)
  const killer = await session(here)
  const listening = async (): Promise<readonly number[]> => {
    const { rows } = await killer.query(
      "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()",
    )
    return rows.map(({ pid }) => pid)
  }
  let pids: readonly number[] = []
  while (pids.length === 0) pids = await listening()
  // While nobody listens something is committed of which no hint comes.
  await killer.query('SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid', [pids])
  await stream.until(() => here.logged.some(({ message }) => message.includes('listens for commits was lost')))
  here.foreign("INSERT INTO workouts (id, ownerId, name, done) VALUES (?, 'anna', 'plain', false)", uuid())
  await stream.until(() => anna.rows('workouts').length === 1)
})

test('[I11] authorities that append under one parent at once give every position once', async () => {
  const first = await stage()
  const second = await stage({ path: first.path })
  const w = uuid()
  await first.device('anna').call(workout(w))
  const devices = Array.from({ length: 16 }, (_, at) => (at % 2 === 0 ? first : second).device('anna'))
  await Promise.all(
    devices.map(async (device) => {
      for (let round = 0; round < 5; round++) {
        const answer = await device.call(...Array.from({ length: 4 }, () => set(uuid(), w)))
        expect(answer.outcomes).toMatchObject([{ status: 'applied' }])
      }
    }),
  )
  expect(first.foreign('SELECT position FROM sets ORDER BY position')).toEqual(
    Array.from({ length: 320 }, (_, at) => ({ position: at + 1 })),
  )
  expect(first.foreign('SELECT sets FROM workoutTotals')).toEqual([{ sets: 320 }])
})

test('three processes that start at once on an empty database make its tables once', async () => {
  const first = await stage()
  const path = `${first.path}_more`
  foreignly('public', `CREATE SCHEMA ${path}`)
  const stages = await Promise.all([stage({ path }), stage({ path }), stage({ path })])
  expect(await stages[2]?.device('anna').call(workout(uuid()))).toMatchObject({ decided: 1 })
  expect(foreignly(path, 'SELECT number FROM holdfast_migration GROUP BY number HAVING count(*) > 1')).toEqual([])
})
