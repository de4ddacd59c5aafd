// What PostgreSQL's errors mean to the engine: a refused constraint, another writer that was in the way, rows that somebody keeps locked,
// or a database that fails, whatever was asked of it. Everything else is an error of the statement and stays what it is.
import { SyncError } from '../../../base/errors.ts'
import { ConstraintError, RowsLocked } from '../db.ts'

/** Another writer was in the way: the same transaction, from its beginning, may well succeed. */
export class Interrupted extends SyncError {
  /** Whether the connection is to be given up, because of what it has prepared. */
  readonly needsFresh: boolean
  constructor(cause: unknown, needsFresh = false) {
    super('unavailable', 'Another writer of the database was in the way', { cause, retryAfterMs: 1_000 })
    this.needsFresh = needsFresh
  }
}

/** The five characters by which PostgreSQL names what happened; empty for what it did not say. */
export function stateOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : ''
}

const kinds: { readonly [state: string]: ConstraintError['kind'] } = {
  '23505': 'unique',
  '23503': 'foreign_key',
  '23001': 'foreign_key',
  '23514': 'check',
  '23502': 'not_null',
}

/** A value that its column does not take: too long, out of range, no such date, not of its form. SQLite's STRICT tables call it a check. */
const UNFIT: ReadonlySet<string> = new Set(['22001', '22003', '22007', '22008', '22021', '22P02', '22P03', '22P05'])

/** The server or the way to it fails: connection, resources, an operator, its disk, its files. */
const FAILING = /^(08|53|57|58|F0|XX|25P03|25P04|26000)/

/** What an error means. `writes` says that the engine itself wrote a row by the statement, so that a value can be at fault. */
export function mapError(error: unknown, writes: boolean): unknown {
  if (error instanceof SyncError || error instanceof ConstraintError) return error
  const state = stateOf(error)
  if (state === '40001' || state === '40P01') return new Interrupted(error)
  // A table was changed since the statement was prepared, or the server behind a proxy is another one: a fresh connection knows neither.
  if (state === '26000' || (state === '0A000' && /cached plan/.test(String(error)))) return new Interrupted(error, true)
  if (state === '55P03') return new RowsLocked(error)
  // A trigger of the app that raises an exception refuses a row as a constraint would.
  if (state === 'P0001') return new ConstraintError('other', error)
  if (state.startsWith('23')) return new ConstraintError(kinds[state] ?? 'other', error)
  if (writes && UNFIT.has(state)) return new ConstraintError('check', error)
  // An error of which the server said nothing is one of the connection.
  if (FAILING.test(state) || (state === '' && error instanceof Error && !(error instanceof TypeError)))
    return new SyncError('unavailable', 'The database fails', { cause: error, retryAfterMs: 5_000 })
  return error
}

/** Whether a unique index of the engine refused the statement. Positions are free in every snapshot: a row that was not in it has come between. */
export function isOwnIndex(error: unknown): boolean {
  return (
    stateOf(error) === '23505' &&
    typeof error === 'object' &&
    error !== null &&
    'constraint' in error &&
    String(error.constraint).startsWith('holdfast.')
  )
}

/** Whether the connection can be used again after this error. */
export function endsConnection(error: unknown): boolean {
  if (error instanceof Interrupted) return error.needsFresh
  if (!(error instanceof SyncError) || error instanceof RowsLocked) return false
  const state = stateOf(error.cause)
  return error.cause !== undefined && state !== '57014' && !state.startsWith('53')
}
