// The engine's own tables as numbered migrations: applied once and in order, compared by their texts at every start, taken over from
// versions that did not number them, and refused where another version was here. Also what a start makes for the app, and what it says.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createAuthority } from 'holdfast/server'
import { sqlite } from 'holdfast/sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { layOut } from '../../src/server/db/layout.ts'
import { migrate } from '../../src/server/db/migrate.ts'
import { checksumOf, type Migration } from '../../src/server/db/migrations.ts'
import { sqliteDialect } from '../../src/server/db/sqlite/dialect.ts'
import { MIGRATIONS } from '../../src/server/state/tables.ts'
import { app, grants, stage, uuid } from './scenario.ts'

const workout = (id: string) => ['insertWorkouts', { id, ownerId: 'anna', name: 'Legs', done: false }] as const

function fresh(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-migrations-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'data.db')
}

/** Runs plain SQL on a file. */
function plain(path: string, ...texts: readonly string[]): unknown[] {
  const db = new DatabaseSync(path)
  try {
    return texts.map((text) => db.prepare(text).all()).at(-1) ?? []
  } finally {
    db.close()
  }
}

function open(path: string, mode: 'apply' | 'check') {
  const authority = createAuthority({
    app,
    database: sqlite(path),
    authenticate: () => 'anna',
    grants,
    migrate: mode,
    host: { ...sqlite(':memory:').host, log: () => undefined },
  })
  onTestFinished(() => authority.close())
  return authority
}

const things = (path: string) => plain(path, 'SELECT type, name, sql FROM sqlite_schema ORDER BY type, name')

/** A database as 0.1.0 made it: the engine's tables, and nothing that says how they came to be. */
async function asOf010(): Promise<{ readonly path: string; readonly id: string }> {
  const first = await stage()
  const id = uuid()
  await first.device('anna').call(workout(id))
  await first.authority.close()
  const later = MIGRATIONS.filter(({ number }) => number > 1).flatMap((each) =>
    each.statements(sqliteDialect).flatMap((text) => /^CREATE TABLE (\w+)/.exec(text)?.[1] ?? []),
  )
  plain(first.path, 'DROP TABLE holdfast_migration', ...later.map((table) => `DROP TABLE ${table}`))
  return { path: first.path, id }
}

test('the text of a migration that was released stays: a database that has it is compared by its hash', () => {
  // The first is that of 0.1.0. Never change a line here: what is to be otherwise is one more migration.
  const released = ['86ab98159998a57b55cd60a4312b6f628a4c6ee851248f4b33f2e1bb2ce472df']
  expect(MIGRATIONS.slice(0, released.length).map((each) => checksumOf(each, sqliteDialect))).toEqual(released)
})

test('migrations are numbered from one without gaps, and make nothing twice', () => {
  expect(MIGRATIONS.map(({ number }) => number)).toEqual(MIGRATIONS.map((_, index) => index + 1))
  expect(new Set(MIGRATIONS.map(({ name }) => name)).size).toBe(MIGRATIONS.length)
})

test('each migration is applied once and noted, and the next start writes nothing', async () => {
  const on = await stage()
  expect(on.foreign('SELECT number, name FROM holdfast_migration ORDER BY number')).toEqual(
    MIGRATIONS.map(({ number, name }) => ({ number, name })),
  )
  await on.authority.close()
  const before = things(on.path)
  plain(on.path, 'CREATE TABLE proof (n INTEGER)')
  const other = new DatabaseSync(on.path)
  onTestFinished(() => other.close())
  // Somebody holds the lock of all writing: a start that finds everything in place does not want it.
  other.exec('BEGIN IMMEDIATE')
  await open(on.path, 'apply').ready
  other.exec('ROLLBACK')
  plain(on.path, 'DROP TABLE proof')
  expect(things(on.path)).toEqual(before)
})

test('two processes that start at once on an empty database make its tables once', async () => {
  const path = fresh()
  const authorities = [open(path, 'apply'), open(path, 'apply'), open(path, 'apply')]
  await Promise.all(authorities.map(({ ready }) => ready))
  expect(plain(path, 'SELECT count(*) AS n FROM holdfast_migration')).toEqual([{ n: MIGRATIONS.length }])
})

test('a database of the version before migrations were numbered is taken over with all that it holds', async () => {
  const { path, id } = await asOf010()
  const on = await stage({ path })
  expect(on.foreign('SELECT count(*) AS n FROM holdfast_migration')).toEqual([{ n: MIGRATIONS.length }])
  const anna = on.device('anna')
  await anna.pull()
  expect(anna.rows('workouts')).toMatchObject([{ id }])
  expect(on.foreign('SELECT count(*) AS n FROM holdfast_ledger')).toEqual([{ n: 1 }])
})

test.each([
  [
    'with another text',
    "UPDATE holdfast_migration SET checksum = 'feed' WHERE number = 1",
    /Migration 1 .* was applied to this database with another text than this version has/,
  ],
  [
    'that this version does not know',
    "INSERT INTO holdfast_migration (number, name, checksum, at) VALUES (999, 'wings', 'feed', 1)",
    /made by a newer Holdfast: it has migration 999 \(wings\)/,
  ],
  [
    'after one that is missing',
    `DELETE FROM holdfast_migration WHERE number = 1; INSERT INTO holdfast_migration (number, name, checksum, at) VALUES (2, 'x', 'feed', 1) ON CONFLICT DO NOTHING`,
    /Migration 1 .* was never applied to this database, and a later one was/,
  ],
])('a database with a migration %s is refused and left as it is', async (_what, change, message) => {
  const first = await stage()
  await first.authority.close()
  plain(first.path, ...change.split('; '), 'DROP TRIGGER "holdfast.sets.insert"')
  const before = things(first.path)
  await expect(open(first.path, 'apply').ready).rejects.toThrow(message)
  expect(things(first.path)).toEqual(before)
})

test('a migration that fails takes back everything that was made before it in the same start', async () => {
  const path = fresh()
  const database = sqlite(path)
  onTestFinished(() => database.close())
  const broken: Migration = {
    number: MIGRATIONS.length + 1,
    name: 'broken',
    statements: () => ['CREATE TABLE holdfast_new (n BIGINT)', 'CREATE NONSENSE'],
  }
  await expect(migrate(database, layOut(app, sqliteDialect), [...MIGRATIONS, broken], 0, 'apply')).rejects.toThrow(
    /syntax error/,
  )
  expect(things(path)).toEqual([])
})

test('a later migration is applied to what earlier versions made', async () => {
  const first = await stage()
  await first.device('anna').call(workout(uuid()))
  await first.authority.close()
  const database = sqlite(first.path)
  onTestFinished(() => database.close())
  const number = MIGRATIONS.length + 1
  const later: Migration = {
    number,
    name: 'a column more',
    statements: () => ['ALTER TABLE holdfast_scope ADD COLUMN wings BIGINT'],
  }
  const layout = layOut(app, sqliteDialect)
  await migrate(database, layout, [...MIGRATIONS, later], 7, 'apply')
  await migrate(database, layout, [...MIGRATIONS, later], 8, 'apply')
  expect(plain(first.path, `SELECT at FROM holdfast_migration WHERE number = ${number}`)).toEqual([{ at: 7 }])
  expect(plain(first.path, "SELECT name FROM pragma_table_info('holdfast_scope') WHERE name = 'wings'")).toHaveLength(1)
})

test('told to check, a start makes nothing and names everything that is missing and the command for it', async () => {
  const path = fresh()
  plain(path, 'CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, gymId TEXT NOT NULL, text TEXT NOT NULL) STRICT')
  const before = things(path)
  const refused = await open(path, 'check').ready.catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(TypeError)
  const { message } = refused as TypeError
  for (const missing of [
    'migration 1 of the engine’s tables',
    'the table workouts',
    'the index holdfast.sets.position',
    'holdfast.notes.insert',
    'the aggregate workoutTotals',
    'npx holdfast migrate',
  ])
    expect(message).toContain(missing)
  expect(message).not.toContain('- the table notes\n')
  expect(things(path)).toEqual(before)
})

test('told to check, a start works where all is there, and says what went since', async () => {
  const on = await stage()
  await on.authority.close()
  await open(on.path, 'check').ready
  plain(on.path, 'DROP TRIGGER "holdfast.sets.update"')
  await expect(open(on.path, 'check').ready).rejects.toThrow(/the trigger holdfast.sets.update of the table sets\n/)
})

test('[I10] a trigger that was gone is made anew, and what was written without it reaches the devices', async () => {
  const first = await stage()
  const [kept, gone, late] = [uuid(), uuid(), uuid()]
  const anna = first.device('anna')
  await anna.call(workout(kept), workout(gone))
  await anna.pull()
  await first.authority.close()
  for (const event of ['insert', 'update', 'delete']) plain(first.path, `DROP TRIGGER "holdfast.workouts.${event}"`)
  plain(
    first.path,
    `UPDATE workouts SET name = 'Arms' WHERE id = '${kept}'`,
    `DELETE FROM workouts WHERE id = '${gone}'`,
    `INSERT INTO workouts (id, ownerId, name, done) VALUES ('${late}', 'anna', 'Late', false)`,
  )
  const second = await stage({ path: first.path })
  const again = second.device('anna')
  again.cursors.clear()
  for (const [scope, place] of anna.cursors) again.cursors.set(scope, place)
  for (const [scope, rows] of anna.confirmed) again.confirmed.set(scope, rows)
  await again.pull()
  expect(again.rows('workouts')).toMatchObject([
    { id: kept, name: 'Arms' },
    { id: late, name: 'Late' },
  ])
  expect(again.rows('userTotals')).toMatchObject([{ workouts: 2 }])
})

test('a table that does not fit and a column that is missing are told together', async () => {
  const first = await stage()
  await first.authority.close()
  plain(first.path, 'ALTER TABLE notes DROP COLUMN text', 'ALTER TABLE members DROP COLUMN role')
  const refused = (await open(first.path, 'apply').ready.catch((error: unknown) => error)) as TypeError
  expect(refused.message).toMatch(/members in the database has no column role/)
  expect(refused.message).toMatch(/notes in the database has no column text/)
})
