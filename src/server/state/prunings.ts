// The runs of pruning: what each forgot, and when, for operators. The table holds the last hundred. What is forgotten, and how, is
// told by the files that own the tables; when, by server/retention.ts.
import type { Dialect, Sql } from '../db/db.ts'

/** The table of the runs. */
export const pruningTables = (dialect: Dialect): readonly string[] => [
  `CREATE TABLE holdfast_pruning (n BIGINT NOT NULL, started_at BIGINT NOT NULL, ended_at BIGINT NOT NULL, outcomes BIGINT NOT NULL, commits BIGINT NOT NULL, tombstones BIGINT NOT NULL, PRIMARY KEY (n))${dialect.keyOrdered}`,
]

/** What one run forgot. Times are milliseconds since 1970, by the authority's clock. */
export interface Pruned {
  /** Numbers of clients whose outcomes the ledger no longer holds. */
  readonly outcomes: number
  /** Commits of scopes. Devices that stand before them fetch the scope again. */
  readonly commits: number
  /** Rows of which is no longer remembered that they left a scope. */
  readonly tombstones: number
  readonly startedAt: number
  readonly endedAt: number
}

const KEPT = 100

/** Notes a run. */
export async function noteRun(sql: Sql, run: Pruned): Promise<void> {
  const [row] = await sql.all('SELECT max(n) AS last FROM holdfast_pruning')
  const n = Number(row?.['last'] ?? 0) + 1
  await sql.insert('INSERT INTO holdfast_pruning (n, started_at, ended_at, outcomes, commits, tombstones)', [
    [n, run.startedAt, run.endedAt, run.outcomes, run.commits, run.tombstones],
  ])
  await sql.run('DELETE FROM holdfast_pruning WHERE n <= ?', [n - KEPT])
}

/** The last run. */
export async function lastRun(sql: Sql): Promise<Pruned | undefined> {
  const [row] = await sql.all(
    'SELECT started_at, ended_at, outcomes, commits, tombstones FROM holdfast_pruning ORDER BY n DESC LIMIT 1',
  )
  if (row === undefined) return undefined
  return {
    outcomes: Number(row['outcomes']),
    commits: Number(row['commits']),
    tombstones: Number(row['tombstones']),
    startedAt: Number(row['started_at']),
    endedAt: Number(row['ended_at']),
  }
}
