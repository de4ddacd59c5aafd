// The times and amounts of the sync loop, each with its reason. An app may change any of them; sizes on the wire are not here but
// in protocol/limits.ts.
import type { BackoffLimits } from '../../base/backoff.ts'
import type { PatienceLimits } from './patience.ts'

/** Times are in milliseconds. */
export interface Tuning {
  /** How long one request may take: longer than a slow link needs for a full batch (2 MiB at 64 kB/s are 32 s). */
  readonly requestMs: number
  /** Wait after a fault: short enough that a lift door does not matter, bounded so that an hour offline is noticed within half a minute. */
  readonly backoff: BackoffLimits
  /**
   * After how many tries over how long an intent is parked that holds up all behind it. `fault`: the authority says that it is this intent
   * which fails, while others of its mutator pass; long, for the mutator may be mended. `version`: the authority does not know the
   * mutator or its version; a deploy of the server may only be minutes behind that of the app.
   */
  readonly parkAfter: { readonly fault: PatienceLimits; readonly version: PatienceLimits }
  /** When the authority speaks and nothing is decided of what waits for this long, the loop begins anew and the status says so. */
  readonly stalledMs: number
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
  parkAfter: Object.freeze({
    fault: Object.freeze({ tries: 20, ms: 45 * 60_000 }),
    version: Object.freeze({ tries: 3, ms: 5 * 60_000 }),
  }),
  stalledMs: 2 * 60_000,
  silenceMs: 20_000,
  pollMs: 15_000,
  keepDecidedMs: 7 * 86_400_000,
  keepDiscardedMs: 30 * 86_400_000,
  foldAfterMs: 2_000,
})
