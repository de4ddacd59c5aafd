// Statements over lists of values. Where each length of a list is a text of its own, the list is cut into pieces of three sizes, so
// that few different texts are ever prepared.
import type { Key, Sql, SqlRow, SqlValue } from './db.ts'

/** Whether a key is several texts. */
export const isSeveral = (key: Key): key is readonly string[] => Array.isArray(key)

/** All rows of `text` with `IN (…)` in it as `(?*)`, for each of the keys once; `before` are the parameters that stand before it. */
export function allIn(
  sql: Sql,
  text: string,
  before: readonly SqlValue[],
  keys: readonly Key[],
): Promise<readonly SqlRow[]> {
  return sql.allIn(text, before, keys)
}

/** The list for so many keys. */
function marksFor(size: number, key: Key): string {
  if (!isSeveral(key)) return Array(size).fill('?').join(', ')
  const marks = `(${key.map(() => '?').join(', ')})`
  return `VALUES ${Array(size).fill(marks).join(', ')}`
}

/** The same, piece by piece. */
export async function inPieces(
  all: Sql['all'],
  text: string,
  before: readonly SqlValue[],
  keys: readonly Key[],
): Promise<SqlRow[]> {
  const found: SqlRow[] = []
  for (let from = 0; from < keys.length; ) {
    const left = keys.length - from
    // A short rest is filled up with its last key: a key that stands twice in a list is found once.
    const size = left > 10 ? 100 : left > 1 ? 10 : 1
    const piece = keys.slice(from, from + size)
    const last = piece[piece.length - 1] as Key
    while (piece.length < size) piece.push(last)
    const rows = await all(text.replace('?*', marksFor(size, last)), [...before, ...piece.flat()])
    for (const row of rows) found.push(row)
    from += size
  }
  return found
}
