// Which live queries a changed row may concern: queries with an equality are found by the row's own value, so that a thousand lists
// on the screen cost no more per change than the one that shows the row. Whether it does concern them, they find out themselves.
import type { Json } from '../../base/json.ts'
import type { QuerySpec } from '../../schema/query.ts'
import type { Row } from '../../schema/table.ts'
import { equalityOf } from '../replica/spec.ts'

/** Things that are found by the rows that may concern them. */
export interface Indexes<Item> {
  add(spec: QuerySpec, item: Item): void
  remove(spec: QuerySpec, item: Item): void
  /** Calls `visit` for each item that a change of a row of `table` from `before` to `after` may concern; possibly more than once. */
  concern(table: string, before: Row | undefined, after: Row | undefined, visit: (item: Item) => void): void
  /** Whether any item is over this table. */
  has(table: string): boolean
}

interface OfTable<Item> {
  readonly unkeyed: Set<Item>
  readonly byColumn: Map<string, Map<Json, Set<Item>>>
  size: number
}

/** Makes an empty index. */
export function createIndexes<Item>(): Indexes<Item> {
  const tables = new Map<string, OfTable<Item>>()
  const setOf = (ofTable: OfTable<Item>, spec: QuerySpec): Set<Item> => {
    const equality = equalityOf(spec)
    if (equality === undefined) return ofTable.unkeyed
    const values = ofTable.byColumn.get(equality.column) ?? new Map<Json, Set<Item>>()
    ofTable.byColumn.set(equality.column, values)
    const items = values.get(equality.value) ?? new Set<Item>()
    values.set(equality.value, items)
    return items
  }
  return {
    add(spec, item) {
      const ofTable = tables.get(spec.table) ?? { unkeyed: new Set(), byColumn: new Map(), size: 0 }
      tables.set(spec.table, ofTable)
      setOf(ofTable, spec).add(item)
      ofTable.size++
    },
    remove(spec, item) {
      const ofTable = tables.get(spec.table)
      if (ofTable === undefined || !setOf(ofTable, spec).delete(item)) return
      const equality = equalityOf(spec)
      const values = equality === undefined ? undefined : ofTable.byColumn.get(equality.column)
      if (equality !== undefined && values?.get(equality.value)?.size === 0) values.delete(equality.value)
      if (--ofTable.size === 0) tables.delete(spec.table)
    },
    concern(table, before, after, visit) {
      const ofTable = tables.get(table)
      if (ofTable === undefined) return
      for (const item of ofTable.unkeyed) visit(item)
      for (const [column, values] of ofTable.byColumn) {
        const old = before === undefined ? undefined : (before[column] ?? null)
        const now = after === undefined ? undefined : (after[column] ?? null)
        if (old !== undefined) for (const item of values.get(old) ?? []) visit(item)
        if (now !== undefined && now !== old) for (const item of values.get(now) ?? []) visit(item)
      }
    },
    has: (table) => tables.has(table),
  }
}
