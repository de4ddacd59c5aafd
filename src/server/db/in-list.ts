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

/** What is found by keys of one column or several, piece by piece. */
export const keyedInPieces = (
  all: Sql['all'],
  { columns, table, key, where }: Keyed,
  keys: readonly (readonly SqlValue[])[],
): Promise<SqlRow[]> =>
  byPieces(keys, (piece) => {
    const condition = where === undefined ? '' : ` AND ${where}`
    const found = `SELECT ${columns} FROM ${table} WHERE`
    if (key.length === 1)
      return all(`${found} ${key[0]} IN (${piece.map(() => '?').join(', ')})${condition}`, piece.flat())
    const marks = `(${key.map(() => '?').join(', ')})`
    return all(
      `${found} (${key.join(', ')}) IN (VALUES ${piece.map(() => marks).join(', ')})${condition}`,
      piece.flat(),
    )
  })

/** The highest `column` of the rows with each value of `key`, piece by piece. */
export async function highestInPieces(
  all: Sql['all'],
  table: string,
  column: string,
  key: string,
  values: readonly SqlValue[],
): Promise<readonly SqlRow[]> {
  const [only] = values
  const highest = `max(${column}) AS last FROM ${table} WHERE ${key}`
  // Of one value the index says it at once; of a list the rows are counted.
  if (only !== undefined && values.length === 1)
    return (await all(`SELECT ${highest} = ?`, [only])).map((row) => ({ ...row, value: only }))
  return inPieces(all, `SELECT ${key} AS value, ${highest} IN (?*) GROUP BY ${key}`, [], values)
}

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
