// What verification asks of the engine's tables: page by page, and where their numbers have gaps. Nothing else reads them so, and
// nothing in here writes. What should stand there is found in verify.ts; the tables belong to the other files of this folder.
import type { Sql } from '../db/db.ts'
import { allIn } from '../db/in-list.ts'

/** A live entry of the change log. */
export interface Entry {
  readonly id: string
  readonly scope: string
}

/** All scopes in which these rows are live, by id: one each, if all is well. */
export async function allLiveScopes(sql: Sql, table: string, ids: readonly string[]): Promise<Map<string, string[]>> {
  const scopes = new Map<string, string[]>()
  const text = 'SELECT id, scope FROM holdfast_log WHERE tbl = ? AND id IN (?*) AND gone = 0'
  for (const row of await allIn(sql, text, [table], ids)) {
    const id = String(row['id'])
    const list = scopes.get(id)
    if (list === undefined) scopes.set(id, [String(row['scope'])])
    else list.push(String(row['scope']))
  }
  return scopes
}

/** The live entries of a table after one of them, in the order of their keys. */
export async function liveAfter(sql: Sql, table: string, after: Entry, limit: number): Promise<readonly Entry[]> {
  const rows = await sql.all(
    'SELECT id, scope FROM holdfast_log WHERE tbl = ? AND (id, scope) > (?, ?) AND gone = 0 ORDER BY id, scope LIMIT ?',
    [table, after.id, after.scope, limit],
  )
  return rows.map((row) => ({ id: String(row['id']), scope: String(row['scope']) }))
}

/** How many rows the log says are live. */
export async function countLive(sql: Sql): Promise<number> {
  const [row] = await sql.all('SELECT count(*) AS n FROM holdfast_log WHERE gone = 0')
  return Number(row?.['n'] ?? 0)
}

/** Entries at a version that their scope has not reached, or of a scope that is not known. */
export async function entriesAhead(sql: Sql, limit: number): Promise<readonly (Entry & { readonly table: string })[]> {
  const rows = await sql.all(
    'SELECT l.tbl, l.id, l.scope FROM holdfast_log AS l LEFT JOIN holdfast_scope AS s ON s.scope = l.scope WHERE s.scope IS NULL OR l.version > s.version ORDER BY l.tbl, l.id, l.scope LIMIT ?',
    [limit],
  )
  return rows.map((row) => ({ table: String(row['tbl']), id: String(row['id']), scope: String(row['scope']) }))
}

/** Scopes whose commits do not lead without a gap to the version at which the scope stands. The oldest may have been pruned. */
export async function brokenScopes(
  sql: Sql,
  limit: number,
): Promise<readonly { readonly scope: string; readonly version: number; readonly commits: string }[]> {
  const rows = await sql.all(
    'SELECT s.scope, s.version, count(c.version) AS n, min(c.version) AS first, max(c.version) AS last FROM holdfast_scope AS s LEFT JOIN holdfast_commit AS c ON c.scope = s.scope GROUP BY s.scope, s.version HAVING count(c.version) = 0 OR max(c.version) <> s.version OR count(c.version) <> max(c.version) - min(c.version) + 1 ORDER BY s.scope LIMIT ?',
    [limit],
  )
  return rows.map((row) => ({
    scope: String(row['scope']),
    version: Number(row['version']),
    commits: Number(row['n']) === 0 ? 'none' : `${row['n']} from ${row['first']} to ${row['last']}`,
  }))
}

/** Scopes that stand under another mark than the commit of their version. */
export async function mismarkedScopes(sql: Sql, limit: number): Promise<readonly string[]> {
  const rows = await sql.all(
    'SELECT s.scope FROM holdfast_scope AS s JOIN holdfast_commit AS c ON c.scope = s.scope AND c.version = s.version WHERE c.mark <> s.mark ORDER BY s.scope LIMIT ?',
    [limit],
  )
  return rows.map((row) => String(row['scope']))
}

/** Clients whose recorded numbers do not lead without a gap from what was pruned to what is decided. */
export async function brokenClients(
  sql: Sql,
  limit: number,
): Promise<readonly { readonly client: string; readonly wanted: string; readonly found: string }[]> {
  const rows = await sql.all(
    'SELECT c.client, c.decided, c.pruned, count(l.sequence) AS n, min(l.sequence) AS first, max(l.sequence) AS last FROM holdfast_client AS c LEFT JOIN holdfast_ledger AS l ON l.client = c.client GROUP BY c.client, c.decided, c.pruned HAVING count(l.sequence) <> c.decided - c.pruned OR min(l.sequence) <> c.pruned + 1 OR max(l.sequence) <> c.decided ORDER BY c.client LIMIT ?',
    [limit],
  )
  return rows.map((row) => ({
    client: String(row['client']),
    wanted: `${Number(row['pruned']) + 1} to ${row['decided']}`,
    found: Number(row['n']) === 0 ? 'none' : `${row['n']} from ${row['first']} to ${row['last']}`,
  }))
}

/** Clients of which there are outcomes and no record. */
export async function clientsWithoutRecord(sql: Sql, limit: number): Promise<readonly string[]> {
  const rows = await sql.all(
    'SELECT DISTINCT l.client FROM holdfast_ledger AS l LEFT JOIN holdfast_client AS c ON c.client = l.client WHERE c.client IS NULL ORDER BY l.client LIMIT ?',
    [limit],
  )
  return rows.map((row) => String(row['client']))
}
