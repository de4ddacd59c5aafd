// What the parts of one authority share: the app, its layout, its database, the world, and how it is tuned. Read-only; made once
// by authority.ts.
import type { App } from '../schema/app.ts'
import type { MutatorBody } from '../schema/mutator.ts'
import type { Table } from '../schema/table.ts'
import type { Database } from './db/db.ts'
import type { Layout } from './db/layout.ts'
import type { ServerHost } from './host.ts'
import type { RightsReader } from './rights/grants.ts'
import type { Culprits } from './sync/culprits.ts'

/** Times and bounds of an authority. The limits of the wire are not among them: see protocol/limits. */
export interface Tuning {
  /** How long a mutator may wait for something else than its transaction. All writing waits with it. */
  readonly mutatorTimeoutMs: number
  /** How long the app's function of grants may take. */
  readonly grantsTimeoutMs: number
  /** When a device should try an intent again whose mutator failed. */
  readonly faultRetryMs: number
  /** Intents of several devices that share one commit, at most. */
  readonly mergedIntents: number
  /** Batches that may wait for the writer; who comes then is told to come again. */
  readonly waitingBatches: number
  /** The longest rest between two ticks of the live streams. One that was quick is followed sooner: after three times what it took. */
  readonly tickMs: number
  /** How often writes are looked for that nobody told us of. */
  readonly pollMs: number
  /** Live streams that may be open at once. */
  readonly streams: number
  /** Live streams that one actor may have open at once. */
  readonly actorStreams: number
  /** A quiet stream is sent a sign of life this often. */
  readonly heartbeatMs: number
  /**
   * Requests that one actor may send to this process: a token for each, and for each further hundred intents of a push; so many a second
   * come in, and so many may be kept. Whoever has none is answered `rate_limited`. `perSecond: Infinity` for no limit.
   */
  readonly rate: { readonly perSecond: number; readonly burst: number }
  /** How long outcomes are kept that their device has stored itself: an id that comes again within that time is known. */
  readonly keepStoredMs: number
  /** How long all other outcomes are kept: those of devices that were not heard of since, and of callers without a device. */
  readonly keepSilentMs: number
  /** How long commits are remembered. A device that was away for longer fetches its scopes anew; its intents are not touched. */
  readonly keepHistoryMs: number
  /** How often the authority prunes by itself; `Infinity` for never. */
  readonly pruneMs: number
}

const DAY_MS = 24 * 60 * 60 * 1_000

/** The defaults. */
export const TUNING: Tuning = Object.freeze({
  mutatorTimeoutMs: 5_000,
  grantsTimeoutMs: 5_000,
  faultRetryMs: 5_000,
  mergedIntents: 4_000,
  waitingBatches: 1_000,
  tickMs: 20,
  pollMs: 250,
  streams: 10_000,
  actorStreams: 10_000,
  heartbeatMs: 15_000,
  rate: Object.freeze({ perSecond: 1_000, burst: 10_000 }),
  keepStoredMs: 30 * DAY_MS,
  keepSilentMs: 400 * DAY_MS,
  keepHistoryMs: 90 * DAY_MS,
  pruneMs: DAY_MS,
})

/** What the parts share. */
export interface World {
  readonly app: App
  readonly layout: Layout
  readonly database: Database
  readonly host: ServerHost
  readonly rights: RightsReader
  /** Bodies that replace those of the app at the authority. */
  readonly bodies: { readonly [mutator: string]: MutatorBody<{ readonly [table: string]: Table }, unknown> }
  readonly culprits: Culprits
  readonly tuning: Tuning
}
