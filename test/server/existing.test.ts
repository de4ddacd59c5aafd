// Tables that were there before the engine: under other names, with other types, with foreign keys and triggers of their own. What they
// hold reaches devices as if the engine had made them; what does not fit is told at the start, all of it at once.
import { defineApp, t, table } from 'holdfast'
import { expect, test } from 'vitest'
import { app, at, open, set, tables, workout } from './fitness.ts'
import { uuid } from './scenario.ts'

const TABLES: readonly string[] = tables()

test('rows that were there reach a device with the names and values that the app declares', async () => {
  const [v, w, s] = [uuid(), uuid(), uuid()]
  const on = await open({
    before: [
      ...TABLES,
      `INSERT INTO app_workouts (workout_id, owner_id, title, started_at, ended_at, is_done, extra)
       VALUES ('${v}', 'anna', 'Old', '2024-05-01 10:00:00', ${at + 1}, 1, '{"mood":5}')`,
      `INSERT INTO app_workouts (workout_id, owner_id, title, started_at) VALUES ('${w}', 'anna', 'Older', '2024-05-01T12:00:00.250+02:00')`,
      `INSERT INTO app_sets (id, workout_id, reps, kg) VALUES ('${s}', '${v}', 3, 7.5)`,
    ],
  })
  const anna = on.device('anna')
  await anna.pull()
  expect(anna.rows('workouts')).toEqual([
    { id: v, ownerId: 'anna', title: 'Old', startedAt: at, endedAt: at + 1, done: true, extra: { mood: 5 } },
    { id: w, ownerId: 'anna', title: 'Older', startedAt: at + 250, endedAt: null, done: false, extra: null },
  ])
  expect(anna.rows('sets')).toEqual([{ id: s, workoutId: v, position: 1, reps: 3, kg: 7.5 }])
  expect(anna.rows('workoutTotals')).toEqual([{ id: v, sets: 1, volume: 22.5 }])
})

test('what a mutator writes stands there as the table wants it, and defaults are the table’s own', async () => {
  const on = await open()
  const anna = on.device('anna')
  const [w, s, n] = [uuid(), uuid(), uuid()]
  await anna.call(workout(w, { done: true, extra: { a: [1] } }), set(s, w), [
    'insertNotes',
    { id: n, workoutId: w, text: 'x' },
  ])
  expect(on.foreign('SELECT * FROM app_workouts')).toMatchObject([
    {
      workout_id: w,
      owner_id: 'anna',
      started_at: '2024-05-01T10:00:00.000Z',
      ended_at: null,
      is_done: 1,
      extra: '{"a":[1]}',
      legacy_code: null,
      created_at: expect.stringMatching(/^\d{4}-/),
    },
  ])
  expect(on.foreign('SELECT * FROM app_sets')).toEqual([{ id: s, workout_id: w, sort_no: 1, reps: 5, kg: 10 }])
  await anna.pull()
  expect([anna.rows('workouts'), anna.rows('notes')]).toMatchObject([
    [{ id: w, startedAt: at, done: true, extra: { a: [1] } }],
    [{ id: n, workoutId: w }],
  ])
  expect(on.logged).toEqual([])
})

test('[I10] a foreign key that cascades takes the children from the device too, whoever deletes', async () => {
  const on = await open()
  const anna = on.device('anna')
  const [v, w] = [uuid(), uuid()]
  await anna.call(workout(v), workout(w), set(uuid(), v), set(uuid(), v), set(uuid(), w))
  await anna.pull()
  expect(anna.rows('sets')).toHaveLength(3)
  on.foreign('DELETE FROM app_workouts WHERE workout_id = ?', v)
  await anna.pull()
  expect([anna.rows('sets'), anna.rows('workoutTotals')]).toMatchObject([[{ workoutId: w }], [{ id: w }]])
  await anna.call(['deleteWorkouts', { id: w }])
  await anna.pull()
  expect([anna.rows('workouts'), anna.rows('sets'), anna.rows('workoutTotals')]).toEqual([[], [], []])
  expect(on.foreign('SELECT count(*) AS n FROM app_sets')).toEqual([{ n: 0 }])
})

test('[I3] an intent that breaks a foreign key, or writes what a cascade took, is decided and not repeated', async () => {
  const on = await open()
  const anna = on.device('anna')
  const [w, s] = [uuid(), uuid()]
  await anna.call(workout(w), set(s, w))
  const answer = await anna.call(['deleteWorkouts', { id: w }], ['updateSets', { id: s, reps: 9 }], set(uuid(), w))
  expect(answer).toMatchObject({ decided: 5 })
  expect(answer.outcomes.map(({ status }) => status)).toEqual(['applied', 'rejected', 'rejected'])
  expect(on.foreign('SELECT count(*) AS n FROM app_sets')).toEqual([{ n: 0 }])
})

test('[I10] a trigger of the app changes a row after a mutator did, and the device gets what stands there', async () => {
  const on = await open({
    before: [
      ...TABLES,
      `CREATE TRIGGER tidy_title AFTER UPDATE OF title ON app_workouts BEGIN
         UPDATE app_workouts SET legacy_code = upper(NEW.title), title = trim(NEW.title) WHERE workout_id = NEW.workout_id AND title <> trim(NEW.title); END`,
    ],
  })
  const anna = on.device('anna')
  const w = uuid()
  await anna.call(workout(w))
  await anna.call(['updateWorkouts', { id: w, title: '  Arms ' }])
  await anna.pull()
  expect(anna.rows('workouts')).toMatchObject([{ title: 'Arms' }])
})

test('[I11] a child that moves to another parent, and a parent that moves to another owner, by plain SQL', async () => {
  const on = await open()
  const [anna, ben] = [on.device('anna'), on.device('ben')]
  const [v, w, s] = [uuid(), uuid(), uuid()]
  await anna.call(workout(v), workout(w), set(s, v), set(uuid(), w))
  // Its old place would collide with one there, so whoever writes SQL gives it up.
  on.foreign('UPDATE app_sets SET workout_id = ?, sort_no = NULL WHERE id = ?', w, s)
  await anna.pull()
  expect(anna.rows('sets').find(({ id }) => id === s)).toMatchObject({ workoutId: w, position: 2 })
  expect(anna.rows('workoutTotals')).toMatchObject([{ id: w, sets: 2 }])
  on.foreign("UPDATE app_workouts SET owner_id = 'ben' WHERE workout_id = ?", w)
  await Promise.all([anna.pull(), ben.pull()])
  expect([anna.rows('sets'), ben.rows('sets').length, ben.rows('workoutTotals')]).toMatchObject([[], 2, [{ id: w }]])
})

test('conditions and orders mean the same as on a device, over texts without case and moments as text', async () => {
  const on = await open()
  const anna = on.device('anna')
  const ids = [uuid(), uuid(), uuid()] as const
  await anna.call(
    workout(ids[0], { title: 'legs', startedAt: at + 2 }),
    workout(ids[1], { title: 'LEGS', startedAt: at + 1 }),
    workout(ids[2], { title: 'Arms', startedAt: at + 3 }),
  )
  // The same moment in another form, and one that has no milliseconds.
  on.foreign("UPDATE app_workouts SET started_at = '2024-05-01 12:00:00.001+0200' WHERE workout_id = ?", ids[1])
  const titles = () =>
    on
      .foreign('SELECT title FROM app_workouts ORDER BY workout_id')
      .map((row) => (row as { readonly title: string }).title)
  await anna.call(['renameWhere', { where: { title: 'legs' }, title: 'one' }])
  expect(titles()).toEqual(['one', 'LEGS', 'Arms'])
  await anna.call(['renameWhere', { where: { startedAt: at + 1 }, title: 'two' }])
  expect(titles()).toEqual(['one', 'two', 'Arms'])
  await anna.call(['renameWhere', { where: { startedAt: { gt: at + 2 } }, title: 'Three' }])
  expect(titles()).toEqual(['one', 'two', 'Three'])
  await anna.call(['renameFirst', { by: 'startedAt', title: 'first by time' }])
  expect(titles()).toEqual(['one', 'first by time', 'Three'])
  // By code point capitals come first, without case they would not.
  await anna.call(['renameFirst', { by: 'title', title: 'first by name' }])
  expect(titles()).toEqual(['one', 'first by time', 'first by name'])
})

test('a row that no device could hold reaches none, is told to the operator, and comes when it is mended', async () => {
  const on = await open()
  const anna = on.device('anna')
  const [v, w, s] = [uuid(), uuid(), uuid()]
  await anna.call(workout(v), workout(w), set(s, w))
  await anna.pull()
  on.foreign("UPDATE app_workouts SET started_at = 'last week' WHERE workout_id = ?", w)
  on.foreign("UPDATE app_sets SET reps = 'many' WHERE id = ?", s)
  await anna.pull()
  expect([anna.rows('workouts'), anna.rows('sets')]).toMatchObject([[{ id: v }], []])
  expect(on.logged).toMatchObject([
    {
      level: 'warn',
      message: 'a row does not fit its declaration and reaches no device',
      table: 'workouts',
      id: w,
      column: 'startedAt',
    },
    { level: 'warn', table: 'sets', id: s, column: 'reps' },
  ])
  // To a mutator it is absent, and its place is taken all the same.
  expect(await anna.call(['updateWorkouts', { id: w, title: 'x' }], workout(w))).toMatchObject({
    outcomes: [
      { status: 'rejected', code: 'row_gone' },
      { status: 'rejected', code: 'constraint' },
    ],
  })
  on.foreign("UPDATE app_workouts SET started_at = '2024-05-01T10:00Z' WHERE workout_id = ?", w)
  on.foreign('UPDATE app_sets SET reps = 1 WHERE id = ?', s)
  await anna.pull()
  expect([anna.rows('workouts').length, anna.rows('sets')]).toMatchObject([2, [{ id: s, reps: 1, position: 1 }]])
})

test.each([
  ['a number beyond JavaScript’s', 'UPDATE app_sets SET reps = 9007199254740993'],
  ['JSON that is none', "UPDATE app_workouts SET extra = '{'"],
  ['a boolean that is none', 'UPDATE app_workouts SET is_done = 2'],
])('%s in a table that checks nothing stops nobody', async (_what, statement) => {
  const on = await open()
  const anna = on.device('anna')
  const [w, s] = [uuid(), uuid()]
  await anna.call(workout(w), set(s, w))
  on.foreign(statement)
  await anna.pull()
  expect(anna.rows('workouts').length + anna.rows('sets').length).toBeLessThan(2)
  expect(await anna.call(workout(uuid()))).toMatchObject({ outcomes: [{ status: 'applied' }] })
})

test('the engine makes nothing in such a table but its triggers, and a start over it again makes nothing at all', async () => {
  const on = await open()
  const made = on.foreign(
    "SELECT type, name FROM sqlite_schema WHERE tbl_name LIKE 'app\\_%' ESCAPE '\\' AND name LIKE 'holdfast.%' ORDER BY name",
  )
  expect(made).toEqual(
    [
      'sets.delete',
      'sets.insert',
      'sets.position.moved',
      'sets.update',
      'workouts.delete',
      'workouts.insert',
      'workouts.update',
    ].map((name) => ({ type: 'trigger', name: `holdfast.${name}` })),
  )
  await on.authority.close()
  const again = await open({ path: on.path, before: [] })
  expect(again.foreign('SELECT count(*) AS n FROM holdfast_mark')).toEqual([{ n: 0 }])
})

test('a person is erased from tables that were there before', async () => {
  const on = await open()
  const anna = on.device('anna')
  const w = uuid()
  await anna.call(workout(w), set(uuid(), w))
  await on.authority.erase('anna')
  expect(on.foreign('SELECT (SELECT count(*) FROM app_workouts) + (SELECT count(*) FROM app_sets) AS n')).toEqual([
    { n: 0 },
  ])
  await anna.pull()
  expect([anna.rows('workouts'), anna.rows('sets')]).toEqual([[], []])
})

test('an index that would help and is not there is a warning', async () => {
  const on = await open({ before: TABLES.filter((text) => !text.includes('by_owner')) })
  expect(on.logged).toMatchObject([{ level: 'warn', message: 'the database would do better with an index' }])
})

test('the fingerprint of an app does not say where its tables stand', () => {
  const columns = { id: t.id(), ownerId: t.text() }
  const plain = table(columns).scope('user', 'ownerId')
  const stored = table(columns).scope('user', 'ownerId').existing('people', { ownerId: 'owner' })
  expect(defineApp({ tables: { people: stored } }).fingerprint).toBe(
    defineApp({ tables: { people: plain } }).fingerprint,
  )
})

const sets = app.tables.sets.columns
const workouts = app.tables.workouts.columns
/** A change of one statement of TABLES, and what the start says then. */
const misfits: readonly (readonly [what: string, change: (text: string) => string, says: RegExp])[] = [
  [
    'a table that is not there',
    (text) => text.replaceAll('app_sets', 'sets_of_app'),
    /app_sets \(table sets\): there is no such table/,
  ],
  [
    'a column that is not there',
    (text) => text.replace('owner_id TEXT', 'user_id TEXT').replace('(owner_id)', '(user_id)'),
    /app_workouts.owner_id \(column ownerId of workouts\): there is no such column; the table has workout_id, user_id, /,
  ],
  [
    'an id that is a number',
    (text) => text.replace('id TEXT PRIMARY KEY,', 'id INTEGER PRIMARY KEY,').replace('WITHOUT ROWID', ''),
    /app_sets.id .* declared id and is integer in the database. Wanted is TEXT: ids are made on devices/,
  ],
  [
    'an id that may turn into a number',
    (text) => text.replace('id TEXT PRIMARY KEY,', 'id UUID PRIMARY KEY,'),
    /is uuid in the database. Wanted is TEXT/,
  ],
  [
    'a text where a number is declared',
    (text) => text.replace('reps INT ', 'reps TEXT '),
    /app_sets.reps .* declared integer and is text/,
  ],
  [
    'a day where a moment is declared',
    (text) => text.replace('started_at TEXT', 'started_at DATE'),
    /started_at .* Wanted is INTEGER for milliseconds/,
  ],
  [
    'a text where a boolean is declared',
    (text) => text.replace('is_done BOOLEAN NOT NULL DEFAULT 0', "is_done TEXT NOT NULL DEFAULT 'no'"),
    /is_done .* holding 0 and 1/,
  ],
  ['bytes where JSON is declared', (text) => text.replace('extra JSON', 'extra BLOB'), /extra .* holding JSON as text/],
  [
    'null where none is declared',
    (text) => text.replace('reps INT NOT NULL', 'reps INT'),
    /app_sets.reps .* may be null in the database and is not declared so/,
  ],
  [
    'no null where it is declared',
    (text) => text.replace('ended_at INTEGER', 'ended_at INTEGER NOT NULL'),
    /ended_at .* declared nullable and is NOT NULL/,
  ],
  [
    'a position that must not be null',
    (text) => text.replace('sort_no INTEGER', 'sort_no INTEGER NOT NULL'),
    /sort_no .* has no position until it is adopted/,
  ],
  [
    'a position that nothing keeps unique',
    (text) => text.replace('CREATE UNIQUE INDEX sets_in', 'CREATE INDEX sets_in'),
    /sort_no .*: a position is unique under its parent, and no index says so/,
  ],
  [
    'an index that does not hold for all rows',
    (text) => text.replace('(workout_id, sort_no)', '(workout_id, sort_no) WHERE sort_no > 0'),
    /sort_no .*: a position is unique/,
  ],
  [
    'an id that nothing keeps unique',
    (text) => text.replace('VARCHAR(36) PRIMARY KEY NOT NULL', 'VARCHAR(36) NOT NULL'),
    /workout_id \(column id of workouts\): nothing makes it unique/,
  ],
  [
    'an id that is compared without case',
    (text) => text.replace('VARCHAR(36) PRIMARY KEY', 'VARCHAR(36) COLLATE NOCASE PRIMARY KEY'),
    /workout_id .*: nothing makes it unique by its exact text/,
  ],
  [
    'a column of its own that an insert must give',
    (text) => text.replace('legacy_code TEXT', 'legacy_code TEXT NOT NULL'),
    /app_workouts.legacy_code: the app does not declare this column/,
  ],
  [
    'a column that the database computes',
    (text) => text.replace('reps INT NOT NULL', 'reps INT NOT NULL AS (1)'),
    /app_sets.reps .*: the database computes it/,
  ],
]

test.each(misfits)(
  'a start over %s says what was found and what is wanted, and makes nothing',
  async (_what, change, says) => {
    const before = TABLES.map(change)
    expect(before).not.toEqual(TABLES)
    await expect(open({ before })).rejects.toThrow(says)
  },
)

test('a view is refused: it could not have triggers by which changes are noticed', async () => {
  const before = [
    (TABLES[0] ?? '').replace('app_workouts', 'real_workouts'),
    'CREATE VIEW app_workouts AS SELECT * FROM real_workouts',
    ...TABLES.slice(2),
  ]
  await expect(
    open({ before: before.map((text) => text.replace('REFERENCES app_workouts (workout_id) ON DELETE CASCADE', '')) }),
  ).rejects.toThrow(/app_workouts \(table workouts\): this is a view/)
})

test('everything that does not fit is told at once', async () => {
  const before = TABLES.map((text) => misfits.slice(4, 10).reduce((made, [, change]) => change(made), text))
  const refused = (await open({ before }).catch((error: unknown) => error)) as Error
  expect(refused).toBeInstanceOf(TypeError)
  for (const [, , says] of misfits.slice(4, 8)) expect(refused.message).toMatch(says)
  expect(refused.message).toMatch(/nothing was changed/)
})

test('names that cannot be are refused: two tables in one, two columns in one, one that is not declared', async () => {
  const broken = defineApp({
    tables: {
      workouts: table(workouts)
        .scope('user', 'ownerId')
        .existing('app_workouts', { ownerId: 'title', nobody: 'x' } as never),
      sets: table(sets).scopeVia('workoutId').existing('App_Workouts'),
    },
  })
  const refused = (await open({ app: broken as never }).catch((error: unknown) => error)) as Error
  expect(refused.message).toMatch(/App_Workouts \(table sets\): the table workouts stands there too/)
  expect(refused.message).toMatch(/the columns ownerId and title of the table workouts both stand there/)
  expect(refused.message).toMatch(/names a column nobody, which the table does not declare/)
})

test('a STRICT table fits as well, with its exact types', async () => {
  const strict = TABLES.map((text) =>
    text
      .replace('VARCHAR(36)', 'TEXT')
      .replace('is_done BOOLEAN', 'is_done INT')
      .replace('extra JSON', 'extra TEXT')
      .replace('kg NUMERIC(6, 2)', 'kg REAL')
      .replace('CURRENT_TIMESTAMP)', 'CURRENT_TIMESTAMP) STRICT')
      .replace('WITHOUT ROWID', 'STRICT'),
  )
  const on = await open({ before: strict })
  const anna = on.device('anna')
  const w = uuid()
  await anna.call(workout(w), set(uuid(), w))
  await anna.pull()
  expect([anna.rows('workouts').length, anna.rows('sets').length]).toEqual([1, 1])
})
