// Adoption: what plain SQL of another connection does to scopes, versions, positions and aggregates, and that it is what a device sees.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { onPostgres } from './bases.ts'
import { type Device, type Stage, stage, uuid } from './scenario.ts'

const workout = (id: string, ownerId = 'anna') =>
  ['insertWorkouts', { id, ownerId, name: 'Legs', done: false }] as const
const set = (id: string, workoutId: string, reps = 5, kg = 10) => ['insertSets', { id, workoutId, reps, kg }] as const
const version = ({ foreign }: Stage, scope: string) =>
  foreign('SELECT version FROM holdfast_scope WHERE scope = ?', scope)

/** Each aggregate against its recomputation, each position unique, and the log against the rows. */
function expectWhole({ foreign }: Stage): void {
  expect(foreign('SELECT * FROM workoutTotals ORDER BY id')).toEqual(
    foreign(
      'SELECT workoutId AS id, count(*) + 0.0 AS sets, sum(CAST(round(reps * kg * 100) AS INTEGER)) / 100.0 AS volume FROM sets GROUP BY workoutId ORDER BY workoutId',
    ),
  )
  expect(foreign('SELECT * FROM userTotals ORDER BY id')).toEqual(
    foreign('SELECT ownerId AS id, count(*) + 0.0 AS workouts FROM workouts GROUP BY ownerId ORDER BY ownerId'),
  )
  expect(foreign('SELECT workoutId, position FROM sets GROUP BY workoutId, position HAVING count(*) > 1')).toEqual([])
  expect(foreign('SELECT id FROM sets WHERE position IS NULL')).toEqual([])
  expect(foreign("SELECT id, scope FROM holdfast_log WHERE tbl = 'sets' AND gone = 0 ORDER BY id")).toEqual(
    foreign(
      "SELECT s.id AS id, 'user:' || w.ownerId AS scope FROM sets s JOIN workouts w ON w.id = s.workoutId ORDER BY s.id",
    ),
  )
  expect(foreign("SELECT id, scope FROM holdfast_log WHERE tbl = 'laps' AND gone = 0 ORDER BY id")).toEqual(
    foreign(
      "SELECT l.id AS id, 'user:' || w.ownerId AS scope FROM laps l JOIN sets s ON s.id = l.setId JOIN workouts w ON w.id = s.workoutId ORDER BY l.id",
    ),
  )
  expect(foreign("SELECT id, scope FROM holdfast_log WHERE tbl = 'workoutTotals' AND gone = 0 ORDER BY id")).toEqual(
    foreign(
      "SELECT t.id AS id, 'user:' || w.ownerId AS scope FROM workoutTotals t JOIN workouts w ON w.id = t.id ORDER BY t.id",
    ),
  )
  // A version without a gap, and one commit for each.
  expect(
    foreign(
      'SELECT s.scope FROM holdfast_scope s JOIN holdfast_commit c ON c.scope = s.scope GROUP BY s.scope HAVING count(*) <> max(c.version) OR max(c.version) <> max(s.version)',
    ),
  ).toEqual([])
}

test('[I10] a foreign write counts from its adoption: the next pull brings it', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const [w, a, b] = [uuid(), uuid(), uuid()]
  await anna.call(workout(w), set(a, w))
  await anna.pull()
  on.foreign('INSERT INTO sets (id, workoutId, reps, kg) VALUES (?, ?, 3, 7.5)', b, w)
  on.foreign("UPDATE workouts SET name = 'Arms' WHERE id = ?", w)
  await anna.pull()
  expect(anna.rows('sets')).toMatchObject([
    { id: a, position: 1 },
    { id: b, position: 2 },
  ])
  expect(anna.rows('workouts')).toMatchObject([{ name: 'Arms' }])
  expect(anna.rows('workoutTotals')).toMatchObject([{ id: w, sets: 2, volume: 72.5 }])
  expect(version(on, 'user:anna')).toEqual([{ version: 2 }])
  expectWhole(on)
})

test('[I7] whatever waits is adopted with the authority’s own batch, and a scope rises by one in a commit', async () => {
  const on = await stage()
  const [anna, ben] = [on.device('anna'), on.device('ben')]
  const w = uuid()
  await anna.call(workout(w))
  on.foreign("UPDATE workouts SET name = 'Arms' WHERE id = ?", w)
  on.foreign("UPDATE workouts SET name = 'Chest' WHERE id = ?", w)
  await Promise.all([anna.call(set(uuid(), w), set(uuid(), w)), ben.call(workout(uuid(), 'ben'))])
  expect(version(on, 'user:anna')).toEqual([{ version: 2 }])
  expect(version(on, 'user:ben')).toEqual([{ version: 1 }])
  expect(on.foreign('SELECT count(DISTINCT mark) AS marks FROM holdfast_commit WHERE version = 2')).toEqual([
    { marks: 1 },
  ])
  expectWhole(on)
})

test('[I10] children follow a parent that moves to another scope, two steps down, and leave a tombstone', async () => {
  const on = await stage()
  const [anna, ben] = [on.device('anna'), on.device('ben')]
  const [w, s, l] = [uuid(), uuid(), uuid()]
  await anna.call(workout(w), set(s, w), ['insertLaps', { id: l, setId: s, ms: 1 }])
  await anna.pull()
  on.foreign("UPDATE workouts SET ownerId = 'ben' WHERE id = ?", w)
  await Promise.all([anna.pull(), ben.pull()])
  expect([...(anna.confirmed.get('user:anna')?.keys() ?? [])]).toEqual([])
  expect([ben.rows('workouts'), ben.rows('sets'), ben.rows('laps'), ben.rows('workoutTotals')]).toMatchObject([
    [{ id: w }],
    [{ id: s }],
    [{ id: l }],
    [{ id: w, sets: 1 }],
  ])
  expect(
    on.foreign("SELECT tbl, id, gone FROM holdfast_log WHERE scope = 'user:anna' AND gone = 1 ORDER BY tbl"),
  ).toEqual([
    { tbl: 'laps', id: l, gone: 1 },
    { tbl: 'sets', id: s, gone: 1 },
    { tbl: 'userTotals', id: 'anna', gone: 1 },
    { tbl: 'workoutTotals', id: w, gone: 1 },
    { tbl: 'workouts', id: w, gone: 1 },
  ])
  expectWhole(on)
})

test('[I10] a row that comes back to a scope replaces its tombstone', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const [w, s] = [uuid(), uuid()]
  await anna.call(workout(w), set(s, w))
  await anna.pull()
  on.foreign("UPDATE workouts SET ownerId = 'ben' WHERE id = ?", w)
  await anna.pull()
  on.foreign("UPDATE workouts SET ownerId = 'anna' WHERE id = ?", w)
  await anna.pull()
  expect(anna.rows('sets')).toMatchObject([{ id: s, position: 1 }])
  expect(on.foreign("SELECT gone FROM holdfast_log WHERE tbl = 'sets' AND scope = 'user:anna'")).toEqual([{ gone: 0 }])
  expectWhole(on)
})

test('[I10] children of a deleted parent leave all scopes, and come back with it', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const [w, s] = [uuid(), uuid()]
  await anna.call(workout(w), set(s, w))
  await anna.pull()
  on.foreign('DELETE FROM workouts WHERE id = ?', w)
  await anna.pull()
  expect([...(anna.confirmed.get('user:anna')?.keys() ?? [])]).toEqual([])
  expectWhole(on)
  on.foreign("INSERT INTO workouts (id, ownerId, name, done) VALUES (?, 'anna', 'Again', true)", w)
  await anna.pull()
  expect(anna.rows('sets')).toMatchObject([{ id: s }])
  expect(anna.rows('workoutTotals')).toMatchObject([{ id: w, sets: 1 }])
  expectWhole(on)
})

test('[I10] children that plain SQL inserts before their parent appear with it', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const [w, s] = [uuid(), uuid()]
  on.foreign('INSERT INTO sets (id, workoutId, reps, kg) VALUES (?, ?, 1, 1)', s, w)
  await anna.pull()
  expect(anna.rows('sets')).toEqual([])
  on.foreign("INSERT INTO workouts (id, ownerId, name, done) VALUES (?, 'anna', 'Late', false)", w)
  await anna.pull()
  expect(anna.rows('sets')).toMatchObject([{ id: s, position: 1 }])
  expectWhole(on)
})

test('[I11] a child that moves to another parent goes to its end, by a mutator and by plain SQL', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const [v, w] = [uuid(), uuid()]
  const [a, b, c, d] = [uuid(), uuid(), uuid(), uuid()]
  await anna.call(workout(v), workout(w), set(a, v), set(b, v), set(c, w), set(d, w))
  await anna.call(['updateSets', { id: a, workoutId: w }])
  on.foreign('UPDATE sets SET workoutId = ? WHERE id = ?', v, c)
  // A plain UPDATE that would collide with a position there must give its own up.
  if (!onPostgres()) expect(() => on.foreign('UPDATE sets SET workoutId = ? WHERE id = ?', v, d)).toThrow(/UNIQUE/)
  await anna.pull()
  const places = (id: string) => on.foreign('SELECT id, position FROM sets WHERE workoutId = ? ORDER BY position', id)
  expect(places(w)).toEqual([
    { id: d, position: 2 },
    { id: a, position: 3 },
  ])
  expect(places(v)).toEqual([
    { id: b, position: 2 },
    { id: c, position: 3 },
  ])
  expectWhole(on)
})

test('[I11] positions are given as max + 1 in the order of the intents, also by devices that push at once', async () => {
  const on = await stage({ grants: () => ({ read: ['user:anna'], write: ['user:anna'] }) })
  const devices = Array.from({ length: 6 }, (_, n) => on.device(`d${n}`))
  const w = uuid()
  await on.device('anna').call(workout(w))
  const ids = devices.map(() => Array.from({ length: 20 }, () => uuid()))
  await Promise.all(devices.map((device, n) => device.call(...(ids[n] ?? []).map((id) => set(id, w)))))
  const positions = new Map(
    on
      .foreign('SELECT id, position FROM sets')
      .map((row) => [(row as { readonly id: string }).id, (row as { readonly position: number }).position]),
  )
  expect([...positions.values()].sort((x, y) => x - y)).toEqual(Array.from({ length: 120 }, (_, n) => n + 1))
  for (const own of ids)
    expect(own.map((id) => positions.get(id))).toEqual(own.map((id) => positions.get(id)).sort((x = 0, y = 0) => x - y))
})

test('[I11] a row that is deleted and inserted again goes to the end, in one batch and in one foreign transaction', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const [w, a, b, c] = [uuid(), uuid(), uuid(), uuid()]
  await anna.call(workout(w), set(a, w), set(b, w))
  await anna.call(['deleteSets', { id: a }], set(c, w), set(a, w))
  const order = () => on.foreign('SELECT id FROM sets ORDER BY position')
  expect(order()).toEqual([{ id: b }, { id: c }, { id: a }])
  const again = (id: string) => `INSERT INTO sets (id, workoutId, reps, kg) VALUES ('${id}', '${w}', 1, 1)`
  on.foreignTransaction(`DELETE FROM sets WHERE id IN ('${b}', '${c}')`, again(c), again(b))
  await anna.pull()
  expect(order()).toEqual([{ id: a }, { id: c }, { id: b }])
  expectWhole(on)
})

test('[I11] a count is never used as the next position', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const [w, a, b, c] = [uuid(), uuid(), uuid(), uuid()]
  await anna.call(workout(w), set(a, w), set(b, w), ['deleteSets', { id: a }], set(c, w))
  expect(on.foreign('SELECT id, position FROM sets ORDER BY position')).toEqual([
    { id: b, position: expect.any(Number) },
    { id: c, position: expect.any(Number) },
  ])
  expectWhole(on)
})

test('a row deleted past its trigger is found and adopted instead of stopping every pull', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const [w, a, b] = [uuid(), uuid(), uuid()]
  await anna.call(workout(w), set(a, w))
  // REPLACE over the unique index deletes the other row without its trigger; PostgreSQL’s superuser can pass all triggers.
  if (onPostgres())
    on.foreignTransaction(
      'SET LOCAL session_replication_role = replica',
      'DELETE FROM sets',
      'SET LOCAL session_replication_role = origin',
      `INSERT INTO sets (id, workoutId, position, reps, kg) VALUES ('${b}', '${w}', 1, 1, 1)`,
    )
  else on.foreign('INSERT OR REPLACE INTO sets (id, workoutId, position, reps, kg) VALUES (?, ?, 1, 1, 1)', b, w)
  await anna.pull()
  expect(anna.rows('sets')).toMatchObject([{ id: b }])
  expect(on.logged).toMatchObject([{ level: 'warn', message: 'a row went without a mark' }])
  expectWhole(on)
})

test('a row whose value makes no scope is in none', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const w = uuid()
  await anna.call(workout(w))
  on.foreign('UPDATE workouts SET ownerId = ? WHERE id = ?', 'x'.repeat(300), w)
  await anna.pull()
  expect(anna.rows('workouts')).toEqual([])
  expect(on.foreign('SELECT scope FROM holdfast_scope')).toEqual([{ scope: 'user:anna' }])
  on.foreign("UPDATE workouts SET ownerId = 'anna' WHERE id = ?", w)
  await anna.pull()
  expect(anna.rows('workouts')).toMatchObject([{ id: w }])
})

test.each([
  ['a real that is none', 'UPDATE sets SET kg = 9e999'],
  ['a boolean that is none', 'UPDATE workouts SET done = 2'],
  ['JSON that is none', "UPDATE workouts SET extra = '{'"],
  ['text with NUL', onPostgres() ? 'UPDATE workouts SET name = chr(0)' : 'UPDATE workouts SET name = char(65, 0)'],
  ['an integer beyond JavaScript’s', 'UPDATE sets SET reps = 9007199254740993'],
  ['another type', "UPDATE sets SET reps = 'many'"],
  ['an empty id', "UPDATE sets SET id = ''"],
])('plain SQL cannot store %s', async (_what, statement) => {
  const on = await stage()
  const w = uuid()
  await on.device('anna').call(workout(w), set(uuid(), w))
  expect(() => on.foreign(statement)).toThrow(/constraint|cannot store|out of range|of type|invalid|null character/)
})

type Step = {
  readonly who: 'device' | 'foreign'
  readonly what: number
  readonly row: number
  readonly to: number
  readonly value: number
}

test('[I11] aggregates, positions, log and every replica equal their recomputation after any mixture of writes', async () => {
  const step: fc.Arbitrary<Step> = fc.record({
    who: fc.constantFrom('device', 'foreign'),
    what: fc.nat(9),
    row: fc.nat(5),
    to: fc.nat(5),
    value: fc.nat(9),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 8 }),
      async (rounds) => {
        const on = await stage()
        const devices = [on.device('a0'), on.device('a1')] as const
        for (const [index, round] of rounds.entries()) {
          const device = devices[index % 2] as Device
          const calls = round.filter(({ who }) => who === 'device').map((each) => callOf(each, device.actor))
          for (const each of round) if (each.who === 'foreign') foreignly(on, each)
          await device.call(...calls)
          if (index % 3 === 2) await device.pull()
        }
        for (const device of devices) await device.pull()
        expectWhole(on)
        for (const device of devices) {
          const fresh = on.device(device.actor)
          await fresh.pull()
          for (const table of ['workouts', 'sets', 'laps', 'workoutTotals', 'userTotals'])
            expect(device.rows(table)).toEqual(fresh.rows(table))
          expect(device.rows('sets')).toEqual(
            on.foreign(
              'SELECT s.* FROM sets s JOIN workouts w ON w.id = s.workoutId WHERE w.ownerId = ? ORDER BY s.id',
              device.actor,
            ),
          )
        }
        await on.authority.close()
      },
    ),
    { numRuns: onPostgres() ? 20 : 60 },
  )
}, 120_000)

function callOf({ what, row, to, value }: Step, actor: string) {
  const [w, s, l] = [`w${row}`, `s${row}`, `l${row}`]
  const calls = [
    ['insertWorkouts', { id: w, ownerId: actor, name: 'n', done: false }],
    ['insertSets', { id: s, workoutId: `w${to}`, reps: value, kg: value / 3 }],
    ['insertLaps', { id: l, setId: `s${to}`, ms: value }],
    ['updateSets', { id: s, kg: value / 7 }],
    ['updateSets', { id: s, workoutId: `w${to}` }],
    ['updateLaps', { id: l, setId: `s${to}` }],
    ['deleteWorkouts', { id: w }],
    ['deleteSets', { id: s }],
    ['deleteLaps', { id: l }],
    ['renameAll', { name: `n${value}` }],
  ] as const
  return calls[what] ?? calls[0]
}

function foreignly({ foreign }: Stage, { what, row, to, value }: Step): void {
  const [w, s, l] = [`w${row}`, `s${row}`, `l${row}`]
  const statements: (readonly [string, ...(string | number)[]])[] = [
    [
      "INSERT INTO workouts (id, ownerId, name, done) VALUES (?, ?, 'f', false) ON CONFLICT DO NOTHING",
      w,
      `a${to % 2}`,
    ],
    [
      'INSERT INTO sets (id, workoutId, reps, kg) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
      s,
      `w${to}`,
      value,
      value / 3,
    ],
    ['INSERT INTO laps (id, setId, ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING', l, `s${to}`, value],
    ['UPDATE sets SET kg = ? WHERE id = ?', value / 7, s],
    ['UPDATE sets SET workoutId = ?, position = NULL WHERE id = ?', `w${to}`, s],
    ['UPDATE workouts SET ownerId = ? WHERE id = ?', `a${value % 3}`, w],
    ['DELETE FROM workouts WHERE id = ?', w],
    ['DELETE FROM sets WHERE workoutId = ?', `w${to}`],
    ['DELETE FROM laps WHERE setId = ?', `s${to}`],
    [
      'UPDATE sets SET id = ? WHERE id = ? AND NOT EXISTS (SELECT 1 FROM sets AS o WHERE o.id = ?)',
      `s${to}`,
      s,
      `s${to}`,
    ],
  ]
  const [text, ...parameters] = statements[what] ?? ['SELECT 1']
  foreign(text, ...parameters)
}
