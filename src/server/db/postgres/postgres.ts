// PostgreSQL through a pool that the app hands in. One transaction of an authority at a time in a database, over all processes: each
// write takes the lock of the table holdfast_writer before it takes its snapshot, so that it sees everything that those before it
// committed, and the engine means here what it means on SQLite. Other writers of the database take no part in that: where one is in the
// way, the whole transaction is begun again. Reads are snapshots that nobody waits for.
// Knows no tables but that one. Its row counts the commits, by which other processes see that there was one.
import { backoffMs } from '../../../base/backoff.ts'
import { SyncError } from '../../../base/errors.ts'
import { createLane } from '../../../base/lane.ts'
import { nodeHost } from '../../../hosts/node/authority-host.ts'
import type { ServerHost } from '../../host.ts'
import type { Database, Sql } from '../db.ts'
import { together } from '../together.ts'
import { type Columns, createColumns } from './columns.ts'
import { postgresDialect } from './dialect.ts'
import { endsConnection, Interrupted, mapError, stateOf } from './errors.ts'
import { createHints } from './hints.ts'
import type { PgConnection, PgPool } from './pool.ts'
import { createSession } from './session.ts'

/** What a PostgreSQL database may be told. */
export interface PostgresOptions {
  /** Clock, dice and log; the real ones by default. */
  readonly host?: ServerHost
  /** How long a write waits for another authority of the same database to end its own, in milliseconds. Default 10,000. */
  readonly writerTimeoutMs?: number
  /** How long a write waits for rows that a foreign transaction has locked, in milliseconds. Everybody's writes wait with it. Default 2,000. */
  readonly lockTimeoutMs?: number
  /** Snapshots that are open at once, at most: one connection each. Default 6. */
  readonly readers?: number
  /** Whether statements stay prepared on their connections; false behind a proxy that gives each transaction another server. Default true. */
  readonly prepare?: boolean
  /** Whether statements are sent before those ahead of them are answered, where `pg` can. Default true. */
  readonly pipeline?: boolean
}

/** How often a transaction is begun before it is given up. */
const TRIES = 6

/** A process that was stopped in the middle of a write, and holds the lock of all, loses it after this time. */
const FROZEN_MS = 30_000

/** What is read must be written as `values.ts` reads it, whatever the app has set for its connections. */
const STYLE = "SET LOCAL datestyle = 'ISO'; SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1"

/**
 * The database behind a pool of `pg`. Closing it leaves the pool open: that is the app's. The engine needs up to three connections, and
 * one more for each snapshot that is to be read at the same time.
 *
 * @example
 * const pool = new Pool({ connectionString: process.env.DATABASE_URL })
 * const authority = createAuthority({ app, database: postgres(pool), authenticate, grants })
 */
export function postgres(pool: PgPool, options: PostgresOptions = {}): Database {
  const host = options.host ?? nodeHost()
  const { writerTimeoutMs = 10_000, lockTimeoutMs = 2_000, readers = 6, prepare = true, pipeline = true } = options
  const columns: Columns = createColumns()
  const writing = createLane()
  const waiting: (() => void)[] = []
  const reading = new Set<Promise<unknown>>()
  const hints = createHints(pool, host)
  const counts = { commits: 0, aborts: 0 }
  let isClosed = false

  // The first snapshot is taken by the statement after LOCK TABLE, which takes none itself. A commit that is acknowledged is on disk,
  // whatever the app has set.
  const beginWrite = `BEGIN ISOLATION LEVEL REPEATABLE READ; ${STYLE}; SET LOCAL lock_timeout = ${Math.round(writerTimeoutMs)}; SET LOCAL idle_in_transaction_session_timeout = ${FROZEN_MS}; LOCK TABLE holdfast_writer IN EXCLUSIVE MODE; SET LOCAL lock_timeout = ${Math.round(lockTimeoutMs)}; SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'`
  const beginRead = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${STYLE}`

  const onPoolError = (error: Error): void => host.log({ level: 'warn', message: 'an idle connection was lost' }, error)
  pool.on('error', onPoolError)

  function refuseClosed(): void {
    if (isClosed) throw new SyncError('unavailable', 'The database is closed')
  }

  /** Takes a connection for `body`; whatever fails decides whether the pool gets it back. */
  async function connected<Result>(body: (connection: PgConnection) => Promise<Result>): Promise<Result> {
    let connection: PgConnection
    try {
      connection = await pool.connect()
    } catch (error) {
      throw new SyncError('unavailable', 'The database cannot be reached', { cause: error, retryAfterMs: 5_000 })
    }
    let isUsable = true
    // A connection that breaks while it is idle in our hands says so here, and to whoever uses it next.
    const onError = (): void => {
      isUsable = false
    }
    connection.on('error', onError)
    // Older versions of `pg` cannot, and the one over libpq only without texts of several statements.
    const mayPipeline = pipeline && connection.pipeline === false && !('native' in connection)
    if (mayPipeline) connection.pipeline = true
    try {
      return await body(connection)
    } catch (error) {
      if (endsConnection(error)) isUsable = false
      throw error
    } finally {
      connection.removeListener('error', onError)
      if (mayPipeline) connection.pipeline = false
      connection.release(!isUsable)
    }
  }

  async function transaction<Result>(
    begin: string,
    mayBeginAgain: boolean,
    hasBegun: () => void,
    body: (sql: Sql) => Promise<Result>,
  ): Promise<Result> {
    return connected(async (connection) => {
      const session = createSession(connection, { columns, prepare, mayBeginAgain })
      const begun = session.begin(begin).then(hasBegun)
      try {
        // The first statements of the body are on their way with those that begin. Where these fail, whatever else fails by it.
        const [, result] = await together([
          begun,
          connection.pipeline === true ? body(session.sql) : begun.then(() => body(session.sql)),
        ])
        await session.end()
        const lost = session.lost()
        if (lost !== undefined) throw lost
        await commit(connection, begin === beginWrite && session.hasWritten())
        return result
      } catch (error) {
        await session.end()
        const cause = session.lost() ?? error
        // On a connection that is lost there is nothing to undo.
        if (!endsConnection(cause)) await rollBack(connection, cause)
        throw cause
      }
    })
  }

  async function commit(connection: PgConnection, hasWritten: boolean): Promise<void> {
    // Of a transaction that has failed COMMIT makes a ROLLBACK, and says so only in the word by which it answers.
    const text = hasWritten ? 'UPDATE holdfast_writer SET n = n + 1; COMMIT' : 'COMMIT'
    const results = await meaningfully(() => connection.query(text))
    const last = Array.isArray(results) ? results.at(-1) : results
    if (last?.command !== 'COMMIT') throw new Error('The transaction had failed and was rolled back')
  }

  /** What a statement of ours fails by, as what it means; what a body throws is its own business. */
  async function meaningfully<Result>(run: () => Promise<Result>): Promise<Result> {
    try {
      return await run()
    } catch (error) {
      throw mapError(error, false)
    }
  }

  async function rollBack(connection: PgConnection, cause: unknown): Promise<void> {
    try {
      await connection.query('ROLLBACK')
    } catch (error) {
      // Whatever was wrong before is what is to be told; the connection is not given back.
      throw new SyncError('unavailable', 'The database fails', {
        cause: cause instanceof Error ? cause : error,
        retryAfterMs: 5_000,
      })
    }
  }

  /** Runs a transaction, again and from its beginning where another writer was in the way. */
  async function persistently<Result>(begin: string, body: (sql: Sql) => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      refuseClosed()
      let hasBegun = false
      try {
        const result = await transaction(begin, attempt < TRIES, () => (hasBegun = true), body)
        if (begin === beginWrite) counts.commits++
        return result
      } catch (error) {
        if (begin === beginWrite && error instanceof Interrupted && !error.needsFresh) counts.aborts++
        if (!hasBegun && stateOf(error) === '42P01' && attempt < TRIES) {
          await makeWriter()
          continue
        }
        if (!(error instanceof Interrupted) || attempt >= TRIES) throw error
      }
      const delayMs = backoffMs(attempt, { firstMs: 5, maxMs: 200 }, host.random)
      await new Promise<void>((resolve) => void host.clock.after(delayMs, resolve))
    }
  }

  /** Makes the table whose lock all writing takes, which is what the beginning of a write lacks on an empty database. */
  function makeWriter(): Promise<void> {
    return connected(async (connection) => {
      for (let attempt = 1; ; attempt++) {
        try {
          await connection.query(
            'CREATE TABLE IF NOT EXISTS holdfast_writer (one BOOLEAN PRIMARY KEY DEFAULT true CHECK (one), n BIGINT NOT NULL); INSERT INTO holdfast_writer (n) VALUES (0) ON CONFLICT DO NOTHING',
          )
          return
        } catch (error) {
          // Two processes that make it at once: for one of them it is there the next time.
          if (!['23505', '42P07', '42710', 'XX000'].includes(stateOf(error)) || attempt === 3)
            throw mapError(error, false)
        }
      }
    })
  }

  /** Runs a snapshot when one of the places for them is free. */
  async function atPlace<Result>(run: () => Promise<Result>): Promise<Result> {
    while (reading.size >= readers) await new Promise<void>((resolve) => waiting.push(resolve))
    const done = run()
    reading.add(done)
    try {
      return await done
    } finally {
      reading.delete(done)
      waiting.shift()?.()
    }
  }

  return {
    dialect: postgresDialect,
    host,
    hints,
    write: (body) => writing.run(() => persistently(beginWrite, body)),
    writes: () => ({ ...counts }),
    read: (body) => atPlace(() => persistently(beginRead, body)),
    async close() {
      if (isClosed) return
      isClosed = true
      await hints.close()
      await writing.run(async () => undefined)
      while (reading.size > 0) await Promise.allSettled(reading)
      pool.removeListener('error', onPoolError)
    },
  }
}
