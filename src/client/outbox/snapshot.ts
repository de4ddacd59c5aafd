// The outbox written anew: the shortest journal that says the same, and the journal of a new birth. Pure; when to write it is
// outbox.ts. A rebirth keeps every intent and its id (I4, I16): only the numbers are new.
import type { ClientId, Sequence } from '../../protocol/ids.ts'
import type { Birth } from '../../protocol/intent.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { appendOutcome, type OutcomeRange } from '../../protocol/outcome.ts'
import type { OutboxEntry } from './entry.ts'
import {
  FIRST_FORMAT,
  type KeptIntent,
  type LeftEvent,
  type OutboxEvent,
  type PointerEvent,
  STORED_FORMAT,
} from './stored.ts'

/** What the journal keeps of the person's session, whatever becomes of the intents. */
export type SessionEvent = PointerEvent | LeftEvent

/**
 * The shortest journal of these entries, the first of which has the number `first`. `retired`: up to where effects are in the confirmed
 * rows whatever the newest frame says. Frames are kept less strictly than the outbox, so that is only what no frame can say any more.
 * `kept`: what follows its birth in any case. `format`: the oldest that knows all that stands in it, unless something newer is about to follow.
 */
export function snapshotEvents(
  client: ClientId,
  first: number,
  entries: readonly OutboxEntry[],
  at: number,
  retired: number,
  kept: readonly SessionEvent[] = [],
  format = kept.length > 0 ? STORED_FORMAT : FIRST_FORMAT,
): OutboxEvent[] {
  const events: OutboxEvent[] = [{ kind: 'born', format, client, last: first - 1, retired, at }, ...kept]
  if (entries.length > 0)
    events.push({ kind: 'made', first: first as Sequence, intents: entries.map(({ intent }) => intent) })
  entries.forEach(({ givenUp }, index) => {
    // That one is replaced, the one in its place says.
    if (givenUp !== undefined && givenUp.as !== 'replaced')
      events.push({ kind: 'withdrawn', sequence: (first + index) as Sequence, ...givenUp, as: givenUp.as })
  })
  // Outcomes of one moment and kind become one event, of one run of numbers one range.
  let ranges: OutcomeRange[] = []
  let group = ''
  entries.forEach(({ outcome, decidedAt, isReopened, isRepeated }, index) => {
    if (outcome === undefined) return
    if (group !== `${decidedAt} ${isReopened}`) {
      group = `${decidedAt} ${isReopened}`
      ranges = []
      events.push({ kind: 'decided', outcomes: ranges, at: decidedAt, ...(isReopened ? { again: true } : {}) })
    }
    appendOutcome(ranges, first + index, outcome, isRepeated)
  })
  return events
}

/** The journal of a new birth: the same intents in the same order from number 1, each remembering the number it had; all to be asked again. */
export function rebornEvents(
  client: ClientId,
  before: ClientId,
  first: number,
  entries: readonly OutboxEntry[],
  at: number,
  kept: readonly SessionEvent[],
): OutboxEvent[] {
  const reborn = entries.map(
    (entry, index): OutboxEntry => ({
      ...entry,
      intent: withBirth(entry.intent, [before, (first + index) as Sequence]),
      isReopened: entry.outcome !== undefined,
    }),
  )
  return snapshotEvents(client, 1, reborn, at, entries.findLastIndex(({ isRetired }) => isRetired) + 1, kept)
}

/** When there are more births than an intent may carry, those between the first and the newest ones are left out. */
export function withBirth(intent: KeptIntent, birth: Birth): KeptIntent {
  const births = [...(intent.births ?? []), birth]
  return {
    ...intent,
    births:
      births.length > LIMITS.births
        ? [...births.slice(0, 1), ...births.slice(births.length - LIMITS.births + 1)]
        : births,
  }
}

/** Up to this length an outbox is kept for what a person discarded: what stands behind that is decided, and has to stay with it. */
const KEPT_FOR_DISCARDED = 2_000

/**
 * How many entries, from the first on, need not be kept: decided before then, shown as decided, and waiting for nobody. What was discarded
 * may be had back until `discardedBefore`.
 */
export function countForgettable(
  entries: readonly OutboxEntry[],
  decidedBefore: number,
  discardedBefore: number,
): number {
  const spared = entries.length > KEPT_FOR_DISCARDED ? decidedBefore : discardedBefore
  const kept = entries.findIndex(
    ({ outcome, isReopened, isRetired, decidedAt, givenUp }) =>
      outcome === undefined ||
      isReopened ||
      !isRetired ||
      decidedAt >= (givenUp?.as === 'discarded' ? spared : decidedBefore) ||
      givenUp?.as === 'parked',
  )
  return kept < 0 ? entries.length : kept
}
