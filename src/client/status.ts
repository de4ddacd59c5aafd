// What people are told: one badge for each intent and row, and one status of the whole client. Pure functions over what outbox
// and engine know; the table of states is here and nowhere else (I15: `synced` only when the authority has said so,
// nothing beyond `saving` before the device's disk has).
import type { Code, Phase, SyncError } from '../base/errors.ts'
import type { IntentId } from '../protocol/ids.ts'
import type { OutboxEntry } from './outbox/entry.ts'
import type { Lost } from './session/sentinel.ts'
import type { Refused, RefusedWhy, Storage, StorageMode } from './storage/storage.ts'
import type { Incoming } from './sync/core.ts'
import type { Health } from './sync/engine.ts'
import type { Role } from './tabs/role.ts'

/** What a badge says of a row or an intent. */
export type Badge = 'saving' | 'unsaved' | 'queued' | 'sending' | 'synced' | 'conflict' | 'failed'

/** What a query's row tells of its way to the authority. */
export interface SyncInfo {
  readonly state: Badge
  /** The pending intents that wrote the row, in order. */
  readonly intents: readonly string[]
  /** Columns whose values the authority has still to give. */
  readonly provisional: readonly string[]
}

/** The badge of one intent; `undefined` stands for one that has just been called. */
export function badgeOf(entry: OutboxEntry | undefined, isDurable: boolean): Badge {
  if (entry === undefined || entry.sequence === undefined) return 'saving'
  const { outcome, givenUp, isReopened, isRetired, isSending } = entry
  if (givenUp?.as === 'parked' && outcome?.status !== 'applied')
    return givenUp.reason === 'version' || givenUp.reason === 'waits' ? 'queued' : 'failed'
  const isGood = outcome?.status === 'applied' || (givenUp !== undefined && givenUp.as !== 'parked')
  if (outcome !== undefined && (isRetired || !isReopened))
    return isGood ? (isRetired ? 'synced' : 'sending') : outcome.status === 'conflict' ? 'conflict' : 'failed'
  if (isSending) return 'sending'
  return isDurable ? 'queued' : 'unsaved'
}

/** The farther from synced, the sooner it is what a row shows. */
const weight: { readonly [B in Badge]: number } = {
  unsaved: 6,
  failed: 5,
  saving: 4,
  queued: 3,
  sending: 2,
  conflict: 1,
  synced: 0,
}

/** The state of a row that these intents wrote: that of the one farthest from synced. */
export function rowBadge(writers: readonly IntentId[], badge: (id: IntentId) => Badge): Badge {
  let state: Badge = 'synced'
  for (const id of writers) {
    const next = badge(id)
    if (weight[next] > weight[state]) state = next
  }
  return state
}

/**
 * How the client stands with the authority. `online`: up to date and listening, or between two polls. `connecting`: asking. `offline`:
 * the last try failed, the next one is due. `held`: waits for a person, see `fault`. `paused`: by the app, or closed. `broken`: stopped
 * by a broken invariant, or by a store that cannot be opened; what is stored is untouched.
 */
export type Connection = 'online' | 'connecting' | 'offline' | 'held' | 'paused' | 'broken'

/** What went wrong last and is not overcome. */
export interface StatusFault {
  readonly code: Code
  readonly phase: Phase
  readonly message: string
  readonly requestId: string | undefined
  /** The intent at which the authority stops, and behind which others wait. */
  readonly intent: string | undefined
}

/** How the loop is doing that talks to the authority for this device. */
export interface Talk {
  readonly connection: Connection
  readonly fault: StatusFault | undefined
  /** Tries in vain since the last success. */
  readonly attempts: number
  /** When the authority last answered, by this device's clock. */
  readonly heardAt: number | undefined
  /** The authority answers, and has decided nothing of what waits for minutes (`tuning.stalledMs`). The loop begins anew by itself. */
  readonly isStalled: boolean
  /** How much has come of what the device is fetching in several pages, as at its first sync; how much there is in all, nobody knows before its end. */
  readonly incoming: Incoming | undefined
}

/** Where this device keeps things at one moment. */
export interface StorageStanding {
  readonly mode: StorageMode
  readonly isDurable: boolean
  /** Why it is not the first of the modes that were asked for. */
  readonly why: RefusedWhy | undefined
  /** The modes that were tried in vain or left, in this order. */
  readonly refused: readonly Refused[]
  /** Until when it is kept: until this page or process ends, or as long as the place itself is. */
  readonly until: 'closed' | undefined
}

/** What a storage says of itself. */
export function standingOf({ mode, isDurable, ladder }: Storage): StorageStanding {
  const until = mode === 'memory' ? 'closed' : undefined
  return { mode, isDurable, why: ladder?.why, refused: [...(ladder?.refused ?? [])], until }
}

/** The status of a client at one moment. */
export interface Status extends Talk {
  /** Intents by badge; `synced` counts those that are still kept. */
  readonly counts: { readonly [B in Badge]: number }
  /** Intents that the authority has not decided, durable or not. */
  readonly waiting: number
  /** When the oldest of them was made, in milliseconds since 1970. */
  readonly oldestWaitingAt: number | undefined
  readonly storage: StorageStanding | undefined
  /** Which part this client plays among those that share its store: only one of them talks to the authority. */
  readonly tab: Role
  /** What this device had and has no more; until the app acknowledges it (`client.acknowledgeLoss`). */
  readonly lost: readonly Lost[]
  /** When the newest confirmed rows were true, by the authority's clock. */
  readonly asOf: number | undefined
}

/** Before anything is known of the loop. */
export const UNKNOWN_TALK: Talk = {
  connection: 'connecting',
  fault: undefined,
  attempts: 0,
  heardAt: undefined,
  isStalled: false,
  incoming: undefined,
}

/** How the loop of this client is doing. */
export function talkOf(health: Health): Talk {
  return {
    connection: connectionOf(health),
    fault: faultOf(health.fault),
    attempts: health.attempts,
    heardAt: health.heardAt === 0 ? undefined : health.heardAt,
    isStalled: health.isStalled,
    incoming: health.incoming,
  }
}

/** A fault as people are told of it. */
export function faultOf(error: SyncError | undefined): StatusFault | undefined {
  if (error === undefined) return undefined
  const { code, phase, message, requestId, details } = error
  return {
    code,
    phase,
    message,
    requestId,
    intent: typeof details['intent'] === 'string' ? details['intent'] : undefined,
  }
}

/** How the halves of the loop look from outside. */
export function connectionOf({ sender, receiver }: Health): Connection {
  if (sender === 'off' && receiver === 'off') return 'paused'
  if (sender === 'held' || receiver === 'held') return 'held'
  if (sender === 'waiting' || receiver === 'waiting') return 'offline'
  return receiver === 'streaming' || receiver === 'resting' ? 'online' : 'connecting'
}

/** How many entries have which badge. */
export function countBadges(entries: readonly OutboxEntry[], isDurable: boolean): { readonly [B in Badge]: number } {
  const counts = { saving: 0, unsaved: 0, queued: 0, sending: 0, synced: 0, conflict: 0, failed: 0 }
  for (const entry of entries) counts[badgeOf(entry, isDurable)]++
  return counts
}
