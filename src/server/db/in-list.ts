// Statements over lists of values. Where each length of a list is a text of its own, the list is cut into pieces of three sizes, so
// that few different texts are ever prepared.
import type { Sql, SqlRow, SqlValue } from './db.ts'

const SIZES = [100, 10, 1]
const MARKS = new Map(SIZES.map((size) => [size, Array(size).fill('?').join(', ')]))

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
export async function inPieces(
  all: Sql['all'],
  text: string,
  before: readonly SqlValue[],
  values: readonly SqlValue[],
): Promise<SqlRow[]> {
  const found: SqlRow[] = []
  for (let from = 0; from < values.length; ) {
    const left = values.length - from
    // A short rest is filled up with its last value: a value that stands twice in a list is found once.
    const size = left >= 100 ? 100 : left > 10 ? 100 : left > 1 ? 10 : 1
    const piece = values.slice(from, from + size)
    const last = piece[piece.length - 1] as SqlValue
    while (piece.length < size) piece.push(last)
    const rows = await all(text.replace('?*', MARKS.get(size) ?? '?'), [...before, ...piece])
    for (const row of rows) found.push(row)
    from += size
  }
  return found
}
