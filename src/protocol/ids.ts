// The names that cross the wire, each branded by its parser.
import type { Brand } from '../base/brand.ts'
import { textProblem } from '../base/json.ts'
import { LIMITS } from './limits.ts'

/** One birth of one device store: a random UUID. */
export type ClientId = Brand<string, 'ClientId'>
/** One intent, for ever: a UUID. */
export type IntentId = Brand<string, 'IntentId'>
/** Who the authority believes is asking: 1 to 128 characters. */
export type ActorId = Brand<string, 'ActorId'>
/** The place of an intent among those of its client: 1, 2, 3 … without holes. */
export type Sequence = Brand<number, 'Sequence'>

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** Whether a value is a UUID in its canonical lower-case form (RFC 9562). */
export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && value.length === 36 && uuid.test(value)
}

/** Why a value is no actor, or undefined. */
export function actorProblem(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length === 0 || value.length > LIMITS.actorLength)
    return `must be a text of 1 to ${LIMITS.actorLength} characters`
  return textProblem(value, 'it')
}

/** The actor in a string; throws a TypeError that says what is wrong. */
export function parseActor(value: string): ActorId {
  const problem = actorProblem(value)
  if (problem !== undefined) throw new TypeError(`The actor ${problem}`)
  return value as ActorId
}

/** The intent id in a string; throws a TypeError that says what is wrong. */
export function parseIntentId(value: string): IntentId {
  if (!isUuid(value))
    throw new TypeError(`The intent id ${JSON.stringify(value).slice(0, 60)} must be a UUID in lower case`)
  return value as IntentId
}
