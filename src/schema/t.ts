// The makers of columns, as an app writes them: `t.text()`. Each is a name of this module, so that a page loads those that it uses;
// `appendIndex` brings along what shows positions on a device. What a value of a column may be is column.ts.
import type { Json } from '../base/json.ts'
import type { Column, ColumnType, GapPolicy, PlainColumn, Provisional } from './column.ts'
import { createPlaces } from './derived/positions.ts'

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

/** The key of the table: a text of 1 to 128 characters, given by the app (a UUID, or `tx.newId`). Every table has one, named `id`. */
export const id = () => plain<string, 'id', ''>('id', '') as Column<string, 'id', ''>
/** Text without NUL and without halves of surrogate pairs. */
export const text = () => plain<string, 'text', ''>('text', '')
/** A whole number within ±(2^53 − 1). */
export const integer = () => plain<number, 'integer', ''>('integer', '')
/** A finite number. */
export const real = () => plain<number, 'real', ''>('real', '')
/** true or false. */
export const boolean = () => plain<boolean, 'boolean', ''>('boolean', '')
/** Whole milliseconds since 1970-01-01T00:00Z. */
export const timestamp = () => plain<number, 'timestamp', ''>('timestamp', '')
/** Any JSON value; it can be neither filtered nor ordered by. */
export const json = <Value extends Json = Json>() => plain<Value, 'json', ''>('json', '')
/** The id of a row of another table. */
export const ref = <const Table extends string>(table: Table) => plain<string, 'ref', Table>('ref', table)
/**
 * The position under the row that `parent` refers to: given by the authority (`max + 1`), unique there, never written by a mutator.
 * A row that is moved to another parent, or is inserted again, comes at the end. `gaps` says whether the position of a last row that
 * went is given again (`keep`, the default) or never (`never-reuse`).
 */
export const appendIndex = <const Parent extends string>(
  parent: Parent,
  { gaps = 'keep' }: { readonly gaps?: GapPolicy } = {},
) =>
  Object.freeze({ type: 'appendIndex', isNullable: false, target: parent, gaps, places: createPlaces }) as Column<
    Provisional<number>,
    'appendIndex',
    Parent
  >
