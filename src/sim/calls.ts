// What callers did and what they were told: one record for each call of a mutator that a device kept, with the times at which it went
// from one stage to the next. The oracle's proof that nothing acknowledged was lost, and the raw material of the story.

import type { Json } from '../base/json.ts'
import type { Decision } from '../client/calls.ts'

/** One call. Times are milliseconds of the world. */
export interface Call {
  readonly id: string
  readonly device: string
  readonly actor: string
  readonly name: string
  readonly args: Json
  readonly madeAt: number
  /** When the device said that it is safe. */
  savedAt?: number
  /** When it was first on the wire. */
  sentAt?: number
  /** When the authority first decided it. */
  decidedAt?: number
  /** When the first frame with its effects was applied at its device. */
  sealedAt?: number
  /** When a person gave it up. */
  discardedAt?: number
  /** Why it was never kept. */
  refused?: string
  /** What callers were told, by devices. */
  readonly told: Decision[]
  /** Its only copies were on a disk that went back to an earlier state. */
  isLostWithDisk?: boolean
}

/** All calls of a run, in order. */
export type Calls = Map<string, Call>
