// Frames: what one snapshot of the database said. Patches of scopes, and a seal that ends the frame for one client.
// Devices change only by whole frames: patches are staged and count when the seal comes.
import { isRecord } from '../base/json.ts'
import type { Scope } from '../schema/scope.ts'
import type { Row } from '../schema/table.ts'
import { array, type Decoder, integer, object, optional, record, refuse, refuseAt, yes } from './codec.ts'
import type { ClientId, IntentId } from './ids.ts'
import { clientId, intentId } from './intent.ts'
import { LIMITS } from './limits.ts'
import { type OutcomeRange, outcomeRange } from './outcome.ts'
import { type Place, place, rowId, scope, tableName } from './place.ts'

export { type Cursor, cursor, NOWHERE, type Place, samePlace } from './place.ts'

/** What changed in one scope between two places: rows as they are now, and ids that left the scope. */
export interface Patch {
  readonly scope: Scope
  readonly from: Place
  readonly to: Place
  /** What is here of the scope is of another history: drop it first. `from` is then version 0. */
  readonly reset?: true | undefined
  readonly rows: { readonly [table: string]: readonly Row[] }
  readonly gone: { readonly [table: string]: readonly string[] }
}

/** The end of a frame for one client. */
export interface Seal {
  readonly client: ClientId
  /** The last of this client's numbers that was decided in this snapshot; the frame holds the effects of all up to it. */
  readonly decided: number
  /**
   * The intent that stands at `decided`; left out when that is 0. Copies of one store number the same up to a point and never again
   * after it, so a device that has another intent there is a copy, and none of this is about its own.
   */
  readonly decidedId?: IntentId | undefined
  /** Outcomes that the device may not have yet. */
  readonly outcomes: readonly OutcomeRange[]
  /** Every scope that the actor may read in this snapshot; what is not listed leaves the device. */
  readonly scopes: readonly Scope[]
  /** When the snapshot was taken, by the authority's clock: milliseconds since 1970. */
  readonly at: number
}

/** A row of the wire: an object with an id. Its columns are checked where the app's tables are known. */
const row: Decoder<Row> = (value) => {
  return isRecord(value) && typeof value['id'] === 'string' ? (value as Row) : refuse('must be a row with an id')
}

const rows = array(row, LIMITS.pageEntries)
const ids = array(rowId, LIMITS.pageEntries)

/** Decodes a patch. History goes one way (I7); after a reset it begins anew. */
export const patch: Decoder<Patch> = (value) => {
  const read = patchShape(value)
  if (read.to.version < read.from.version) refuseAt('to.version', 'is before that of from')
  if (read.reset === true && read.from.version !== 0) refuseAt('from.version', 'must be 0 in a reset')
  return read
}

const byTable = <Value>(decoder: Decoder<Value>): Decoder<{ readonly [table: string]: Value }> =>
  record((table, value) => {
    const problem = tableName(table)
    return problem === undefined ? decoder(value) : refuse(problem)
  }, LIMITS.patchTables)

const patchShape = object({
  scope,
  from: place,
  to: place,
  reset: optional(yes),
  rows: byTable(rows),
  gone: byTable(ids),
})

/** Decodes a seal. */
export const seal: Decoder<Seal> = object({
  client: clientId,
  decided: integer(0),
  decidedId: optional(intentId),
  outcomes: array(outcomeRange, LIMITS.sealOutcomes),
  scopes: array(scope, LIMITS.scopes),
  at: integer(0),
})
