// What the authority decided, and how the outcomes of many intents travel as ranges of sequence numbers.
import type { Details } from '../base/errors.ts'
import { isRecord } from '../base/json.ts'
import { anyJson, type Decoder, integer, object, oneOf, optional, refuse, refuseAt, text, yes } from './codec.ts'

/** What became of an intent. Final. */
export type Outcome =
  | { readonly status: 'applied' }
  /** Refused by `tx.reject`, by a missing right, or by a constraint. Codes of the engine are in the table of codes; others are the app's. */
  | { readonly status: 'rejected'; readonly code: string; readonly details: Details }
  /**
   * Others had changed what it was based on, and the mutator has a policy for that: `conflict_rejected` (nothing was written) or
   * `conflict_merged` (applied, and somebody else's values were overwritten). `details.records` are the ids of the records.
   */
  | { readonly status: 'conflict'; readonly code: string; readonly details: Details }
  /** Given up: by its device (`discarded`), or because an intent that it builds on was not applied (`dependency`). */
  | { readonly status: 'withdrawn'; readonly code: string; readonly details: Details }

/** Whether an intent with this outcome has had its effects. */
export function hasEffects({ status, code }: { readonly status: Outcome['status']; readonly code?: string }): boolean {
  return status === 'applied' || (status === 'conflict' && code === 'conflict_merged')
}

/** One outcome for all sequence numbers from `from` to `to`. */
export interface OutcomeRange {
  readonly from: number
  readonly to: number
  readonly status: Outcome['status']
  readonly code?: string | undefined
  readonly details?: Details | undefined
  /** The outcome had been recorded before this request. */
  readonly repeated?: true | undefined
}

const details: Decoder<Details> = (value) => {
  const json = anyJson(value)
  return isRecord(json) ? (json as Details) : refuse('must be an object')
}

const codePattern = /^[a-z][a-z0-9_]{0,63}$/

/** Decodes one range. */
export const outcomeRange: Decoder<OutcomeRange> = (value) => {
  const range = shape(value)
  if (range.to < range.from) refuseAt('to', 'is before from')
  if (range.status !== 'applied' && range.code === undefined)
    refuseAt('code', 'is missing: only what was applied has none')
  return range
}

const shape = object({
  from: integer(1),
  to: integer(1),
  status: oneOf(['applied', 'rejected', 'conflict', 'withdrawn']),
  code: optional(text((value) => (codePattern.test(value) ? undefined : 'must be 1 to 64 of a-z, 0-9 and _'))),
  details: optional(details),
  repeated: optional(yes),
})

/** The outcome that a range states for each of its numbers. */
export function outcomeOf(range: OutcomeRange): Outcome {
  if (range.status === 'applied') return { status: 'applied' }
  return { status: range.status, code: range.code ?? 'internal', details: range.details ?? {} }
}

/** Appends one number's outcome, joining it to the last range when it says the same. Numbers come in rising order. */
export function appendOutcome(ranges: OutcomeRange[], sequence: number, outcome: Outcome, repeated: boolean): void {
  const last = ranges.at(-1)
  if (
    outcome.status === 'applied' &&
    last?.status === 'applied' &&
    last.to === sequence - 1 &&
    (last.repeated === true) === repeated
  ) {
    ranges[ranges.length - 1] = { ...last, to: sequence }
    return
  }
  ranges.push({
    from: sequence,
    to: sequence,
    status: outcome.status,
    ...(outcome.status === 'applied' ? {} : { code: outcome.code, details: outcome.details }),
    ...(repeated ? { repeated: true } : {}),
  })
}
