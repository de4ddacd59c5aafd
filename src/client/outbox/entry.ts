// One intent as the outbox knows it: what was meant, its number, and what became of it so far. Here is only the record and how a new
// one begins; what changes it is outbox.ts, what of it stands on disk is stored.ts.
// Its numbers are the outbox's business; what the screen says of it is the business of ../status.ts.
import type { Late } from '../../base/late.ts'
import type { Sequence } from '../../protocol/ids.ts'
import { hasEffects, type Outcome } from '../../protocol/outcome.ts'
import type { KeptIntent, ParkedReason } from './stored.ts'

/** Why and how an intent's place was given up: by a person, by the engine, or for another intent that stands for it. */
export interface GivenUp {
  readonly as: 'discarded' | 'parked' | 'replaced'
  readonly reason: ParkedReason | undefined
  readonly detail: string | undefined
}

/** What is known of one intent. */
export interface OutboxEntry {
  readonly intent: KeptIntent
  /** Undefined until the intent is durable. */
  readonly sequence: Sequence | undefined
  readonly givenUp: GivenUp | undefined
  /** The last outcome that the authority stated. */
  readonly outcome: Outcome | undefined
  readonly isRepeated: boolean
  readonly decidedAt: number
  /** The authority has lost its outcome (a restored backup) and is to be asked again. */
  readonly isReopened: boolean
  /** Its effects are in the confirmed rows, or it will never have any. */
  readonly isRetired: boolean
  readonly isSending: boolean
  readonly attempts: number
  /** Who is to be told when it is durable: with the entry, so that ten thousand of one burst are told without being looked up again. */
  readonly saved: Late<void> | undefined
}

/** An entry in the hands of the outbox, which alone changes it. */
export type OwnEntry = { -readonly [K in keyof OutboxEntry]: OutboxEntry[K] }

/** How an intent is given up for one that is made in its place. */
export const REPLACED: GivenUp = Object.freeze({ as: 'replaced', reason: undefined, detail: undefined })

/** The entry of an intent of which nothing is known yet. */
export function makeEntry(intent: KeptIntent): OwnEntry {
  return {
    intent,
    sequence: undefined,
    givenUp: undefined,
    outcome: undefined,
    isRepeated: false,
    decidedAt: 0,
    isReopened: false,
    isRetired: false,
    isSending: false,
    attempts: 0,
    saved: undefined,
  }
}

/** Says of an entry whether it is retired. */
export function setRetired(entry: OwnEntry, isRetired: boolean): OwnEntry {
  entry.isRetired = isRetired
  return entry
}

/** Whether nobody has still to decide about it: it had its effects, or was given up for good. What is not so may come back by a repair. */
export function isSettled({ outcome, givenUp, isReopened }: OutboxEntry): boolean {
  if (givenUp !== undefined && givenUp.as !== 'parked') return true
  return outcome !== undefined && !isReopened && hasEffects(outcome)
}
