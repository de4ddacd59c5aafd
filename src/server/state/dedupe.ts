// The fallback for plain callers without a key: one row for each call that counts as the same, taken in the transaction of its intent by
// an upsert that succeeds only outside the window. Holds a hash and the first one's id, never arguments; its outcome is in the ledger.
// What counts as the same, and when it is asked, is server/plain.ts.
import type { Dialect, Sql } from '../db/db.ts'

/** The table of the calls that were last taken. */
export const dedupeTables = (dialect: Dialect): readonly string[] => [
  `CREATE TABLE holdfast_dedupe (hash ${dialect.text} NOT NULL, actor ${dialect.text} NOT NULL, intent_id ${dialect.text} NOT NULL, taken_at BIGINT NOT NULL, ends_at BIGINT NOT NULL, PRIMARY KEY (hash))${dialect.keyOrdered}`,
  'CREATE INDEX holdfast_dedupe_ends ON holdfast_dedupe (ends_at)',
]

/** A call that wants to be the first. Times are milliseconds since 1970, by the authority's clock. */
export interface Taking {
  /** Of the actor, the mutator, the canonical arguments and the declared parent. */
  readonly hash: string
  readonly actor: string
  readonly intentId: string
  readonly takenAt: number
  readonly endsAt: number
}

/**
 * Takes the place of a call; gives the id of the intent that holds it when the window of that one is not over. A row from the future,
 * left by a clock that was set back since, does not hold longer than a window.
 */
export async function takeFirst(
  sql: Sql,
  { hash, actor, intentId, takenAt, endsAt }: Taking,
): Promise<string | undefined> {
  const taken = await sql.run(
    'INSERT INTO holdfast_dedupe (hash, actor, intent_id, taken_at, ends_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (hash) DO UPDATE SET intent_id = excluded.intent_id, taken_at = excluded.taken_at, ends_at = excluded.ends_at WHERE holdfast_dedupe.ends_at <= excluded.taken_at OR holdfast_dedupe.taken_at > excluded.ends_at',
    [hash, actor, intentId, takenAt, endsAt],
  )
  if (taken > 0) return undefined
  const [row] = await sql.all('SELECT intent_id FROM holdfast_dedupe WHERE hash = ?', [hash])
  return String(row?.['intent_id'])
}

/** Takes the place over from an intent that was never decided. */
export async function takeOver(sql: Sql, { hash, intentId, takenAt, endsAt }: Taking): Promise<void> {
  await sql.run('UPDATE holdfast_dedupe SET intent_id = ?, taken_at = ?, ends_at = ? WHERE hash = ?', [
    intentId,
    takenAt,
    endsAt,
    hash,
  ])
}

/** Forgets calls whose window was over before `before`, at most `limit` of them; gives how many. */
export function pruneDedupe(sql: Sql, before: number, limit: number): Promise<number> {
  return sql.run(
    'DELETE FROM holdfast_dedupe WHERE hash IN (SELECT hash FROM holdfast_dedupe WHERE ends_at < ? ORDER BY ends_at LIMIT ?)',
    [before, limit],
  )
}

/** Forgets an actor's calls; gives how many. */
export function eraseDedupe(sql: Sql, actor: string): Promise<number> {
  return sql.run('DELETE FROM holdfast_dedupe WHERE actor = ?', [actor])
}
