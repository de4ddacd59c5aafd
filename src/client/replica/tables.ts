// One table's part of the replica: its confirmed rows and to which scope each belongs, what pending runs wrote, who read what, and
// the indexes over all of it. Aggregates are tables that no run reads or writes.
// Only the records and the comparison of rows; what changes them is overlay.ts (I6), and only by a commit.
import { jsonEqual } from '../../base/json.ts'
import type { Aggregate } from '../../schema/aggregate.ts'
import type { App } from '../../schema/app.ts'
import type { Column } from '../../schema/column.ts'
import type { Scope } from '../../schema/scope.ts'
import type { Row } from '../../schema/table.ts'
import type { ColumnIndex } from './column-index.ts'
import type { Write } from './overlay.ts'
import { createRowMap, type RowMap } from './row-map.ts'
import { createWatches, type Watches } from './watches.ts'

/** A column whose values the authority gives, and the column by which it counts. */
export interface PositionColumn {
  readonly column: string
  readonly parent: string
}

/** One table, or one aggregate, of the replica. */
export interface TableState {
  readonly name: string
  /** What an aggregate is computed from; undefined for a table. */
  readonly aggregate: Aggregate | undefined
  readonly columns: { readonly [name: string]: Column }
  /** All columns, and those that mutators see. */
  readonly shownNames: readonly string[]
  readonly txNames: readonly string[]
  readonly positions: readonly PositionColumn[]
  /** Columns that refer to other tables. */
  readonly refs: readonly { readonly column: string; readonly target: string }[]
  readonly hasJson: boolean
  /** Confirmed rows. A first frame may bring a map of its own. */
  rows: RowMap
  /** Whose they are: most often all are of one scope, so only others are named. */
  mainOwner: Scope | undefined
  readonly otherOwners: Map<string, Scope>
  /** What pending runs wrote to each row, in pending order. */
  readonly writes: Map<string, Write[]>
  readonly watches: Watches
  readonly indexes: Map<string, ColumnIndex>
}

/** The tables and aggregates of an app, empty. */
export function createTables(app: App): ReadonlyMap<string, TableState> {
  const states = new Map<string, TableState>()
  for (const name of app.tableNames) states.set(name, createTable(name, app.table(name).columns, undefined))
  for (const [name, aggregate] of Object.entries(app.aggregates)) {
    const columns: { [name: string]: Column } = { id: { type: 'id', isNullable: false, target: '' } }
    for (const [measure, { column }] of Object.entries(aggregate.measures)) columns[measure] = column
    states.set(name, createTable(name, columns, aggregate))
  }
  return states
}

function createTable(
  name: string,
  columns: { readonly [name: string]: Column },
  aggregate: Aggregate | undefined,
): TableState {
  const entries = Object.entries(columns)
  const ofType = (type: Column['type']) => entries.filter(([, column]) => column.type === type)
  const writes = new Map<string, Write[]>()
  return {
    name,
    aggregate,
    columns,
    shownNames: Object.keys(columns),
    txNames: entries.filter(([, column]) => column.type !== 'appendIndex').map(([column]) => column),
    positions: ofType('appendIndex').map(([column, { target }]) => ({ column, parent: target })),
    refs: ofType('ref').map(([column, { target }]) => ({ column, target })),
    hasJson: ofType('json').length > 0,
    rows: createRowMap(),
    mainOwner: undefined,
    otherOwners: new Map(),
    writes,
    watches: createWatches(writes),
    indexes: new Map(),
  }
}

/** The scope that holds a confirmed row; undefined when there is none. */
export function ownerOf(state: TableState, id: string): Scope | undefined {
  return state.rows.has(id) ? (state.otherOwners.get(id) ?? state.mainOwner) : undefined
}

/** Whether two rows say the same in these columns. A column that is missing says null. */
export function rowsEqual(names: readonly string[], a: Row | undefined, b: Row | undefined): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined) return false
  for (const name of names) {
    const left = a[name] ?? null
    const right = b[name] ?? null
    if (left !== right && !jsonEqual(left, right)) return false
  }
  return true
}

/** The row as a mutator sees it: without positions, and frozen, because a mutator that changed it would change what the authority said (I6). */
export function txRow(state: TableState, row: Row): Row {
  let seen = row
  if (state.positions.length > 0) {
    const copy: { [column: string]: Row[string] } = {}
    for (const name of state.txNames) copy[name] = row[name] ?? null
    seen = copy as Row
  }
  if (state.hasJson) for (const name of state.shownNames) freezeDeep(seen[name])
  return Object.freeze(seen)
}

/** Freezes plain objects and arrays that others hold too, down to their last member. */
export function freezeDeep(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  if (!Array.isArray(value)) {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) return
  }
  Object.freeze(value)
  for (const member of Object.values(value)) freezeDeep(member)
}
