// All that the authority wants of the world besides its database. A database adapter brings along that of the runtime for which it is.
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'

/** One line of the authority's log. Never content, tokens or SQL. */
export interface LogEntry {
  readonly level: 'info' | 'warn' | 'error'
  /** What happened, in a few words that do not vary. */
  readonly message: string
  readonly requestId?: string
  readonly [field: string]: string | number | boolean | undefined
}

/** The world of an authority. */
export interface ServerHost {
  readonly clock: Clock
  readonly random: Random
  /** Takes log lines. `cause` is for the operator only and may hold anything. */
  log(entry: LogEntry, cause?: unknown): void
}
