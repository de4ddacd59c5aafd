// Which live queries a changed row may concern: an index for each table, so that a thousand lists on the screen cost no more per
// change than the one that shows the row. Whether it does concern them, they find out themselves.
import { obtain } from '../../base/collections.ts'
import type { QuerySpec } from '../../schema/query.ts'
import type { Row } from '../../schema/table.ts'
import { createSpecIndex, type SpecIndex } from '../replica/spec-index.ts'

/** Things that are found by the rows that may concern them. */
export interface Indexes<Item> {
  add(spec: QuerySpec, item: Item): void
  remove(spec: QuerySpec, item: Item): void
  /** Calls `visit` for each item that a change of a row of `table` from `before` to `after` may concern; possibly more than once. */
  concern(table: string, before: Row | undefined, after: Row | undefined, visit: (item: Item) => void): void
  /** Whether any item is over this table. */
  has(table: string): boolean
}

/** Makes an empty index. */
export function createIndexes<Item>(): Indexes<Item> {
  const tables = new Map<string, SpecIndex<Item>>()
  return {
    add: (spec, item) => obtain(tables, spec.table, createSpecIndex<Item>).add(spec, item),
    remove(spec, item) {
      const index = tables.get(spec.table)
      index?.remove(spec, item)
      if (index?.isEmpty()) tables.delete(spec.table)
    },
    concern: (table, before, after, visit) => tables.get(table)?.concern(before, after, visit),
    has: (table) => tables.has(table),
  }
}
