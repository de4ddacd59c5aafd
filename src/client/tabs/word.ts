// What the tabs of one device say to each other, and how it is heard: whoever speaks may be an older or newer build, or another script
// of the same origin, so what does not fit is not heard. Hints and news only: no row and no intent travels here (I6).
import { type Code, isCode, KNOWN } from '../../base/errors.ts'
import { type Decoder, decode, integer, object, oneOf, optional, text } from '../../protocol/codec.ts'
import type { StatusFault, Talk } from '../status.ts'

/** What the leading client tells of its loop. */
export interface LeaderTalk extends Talk {
  readonly isPaused: boolean
}

/** One word. */
export type Word =
  /** Something new is in the store. */
  | { readonly kind: 'kept' }
  /** A client has just come and would like to hear how things are. */
  | { readonly kind: 'hello' }
  /** How the leader's loop is doing. */
  | { readonly kind: 'talk'; readonly talk: LeaderTalk }
  /** The person wants this device to stop talking to the authority, or to try again at once. */
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }

const faultShape = object({
  code: text<Code>((code) => (isCode(code) ? undefined : 'must be a code')),
  message: text(),
  requestId: optional(text()),
  intent: optional(text()),
})
const fault: Decoder<StatusFault> = (value) => {
  const { code, message, requestId, intent } = faultShape(value)
  return { code, phase: KNOWN[code].phase, message, requestId, intent }
}
const talkShape = object({
  connection: oneOf(['online', 'connecting', 'offline', 'held', 'paused', 'broken']),
  fault: optional(fault),
  attempts: integer(0),
  heardAt: optional(integer(Number.MIN_SAFE_INTEGER)),
  isPaused: (value) => value === true,
  isStalled: (value) => value === true,
  incoming: optional(object({ pages: integer(0), rows: integer(0) })),
})
const shape = object({ kind: oneOf(['kept', 'hello', 'talk', 'pause', 'resume']), talk: optional(talkShape) })

/** The word, if it is one. */
export function parseWord(heard: unknown): Word | undefined {
  const decoded = decode(shape, heard)
  if (!decoded.ok) return undefined
  const { kind, talk } = decoded.value
  if (kind !== 'talk') return { kind }
  return talk && { kind, talk: { ...talk, fault: talk.fault, heardAt: talk.heardAt, incoming: talk.incoming } }
}
