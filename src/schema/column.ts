// Typed columns: what a value may be, on the device, on the wire and in SQL alike.
// Holds no rows; which columns make a table is table.ts.
import { type Json, jsonProblem, textProblem } from '../base/json.ts'

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
  /** For `appendIndex`. */
  readonly gaps?: GapPolicy
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

function plain<Value, Type extends ColumnType, Target extends string>(
  type: Type,
  target: Target,
): PlainColumn<Value, Type, Target> {
  return Object.freeze({
    type,
    isNullable: false,
    target,
    nullable: () => Object.freeze({ type, isNullable: true, target }) as Column<Value | null, Type, Target>,
  })
}

/** The makers of columns. */
export const t = Object.freeze({
  /** The key of the table: a text of 1 to 128 characters, given by the app (a UUID, or `tx.newId`). Every table has one, named `id`. */
  id: () => plain<string, 'id', ''>('id', '') as Column<string, 'id', ''>,
  /** Text without NUL and without halves of surrogate pairs. */
  text: () => plain<string, 'text', ''>('text', ''),
  /** A whole number within ±(2^53 − 1). */
  integer: () => plain<number, 'integer', ''>('integer', ''),
  /** A finite number. */
  real: () => plain<number, 'real', ''>('real', ''),
  /** true or false. */
  boolean: () => plain<boolean, 'boolean', ''>('boolean', ''),
  /** Whole milliseconds since 1970-01-01T00:00Z. */
  timestamp: () => plain<number, 'timestamp', ''>('timestamp', ''),
  /** Any JSON value; it can be neither filtered nor ordered by. */
  json: <Value extends Json = Json>() => plain<Value, 'json', ''>('json', ''),
  /** The id of a row of another table. */
  ref: <const Table extends string>(table: Table) => plain<string, 'ref', Table>('ref', table),
  /**
   * The position under the row that `parent` refers to: given by the authority (`max + 1`), unique there, never written by a mutator.
   * A row that is moved to another parent, or is inserted again, comes at the end. `gaps` says whether the position of a last row that
   * went is given again (`keep`, the default) or never (`never-reuse`).
   */
  appendIndex: <const Parent extends string>(parent: Parent, { gaps = 'keep' }: { readonly gaps?: GapPolicy } = {}) => {
    return Object.freeze({ type: 'appendIndex', isNullable: false, target: parent, gaps }) as Column<
      Provisional<number>,
      'appendIndex',
      Parent
    >
  },
})

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
