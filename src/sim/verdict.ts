// The end of a world: whether everybody agrees (I17), and what became of every call (I3, I4, I18). An intent whose only copies were on
// a disk that went back is lost with that disk; what a restored authority had forgotten must have come again from the devices.
import type { DatabaseSync } from 'node:sqlite'
import type { Calls } from './calls.ts'
import type { Checks } from './checks.ts'
import type { Device } from './device.ts'
import { inspect } from './device-checks.ts'
import { readEntry } from './ledger-book.ts'
import { readerOf } from './rows.ts'
import type { Truth } from './truth.ts'

/** What is judged. */
export interface VerdictParts {
  readonly truth: Truth
  readonly checks: Checks
  readonly calls: Calls
  devices(): readonly Device[]
}

/** Why a device does not yet agree with the authority, in words; undefined when it does. */
export function disagreement(device: Device, truth: Truth): string | undefined {
  const { client } = device
  if (client === undefined) return 'it is off'
  const seen = inspect(client)
  if (seen === undefined) return 'it is starting'
  const { entries, cursors, replica, client: id } = seen
  const undecided = entries.find(({ outcome, isReopened }) => outcome === undefined || isReopened)
  if (undecided !== undefined)
    return `intent ${undecided.intent.id} (${undecided.intent.name}) at ${undecided.sequence} is not decided; its connection is ${client.status().connection}`
  const unsealed = entries.find(({ isRetired }) => !isRetired)
  if (unsealed !== undefined)
    return `intent ${unsealed.intent.id} at ${unsealed.sequence} is decided and not sealed (${id}, frame of ${replica.client} ${replica.decided})`
  const here = new Map(cursors.map((cursor) => [cursor.scope as string, cursor]))
  const readable = truth.model.grants(device.actor).read
  for (const scope of readable) {
    const cursor = here.get(scope) ?? { version: 0, mark: '' }
    if (cursor.version !== truth.versionOf(scope) || !truth.isCurrent(scope, cursor))
      return `${scope} stands at ${cursor.version}, the authority at ${truth.versionOf(scope)}`
  }
  const left = [...here.keys()].find((scope) => !readable.has(scope))
  return left === undefined ? undefined : `it still holds ${left}`
}

/** Judges all calls. */
export function judge({ truth, checks, calls, devices }: VerdictParts, db: DatabaseSync): void {
  const { check } = checks
  for (const call of calls.values()) {
    const { id, actor, name, device, savedAt, refused, isLostWithDisk } = call
    const entry = truth.book.intents.get(`${actor}/${id}`)
    const what = `${name} ${id}, made at ${call.madeAt} on ${device}`
    if (savedAt !== undefined)
      check(
        'I4',
        entry !== undefined || isLostWithDisk === true,
        () => `${what}, was acknowledged at ${savedAt} and is lost`,
      )
    if (refused !== undefined)
      check('I4', entry === undefined, () => `${what}, was refused as ${refused}, and decided all the same`)
    for (const decision of call.told) {
      if (decision.status === 'refused') continue
      const told = `${decision.status} ${decision.status === 'applied' ? '' : decision.code}`
      check(
        'I3',
        truth.outcomesOf(actor, id).has(told),
        () => `${what}, was told to be ${told}; it was ${[...truth.outcomesOf(actor, id)].join(' and ')}`,
      )
    }
  }
  const rows = readerOf(db).all('SELECT * FROM holdfast_ledger').map(readEntry)
  for (const row of rows) {
    const known = truth.book.places.get(row.client)?.get(row.sequence)
    check(
      'I18',
      known?.id === row.id && known.status === row.status,
      () =>
        `the ledger has ${row.id} ${row.status} at ${row.client} ${row.sequence}, where ${known?.id} ${known?.status} was recorded`,
    )
  }
  for (const { client, name } of devices()) {
    const seen = client && inspect(client)
    if (seen === undefined) continue
    for (const { intent, sequence, outcome, givenUp } of seen.entries) {
      const known = truth.book.places.get(seen.client)?.get(sequence ?? 0)
      check(
        'I18',
        known?.id === intent.id,
        () => `${name} has ${intent.id} at ${seen.client} ${sequence}, the ledger has ${known?.id}`,
      )
      check(
        'I4',
        outcome !== undefined || givenUp !== undefined,
        () => `${name} has ${intent.id} with neither an outcome nor a decision of a person`,
      )
    }
  }
}
