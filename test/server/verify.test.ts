// Verification finds a planted fault of each kind, is content with everything that the engine itself does, changes nothing, and mending
// leaves what devices then pull.
import { type App, compute, count, defineApp, max, min } from 'holdfast'
import { expect, onTestFinished, test } from 'vitest'
import { layOut } from '../../src/server/db/layout.ts'
import { migrate } from '../../src/server/db/migrate.ts'
import { MIGRATIONS } from '../../src/server/state/tables.ts'
import { mendDatabase, verifyDatabase } from '../../src/server/verify.ts'
import { onPostgres } from './bases.ts'
import { app, type Stage, stage, uuid } from './scenario.ts'

const workout = (id: string, ownerId = 'anna') =>
  ['insertWorkouts', { id, ownerId, name: 'Legs', done: false }] as const
const set = (id: string, workoutId: string) => ['insertSets', { id, workoutId, reps: 5, kg: 10 }] as const

/** A database with rows in two scopes, positions, aggregates, a tombstone and outcomes of three clients. */
async function busy(): Promise<Stage & { readonly w: string; readonly sets: readonly string[] }> {
  const on = await stage()
  const [anna, ben] = [on.device('anna'), on.device('ben')]
  const [w, v, ...sets] = [uuid(), uuid(), uuid(), uuid(), uuid()] as const
  await anna.call(workout(w), ...sets.map((id) => set(id, w)), workout(v), set(uuid(), v))
  await anna.call(['deleteWorkouts', { id: v }])
  await ben.call(workout(uuid(), 'ben'))
  await on.authority.run('anna', 'updateSets', { id: sets[0], reps: 6 })
  await anna.pull()
  return { ...on, w, sets }
}

const layoutOf = (on: Stage) => layOut(app as App, on.database.dialect)
const verify = (on: Stage) => verifyDatabase(on.database, layoutOf(on), MIGRATIONS)
const kindsOf = async (on: Stage) => (await verify(on)).findings.map(({ kind }) => kind)
const everything = (on: Stage) =>
  [
    'workouts',
    'sets',
    'workoutTotals',
    'holdfast_log',
    'holdfast_scope',
    'holdfast_commit',
    'holdfast_ledger',
    'holdfast_mark',
  ].map((name) => on.foreign(`SELECT * FROM ${name} ORDER BY 1, 2, 3`))

test('all is as it should be after ordinary work, and an empty database is too', async () => {
  const on = await busy()
  expect(await verify(on)).toEqual({ findings: [], rows: 6, groups: 4, isCut: false })
  expect((await verify(await stage())).findings).toEqual([])
})

test('[I10] what somebody wrote and nobody has adopted yet is no fault, and verifying adopts nothing', async () => {
  const on = await busy()
  on.foreign("UPDATE workouts SET ownerId = 'ben' WHERE id = ?", on.w)
  on.foreign('INSERT INTO sets (id, workoutId, reps, kg) VALUES (?, ?, 1, 1)', uuid(), on.w)
  const before = everything(on)
  expect((await verify(on)).findings).toEqual([])
  expect(everything(on)).toEqual(before)
})

/** Faults that no trigger marks, each as plain SQL; `id` is a workout with three sets. */
const faults: readonly (readonly [
  what: string,
  plant: (on: Awaited<ReturnType<typeof busy>>) => void,
  kinds: readonly string[],
  mends: boolean,
])[] = [
  [
    '[I11] an aggregate that is wrong',
    ({ foreign }) => void foreign('UPDATE workoutTotals SET volume = 1'),
    ['aggregate'],
    true,
  ],
  [
    '[I11] an aggregate that is missing',
    ({ foreign, w }) => void foreign('DELETE FROM workoutTotals WHERE id = ?', w),
    ['aggregate', 'log'],
    true,
  ],
  [
    '[I11] an aggregate of no rows',
    ({ foreign }) => void foreign("INSERT INTO workoutTotals VALUES ('nobody', 1, 1)"),
    ['aggregate'],
    true,
  ],
  [
    '[I11] a position that is missing',
    (on) => unmarked(on, `UPDATE sets SET position = NULL WHERE id = '${on.sets[1]}'`),
    ['position'],
    true,
  ],
  [
    '[I11] a position that two rows have, where the index went',
    (on) => {
      on.foreign('DROP INDEX "holdfast.sets.position"')
      unmarked(on, `UPDATE sets SET position = 1 WHERE id = '${on.sets[1]}'`)
    },
    ['missing'],
    false,
  ],
  [
    '[I10] a row of which the log knows nothing',
    ({ foreign, sets: [id = ''] }) => void foreign('DELETE FROM holdfast_log WHERE id = ?', id),
    ['log'],
    true,
  ],
  [
    '[I10] a row that the log has in another scope',
    ({ foreign, sets: [id = ''] }) =>
      void foreign("UPDATE holdfast_log SET scope = 'user:ben', version = 1 WHERE id = ?", id),
    ['log', 'log'],
    true,
  ],
  [
    '[I10] a row that the log has in two scopes',
    ({ foreign, sets: [id = ''] }) =>
      void foreign("INSERT INTO holdfast_log (tbl, id, scope, version, gone) VALUES ('sets', ?, 'user:ben', 1, 0)", id),
    ['log'],
    true,
  ],
  [
    '[I10] a row that went past its trigger',
    (on) => unmarked(on, `DELETE FROM sets WHERE id = '${on.sets[2]}'`),
    ['log', 'aggregate'],
    true,
  ],
  [
    '[I10] an entry of no row',
    ({ foreign }) =>
      void foreign("INSERT INTO holdfast_log (tbl, id, scope, version, gone) VALUES ('notes', 'n', 'user:anna', 1, 0)"),
    ['log'],
    true,
  ],
  [
    '[I7] a scope that went back',
    ({ foreign }) => void foreign("UPDATE holdfast_scope SET version = version - 1 WHERE scope = 'user:anna'"),
    ['version', 'version'],
    false,
  ],
  [
    '[I7] a commit that is missing',
    ({ foreign }) => void foreign("DELETE FROM holdfast_commit WHERE scope = 'user:anna' AND version = 2"),
    ['version'],
    false,
  ],
  [
    '[I18] a scope under another mark',
    ({ foreign }) => void foreign("UPDATE holdfast_scope SET mark = 'feed'"),
    ['version', 'version'],
    false,
  ],
  [
    '[I2] a number that the ledger has not',
    ({ foreign }) => void foreign('DELETE FROM holdfast_ledger WHERE sequence = 2'),
    ['ledger'],
    false,
  ],
  [
    '[I2] outcomes of a client without a record',
    ({ foreign }) => void foreign("DELETE FROM holdfast_client WHERE actor = 'ben'"),
    ['ledger'],
    false,
  ],
  [
    'a trigger that went',
    ({ foreign }) => void foreign(`DROP TRIGGER "holdfast.sets.update"${onPostgres() ? ' ON sets' : ''}`),
    ['missing', 'missing'],
    false,
  ],
]

/** Runs a statement on `sets` past its triggers, and leaves them there. */
function unmarked(on: Stage, statement: string): void {
  on.foreign(statement)
  on.foreign('DELETE FROM holdfast_mark')
}

test.each(faults)('%s is found', async (_what, plant, kinds) => {
  const on = await busy()
  plant(on)
  const found = await kindsOf(on)
  expect([...new Set(found)].sort()).toEqual([...new Set(kinds)].sort())
  expect(found.length).toBeGreaterThanOrEqual(kinds.length)
})

test.each(faults.filter(([, , , mends]) => mends))(
  '%s is mended, and every device hears of it',
  async (_what, plant) => {
    const on = await busy()
    const [anna, ben] = [on.device('anna'), on.device('ben')]
    await Promise.all([anna.pull(), ben.pull()])
    plant(on)
    const { mended, left } = await mendDatabase(on.database, layoutOf(on), MIGRATIONS)
    expect([mended > 0, left.findings]).toEqual([true, []])
    expect(await kindsOf(on)).toEqual([])
    await Promise.all([anna.pull(), ben.pull()])
    for (const device of [anna, ben]) {
      const fresh = on.device(device.actor)
      await fresh.pull()
      for (const table of ['workouts', 'sets', 'notes', 'workoutTotals', 'userTotals'])
        expect(device.rows(table)).toEqual(fresh.rows(table))
    }
  },
)

test('mending makes nothing where something cannot be mended, and says what is left', async () => {
  const on = await busy()
  on.foreign('DELETE FROM holdfast_ledger WHERE sequence = 2')
  const { mended, left } = await mendDatabase(on.database, layoutOf(on), MIGRATIONS)
  expect([mended, left.findings.map(({ kind }) => kind)]).toEqual([0, ['ledger']])
})

test('positions that two rows share are given anew when the index is there again', async () => {
  const on = await busy()
  on.foreign('DROP INDEX "holdfast.sets.position"')
  unmarked(on, `UPDATE sets SET position = 1 WHERE id = '${on.sets[1]}'`)
  // The unique index cannot be made over them: the start says so, and they are given up by hand.
  await expect(migrate(on.database, layoutOf(on), MIGRATIONS, 0, 'apply')).rejects.toThrow(/unique|constraint/i)
  on.foreign('UPDATE sets SET position = NULL WHERE id = ?', on.sets[1] ?? '')
  await migrate(on.database, layoutOf(on), MIGRATIONS, 0, 'apply')
  expect(await kindsOf(on)).toEqual([])
})

test('[I11] values of every kind are compared as they stand: texts, truths, none, and those of a function that fails', async () => {
  const { workouts, sets } = app.tables
  const other = defineApp({
    tables: { workouts, sets },
    aggregates: ({ aggregate }) => ({
      best: aggregate('sets')
        .by('workoutId')
        .values({
          sets: count(),
          least: min((row) => (row.kg > 0 ? row.kg : null)),
          most: max((row) => row.kg),
          word: compute((rows) => `a "${rows.length}"`),
          isLong: compute((rows) => rows.length > 1),
          broken: compute((): number => {
            throw new Error('never')
          }),
        }),
    }),
    mutators: ({ generated }) => ({ ...generated('workouts'), ...generated('sets') }),
  })
  const mine = ['user:anna']
  const on = await stage({ app: other as never, grants: () => ({ read: mine, write: mine }) })
  const [w, v] = [uuid(), uuid()]
  await on
    .device('anna')
    .call(workout(w), workout(v), set(uuid(), w), set(uuid(), w), [
      'insertSets',
      { id: uuid(), workoutId: v, reps: 1, kg: 0 },
    ])
  const look = () => verifyDatabase(on.database, layOut(other as unknown as App, on.database.dialect), MIGRATIONS)
  expect(await look()).toMatchObject({ findings: [], groups: 2 })
  on.foreign("UPDATE best SET word = '1' WHERE id = ?", w)
  expect((await look()).findings).toMatchObject([{ kind: 'aggregate', problem: expect.stringContaining('"word":1') }])
})

test('a database to which another version belongs is not verified', async () => {
  const on = await busy()
  onTestFinished(() => undefined)
  on.foreign("UPDATE holdfast_migration SET checksum = 'feed'")
  await expect(verify(on)).rejects.toThrow(/another text/)
})
