// The outbox as it stands on disk: a journal of events, in the order in which they happened. Their forms, how they are read back,
// and nothing else: what follows from them is outbox.ts. A form once released is read for ever; a build that does not know a form
// leaves the whole journal alone, because whoever wrote it anew without that would lose what it says.
import { SyncError } from '../../base/errors.ts'
import type { ClientId, Sequence } from '../../protocol/ids.ts'
import type { Birth, IntentContent } from '../../protocol/intent.ts'
import type { OutcomeRange } from '../../protocol/outcome.ts'

/** The number of the newest stored format; what is newer is left untouched. */
export const STORED_FORMAT = 2

/** The format of a journal that holds none of the kinds which came later: such a one is written so that the older builds read it too. */
export const FIRST_FORMAT = 1

/** Why an intent is kept but not sent. */
export type ParkedReason = 'fault' | 'version' | 'waits' | 'sealed' | 'expired'

/** An intent with the numbers that it had in earlier births of the store. */
export interface KeptIntent extends IntentContent {
  readonly births?: readonly Birth[] | undefined
}

/** One event of the outbox. */
export type OutboxEvent =
  /**
   * A new birth: numbers begin again, after `last`. Always the first event; a rewrite begins with it too. What stands at numbers
   * up to `retired` has its effects in the confirmed rows already, whatever the newest frame says.
   */
  | {
      readonly kind: 'born'
      /** `FIRST_FORMAT`, or as new as the kinds of events that a rewrite found. */
      readonly format: number
      readonly client: ClientId
      readonly last: number
      readonly retired: number
      readonly at: number
    }
  /**
   * Intents were made and have the numbers from `first` on. One that replaces another says by that alone that the other is given up: there
   * is no moment in which only one of the two is kept.
   */
  | { readonly kind: 'made'; readonly first: Sequence; readonly intents: readonly KeptIntent[] }
  /** The authority decided. `again`: it may have forgotten (a rebirth, a restored backup) and is to be asked once more. */
  | {
      readonly kind: 'decided'
      readonly outcomes: readonly OutcomeRange[]
      readonly at: number
      readonly again?: true | undefined
    }
  /** The intent at this number is given up: a withdrawal stands in its place. When parked, it stays with its reason. */
  | {
      readonly kind: 'withdrawn'
      readonly sequence: Sequence
      readonly as: 'discarded' | 'parked'
      readonly reason?: ParkedReason | undefined
      readonly detail?: string | undefined
    }
  /** Decided intents up to this number need no longer be kept. */
  | { readonly kind: 'forgotten'; readonly through: Sequence }
  /** Since format 2: where the person is, by a name that the app gives; without an id, nowhere any more. */
  | PointerEvent
  | LeftEvent

/** A pointer was set or cleared. */
export interface PointerEvent {
  readonly kind: 'pointer'
  readonly name: string
  readonly id?: string | undefined
  /** The row was there when the pointer was set: when it is not there later, it is gone. */
  readonly isSeen?: true | undefined
  /** The pointer was cleared because its row was gone for good. */
  readonly isGone?: true | undefined
}

/** Since format 2: the person signed out, for the so-manieth time. Whoever had opened the store before that is to end. */
export interface LeftEvent {
  readonly kind: 'left'
  readonly session: number
  /** The rows have left with the person; up to this number they held all effects, whatever the frames say that are there now. */
  readonly retired: number
}

const kinds: { readonly [Kind in OutboxEvent['kind']]: true } = {
  born: true,
  made: true,
  decided: true,
  withdrawn: true,
  forgotten: true,
  pointer: true,
  left: true,
}

/** Refuses events of a newer build, as a SyncError `storage_newer`: to be called before anything follows from one of them. */
export function mustBeKnown(events: readonly { readonly kind: string; readonly format?: unknown }[]): void {
  for (const { kind, format } of events) {
    if (Object.hasOwn(kinds, kind) && (kind !== 'born' || Number(format) <= STORED_FORMAT)) continue
    const what = kind === 'born' ? `format ${format}` : `an event of kind ${kind}`
    throw new SyncError('storage_newer', `The outbox has ${what}, this build reads up to format ${STORED_FORMAT}`)
  }
}

/** The runs of numbers of whose intents an event speaks. */
export function placesOf(event: OutboxEvent): readonly { readonly from: number; readonly to: number }[] {
  if (event.kind === 'made') return [{ from: event.first, to: event.first + event.intents.length - 1 }]
  if (event.kind === 'decided') return event.outcomes
  return event.kind === 'withdrawn' ? [{ from: event.sequence, to: event.sequence }] : []
}
