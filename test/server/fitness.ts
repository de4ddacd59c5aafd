// An app over tables that a fitness tracker of some years had: other names, foreign keys, types of the database's own. What the tests of
// existing tables and of foreign writers stand on, in SQLite and PostgreSQL. Holds no expectations.
import { count, defineApp, type Json, sum, t, table } from 'holdfast'
import { onPostgres } from './bases.ts'
import { anything, type Stage, stage } from './scenario.ts'

/** The app. */
export const app = defineApp({
  tables: {
    workouts: table({
      id: t.id(),
      ownerId: t.text(),
      title: t.text(),
      startedAt: t.timestamp(),
      endedAt: t.timestamp().nullable(),
      done: t.boolean(),
      extra: t.json().nullable(),
    })
      .scope('user', 'ownerId')
      .existing('app_workouts', {
        id: 'workout_id',
        ownerId: 'owner_id',
        startedAt: 'started_at',
        endedAt: 'ended_at',
        done: 'is_done',
      }),
    sets: table({
      id: t.id(),
      workoutId: t.ref('workouts'),
      position: t.appendIndex('workoutId'),
      reps: t.integer(),
      kg: t.real(),
    })
      .scopeVia('workoutId')
      .existing('app_sets', { workoutId: 'workout_id', position: 'sort_no' }),
    // Made by the engine, under a table that was there.
    notes: table({ id: t.id(), workoutId: t.ref('workouts'), text: t.text() }).scopeVia('workoutId'),
  },
  aggregates: ({ aggregate }) => ({
    workoutTotals: aggregate('sets')
      .by('workoutId')
      .values({ sets: count(), volume: sum((s) => s.reps * s.kg, { decimals: 2 }) }),
  }),
  mutators: ({ mutator, generated }) => ({
    ...generated('workouts'),
    ...generated('sets'),
    ...generated('notes'),
    renameWhere: mutator(
      anything<{ readonly where: { readonly [column: string]: Json }; readonly title: string }>(),
      async (tx, { where, title }) => {
        for (const { id } of await tx.workouts.where(where).orderBy('startedAt').all())
          await tx.workouts.update(id, { title })
      },
    ),
    renameFirst: mutator(anything<{ readonly by: string; readonly title: string }>(), async (tx, { by, title }) => {
      const [first] = await tx.workouts
        .where({})
        .orderBy(by as 'startedAt')
        .limit(1)
        .all()
      if (first !== undefined) await tx.workouts.update(first.id, { title })
    }),
    /** At the authority it runs the statement, here it does nothing. */
    bySql: mutator(anything<{ readonly text: string; readonly values: readonly string[] }>(), async () => undefined),
  }),
})

const inSqlite = [
  `CREATE TABLE app_workouts (
     workout_id VARCHAR(36) PRIMARY KEY NOT NULL, owner_id TEXT NOT NULL, title TEXT COLLATE NOCASE NOT NULL,
     started_at TEXT NOT NULL, ended_at INTEGER, is_done BOOLEAN NOT NULL DEFAULT 0, extra JSON,
     legacy_code TEXT, created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)`,
  'CREATE INDEX by_owner ON app_workouts (owner_id)',
  `CREATE TABLE app_sets (
     id TEXT PRIMARY KEY, workout_id TEXT NOT NULL REFERENCES app_workouts (workout_id) ON DELETE CASCADE,
     sort_no INTEGER, reps INT NOT NULL, kg NUMERIC(6, 2) NOT NULL) WITHOUT ROWID`,
  'CREATE UNIQUE INDEX sets_in_order ON app_sets (workout_id, sort_no)',
] as const

const inPostgres = [
  `CREATE TABLE app_workouts (
     workout_id uuid PRIMARY KEY, owner_id text NOT NULL, title varchar(200) NOT NULL,
     started_at timestamptz NOT NULL, ended_at bigint, is_done boolean NOT NULL DEFAULT false, extra jsonb,
     legacy_code text, created_at timestamptz NOT NULL DEFAULT now())`,
  'CREATE INDEX by_owner ON app_workouts (owner_id)',
  `CREATE TABLE app_sets (
     id text PRIMARY KEY, workout_id uuid NOT NULL REFERENCES app_workouts (workout_id) ON DELETE CASCADE,
     sort_no integer, reps integer NOT NULL, kg numeric(6, 2) NOT NULL)`,
  'CREATE UNIQUE INDEX sets_in_order ON app_sets (workout_id, sort_no)',
] as const

/** The tables as the tracker made them, each a statement: workouts, its index, sets, its index. */
export const tables = (): typeof inSqlite | typeof inPostgres => (onPostgres() ? inPostgres : inSqlite)

/** When workouts begin, unless something else is said. */
export const at = Date.parse('2024-05-01T10:00:00Z')

const bySql = async (
  tx: { sql(text: string, values: readonly string[]): Promise<unknown> },
  { text, values }: { readonly text: string; readonly values: readonly string[] },
): Promise<void> => void (await tx.sql(text, values))

/** Opens an authority over these tables; each actor reads and writes its own. */
export const open = (more: Partial<Parameters<typeof stage>[0]> = {}): Promise<Stage> =>
  stage({
    app: app as never,
    grants: (actor) => ({ read: [`user:${actor}`], write: [`user:${actor}`] }),
    before: tables(),
    ...(more.app === undefined ? { mutators: { bySql } as never } : {}),
    ...more,
  })

/** A call that makes a workout. */
export const workout = (id: string, more: { readonly [column: string]: Json } = {}) =>
  ['insertWorkouts', { id, ownerId: 'anna', title: 'Legs', startedAt: at, done: false, ...more }] as const

/** A call that makes a set. */
export const set = (id: string, workoutId: string, reps = 5, kg = 10) =>
  ['insertSets', { id, workoutId, reps, kg }] as const
