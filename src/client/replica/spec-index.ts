// Who asks for which rows of one table: what asks with an equality is found by the value, so that a changed row concerns only those
// who ask for its own values, however many ask. Whether it does concern them, they find out themselves.
// Live queries (query/live.ts) and the ranges that pending runs read (watches.ts) stand in such an index.
import { newMap, newSet, obtain } from '../../base/collections.ts'
import type { Json } from '../../base/json.ts'
import type { Row } from '../../schema/table.ts'
import { type Asked, equalityOf } from './spec.ts'

/** Those who ask. */
export interface SpecIndex<Item> {
  add(asked: Asked, item: Item): void
  remove(asked: Asked, item: Item): void
  /** Calls `visit` for each item that a change of a row from `before` to `after` may concern; possibly more than once. */
  concern(before: Row | undefined, after: Row | undefined, visit: (item: Item) => void): void
  isEmpty(): boolean
}

/** Makes an empty index. */
export function createSpecIndex<Item>(): SpecIndex<Item> {
  const unkeyed = new Set<Item>()
  const byColumn = new Map<string, Map<Json, Set<Item>>>()
  return {
    add(asked, item) {
      const equality = equalityOf(asked)
      const items =
        equality === undefined
          ? unkeyed
          : obtain(obtain(byColumn, equality.column, newMap<Json, Set<Item>>), equality.value, newSet<Item>)
      items.add(item)
    },
    remove(asked, item) {
      unkeyed.delete(item)
      const { column = '', value = null } = equalityOf(asked) ?? {}
      const values = byColumn.get(column)
      const items = values?.get(value)
      items?.delete(item)
      if (items?.size === 0) values?.delete(value)
      if (values?.size === 0) byColumn.delete(column)
    },
    concern(before, after, visit) {
      unkeyed.forEach(visit)
      for (const [column, values] of byColumn) {
        const old = before && (before[column] ?? null)
        const now = after && (after[column] ?? null)
        if (old !== undefined) values.get(old)?.forEach(visit)
        if (now !== undefined && now !== old) values.get(now)?.forEach(visit)
      }
    },
    isEmpty: () => unkeyed.size + byColumn.size === 0,
  }
}
