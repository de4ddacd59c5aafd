// The times and amounts of the sync loop, each with its reason. An app may change any of them; sizes on the wire are not here but
// in protocol/limits.ts.
import type { BackoffLimits } from '../../base/backoff.ts'

/** Times are in milliseconds. */
export interface Tuning {
  /** How long one request may take: longer than a slow link needs for a full batch (2 MiB at 64 kB/s are 32 s). */
  readonly requestMs: number
  /** Wait after a fault: short enough that a lift door does not matter, bounded so that an hour offline is noticed within half a minute. */
  readonly backoff: BackoffLimits
  /** A stream that is silent for as long as this, and then once more, is given up: longer than the authority's heartbeats are apart. */
  readonly silenceMs: number
  /** Without a stream: how often to look for the changes of others. */
  readonly pollMs: number
  /** Decided intents are kept this long, in case the authority is restored from a backup and asks for them again. */
  readonly keepDecidedMs: number
  /** What a person discarded is kept this long, for undo and export. */
  readonly keepDiscardedMs: number
  /** How long after the last frame to fold the journals: not between two frames of one burst. */
  readonly foldAfterMs: number
}

/** What is used unless the app says otherwise. */
export const DEFAULT_TUNING: Tuning = Object.freeze({
  requestMs: 45_000,
  backoff: Object.freeze({ firstMs: 500, maxMs: 30_000 }),
  silenceMs: 20_000,
  pollMs: 15_000,
  keepDecidedMs: 7 * 86_400_000,
  keepDiscardedMs: 30 * 86_400_000,
  foldAfterMs: 2_000,
})
