// An intent as it crosses the wire, and what stands in its place when its device gives it up. Also its fingerprint.
import { type HashText, hashJson } from '../base/canonical.ts'
import type { Json } from '../base/json.ts'
import { base, type IntentBase } from './base.ts'
import { anyJson, array, type Decoder, integer, object, oneOf, optional, refuse, text } from './codec.ts'
import { type ClientId, type IntentId, isUuid, type Sequence } from './ids.ts'
import { LIMITS } from './limits.ts'

/** What was meant: fixed when the mutator was called, and never changed after. */
export interface IntentContent {
  readonly id: IntentId
  /** The first intent of a line of retries and edits; left out when that is this one. */
  readonly root?: IntentId | undefined
  /**
   * The intent in whose place this one was made. Where that one has had its effects after all and said the same, its outcome is that of this
   * one too, and nothing runs; where it said something else, this one runs on top of it.
   */
  readonly replaces?: IntentId | undefined
  readonly name: string
  readonly version: number
  /** The arguments as the call gave them, before validation. */
  readonly args: Json
  /** When it was made, by its device's clock: milliseconds since 1970. */
  readonly madeAt: number
  /** Earlier intents whose inserted rows this one refers to, reads or writes, as far as they were undecided. */
  readonly needs?: readonly IntentId[] | undefined
  /** What its first run was made on; only of mutators with a conflict policy. */
  readonly base?: IntentBase | undefined
}

/** A number that an intent had in an earlier birth of its device's store. */
export type Birth = readonly [client: ClientId, sequence: Sequence]

/** An intent in its place. */
export interface NumberedIntent extends IntentContent {
  readonly sequence: Sequence
  readonly births?: readonly Birth[] | undefined
}

/** What its device sends in an intent's place to give it up; answered with the intent's outcome if it was decided before. */
export interface Withdrawal {
  readonly sequence: Sequence
  readonly id: IntentId
  readonly withdraw: 'discarded' | 'parked'
  /** As the intent that is given up had it: what that one did concerns whoever replaces this one. */
  readonly replaces?: IntentId | undefined
}

/** What stands at one sequence number of a push. */
export type Entry = NumberedIntent | Withdrawal

/** Whether an entry gives its place up. */
export function isWithdrawal(entry: Entry): entry is Withdrawal {
  return 'withdraw' in entry
}

/**
 * The fingerprint that tells whether one id was used for one content: over name, version and canonical arguments as first made;
 * never over client, sequence or time, which a rebirth may change.
 */
export function fingerprintIntent(intent: Pick<IntentContent, 'name' | 'version' | 'args'>, hash?: HashText): string {
  return hashJson([intent.name, intent.version, intent.args], hash)
}

export const uuid = text((value) => (isUuid(value) ? undefined : 'must be a UUID in lower case'))
export const intentId = uuid as Decoder<IntentId>
export const clientId = uuid as Decoder<ClientId>
export const sequence = integer(1) as Decoder<Sequence>

const birth: Decoder<Birth> = (value) => {
  if (!Array.isArray(value) || value.length !== 2) return refuse('must be a client id and a sequence number')
  return [clientId(value[0]), sequence(value[1])]
}

/** The name of a mutator. */
export const mutatorName = text((value) =>
  /^[A-Za-z][A-Za-z0-9_]{0,62}$/.test(value) ? undefined : 'must be the name of a mutator',
)
/** The version of a mutator. */
export const mutatorVersion = integer(1, 1_000_000)
/** When an intent was made. */
export const madeAt = integer(-8.64e15, 8.64e15)

/** The members of an intent wherever it stands. */
export const intentMembers = {
  id: intentId,
  root: optional(intentId),
  replaces: optional(intentId),
  name: mutatorName,
  version: mutatorVersion,
  args: anyJson,
  madeAt,
  needs: optional(array(intentId, LIMITS.needs)),
  births: optional(array(birth, LIMITS.births)),
  base: optional(base),
}

const numbered: Decoder<NumberedIntent> = object({ sequence, ...intentMembers })

const withdrawal: Decoder<Withdrawal> = object({
  sequence,
  id: intentId,
  withdraw: oneOf(['discarded', 'parked']),
  replaces: optional(intentId),
})

/** Decodes what stands at one sequence number. */
export const entry: Decoder<Entry> = (value) =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'withdraw') ? withdrawal(value) : numbered(value)
