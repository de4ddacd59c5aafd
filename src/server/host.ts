// All that the authority wants of the world besides its database. A database adapter brings along that of the runtime for which it is.
import type { HashText } from '../base/canonical.ts'
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
  /**
   * The runtime's own SHA-256 of a text's UTF-8, in hexadecimal, where it has one that answers at once: of each intent a fingerprint is
   * made (4 against 13 µs). Without it, one in JavaScript is used.
   */
  readonly sha256?: HashText
  /** Takes log lines. `cause` is for the operator only and may hold anything. */
  log(entry: LogEntry, cause?: unknown): void
}
