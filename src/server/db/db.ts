// The contract of a database: a few methods, so that SQLite and PostgreSQL differ in one folder each.
// It knows no tables of the engine; who owns which is server/state. How an app's table stands in SQL is layout.ts.
import type { Cancel } from '../../base/clock.ts'
import { SyncError } from '../../base/errors.ts'
import type { SqlRow, SqlValue } from '../../schema/tx.ts'
import type { ServerHost } from '../host.ts'
import type { Ddl } from './ddl.ts'

export type { SqlRow, SqlValue }

/** What is looked up by keys of several columns. */
export interface Keyed {
  /** The list behind SELECT. */
  readonly columns: string
  readonly table: string
  /** The columns of a key, for which there is an index: one column of any type, or several texts. */
  readonly key: readonly string[]
  /** What must hold besides. */
  readonly where?: string
}

/**
 * Statements inside one transaction or snapshot. Parameters are written `?`; names come quoted. They are done in the order in which they
 * are asked for, also by who does not wait for their results. A statement that fails may take the whole transaction with it, up to the
 * last savepoint: who wants to go on after an error must have opened one.
 */
export interface Sql {
  /** The rows of a statement. */
  all(text: string, parameters?: readonly SqlValue[]): Promise<readonly SqlRow[]>
  /** The rows of a statement of the app. Where it fails, the transaction is as it was before. */
  attempt(text: string, parameters: readonly SqlValue[]): Promise<readonly SqlRow[]>
  /** Runs a statement; gives the number of rows changed. */
  run(text: string, parameters?: readonly SqlValue[]): Promise<number>
  /**
   * Inserts rows: `head` is `INSERT INTO table (columns)`, `tail` what follows the values. One statement with many rows or one
   * prepared statement many times, as is faster here (SQLite: single rows 6 µs, the same by hundreds 9 µs, with a trigger).
   */
  insert(head: string, rows: readonly (readonly SqlValue[])[], tail?: string): Promise<void>
  /** All rows of `text` with `IN (…)` in it as `IN (?*)`, for each of the values once; `before` are the parameters that stand before it. */
  allIn(text: string, before: readonly SqlValue[], values: readonly SqlValue[]): Promise<readonly SqlRow[]>
  /** All rows with one of these keys, each of which stands there once. */
  allKeyed(what: Keyed, keys: readonly (readonly SqlValue[])[]): Promise<readonly SqlRow[]>
  /** The highest `column` of the rows with each value of `key`, as rows `value` and `last`, where there is an index over both. */
  highest(table: string, column: string, key: string, values: readonly SqlValue[]): Promise<readonly SqlRow[]>
  /** Sets these columns in the rows found by `key`: each of `rows` holds their values, then that of the key. Gives the number changed. */
  update(
    table: string,
    key: string,
    columns: readonly string[],
    rows: readonly (readonly SqlValue[])[],
  ): Promise<number>
  /** Deletes the rows in which `key` has one of the values. */
  delete(table: string, key: string, values: readonly SqlValue[]): Promise<void>
  /** Runs `body` so that its changes are undone when it throws, and only these. */
  savepoint<Result>(body: () => Promise<Result>): Promise<Result>
}

/** A refused constraint, told apart from other failures. `kind` is all that may leave the authority. */
export class ConstraintError extends Error {
  readonly kind: 'unique' | 'foreign_key' | 'check' | 'not_null' | 'other'
  constructor(kind: ConstraintError['kind'], cause: unknown) {
    super(`A ${kind} constraint refused the statement`, { cause })
    this.name = 'ConstraintError'
    this.kind = kind
  }
}

/** Somebody else keeps rows locked that a transaction must change: it fails, and others that need other rows need not. */
export class RowsLocked extends SyncError {
  constructor(cause: unknown) {
    super('unavailable', 'Another writer of the database keeps rows locked', { cause, retryAfterMs: 1_000 })
  }
}

/** What the engine must know of a dialect of SQL. */
export interface Dialect extends Ddl {
  readonly name: 'sqlite' | 'postgres'
  /** Whether each statement is a way to a server and back, so that few large ones are better than many small ones. */
  readonly isRemote: boolean
  /** A name as it stands in a statement. */
  quote(name: string): string
  /** Ends the `CREATE TABLE` of a table that is kept in the order of its primary key. */
  readonly keyOrdered: string
  /** The type of a text that is compared and ordered by its bytes, as it stands in `CREATE TABLE`. */
  readonly text: string
  /** The column that numbers the marks, as it stands in `CREATE TABLE`. */
  readonly markNumber: string
  /** A query whose result changes whenever another authority, or another connection of this one, has committed. */
  readonly stamp: string
}

/** What a commit changed. `isFull` says that it may be anything. */
export interface CommitHint {
  readonly scopes: readonly string[]
  readonly tables: readonly string[]
  readonly clients: readonly string[]
  readonly isFull?: boolean
}

/** How the authorities of one database hear of each other's commits. A hint may be lost: it saves time, and nothing depends on it. */
export interface CommitHints {
  /** Tells the others. */
  tell(hint: CommitHint): void
  /** Hears what others tell, until what it gives is called. */
  listen(listener: (hint: CommitHint) => void): Cancel
}

/** What became of transactions that write, since the database was opened by this process. */
export interface WriteCounts {
  /** How many were committed. */
  readonly commits: number
  /**
   * How many were rolled back because another writer of the database was in the way: a conflict of what both changed, or a deadlock
   * (PostgreSQL's 40001 and 40P01, SQLite's BUSY). Most are begun again at once and then counted among the commits too.
   */
  readonly aborts: number
}

/** The app's own database. */
export interface Database {
  readonly dialect: Dialect
  /** Clock, dice and log, unless the authority is given others. */
  readonly host: ServerHost
  /**
   * One transaction at a time, of all processes that share the database; durable when it resolves. When `body` throws, nothing has
   * happened. It may be called again, from its beginning, when another writer was in the way: it must make all that it fills anew.
   */
  write<Result>(body: (sql: Sql) => Promise<Result>): Promise<Result>
  /** Counts of `write`, for operators. */
  writes(): WriteCounts
  /** One snapshot: all statements see the same commit. May overlap with writes and other snapshots, and be called again like a write. */
  read<Result>(body: (sql: Sql) => Promise<Result>): Promise<Result>
  /** Where several authorities share the database, and it can carry hints between them. */
  readonly hints?: CommitHints
  /** Lets go of the database. */
  close(): Promise<void>
}
