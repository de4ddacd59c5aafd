// A database with a long past, made by SQL and not by pushing, since only reading it is measured: rows in one scope, each with its entry
// in the change log, so many of them in each commit. Knows the tables of the engine on SQLite.
import { DatabaseSync } from 'node:sqlite'
import { createAuthority } from 'holdfast/server'
import { sqlite } from 'holdfast/sqlite'
import { ACTOR, app, SCOPE } from '../engine/app.ts'

/** The mark of a commit made here. */
export const markOf = (version: number): string => version.toString(16).padStart(16, '0')

/** Fills a new database with so many sets, `perCommit` in each version of the scope. */
export async function fill(path: string, sets: number, perCommit: number): Promise<void> {
  const authority = createAuthority({
    app,
    database: sqlite(path),
    authenticate: () => undefined,
    grants: () => ({ read: [], write: [] }),
  })
  await authority.ready
  await authority.close()
  const db = new DatabaseSync(path)
  const numbers = `WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ${sets})`
  const uuid = (label: string, n: string) => `printf('${label}%07x-0000-4000-8000-%012x', ${n}, ${n})`
  const versions = Math.ceil(sets / perCommit)
  db.exec(`
    PRAGMA synchronous = OFF;
    BEGIN;
    ${numbers} INSERT INTO workouts (id, ownerId, name, startedAt)
      SELECT ${uuid('a', 'n')}, '${ACTOR}', 'Session ' || n, 1700000000000 + n FROM numbers WHERE n % 100 = 0;
    ${numbers} INSERT INTO sets (id, workoutId, position, exercise, reps, kg, doneAt)
      SELECT ${uuid('b', 'n')}, ${uuid('a', 'n - n % 100')}, n % 100 + 1, 'Bench Press (Barbell)', 3 + n % 10, 20 + (n % 321) / 2.0, 1700000000000 + n FROM numbers;
    INSERT INTO workoutTotals (id, sets, volume) SELECT workoutId, count(*), round(sum(reps * kg), 2) FROM sets GROUP BY workoutId;
    DELETE FROM holdfast_mark;
    INSERT INTO holdfast_log (tbl, id, scope, version, gone) SELECT 'workouts', id, '${SCOPE}', 1, 0 FROM workouts;
    INSERT INTO holdfast_log (tbl, id, scope, version, gone) SELECT 'workoutTotals', id, '${SCOPE}', 1, 0 FROM workoutTotals;
    ${numbers} INSERT INTO holdfast_log (tbl, id, scope, version, gone) SELECT 'sets', ${uuid('b', 'n')}, '${SCOPE}', n / ${perCommit} + 1, 0 FROM numbers;
    ${numbers} INSERT INTO holdfast_commit (scope, version, mark, at) SELECT '${SCOPE}', n + 1, printf('%016x', n + 1), 1700000000000 FROM numbers WHERE n < ${versions};
    INSERT INTO holdfast_scope (scope, version, mark) VALUES ('${SCOPE}', ${versions}, '${markOf(versions)}');
    COMMIT;
    PRAGMA wal_checkpoint(TRUNCATE);
  `)
  db.close()
}
