// The statements of one transaction, in the order in which they are asked for. Where the connection takes several on their way at once,
// what is asked together is sent together, and answered in that order; else one goes when the one before it is answered. Many rows go as
// one statement, in an array for each column. After some errors the transaction is lost, and everything that is asked afterwards fails
// with the same error, so that nobody goes on by catching it. Commits and rolls back nothing (postgres.ts does).
import { SyncError } from '../../../base/errors.ts'
import { createLane } from '../../../base/lane.ts'
import type { Sql, SqlValue } from '../db.ts'
import { together } from '../together.ts'
import { type Columns, type ColumnTypes, partsOfHead } from './columns.ts'
import { Interrupted, isOwnIndex, mapError, stateOf } from './errors.ts'
import type { PgConnection, PgResult, PgStatement } from './pool.ts'
import { compile, renew } from './statements.ts'
import { rowsOf, TYPES, toArray } from './values.ts'

/** The statements of one transaction, and what became of it. */
export interface Session {
  readonly sql: Sql
  /** Sends the statements that begin the transaction. Where it can, what is asked next does not wait for it, and fails as it fails. */
  begin(text: string): Promise<void>
  /** Waits for what is under way, and refuses what comes later: a mutator that was given up changes nothing. */
  end(): Promise<void>
  /** Why the transaction cannot be committed, whatever its body made of that. */
  lost(): SyncError | undefined
  /** Whether anything but queries was run. */
  hasWritten(): boolean
}

/** What a session needs of its database. */
export interface SessionOptions {
  readonly columns: Columns
  /** Statements that come again stay prepared on their connection. */
  readonly prepare: boolean
  /** Whether a unique index of the engine that refuses a row is a reason to begin again. */
  readonly mayBeginAgain: boolean
}

/** A statement on its way, and whether the engine writes rows by it. */
interface Sending {
  readonly statement: string | PgStatement
  readonly writes: boolean
}

/** Rows that go in one statement. */
const MAX_ROWS = 5_000

/** What everything fails by in a transaction in which something has failed. */
const ABORTED = '25P02'

/** A statement that cannot write: all others count as writes. */
const QUERY = /^\s*(select|values|table)\b(?![\s\S]*\b(into|for)\b)/i

/** Keys that travel as an array for each column, as rows `k0`, `k1`, …. */
const unnested = (types: readonly string[]): string =>
  `unnest(${types.map((type) => `?::${type}[]`).join(', ')}) AS k (${types.map((_, index) => `k${index}`).join(', ')})`

/** Makes the session of a connection that nobody else uses. */
export function createSession(connection: PgConnection, options: SessionOptions): Session {
  const lane = createLane()
  let isOver = false
  let lost: SyncError | undefined
  /** What the statement failed by after which the server does nothing more in this transaction, up to the savepoint that is undone. */
  let failed: unknown
  /** Settles with the statement that was sent last: answers come in the order of what was sent. */
  let last: Promise<unknown> = Promise.resolve()
  let hasWritten = false
  let depth = 0

  async function query(statement: string | PgStatement, writes: boolean): Promise<PgResult> {
    if (lost !== undefined) throw lost
    if (isOver) throw new SyncError('unavailable', 'This transaction is over')
    try {
      return await connection.query(statement)
    } catch (error) {
      // Sent before it was known that one before it had failed.
      if (stateOf(error) === ABORTED && failed !== undefined) throw failed
      const meaning = options.mayBeginAgain && isOwnIndex(error) ? new Interrupted(error) : mapError(error, writes)
      if (meaning instanceof SyncError) lost = meaning
      if (
        meaning instanceof Interrupted &&
        meaning.needsFresh &&
        typeof statement !== 'string' &&
        statement.name !== undefined
      )
        renew(statement.name)
      failed ??= meaning
      throw meaning
    }
  }

  /**
   * Sends statements when their turn has come, which is that of the call; gives their answers. What they are may need something to be
   * asked first. Where the connection takes one at a time, the next one waits for the answer.
   */
  async function sendAll(make: () => Iterable<Sending> | Promise<Iterable<Sending>>): Promise<readonly PgResult[]> {
    const { answers } = await lane.run(async () => {
      const sent: Promise<PgResult>[] = []
      for (const { statement, writes } of await make()) {
        const answer = query(statement, writes)
        sent.push(answer)
        last = answer.catch(() => undefined)
        if (connection.pipeline !== true) await last
      }
      return { answers: together(sent) }
    })
    return answers
  }

  async function send(make: () => Sending | Promise<Sending>): Promise<PgResult> {
    const [answer] = await sendAll(async () => [await make()])
    return answer as PgResult
  }

  /** Undoes what was done since a savepoint. */
  async function undo(name: string): Promise<void> {
    if (lost !== undefined || isOver) return
    await last
    failed = undefined
    await query(`ROLLBACK TO SAVEPOINT ${name}; RELEASE SAVEPOINT ${name}`, false)
  }

  function prepared(text: string, parameters: readonly SqlValue[]): PgStatement {
    const compiled = compile(text)
    const name = options.prepare ? compiled.name : undefined
    const statement = {
      text: compiled.text,
      values: parameters as SqlValue[],
      types: TYPES,
      queryMode: 'extended',
    } as const
    return name === undefined ? statement : { ...statement, name }
  }

  const sending = (text: string, parameters: readonly SqlValue[], writes: boolean): Sending => ({
    statement: prepared(text, parameters),
    writes,
  })

  const execute = (text: string, parameters: readonly SqlValue[], writes: boolean): Promise<PgResult> =>
    send(() => sending(text, parameters, writes))

  const simple = (statement: string): Promise<PgResult> => send(() => ({ statement, writes: false }))

  /** The columns of a table; asked for only in one's turn. */
  const typesOf = (table: string): ColumnTypes | Promise<ColumnTypes> =>
    options.columns.known(table) ??
    options.columns.of(table, async (text, parameters) => rowsOf((await query(prepared(text, parameters), false)).rows))

  /** The values of each column as one array, and how they become rows again: `c0`, `c1`, …. */
  function rowset(types: ColumnTypes, columns: readonly string[], rows: readonly (readonly SqlValue[])[]) {
    const found = columns.map((column) => types.get(column) ?? { read: 'text', cast: '' })
    return {
      arrays: found.map((_, column) => toArray(rows.map((row) => row[column] ?? null))),
      from: `unnest(${found.map(({ read }) => `?::${read}[]`).join(', ')}) AS v (${found.map((_, index) => `c${index}`).join(', ')})`,
      values: found.map(({ cast }, index) => `v.c${index}${cast}`),
    }
  }

  /** A statement for each piece of many rows. */
  function* pieces(
    rows: readonly (readonly SqlValue[])[],
    size: number,
    make: (piece: readonly (readonly SqlValue[])[]) => Sending,
  ): Iterable<Sending> {
    for (let from = 0; from < rows.length; from += size)
      yield make(size >= rows.length ? rows : rows.slice(from, from + size))
  }

  const sql: Sql = {
    async all(text, parameters = []) {
      if (!QUERY.test(text)) hasWritten = true
      return rowsOf((await execute(text, parameters, false)).rows)
    },
    attempt(text, parameters) {
      if (!QUERY.test(text)) hasWritten = true
      // Nothing else may be asked in between: it would fail with this statement, or be undone with it.
      return lane.run(async () => {
        await query('SAVEPOINT app', false)
        try {
          const { rows } = await query(prepared(text, parameters), false)
          await query('RELEASE SAVEPOINT app', false)
          return rowsOf(rows)
        } catch (error) {
          await undo('app')
          throw error
        }
      })
    },
    async run(text, parameters = []) {
      hasWritten = true
      if (/^\s*(create|alter|drop)\b/i.test(text)) options.columns.forget()
      return (await execute(text, parameters, false)).rowCount ?? 0
    },
    async insert(head, rows, tail = '') {
      const [first] = rows
      if (first === undefined) return
      hasWritten = true
      if (rows.length === 1) {
        await execute(`${head} VALUES (${first.map(() => '?').join(', ')})${tail}`, first, true)
        return
      }
      const { table, columns } = partsOfHead(head)
      await sendAll(async () => {
        const types = await typesOf(table)
        return pieces(rows, MAX_ROWS, (piece) => {
          const set = rowset(types, columns, piece)
          return sending(`${head} SELECT ${set.values.join(', ')} FROM ${set.from}${tail}`, set.arrays, true)
        })
      })
    },
    async allIn(text, before, values) {
      const [only] = values
      if (only === undefined) return []
      if (values.length === 1) return sql.all(text.replace('?*', '?'), [...before, only])
      return sql.all(text.replace(/IN \(\?\*\)/i, '= ANY (?)'), [...before, toArray(values)])
    },
    async allKeyed({ columns, table, key, where }, keys) {
      if (keys.length === 0) return []
      const condition = where === undefined ? '' : ` AND ${where}`
      const { rows } = await send(async () => {
        const types = await typesOf(table)
        const of = key.map((column) => types.get(column)?.read)
        const arrays = key.map((_, index) => toArray(keys.map((values) => values[index] ?? null)))
        const all = `SELECT ${columns} FROM ${table} WHERE`
        if (key.length === 1 && of[0] === undefined)
          return sending(`${all} ${key[0]} = ANY (?)${condition}`, arrays, false)
        // OFFSET 0 keeps the two apart: as a join, or as a list of values, planned while the table was small, it would read the whole
        // table or index for as long as nobody has counted its rows anew.
        const found = `${all} ${key.map((column, index) => `${column} = k${index}`).join(' AND ')}${condition} OFFSET 0`
        const given = unnested(of.map((type) => type ?? 'text'))
        return sending(`SELECT x.* FROM ${given} CROSS JOIN LATERAL (${found}) AS x`, arrays, false)
      })
      return rowsOf(rows)
    },
    async highest(table, column, key, values) {
      if (values.length === 0) return []
      const { rows } = await send(async () => {
        const type = (await typesOf(table)).get(key)?.read
        const highest = `max(${column}) AS last FROM ${table} WHERE ${key} =`
        // The index says it at once for each of them; grouped, all of their rows are read (1.6 ms for one with 6,000).
        const text =
          type === undefined
            ? `SELECT ${key} AS value, ${highest} ANY (?) GROUP BY ${key}`
            : `SELECT k0 AS value, (SELECT ${highest} k0) AS last FROM ${unnested([type])}`
        return sending(text, [toArray(values)], false)
      })
      return rowsOf(rows)
    },
    async update(table, key, columns, rows) {
      if (rows.length === 0) return 0
      hasWritten = true
      const one = `UPDATE ${table} SET ${columns.map((column) => `${column} = ?`).join(', ')} WHERE ${key} = ?`
      const changed = await sendAll(async () => {
        const types = await typesOf(table)
        // In which order the rows of one statement are changed nobody knows, and a unique value may pass from one to the next.
        if (rows.length === 1 || columns.some((column) => types.get(column)?.isUnique !== false))
          return pieces(rows, 1, ([row = []]) => sending(one, row, true))
        return pieces(rows, MAX_ROWS, (piece) => {
          const set = rowset(types, [...columns, key], piece)
          const assigned = columns.map((column, index) => `${column} = ${set.values[index]}`).join(', ')
          const text = `UPDATE ${table} AS target SET ${assigned} FROM ${set.from} WHERE target.${key} = ${set.values[columns.length]}`
          return sending(text, set.arrays, true)
        })
      })
      return changed.reduce((sum, { rowCount }) => sum + (rowCount ?? 0), 0)
    },
    async delete(table, key, values) {
      if (values.length === 0) return
      hasWritten = true
      await execute(`DELETE FROM ${table} WHERE ${key} = ANY (?)`, [toArray(values)], true)
    },
    async savepoint(body) {
      const name = `s${++depth}`
      await simple(`SAVEPOINT ${name}`)
      try {
        const result = await body()
        await simple(`RELEASE SAVEPOINT ${name}`)
        return result
      } catch (error) {
        await lane.run(() => undo(name))
        throw error
      } finally {
        depth--
      }
    },
  }

  return {
    sql,
    async begin(text) {
      await simple(text)
    },
    async end() {
      isOver = true
      await lane.run(async () => undefined)
      await last
    },
    lost: () => lost,
    hasWritten: () => hasWritten,
  }
}
