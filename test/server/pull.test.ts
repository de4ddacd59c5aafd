// The pull: pages, places within a version, other histories, grants, and what the seal says.
import { expect, test } from 'vitest'
import { decode } from '../../src/protocol/codec.ts'
import { LIMITS } from '../../src/protocol/limits.ts'
import { pullAnswer } from '../../src/protocol/pull.ts'
import { copyOf, type Device, type Stage, stage, uuid } from './scenario.ts'

const workout = (id: string, ownerId = 'anna', more: object = {}) =>
  ['insertWorkouts', { id, ownerId, name: 'Legs', done: false, ...more }] as const

/** Many rows at once, in one version: what a foreign import does. */
function fill({ foreign }: Stage, count: number, from = 0): void {
  foreign(
    "WITH RECURSIVE n(i) AS (SELECT CAST(? AS INTEGER) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?) INSERT INTO workouts (id, ownerId, name, done) SELECT 'w' || substr(CAST(1000000 + i AS TEXT), 2), 'anna', 'n' || i, false FROM n",
    from,
    from + count,
  )
}

async function pages(device: Device, between: (page: number) => void = () => undefined): Promise<number> {
  for (let count = 1; ; count++) {
    const page = await device.page()
    const decoded = decode(pullAnswer, page.body)
    expect(decoded.ok).toBe(true)
    const entries = page.patches
      .flatMap(({ rows, gone }) => [...Object.values(rows), ...Object.values(gone)])
      .reduce((sum, list) => sum + list.length, 0)
    expect(entries).toBeLessThanOrEqual(LIMITS.pageEntries)
    device.apply(page.patches, page.seal)
    if (page.seal !== undefined) return count
    between(count)
  }
}

const inDatabase = ({ foreign }: Stage) => foreign("SELECT id, name FROM workouts WHERE ownerId = 'anna' ORDER BY id")
const held = (device: Device) => device.rows('workouts').map(({ id, name }) => ({ id, name }))

test('[I13] one version that is larger than a page comes in several, and they equal the database', async () => {
  const on = await stage()
  fill(on, 12_001)
  const anna = on.device('anna')
  expect(await pages(anna)).toBe(3)
  expect(held(anna)).toEqual(inDatabase(on))
  expect(on.foreign("SELECT version FROM holdfast_scope WHERE scope = 'user:anna'")).toEqual([{ version: 1 }])
  expect(await anna.page()).toMatchObject({ patches: [], seal: { scopes: ['user:anna'] } })
})

test('[I13] a page ends with the row that makes it too large, and large rows still arrive', async () => {
  const on = await stage()
  const [anna, fresh] = [on.device('anna'), on.device('anna')]
  for (let n = 0; n < 5; n++)
    await on.authority.run('anna', 'insertWorkouts', {
      id: uuid(),
      ownerId: 'anna',
      name: 'ö'.repeat(400_000),
      note: null,
      done: false,
      extra: null,
    })
  await anna.pull()
  const first = await fresh.page()
  expect(first.seal).toBeUndefined()
  expect(JSON.stringify(first.patches).length).toBeLessThan(LIMITS.pageBytes + LIMITS.rowBytes)
  fresh.apply(first.patches)
  expect(await pages(fresh)).toBe(1)
  expect(held(fresh)).toEqual(held(anna))
  expect(held(fresh)).toHaveLength(5)
})

test('[I13] several scopes share the bounds of a page', async () => {
  const on = await stage({ grants: () => ({ read: ['user:anna', 'user:ben', 'user:zoe'], write: [] }) })
  fill(on, 9_000)
  on.foreign("UPDATE workouts SET ownerId = 'ben' WHERE id >= 'w003000'")
  on.foreign("UPDATE workouts SET ownerId = 'zoe' WHERE id >= 'w006000'")
  const anna = on.device('anna')
  expect(await pages(anna)).toBe(2)
  expect(anna.rows('workouts')).toHaveLength(9_000)
})

test('[I17] rows that change, go and come between two pages are as they are now at the seal', async () => {
  const on = await stage()
  fill(on, 11_000)
  const anna = on.device('anna')
  const count = await pages(anna, (page) => {
    if (page !== 1) return
    on.foreign("UPDATE workouts SET name = 'changed' WHERE id IN ('w000001', 'w010000')")
    on.foreign("DELETE FROM workouts WHERE id IN ('w000002', 'w010001')")
    on.foreign("UPDATE workouts SET ownerId = 'ben' WHERE id IN ('w000003', 'w010002')")
    fill(on, 10, 20_000)
  })
  expect(count).toBe(3)
  expect(held(anna)).toEqual(inDatabase(on))
})

test('a place within a version goes on after that very row', async () => {
  const on = await stage()
  fill(on, 6_000)
  const anna = on.device('anna')
  const first = await anna.page()
  expect(first.patches).toMatchObject([
    {
      scope: 'user:anna',
      from: { version: 0, mark: '' },
      to: { version: 1, within: { table: 'workouts', id: 'w004998' } },
    },
  ])
  expect(first.patches[0]?.to.mark).toMatch(/^[0-9a-f]{16}$/)
  anna.apply(first.patches)
  const second = await anna.page()
  expect(second.patches[0]?.from).toEqual(first.patches[0]?.to)
  expect(second.patches[0]?.rows['workouts']).toHaveLength(1_001)
  expect(second.patches[0]?.rows['workouts']?.[0]?.id).toBe('w004999')
})

test('a device that holds nothing hears nothing of what is gone; one that holds rows does', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const [a, b] = [uuid(), uuid()]
  await anna.call(workout(a), workout(b))
  await anna.pull()
  await anna.call(['deleteWorkouts', { id: a }])
  expect((await anna.page()).patches).toMatchObject([
    { from: { version: 1 }, to: { version: 2 }, gone: { workouts: [a] } },
  ])
  expect((await on.device('anna').page()).patches).toMatchObject([
    { from: { version: 0, mark: '' }, to: { version: 2 } },
  ])
  expect((await on.device('anna').page()).patches[0]?.gone).toEqual({})
})

test.each([
  ['a mark that this history does not know', { version: 1, mark: 'ffff' }],
  ['a version that is not reached yet', { version: 9, mark: 'ffff' }],
  ['a place within a version of another history', { version: 1, mark: 'ffff', within: { table: 'workouts', id: 'x' } }],
])('[I18] %s makes the scope begin anew', async (_what, place) => {
  const on = await stage()
  const anna = on.device('anna')
  const id = uuid()
  await anna.call(workout(id))
  await anna.call(workout(uuid()))
  anna.cursors.set('user:anna', place)
  const page = await anna.page()
  expect(page.patches).toMatchObject([
    { scope: 'user:anna', reset: true, from: { version: 0, mark: '' }, to: { version: 2 } },
  ])
  expect(page.patches[0]?.rows['workouts']).toHaveLength(2)
})

test('[I17] a device comes right after the authority was set back to an older copy and went on', async () => {
  const first = await stage()
  const anna = first.device('anna')
  await anna.call(workout(uuid()))
  await first.authority.close()
  const backup = await copyOf(first)
  const second = await stage({ path: first.path })
  const later = second.device('anna')
  later.client = anna.client
  later.last = anna.last
  await later.call(workout(uuid()), workout(uuid()))
  await later.pull()
  await second.authority.close()
  const third = await stage({ path: backup })
  const ben = third.device('anna')
  await ben.call(workout(uuid()))
  const again = third.device('anna')
  again.client = anna.client
  again.last = later.last
  for (const [scope, place] of later.cursors) again.cursors.set(scope, place)
  for (const [scope, rows] of later.confirmed) again.confirmed.set(scope, rows)
  expect(await again.pull()).toMatchObject({ decided: 1 })
  expect(held(again)).toEqual(inDatabase(third))
})

test('[I9] the seal lists exactly the scopes that may be read in its snapshot, and a gained scope comes whole', async () => {
  const on = await stage()
  const [anna, ben] = [on.device('anna'), on.device('ben')]
  on.foreign("INSERT INTO members (id, gymId, userId, role) VALUES ('m1', 'oak', 'ben', 'staff')")
  on.foreign("INSERT INTO notes (id, gymId, text) VALUES ('n1', 'oak', 'old')")
  expect((await anna.pull()).scopes).toEqual(['user:anna'])
  on.foreign("INSERT INTO members (id, gymId, userId, role) VALUES ('m2', 'oak', 'anna', 'staff')")
  expect((await anna.pull()).scopes).toEqual(['gym:oak', 'user:anna'])
  expect(anna.rows('notes')).toMatchObject([{ id: 'n1' }])
  on.foreign("DELETE FROM members WHERE id = 'm2'")
  on.foreign("INSERT INTO notes (id, gymId, text) VALUES ('n2', 'oak', 'secret')")
  const page = await anna.page()
  expect(page.patches).toEqual([])
  expect(page.seal?.scopes).toEqual(['user:anna'])
  expect((await ben.pull()).scopes).toEqual(['gym:oak', 'user:ben'])
})

test('[I9] cursors of scopes that may not be read bring nothing', async () => {
  const on = await stage()
  const [anna, ben] = [on.device('anna'), on.device('ben')]
  await ben.call(workout(uuid(), 'ben'))
  await ben.pull()
  for (const [scope, place] of ben.cursors) anna.cursors.set(scope, place)
  anna.cursors.set('user:ben', { version: 0, mark: '' })
  expect((await anna.page()).patches.map(({ scope }) => scope)).toEqual(['user:anna'])
})

test('a scope without rows gets an empty patch once, and then none', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const page = await anna.page()
  expect(page.patches).toEqual([
    { scope: 'user:anna', from: { version: 0, mark: '' }, to: { version: 0, mark: '' }, rows: {}, gone: {} },
  ])
  anna.apply(page.patches, page.seal)
  expect((await anna.page()).patches).toEqual([])
})

test('the seal tells the outcomes after those that are stored, and a pull leaves no trace', async () => {
  const on = await stage()
  const anna = on.device('anna')
  await anna.call(workout(uuid()), ['act', { how: 'reject', id: uuid() }], workout(uuid()), workout(uuid()))
  const rejected = { from: 2, to: 2, status: 'rejected', code: 'not_today', details: { why: 'rain' } }
  expect((await anna.page()).seal).toMatchObject({
    decided: 4,
    outcomes: [{ from: 1, to: 1, status: 'applied' }, rejected, { from: 3, to: 4, status: 'applied' }],
  })
  anna.stored = 2
  expect((await anna.page()).seal).toMatchObject({ outcomes: [{ from: 3, to: 4, status: 'applied' }] })
  anna.stored = 4
  expect((await anna.page()).seal).toMatchObject({ outcomes: [] })
  const stranger = on.device('stranger')
  expect(await stranger.pull()).toMatchObject({ decided: 0, outcomes: [] })
  expect(on.foreign('SELECT client FROM holdfast_client')).toEqual([{ client: anna.client }])
})

test('[I18] a device that knows fewer numbers than are decided is answered forked', async () => {
  const on = await stage()
  const anna = on.device('anna')
  await anna.call(workout(uuid()), workout(uuid()))
  anna.last = 1
  expect(await anna.page()).toMatchObject({ status: 409, body: { code: 'forked' } })
})

test('every kind of column crosses as it is', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const id = uuid()
  const row = {
    id,
    ownerId: 'anna',
    name: 'Zürich "’🏋️\u2028\\',
    note: null,
    done: true,
    extra: { a: [1, null, 'x'], b: false },
  }
  await anna.call(
    ['insertWorkouts', row],
    ['insertSets', { id: uuid(), workoutId: id, reps: -9007199254740991, kg: 0.1 + 0.2 }],
  )
  await anna.pull()
  expect(anna.rows('workouts')).toEqual([row])
  expect(anna.rows('sets')).toMatchObject([{ position: 1, reps: -9007199254740991, kg: 0.30000000000000004 }])
})
