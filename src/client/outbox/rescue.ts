// The rescue bundle: what a device has not got through to the authority, as one JSON document that a person can save, send to somebody, and
// have brought in elsewhere: on another device of theirs, or with `holdfast replay`. Each intent keeps its id and the places that it
// had, so that whoever brings it in, and however often, it is decided once (I3). Functions that an app imports: outbox.ts knows
// nothing of bundles. A form once released is read for ever.
import { SyncError } from '../../base/errors.ts'
import { isRecord } from '../../base/json.ts'
import { array, type Decoder, decode, integer, object, oneOf, optional, refuse, text } from '../../protocol/codec.ts'
import { actorProblem, type ClientId } from '../../protocol/ids.ts'
import { clientId, type Entry, intentMembers, uuid } from '../../protocol/intent.ts'
import { hasEffects } from '../../protocol/outcome.ts'
import type { Client } from '../api.ts'
import { take } from '../take.ts'
import type { OutboxEntry } from './entry.ts'
import { withBirth } from './snapshot.ts'
import type { KeptIntent } from './stored.ts'

/** The number of the form; what is newer is refused. */
export const BUNDLE_FORMAT = 1

/** More intents than this are no bundle. */
const MAX_INTENTS = 1_000_000

/**
 * An intent in a bundle. `waiting`: the authority may not have it. `failed`: refused, `parked`: kept back; both for a person to look at.
 * `discarded` and `replaced`: given up, of which the authority may not have heard.
 */
export interface RescuedIntent extends KeptIntent {
  readonly state: 'waiting' | 'failed' | 'parked' | 'discarded' | 'replaced'
  /** Why, as a code. */
  readonly reason?: string | undefined
}

/** A bundle. Plain JSON. */
export interface RescueBundle {
  readonly kind: 'holdfast-rescue'
  readonly format: typeof BUNDLE_FORMAT
  /** Whose intents these are: nobody else can bring them in. */
  readonly actor: string
  /** The fingerprint of the app that made them. */
  readonly app: string
  readonly client: ClientId
  /** When the bundle was made, by its device's clock: milliseconds since 1970. */
  readonly at: number
  /** In the order in which they were made. */
  readonly intents: readonly RescuedIntent[]
}

/** The bundle of what these entries have not got through. */
export function bundleOf(device: {
  readonly app: { readonly fingerprint: string }
  readonly actor: string
  readonly client: ClientId
  readonly entries: readonly OutboxEntry[]
  readonly at: number
}): RescueBundle {
  const { app, actor, client, entries, at } = device
  const intents = entries.flatMap((entry): readonly RescuedIntent[] => {
    const { intent, sequence } = entry
    const told = tellOf(entry)
    return told === undefined
      ? []
      : [{ ...(sequence === undefined ? intent : withBirth(intent, [client, sequence])), ...told }]
  })
  return { kind: 'holdfast-rescue', format: BUNDLE_FORMAT, actor, app: app.fingerprint, client, at, intents }
}

function tellOf({ outcome, givenUp, isReopened }: OutboxEntry): Pick<RescuedIntent, 'state' | 'reason'> | undefined {
  if (outcome !== undefined && hasEffects(outcome) && !isReopened) return undefined
  const isDecided = outcome !== undefined && !isReopened
  if (givenUp?.as === 'replaced') return isDecided ? undefined : { state: 'replaced' }
  if (givenUp?.as === 'discarded') return { state: 'discarded' }
  if (givenUp?.as === 'parked') return { state: 'parked', reason: givenUp.reason ?? 'fault' }
  return isDecided && outcome.status !== 'applied' ? { state: 'failed', reason: outcome.code } : { state: 'waiting' }
}

/** The bundle of what this client has not got through, and of what was discarded and is still kept. */
export async function exportUnsent(client: Client): Promise<RescueBundle> {
  await client.ready
  // What has been called is in the outbox then.
  const at = await client.between(async ({ now }) => now(), { accept: true })
  const { actor, client: id, entries } = client.inspect()
  return bundleOf({ app: client.app, actor, client: id, entries, at })
}

/** What an import did. */
export interface Imported {
  /** Intents that this device has now and had not. */
  readonly taken: number
  /** Intents that were here already. */
  readonly known: number
  /** Intents that stay in the bundle alone: they were discarded. */
  readonly left: number
}

/**
 * Brings a bundle in: its intents stand in this outbox as if they had been made here, and the authority says of each what it knows. All or
 * nothing, and the same bundle twice is the same as once. Rejects with a SyncError: `malformed` with the place that is damaged,
 * `storage_newer` for a form that this build does not know, `actor_mismatch` for the bundle of somebody else.
 */
export async function importUnsent(client: Client, bundle: unknown): Promise<Imported> {
  const { actor, intents } = parseBundle(bundle)
  await client.ready
  const own = client.inspect()
  if (actor !== own.actor)
    throw new SyncError('actor_mismatch', `The bundle holds intents of ${actor}, this device is ${own.actor}’s`)
  const wanted = intents.filter(({ state }) => state !== 'discarded')
  const known = new Set(own.entries.map(({ intent }) => intent.id))
  const fresh = wanted.filter(({ id }) => !known.has(id))
  await take(
    client,
    fresh.map(({ state, reason, ...intent }) => ({ ...intent, mode: 'stored' as const })),
  )
  return { taken: fresh.length, known: wanted.length - fresh.length, left: intents.length - wanted.length }
}

/** What a device of its own pushes of a bundle, in order, from a sequence number on. */
export function entriesOf(intents: readonly RescuedIntent[], first: number): readonly Entry[] {
  return intents.map(({ state, reason, ...intent }, index): Entry => {
    const sequence = (first + index) as Entry['sequence']
    const { id, replaces } = intent
    return state === 'discarded' || state === 'replaced'
      ? { sequence, id, withdraw: 'discarded', replaces }
      : { sequence, ...intent }
  })
}

const rescued = object({
  ...intentMembers,
  state: oneOf(['waiting', 'failed', 'parked', 'discarded', 'replaced']),
  reason: optional(text()),
}) as Decoder<RescuedIntent>

const bundle = object({
  kind: oneOf(['holdfast-rescue']),
  format: integer(1),
  actor: text(actorProblem),
  app: uuid,
  client: clientId,
  at: integer(-8.64e15, 8.64e15),
  intents: ((value) => {
    const intents = array(rescued, MAX_INTENTS)(value)
    if (new Set(intents.map(({ id }) => id)).size < intents.length) refuse('holds an intent twice')
    return intents
  }) as Decoder<readonly RescuedIntent[]>,
}) as Decoder<RescueBundle>

/** Reads a bundle as it was parsed from JSON. Throws a SyncError `malformed` or `storage_newer`. */
export function parseBundle(value: unknown): RescueBundle {
  if (isRecord(value) && value['kind'] === 'holdfast-rescue') {
    const format = value['format']
    if (typeof format === 'number' && format > BUNDLE_FORMAT)
      throw new SyncError('storage_newer', `The bundle has format ${format}, this build reads up to ${BUNDLE_FORMAT}`)
  }
  const decoded = decode(bundle, value)
  if (decoded.ok) return decoded.value
  throw new SyncError('malformed', `The bundle’s ${decoded.field || 'whole'} ${decoded.problem}`, {
    details: { field: decoded.field, problem: decoded.problem },
  })
}
