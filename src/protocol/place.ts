// How far into the history of one scope: places and cursors, and the names of tables and rows on the wire.
// What happened between two places is frame.ts; what an intent was based on is base.ts.
import { MAX_ID_LENGTH } from '../schema/column.ts'
import { type Scope, scopeProblem } from '../schema/scope.ts'
import { type Decoder, integer, object, optional, text, withMembers } from './codec.ts'

/**
 * How far into one scope's history: a version and the random mark of its commit. Inside a paged pull a place may lie within a
 * version, after the entry of one row, which `within` names. Version 0 is before the first commit and has the mark «».
 */
export interface Place {
  readonly version: number
  readonly mark: string
  readonly within?: { readonly table: string; readonly id: string } | undefined
}

/** The place before everything. */
export const NOWHERE: Place = Object.freeze({ version: 0, mark: '' })

/** Whether two places are the same. */
export function samePlace(a: Place, b: Place): boolean {
  return (
    a.version === b.version && a.mark === b.mark && a.within?.table === b.within?.table && a.within?.id === b.within?.id
  )
}

/** How far one scope is here. */
export interface Cursor extends Place {
  readonly scope: Scope
}

/** Why a text is no name of a table, or undefined. */
export const tableName = (value: string) =>
  /^[A-Za-z][A-Za-z0-9_]{0,62}$/.test(value) ? undefined : 'must be the name of a table'
/** Decodes a scope. */
export const scope: Decoder<Scope> = text<Scope>(scopeProblem)
/** Decodes the id of a row. */
export const rowId = text((value) =>
  value.length > 0 && value.length <= MAX_ID_LENGTH ? undefined : 'must be the id of a row',
)

const placeShape = {
  version: integer(0),
  mark: text((value) => (/^[0-9a-f]{0,32}$/.test(value) ? undefined : 'must be the mark of a commit')),
  within: optional(object({ table: text(tableName), id: rowId })),
}
/** Decodes a place. */
export const place: Decoder<Place> = object(placeShape)

/** Decodes a cursor. */
export const cursor: Decoder<Cursor> = object(withMembers({ scope }, placeShape))
