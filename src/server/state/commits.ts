// Scopes and their commits: the version of each scope, and for each version the random mark by which a cursor of another history is
// told apart. Raised only by adoption, by exactly one in one commit, while the database's write lock is held (I7, I18).
import { check } from '../../base/assert.ts'
import type { Place } from '../../protocol/frame.ts'
import { ConstraintError, type Dialect, type Sql } from '../db/db.ts'
import { allIn } from '../db/in-list.ts'

/** The tables of scopes and commits. */
export const commitTables = (dialect: Dialect): readonly string[] => [
  `CREATE TABLE IF NOT EXISTS holdfast_scope (scope ${dialect.text} NOT NULL, version BIGINT NOT NULL, mark ${dialect.text} NOT NULL, PRIMARY KEY (scope))${dialect.keyOrdered}`,
  `CREATE TABLE IF NOT EXISTS holdfast_commit (scope ${dialect.text} NOT NULL, version BIGINT NOT NULL, mark ${dialect.text} NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (scope, version))${dialect.keyOrdered}`,
]

/** Where each of these scopes stands; a scope that never changed is missing. */
export async function placesOf(sql: Sql, scopes: readonly string[]): Promise<Map<string, Place>> {
  const rows = await allIn(sql, 'SELECT scope, version, mark FROM holdfast_scope WHERE scope IN (?*)', [], scopes)
  return new Map(
    rows.map((row) => [String(row['scope']), { version: Number(row['version']), mark: String(row['mark']) }]),
  )
}

/** Raises each scope by one version and notes the commit. Gives the new places. */
export async function raiseVersions(
  sql: Sql,
  scopes: readonly string[],
  mark: string,
  at: number,
): Promise<Map<string, Place>> {
  const before = await placesOf(sql, scopes)
  const after = new Map<string, Place>()
  for (const scope of scopes) after.set(scope, { version: (before.get(scope)?.version ?? 0) + 1, mark })
  const rows = [...after].map(([scope, { version }]) => [scope, version, mark])
  await sql.insert(
    'INSERT INTO holdfast_scope (scope, version, mark)',
    rows,
    ' ON CONFLICT (scope) DO UPDATE SET version = excluded.version, mark = excluded.mark',
  )
  try {
    await sql.insert(
      'INSERT INTO holdfast_commit (scope, version, mark, at)',
      rows.map((row) => [...row, at]),
    )
  } catch (error) {
    check(!(error instanceof ConstraintError), 'I7', 'a version of a scope was to be given a second time')
    throw error
  }
  return after
}

/** The mark of one version of a scope, or undefined when this history has no such version. */
export async function markOf(sql: Sql, scope: string, version: number): Promise<string | undefined> {
  const [row] = await sql.all('SELECT mark FROM holdfast_commit WHERE scope = ? AND version = ?', [scope, version])
  return row === undefined ? undefined : String(row['mark'])
}
