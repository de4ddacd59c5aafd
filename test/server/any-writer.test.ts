// Whoever writes: plain SQL of another process, foreign keys that cascade, tx.sql inside a mutator. What they change reaches devices
// that listen and devices that come back, with everything that follows from it: children, positions, aggregates. Over tables that were
// there before the engine, beside one that it made.
import fc from 'fast-check'
import type { App } from 'holdfast'
import { expect, onTestFinished, test } from 'vitest'
import { layOut } from '../../src/server/db/layout.ts'
import { MIGRATIONS } from '../../src/server/state/tables.ts'
import { verifyDatabase } from '../../src/server/verify.ts'
import { onPostgres } from './bases.ts'
import { app, open, set, workout } from './fitness.ts'
import { type Device, type Stage, uuid } from './scenario.ts'

const note = (id: string, workoutId: string) => ['insertNotes', { id, workoutId, text: 'x' }] as const
const findings = async ({ database }: Stage) =>
  (await verifyDatabase(database, layOut(app as App, database.dialect), MIGRATIONS)).findings
const TABLES = ['workouts', 'sets', 'notes', 'workoutTotals'] as const
const held = (device: Device) => TABLES.map((table) => device.rows(table))

/** Listens, and gives what waits until the device holds what is wanted. */
async function listen(
  device: Device,
  onSeal: () => void = () => undefined,
): Promise<(isThere: () => boolean) => Promise<void>> {
  let heard = (): void => undefined
  const { close } = await device.live((event, data) => {
    if (event === 'patch') device.apply([data as never])
    if (event === 'seal') {
      device.apply([], data as never)
      onSeal()
    }
    heard()
  })
  onTestFinished(close)
  return (isThere) =>
    new Promise((resolve) => {
      heard = () => void (isThere() && resolve())
      heard()
    })
}

/** Two workouts of anna with sets and notes, and a workout of ben. */
async function busy() {
  const on = await open({ tuning: { tickMs: 1, pollMs: 5 } })
  const [v, w, b] = [uuid(), uuid(), uuid()]
  const sets = [uuid(), uuid(), uuid()] as const
  const [anna, ben] = [on.device('anna'), on.device('ben')]
  await anna.call(workout(v), workout(w), set(sets[0], v), set(sets[1], v), set(sets[2], w), note(uuid(), v))
  await ben.call(workout(b, { ownerId: 'ben' }))
  await Promise.all([anna.pull(), ben.pull()])
  return { on, anna, ben, v, w, b, sets }
}

test('[I17] a row that plain SQL updates reaches the device that listens and the one that returns', async () => {
  const { on, anna, v } = await busy()
  const away = on.device('anna')
  await away.pull()
  const until = await listen(anna)
  on.foreign("UPDATE app_workouts SET title = 'Arms' WHERE workout_id = ?", v)
  await until(() => anna.rows('workouts').some(({ title }) => title === 'Arms'))
  await away.pull()
  expect(held(away)).toEqual(held(anna))
  expect(await findings(on)).toEqual([])
})

test('[I10] a parent that is deleted by plain SQL takes its children from every device, cascaded or orphaned', async () => {
  const { on, anna, v, w } = await busy()
  const phone = on.device('anna')
  await phone.pull()
  const until = await listen(phone)
  on.foreign('DELETE FROM app_workouts WHERE workout_id = ?', v)
  await until(() => phone.rows('workouts').length === 1)
  await anna.pull()
  for (const device of [phone, anna])
    expect(held(device)).toMatchObject([[{ id: w }], [{ workoutId: w }], [], [{ id: w, sets: 1 }]])
  // The note has no foreign key: it is there still, and in no scope.
  expect(on.foreign('SELECT count(*) AS n FROM notes')).toEqual([{ n: 1 }])
  expect(await findings(on)).toEqual([])
})

test('[I10] a parent that moves to another owner by plain SQL takes everything below along, and back', async () => {
  const { on, anna, ben, v } = await busy()
  const before = held(anna)
  on.foreign("UPDATE app_workouts SET owner_id = 'ben' WHERE workout_id = ?", v)
  await Promise.all([anna.pull(), ben.pull()])
  expect(held(anna).map((rows) => rows.length)).toEqual([1, 1, 0, 1])
  expect(held(ben).map((rows) => rows.length)).toEqual([2, 2, 1, 1])
  on.foreign("UPDATE app_workouts SET owner_id = 'anna' WHERE workout_id = ?", v)
  await Promise.all([anna.pull(), ben.pull()])
  expect(held(anna)).toEqual(before)
  expect(held(ben).map((rows) => rows.length)).toEqual([1, 0, 0, 0])
})

test('[I11] a child that moves to a parent of another owner leaves one device and comes to the other, at the end there', async () => {
  const { on, anna, ben, v, b, sets } = await busy()
  await ben.call(set(uuid(), b))
  on.foreign('UPDATE app_sets SET workout_id = ?, sort_no = NULL WHERE id = ?', b, sets[0])
  await Promise.all([anna.pull(), ben.pull()])
  expect(anna.rows('sets').map(({ id }) => id)).not.toContain(sets[0])
  expect(ben.rows('sets').find(({ id }) => id === sets[0])).toMatchObject({ workoutId: b, position: 2 })
  expect([anna.rows('workoutTotals'), ben.rows('workoutTotals')]).toMatchObject([
    expect.arrayContaining([expect.objectContaining({ id: v, sets: 1 })]),
    [{ id: b, sets: 2 }],
  ])
})

test('[I10] several statements of one foreign transaction come in one frame, never in part', async () => {
  const { on, anna, v } = await busy()
  const seen: number[] = []
  const until = await listen(anna, () => void seen.push(anna.rows('sets').length))
  const values = (id: string) => `('${id}', '${v}', 1, 1)`
  on.foreignTransaction(
    'DELETE FROM app_sets',
    `INSERT INTO app_sets (id, workout_id, reps, kg) VALUES ${[uuid(), uuid()].map(values).join(', ')}`,
    `INSERT INTO app_sets (id, workout_id, reps, kg) VALUES ${[uuid(), uuid(), uuid()].map(values).join(', ')}`,
  )
  await until(() => seen.at(-1) === 5)
  expect(seen.filter((count) => count !== 3 && count !== 5)).toEqual([])
})

test('[I10] a row whose key changes is gone under the old one and there under the new', async () => {
  const { on, anna, sets } = await busy()
  const id = uuid()
  on.foreign('UPDATE app_sets SET id = ? WHERE id = ?', id, sets[1])
  await anna.pull()
  expect(anna.rows('sets').map((row) => row.id)).toEqual([sets[0], sets[2], id].sort())
  expect(await findings(on)).toEqual([])
})

test('[I10] what tx.sql writes inside a mutator is adopted with the same commit, cascades included', async () => {
  const { on, anna, ben, v, w } = await busy()
  await anna.call(['bySql', { text: 'UPDATE app_sets SET reps = reps + 1 WHERE workout_id = ?', values: [v] }])
  expect(on.foreign('SELECT count(*) AS n FROM holdfast_mark')).toEqual([{ n: 0 }])
  await anna.pull()
  expect(anna.rows('sets').map(({ reps }) => reps)).toEqual([6, 6, 5])
  expect(anna.rows('workoutTotals')).toContainEqual({ id: v, sets: 2, volume: 120 })
  await anna.call(
    ['bySql', { text: 'DELETE FROM app_workouts WHERE workout_id = ?', values: [v] }],
    ['bySql', { text: "UPDATE app_workouts SET owner_id = 'ben' WHERE workout_id = ?", values: [w] }],
  )
  await Promise.all([anna.pull(), ben.pull()])
  expect([held(anna), held(ben).map((rows) => rows.length)]).toEqual([
    [[], [], [], []],
    [2, 1, 0, 1],
  ])
  expect(await findings(on)).toEqual([])
})

test('[I3] an intent that tx.sql would break is decided alone, and the others of its batch are applied', async () => {
  const { on, anna, v } = await busy()
  const answer = await anna.call(
    ['updateWorkouts', { id: v, title: 'Arms' }],
    [
      'bySql',
      { text: 'INSERT INTO app_sets (id, workout_id, reps, kg) VALUES (?, ?, 1, 1)', values: [uuid(), uuid()] },
    ],
    set(uuid(), v),
  )
  expect(answer.outcomes.map(({ status }) => status)).toEqual(['applied', 'rejected', 'applied'])
  await anna.pull()
  expect([anna.rows('sets').length, anna.rows('workouts').some(({ title }) => title === 'Arms')]).toEqual([4, true])
  expect(await findings(on)).toEqual([])
})

test('[I10] what was written while no authority ran is told when one does', async () => {
  const { on, anna, v, w } = await busy()
  await on.authority.close()
  on.foreign('DELETE FROM app_workouts WHERE workout_id = ?', v)
  on.foreign('INSERT INTO app_sets (id, workout_id, reps, kg) VALUES (?, ?, 2, 2)', uuid(), w)
  const again = await open({ path: on.path, before: [] })
  const back = again.device('anna')
  for (const [scope, place] of anna.cursors) back.cursors.set(scope, place)
  for (const [scope, rows] of anna.confirmed) back.confirmed.set(scope, rows)
  await back.pull()
  expect(held(back)).toMatchObject([[{ id: w }], [{}, {}], [], [{ id: w, sets: 2, volume: 54 }]])
})

type Step = { readonly who: boolean; readonly what: number; readonly row: number; readonly to: number }
const id = (kind: number, n: number) => `0000000${kind}-0000-4000-8000-00000000000${n}`
const [w, s, n] = [(row: number) => id(1, row), (row: number) => id(2, row), (row: number) => id(3, row)]

test('[I11] after any mixture of writers everything derived is as it should be, and every device equal to a new one', async () => {
  const step: fc.Arbitrary<Step> = fc.record({ who: fc.boolean(), what: fc.nat(6), row: fc.nat(4), to: fc.nat(4) })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 }),
      async (rounds) => {
        const on = await open()
        const devices = [on.device('a0'), on.device('a1')] as const
        for (const [index, round] of rounds.entries()) {
          const device = devices[index % 2] as Device
          for (const each of round) if (each.who) foreignly(on, each)
          await device.call(...round.filter(({ who }) => !who).map((each) => callOf(each, device.actor)))
          if (index % 2 === 1) await device.pull()
        }
        expect(await findings(on)).toEqual([])
        for (const device of devices) {
          await device.pull()
          const fresh = on.device(device.actor)
          await fresh.pull()
          expect(held(device)).toEqual(held(fresh))
        }
        expect(await findings(on)).toEqual([])
        await on.authority.close()
      },
    ),
    { numRuns: onPostgres() ? 15 : 40 },
  )
}, 120_000)

function callOf({ what, row, to }: Step, actor: string) {
  const calls = [
    workout(w(row), { ownerId: actor }),
    set(s(row), w(to), row, to / 3),
    note(n(row), w(to)),
    ['updateSets', { id: s(row), workoutId: w(to) }],
    ['deleteWorkouts', { id: w(row) }],
    ['deleteSets', { id: s(row) }],
    ['bySql', { text: 'UPDATE app_workouts SET owner_id = ? WHERE workout_id = ?', values: [`a${to % 2}`, w(row)] }],
  ] as const
  return calls[what] ?? calls[0]
}

function foreignly({ foreign }: Stage, { what, row, to }: Step): void {
  const statements: readonly (readonly [string, ...(string | number)[]])[] = [
    [
      "INSERT INTO app_workouts (workout_id, owner_id, title, started_at) VALUES (?, ?, 'f', '2024-01-01T00:00:00Z') ON CONFLICT DO NOTHING",
      w(row),
      `a${to % 2}`,
    ],
    [
      'INSERT INTO app_sets (id, workout_id, reps, kg) SELECT ?, workout_id, 1, 1 FROM app_workouts WHERE workout_id = ? ON CONFLICT DO NOTHING',
      s(row),
      w(to),
    ],
    [
      'UPDATE app_sets SET workout_id = ?, sort_no = NULL WHERE id = ? AND EXISTS (SELECT 1 FROM app_workouts AS p WHERE p.workout_id = ?)',
      w(to),
      s(row),
      w(to),
    ],
    ['UPDATE app_workouts SET owner_id = ? WHERE workout_id = ?', `a${to % 2}`, w(row)],
    ['DELETE FROM app_workouts WHERE workout_id = ?', w(row)],
    ['DELETE FROM app_sets WHERE id = ?', s(row)],
    ['DELETE FROM notes WHERE id = ?', n(row)],
  ]
  const [text, ...values] = statements[what] ?? (statements[0] as (typeof statements)[number])
  foreign(text, ...values)
}
