// Tables that were there before, in PostgreSQL's own types: uuid, timestamptz, numeric, jsonb, boolean, varchar in the order of a language.
// What they hold is read, written and compared as a device does, and what does not fit is told at the start. That any writer's changes
// reach devices, test/server/any-writer.test.ts says on both databases.
import { expect, test } from 'vitest'
import { at, open, set, tables, workout } from '../server/fitness.ts'
import { uuid } from '../server/scenario.ts'

test('rows that were there reach a device with the names and values that the app declares', async () => {
  const [v, s] = [uuid(), uuid()]
  const on = await open({
    before: [
      ...tables(),
      `INSERT INTO app_workouts (workout_id, owner_id, title, started_at, ended_at, is_done, extra)
       VALUES ('${v}', 'anna', 'Old', '2024-05-01 12:00:00.2509+02', ${at + 1}, true, '{"mood": 5}')`,
      `INSERT INTO app_sets (id, workout_id, reps, kg) VALUES ('${s}', '${v}', 3, 7.50)`,
    ],
  })
  const anna = on.device('anna')
  await anna.pull()
  expect(anna.rows('workouts')).toEqual([
    { id: v, ownerId: 'anna', title: 'Old', startedAt: at + 250, endedAt: at + 1, done: true, extra: { mood: 5 } },
  ])
  expect(anna.rows('sets')).toEqual([{ id: s, workoutId: v, position: 1, reps: 3, kg: 7.5 }])
  expect(anna.rows('workoutTotals')).toEqual([{ id: v, sets: 1, volume: 22.5 }])
})

test('what a mutator writes stands there as the table wants it', async () => {
  const on = await open()
  const anna = on.device('anna')
  const [w, s, n] = [uuid(), uuid(), uuid()]
  await anna.call(workout(w, { done: true, extra: { a: [1] } }), set(s, w), [
    'insertNotes',
    { id: n, workoutId: w, text: 'x' },
  ])
  expect(
    on.foreign(
      'SELECT workout_id::text AS id, extract(epoch FROM started_at)::float8 AS at, is_done::text AS done, extra::text AS extra, created_at IS NOT NULL AS made FROM app_workouts',
    ),
  ).toEqual([{ id: w, at: at / 1_000, done: 'true', extra: '{"a": [1]}', made: 1 }])
  await anna.pull()
  expect([anna.rows('workouts'), anna.rows('sets'), anna.rows('notes')]).toMatchObject([
    [{ id: w, startedAt: at, done: true, extra: { a: [1] } }],
    [{ id: s, position: 1, kg: 10 }],
    [{ id: n, workoutId: w }],
  ])
})

test('[I3] an id that is no UUID is absent when it is looked for, and decides the intent that would write it', async () => {
  const on = await open()
  const anna = on.device('anna')
  const w = uuid()
  const answer = await anna.call(
    workout(w),
    ['updateWorkouts', { id: 'not-a-uuid', title: 'x' }],
    workout('not-a-uuid'),
    // The same UUID in other letters is another id to a device: it must not become the same row.
    workout('ABCDEF00-0000-4000-8000-000000000000'),
    set(uuid(), 'not-a-uuid'),
    ['renameWhere', { where: { id: 'not-a-uuid' }, title: 'none' }],
    ['renameWhere', { where: { id: { ne: 'not-a-uuid' } }, title: 'all' }],
  )
  expect(answer).toMatchObject({ decided: 7 })
  expect(answer.outcomes.flatMap(({ from, to, status }) => Array(to - from + 1).fill(status))).toEqual([
    'applied',
    'rejected',
    'rejected',
    'rejected',
    'rejected',
    'applied',
    'applied',
  ])
  expect(on.foreign('SELECT title FROM app_workouts')).toEqual([{ title: 'all' }])
})

test('conditions and orders mean the same as on a device', async () => {
  const on = await open()
  const anna = on.device('anna')
  const ids = [uuid(), uuid(), uuid()] as const
  await anna.call(
    workout(ids[0], { title: 'legs', startedAt: at + 2 }),
    workout(ids[1], { title: 'LEGS', startedAt: at + 1 }),
    workout(ids[2], { title: 'Arms', startedAt: at + 3 }),
  )
  // Between two milliseconds: to a device it is the earlier one.
  on.foreign(
    "UPDATE app_workouts SET started_at = started_at + interval '600 microseconds' WHERE workout_id = ?",
    ids[1],
  )
  const titles = () =>
    on
      .foreign('SELECT title FROM app_workouts ORDER BY workout_id')
      .map((row) => (row as { readonly title: string }).title)
  await anna.call(['renameWhere', { where: { startedAt: at + 1 }, title: 'two' }])
  expect(titles()).toEqual(['legs', 'two', 'Arms'])
  await anna.call(['renameWhere', { where: { startedAt: { gt: at + 2 } }, title: 'Three' }])
  expect(titles()).toEqual(['legs', 'two', 'Three'])
  await anna.call(['renameFirst', { by: 'startedAt', title: 'zoo' }])
  expect(titles()).toEqual(['legs', 'zoo', 'Three'])
  // By code point capitals come first; in the order of a language they do not.
  await anna.call(['renameFirst', { by: 'title', title: 'first' }])
  expect(titles()).toEqual(['legs', 'zoo', 'first'])
})

test('the engine makes nothing in such a table but its triggers, and a start over it again makes nothing at all', async () => {
  const on = await open()
  await on.device('anna').call(workout(uuid()))
  await on.authority.close()
  const again = await open({ path: on.path, before: [] })
  expect(again.foreign('SELECT count(*) AS n FROM holdfast_mark')).toEqual([{ n: 0 }])
  expect(
    again.foreign("SELECT count(*) AS n FROM pg_indexes WHERE schemaname = current_schema() AND tablename LIKE 'app%'"),
  ).toEqual([{ n: 4 }])
})

const misfits: readonly (readonly [what: string, change: (text: string) => string, says: RegExp])[] = [
  [
    'an id that the database counts',
    (text) => text.replace('id text PRIMARY', 'id bigserial PRIMARY'),
    /app_sets.id .* declared id and is bigint/,
  ],
  [
    'a day where a moment is declared',
    (text) => text.replace('started_at timestamptz', 'started_at date'),
    /started_at .* declared timestamp and is date/,
  ],
  [
    'a number where a boolean is declared',
    (text) => text.replace('is_done boolean NOT NULL DEFAULT false', 'is_done int NOT NULL DEFAULT 0'),
    /is_done .* declared boolean/,
  ],
  [
    'null where none is declared',
    (text) => text.replace('reps integer NOT NULL', 'reps integer'),
    /app_sets.reps .* may be null/,
  ],
  [
    'a position that nothing keeps unique',
    (text) => text.replace('CREATE UNIQUE INDEX sets_in', 'CREATE INDEX sets_in'),
    /sort_no .*: a position is unique/,
  ],
  [
    'a column of its own that an insert must give',
    (text) => text.replace('legacy_code text', 'legacy_code text NOT NULL'),
    /legacy_code: the app does not declare/,
  ],
  [
    'a column that the database computes',
    (text) => text.replace('reps integer NOT NULL', 'reps integer NOT NULL GENERATED ALWAYS AS (1) STORED'),
    /reps .*: the database computes it/,
  ],
]

test.each(misfits)('a start over %s says what was found and what is wanted', async (_what, change, says) => {
  const before = tables().map(change)
  expect(before).not.toEqual(tables())
  await expect(open({ before })).rejects.toThrow(says)
})
