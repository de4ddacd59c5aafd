// The statements of one transaction. They go one at a time, whoever asks; many rows go as one statement, in an array for each column.
// After some errors the transaction is lost, and everything that is asked afterwards fails with the same error, so that nobody goes on
// by catching it. Begins and ends no transaction (postgres.ts does).
import { SyncError } from '../../../base/errors.ts'
import { createLane } from '../../../base/lane.ts'
import type { Sql, SqlValue } from '../db.ts'
import { type Columns, type ColumnTypes, partsOfHead } from './columns.ts'
import { Interrupted, isOwnIndex, mapError } from './errors.ts'
import type { PgConnection, PgResult, PgStatement } from './pool.ts'
import { compile, renew } from './statements.ts'
import { rowsOf, TYPES, toArray } from './values.ts'

/** The statements of one transaction, and what became of it. */
export interface Session {
  readonly sql: Sql
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

/** Rows that go in one statement. */
const MAX_ROWS = 5_000

/** A statement that cannot write: all others count as writes. */
const QUERY = /^\s*(select|values|table)\b(?![\s\S]*\b(into|for)\b)/i

/** Begins a session on a connection in which a transaction was begun. */
export function createSession(connection: PgConnection, options: SessionOptions): Session {
  const lane = createLane()
  let isOver = false
  let lost: SyncError | undefined
  let hasWritten = false
  let depth = 0

  async function query(statement: string | PgStatement, writes: boolean): Promise<PgResult> {
    if (lost !== undefined) throw lost
    if (isOver) throw new SyncError('unavailable', 'This transaction is over')
    try {
      return await connection.query(statement)
    } catch (error) {
      const meaning = options.mayBeginAgain && isOwnIndex(error) ? new Interrupted(error) : mapError(error, writes)
      if (meaning instanceof SyncError) lost = meaning
      if (
        meaning instanceof Interrupted &&
        meaning.needsFresh &&
        typeof statement !== 'string' &&
        statement.name !== undefined
      )
        renew(statement.name)
      throw meaning
    }
  }

  const send = (statement: string | PgStatement, writes: boolean) => lane.run(() => query(statement, writes))

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

  const execute = (text: string, parameters: readonly SqlValue[], writes: boolean): Promise<PgResult> =>
    send(prepared(text, parameters), writes)

  const typesOf = (table: string): Promise<ColumnTypes> =>
    options.columns.of(table, async (text, parameters) => rowsOf((await execute(text, parameters, false)).rows))

  /** The values of each column as one array, and how they become rows again: `c0`, `c1`, …. */
  async function rowset(table: string, columns: readonly string[], rows: readonly (readonly SqlValue[])[]) {
    const types = await typesOf(table)
    const found = columns.map((column) => types.get(column) ?? { read: 'text', cast: '' })
    return {
      arrays: found.map((_, column) => toArray(rows.map((row) => row[column] ?? null))),
      from: `unnest(${found.map(({ read }) => `?::${read}[]`).join(', ')}) AS v (${found.map((_, index) => `c${index}`).join(', ')})`,
      values: found.map(({ cast }, index) => `v.c${index}${cast}`),
    }
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
          if (lost === undefined && !isOver) await query('ROLLBACK TO SAVEPOINT app; RELEASE SAVEPOINT app', false)
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
      for (let from = 0; from < rows.length; from += MAX_ROWS) {
        const set = await rowset(table, columns, rows.slice(from, from + MAX_ROWS))
        await execute(`${head} SELECT ${set.values.join(', ')} FROM ${set.from}${tail}`, set.arrays, true)
      }
    },
    async allIn(text, before, values) {
      const [only] = values
      if (only === undefined) return []
      if (values.length === 1) return sql.all(text.replace('?*', '?'), [...before, only])
      return sql.all(text.replace(/IN \(\?\*\)/i, '= ANY (?)'), [...before, toArray(values)])
    },
    async allKeyed({ columns, table, key, where }, keys) {
      if (keys.length === 0) return []
      const names = key.map((_, index) => `k${index}`)
      const given = `unnest(${names.map(() => '?::text[]').join(', ')}) AS k (${names.join(', ')})`
      const found = `SELECT ${columns} FROM ${table} WHERE ${key.map((column, index) => `${column} = k${index}`).join(' AND ')}`
      // OFFSET 0 keeps the two apart: as a join, planned while the table was small, it would read the whole index for as long as nobody
      // has counted its rows anew.
      return sql.all(
        `SELECT x.* FROM ${given} CROSS JOIN LATERAL (${found}${where === undefined ? '' : ` AND ${where}`} OFFSET 0) AS x`,
        names.map((_, index) => toArray(keys.map((values) => values[index] ?? null))),
      )
    },
    async update(table, key, columns, rows) {
      if (rows.length === 0) return 0
      hasWritten = true
      const one = `UPDATE ${table} SET ${columns.map((column) => `${column} = ?`).join(', ')} WHERE ${key} = ?`
      // In which order the rows of one statement are changed nobody knows, and a unique value may pass from one to the next.
      const types = await typesOf(table)
      if (rows.length === 1 || columns.some((column) => types.get(column)?.isUnique !== false)) {
        let changed = 0
        for (const row of rows) changed += (await execute(one, row, true)).rowCount ?? 0
        return changed
      }
      let changed = 0
      for (let from = 0; from < rows.length; from += MAX_ROWS) {
        const set = await rowset(table, [...columns, key], rows.slice(from, from + MAX_ROWS))
        const assigned = columns.map((column, index) => `${column} = ${set.values[index]}`).join(', ')
        const text = `UPDATE ${table} AS target SET ${assigned} FROM ${set.from} WHERE target.${key} = ${set.values[columns.length]}`
        changed += (await execute(text, set.arrays, true)).rowCount ?? 0
      }
      return changed
    },
    async delete(table, key, values) {
      if (values.length === 0) return
      hasWritten = true
      await execute(`DELETE FROM ${table} WHERE ${key} = ANY (?)`, [toArray(values)], true)
    },
    async savepoint(body) {
      const name = `s${++depth}`
      await send(`SAVEPOINT ${name}`, false)
      try {
        const result = await body()
        await send(`RELEASE SAVEPOINT ${name}`, false)
        return result
      } catch (error) {
        if (lost === undefined && !isOver) await send(`ROLLBACK TO SAVEPOINT ${name}; RELEASE SAVEPOINT ${name}`, false)
        throw error
      } finally {
        depth--
      }
    },
  }

  return {
    sql,
    async end() {
      isOver = true
      await lane.run(async () => undefined)
    },
    lost: () => lost,
    hasWritten: () => hasWritten,
  }
}
