// Typed columns: what a value may be, on the device, on the wire and in SQL alike.
// Holds no rows; how columns are made is t.ts, which of them make a table is table.ts.
import { jsonProblem, textProblem } from '../base/json.ts'
import type { createPlaces } from './derived/positions.ts'

/** The kinds of columns. `timestamp` is whole milliseconds since 1970; `integer` is within ±(2^53 − 1). */
export type ColumnType = 'id' | 'text' | 'integer' | 'real' | 'boolean' | 'timestamp' | 'json' | 'ref' | 'appendIndex'

/**
 * What becomes of the positions of rows that went. Others are never renumbered under either policy. `keep`: the next row comes one
 * behind the last one that is there, so that the position of a last row that was deleted is given again. `never-reuse`: the next row
 * comes behind the last position that was ever given under the parent.
 */
export type GapPolicy = 'keep' | 'never-reuse'

declare const columnValue: unique symbol
declare const provisional: unique symbol

/** A value that the authority gives and may still change until the row is synced, such as a position in a list. Output only. */
export type Provisional<Value> = Value & { readonly [provisional]?: true }

/** One column. `Value` exists for the type checker only. */
export interface Column<Value = unknown, Type extends ColumnType = ColumnType, Target extends string = string> {
  readonly type: Type
  readonly isNullable: boolean
  /** For `ref`: the table referred to. For `appendIndex`: the parent column. Empty otherwise. */
  readonly target: Target
  /** For `appendIndex`: what becomes of gaps, and what shows on a device the positions that the authority has still to give. */
  readonly gaps?: GapPolicy
  readonly places?: typeof createPlaces
  readonly [columnValue]?: Value
}

/** A column that may still be made nullable. */
export interface PlainColumn<Value, Type extends ColumnType, Target extends string = ''>
  extends Column<Value, Type, Target> {
  /** The same column, where null is a value too. */
  nullable(): Column<Value | null, Type, Target>
}

/** The type of a column's values. */
export type ValueOf<C> = C extends Column<infer Value> ? Value : never

/** Longest id, in UTF-16 units. */
export const MAX_ID_LENGTH = 128

/** Why `value` does not fit the column, or undefined if it does. */
export function valueProblem(column: Column, value: unknown): string | undefined {
  if (value === null) return column.isNullable ? undefined : 'must not be null'
  switch (column.type) {
    case 'id':
    case 'ref':
      if (typeof value !== 'string' || value.length === 0 || value.length > MAX_ID_LENGTH)
        return `must be a text of 1 to ${MAX_ID_LENGTH} characters`
      return textProblem(value, 'it')
    case 'text':
      return typeof value === 'string' ? textProblem(value, 'it') : 'must be a text'
    case 'integer':
    case 'timestamp':
    case 'appendIndex':
      return Number.isSafeInteger(value) ? undefined : 'must be a whole number within ±(2^53 − 1)'
    case 'real':
      return typeof value === 'number' && Number.isFinite(value) ? undefined : 'must be a finite number'
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'must be true or false'
    case 'json':
      return jsonProblem(value)
  }
}
