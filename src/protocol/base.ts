// The base of an intent: what its first run was made on, for mutators with a conflict policy. For each row that it read or wrote where
// the device stood in the row's scope, or that the row was absent; and of rows that it updated what the columns had been.
// The authority compares it with what is true now; it is no part of what was meant, so the fingerprint does not cover it.
import type { Json } from '../base/json.ts'
import { anyJson, array, type Decoder, integer, object, optional, record, refuseAt, text } from './codec.ts'
import { LIMITS } from './limits.ts'
import { type Cursor, cursor, rowId, tableName } from './place.ts'

/** What a base says of one row. Rows that only the device's own pending intents had put there are left out. */
export interface BaseRow {
  readonly table: string
  readonly id: string
  /** Which of the base's places the device stood at; −1: there was no such row. */
  readonly at: number
  /** Of an update: what the columns had been that it changed. */
  readonly was?: { readonly [column: string]: Json } | undefined
  /** Of an update: the columns that it set to what they were. */
  readonly same?: { readonly [column: string]: Json } | undefined
}

/** What an intent is based on. */
export interface IntentBase {
  /** Where the device stood in the scopes of the rows. */
  readonly places: readonly Cursor[]
  readonly rows: readonly BaseRow[]
}

const values = record((_name, value) => anyJson(value), LIMITS.baseColumns)
const row: Decoder<BaseRow> = object({
  table: text(tableName),
  id: rowId,
  at: integer(-1),
  was: optional(values),
  same: optional(values),
})
const shape = object({ places: array(cursor, LIMITS.scopes), rows: array(row, LIMITS.baseRows) })

/** Decodes a base. */
export const base: Decoder<IntentBase> = (value) => {
  const read = shape(value)
  for (const [index, { at }] of read.rows.entries())
    if (at >= read.places.length) refuseAt(`rows[${index}].at`, `is ${at}, there are ${read.places.length} places`)
  return read
}
