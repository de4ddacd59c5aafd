// Statements over lists of values. Where each length of a list is a text of its own, the list is cut into pieces of three sizes, so
// that few different texts are ever prepared.
import type { Keyed, Sql, SqlRow, SqlValue } from './db.ts'

/** All rows of `text` with `IN (…)` in it as `(?*)`, for each of the values once; `before` are the parameters that stand before it. */
export function allIn(
  sql: Sql,
  text: string,
  before: readonly SqlValue[],
  values: readonly SqlValue[],
): Promise<readonly SqlRow[]> {
  return sql.allIn(text, before, values)
}

/** The same, piece by piece. */
export const inPieces = (
  all: Sql['all'],
  text: string,
  before: readonly SqlValue[],
  values: readonly SqlValue[],
): Promise<SqlRow[]> =>
  byPieces(values, (piece) => all(text.replace('?*', piece.map(() => '?').join(', ')), [...before, ...piece]))

/** What is found by keys of several columns, piece by piece. */
export const keyedInPieces = (
  all: Sql['all'],
  { columns, table, key, where }: Keyed,
  keys: readonly (readonly string[])[],
): Promise<SqlRow[]> =>
  byPieces(keys, (piece) => {
    const marks = `(${key.map(() => '?').join(', ')})`
    const list = piece.map(() => marks).join(', ')
    const text = `SELECT ${columns} FROM ${table} WHERE (${key.join(', ')}) IN (VALUES ${list})${where === undefined ? '' : ` AND ${where}`}`
    return all(text, piece.flat())
  })

async function byPieces<Key>(
  keys: readonly Key[],
  read: (piece: readonly Key[]) => Promise<readonly SqlRow[]>,
): Promise<SqlRow[]> {
  const found: SqlRow[] = []
  for (let from = 0; from < keys.length; ) {
    const left = keys.length - from
    // A short rest is filled up with its last key: a key that stands twice in a list is found once.
    const size = left > 10 ? 100 : left > 1 ? 10 : 1
    const piece = keys.slice(from, from + size)
    const last = piece[piece.length - 1] as Key
    while (piece.length < size) piece.push(last)
    for (const row of await read(piece)) found.push(row)
    from += size
  }
  return found
}
