// Scopes and their commits: the version of each scope, and for each version the random mark by which a cursor of another history is
// told apart. Raised only by adoption, by exactly one in one commit, while the database's write lock is held (I7, I18).
import { check } from '../../base/assert.ts'
import type { Place } from '../../protocol/frame.ts'
import { ConstraintError, type Dialect, type Sql } from '../db/db.ts'
import { together } from '../db/together.ts'

/** The tables of scopes and commits. */
export const commitTables = (dialect: Dialect): readonly string[] => [
  `CREATE TABLE IF NOT EXISTS holdfast_scope (scope ${dialect.text} NOT NULL, version BIGINT NOT NULL, mark ${dialect.text} NOT NULL, PRIMARY KEY (scope))${dialect.keyOrdered}`,
  `CREATE TABLE IF NOT EXISTS holdfast_commit (scope ${dialect.text} NOT NULL, version BIGINT NOT NULL, mark ${dialect.text} NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (scope, version))${dialect.keyOrdered}`,
]

/** Where each of these scopes stands; a scope that never changed is missing. */
export async function placesOf(sql: Sql, scopes: readonly string[]): Promise<Map<string, Place>> {
  const rows = await sql.allKeyed(
    { columns: 'scope, version, mark', table: 'holdfast_scope', key: ['scope'] },
    scopes.map((scope) => [scope]),
  )
  return new Map(
    rows.map((row) => [String(row['scope']), { version: Number(row['version']), mark: String(row['mark']) }]),
  )
}

/** The places of these scopes when each is raised by one version from where it stands. */
export function placesAfter(
  before: ReadonlyMap<string, Place>,
  scopes: Iterable<string>,
  mark: string,
): Map<string, Place> {
  const after = new Map<string, Place>()
  for (const scope of scopes) after.set(scope, { version: (before.get(scope)?.version ?? 0) + 1, mark })
  return after
}

/** Writes that scopes were raised to these places, and the commit. */
export async function writePlaces(sql: Sql, places: ReadonlyMap<string, Place>, at: number): Promise<void> {
  const rows = [...places].map(([scope, { version, mark }]) => [scope, version, mark])
  try {
    await together([
      sql.insert(
        'INSERT INTO holdfast_scope (scope, version, mark)',
        rows,
        ' ON CONFLICT (scope) DO UPDATE SET version = excluded.version, mark = excluded.mark',
      ),
      sql.insert(
        'INSERT INTO holdfast_commit (scope, version, mark, at)',
        rows.map((row) => [...row, at]),
      ),
    ])
  } catch (error) {
    check(!(error instanceof ConstraintError), 'I7', 'a version of a scope was to be given a second time')
    throw error
  }
}

/** Raises each scope by one version and notes the commit. Gives the new places. */
export async function raiseVersions(
  sql: Sql,
  scopes: readonly string[],
  mark: string,
  at: number,
): Promise<Map<string, Place>> {
  const places = placesAfter(await placesOf(sql, scopes), scopes, mark)
  await writePlaces(sql, places, at)
  return places
}

/** The mark of one version of a scope, or undefined when this history has no such version, or remembers it no longer. */
export async function markOf(sql: Sql, scope: string, version: number): Promise<string | undefined> {
  const [row] = await sql.all('SELECT mark FROM holdfast_commit WHERE scope = ? AND version = ?', [scope, version])
  return row === undefined ? undefined : String(row['mark'])
}

/** The oldest commit of a scope that is remembered. */
export async function oldestOf(sql: Sql, scope: string): Promise<Place | undefined> {
  const [row] = await sql.all('SELECT version, mark FROM holdfast_commit WHERE scope = ? ORDER BY version LIMIT 1', [
    scope,
  ])
  return row === undefined ? undefined : { version: Number(row['version']), mark: String(row['mark']) }
}

/**
 * The mark of a place inside a version below the last one: that of the last commit, and then its version in hexadecimal digits. A page
 * that ends there has passed what then stood before it; where a commit after that version is lost, a row that it had moved back stands
 * before it again. It also serves where the version itself is remembered no longer.
 */
export function markBefore({ version, mark }: Place): string {
  return mark + version.toString(16)
}

/** The commit that `markBefore` stands for, or undefined when this is the mark of a commit itself. */
export function placeBehind(mark: string): Place | undefined {
  if (mark.length <= MARK_LENGTH) return undefined
  return { version: Number.parseInt(mark.slice(MARK_LENGTH), 16), mark: mark.slice(0, MARK_LENGTH) }
}

/** Hexadecimal digits of a commit's mark: eight random bytes. */
const MARK_LENGTH = 16

/** A scope, and the version at which it stands. */
export interface Standing {
  readonly scope: string
  readonly version: number
}

/** Scopes whose oldest commit may go because it is older than `before`, in the order of their names and after one of them. */
export async function prunableScopes(
  sql: Sql,
  before: number,
  after: string,
  limit: number,
): Promise<readonly Standing[]> {
  const rows = await sql.all(
    'SELECT s.scope, s.version FROM holdfast_scope AS s JOIN holdfast_commit AS c ON c.scope = s.scope AND c.version = (SELECT min(version) FROM holdfast_commit WHERE scope = s.scope) WHERE s.scope > ? AND c.version < s.version AND c.at < ? ORDER BY s.scope LIMIT ?',
    [after, before, limit],
  )
  return rows.map((row) => ({ scope: String(row['scope']), version: Number(row['version']) }))
}

/**
 * Forgets the oldest commits of a scope that are older than `before`, at most `limit` of them and never the last one. Gives the
 * version from which it forgot, and the first one that it kept.
 */
export async function pruneCommits(
  sql: Sql,
  { scope, version }: Standing,
  before: number,
  limit: number,
): Promise<{ readonly from: number; readonly end: number }> {
  const from = (await oldestOf(sql, scope))?.version ?? version
  const [kept] = await sql.all('SELECT min(version) AS first FROM holdfast_commit WHERE scope = ? AND at >= ?', [
    scope,
    before,
  ])
  const first = kept?.['first']
  const end = Math.max(from, Math.min(typeof first === 'number' ? first : version, version, from + limit))
  await sql.run('DELETE FROM holdfast_commit WHERE scope = ? AND version < ?', [scope, end])
  return { from, end }
}
