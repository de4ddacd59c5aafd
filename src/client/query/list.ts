// The rows of one query as an app gets them: each made once, with its `sync`, and made anew only where something is new. Which rows
// they are, and in which order, is window.ts.
import type { QuerySpec } from '../../schema/query.ts'
import { type Part, type RowSync, type Sources, type SyncedRow, syncEqual, type View } from './view.ts'
import { createWindow, type Slot } from './window.ts'

/** The rows of a query: a view with itself as its one part. */
export interface List<Sync> extends View<readonly SyncedRow<Sync>[], Sync>, Part<Sync> {
  resync: NonNullable<Part<Sync>['resync']>
}

/** Opens the list of a query. Throws a TypeError when the query cannot be asked. */
export function createList<Sync extends RowSync>({ replica, make }: Sources<Sync>, spec: QuerySpec): List<Sync> {
  const window = createWindow<SyncedRow<Sync>>(replica, spec)
  let rows: readonly SyncedRow<Sync>[] = Object.freeze([])
  /** The window moved since `rows` was made. */
  let isStale = true

  const list: Omit<List<Sync>, 'parts'> = {
    asked: spec,
    apply(changes) {
      const isTouched = window.apply(changes)
      isStale ||= isTouched
      return isTouched
    },
    refill() {
      window.refill()
      isStale = true
    },
    resync(row, sync) {
      const slot = window.slotOf(row)
      if (slot?.made === undefined || syncEqual(slot.made.sync, sync())) return false
      slot.made = undefined
      isStale = true
      return true
    },
    read() {
      if (!isStale) return rows
      isStale = false
      const { slots } = window
      const length = Math.min(slots.length, spec.limit ?? slots.length)
      const made: SyncedRow<Sync>[] = []
      let isSame = length === rows.length
      for (let at = 0; at < length; at++) {
        const slot = slots[at] as Slot<SyncedRow<Sync>>
        slot.made ??= make(spec.table, slot.row)
        made.push(slot.made)
        isSame &&= slot.made === rows[at]
      }
      if (!isSame) rows = Object.freeze(made)
      return rows
    },
  }
  return Object.assign(list, { parts: [list] })
}
