// A hash index of one column over all versions of a table's rows at once: the confirmed row and what each pending run wrote.
// It promises only that no row with a value is missed: whoever asks looks at the row as of his own run and tests it again.
// That makes one index serve the overlay, every run in the middle of the pending ones, and a rebase that is under way.
import type { Json } from '../../base/json.ts'

const none: readonly string[] = Object.freeze([])

/** Ids by a column's value. */
export interface ColumnIndex {
  /** At least the ids of all versions that have this value. */
  ids(value: Json): Iterable<string>
  add(value: Json, id: string): void
  remove(value: Json, id: string): void
}

/** Makes an empty index. */
export function createColumnIndex(): ColumnIndex {
  // Most values of a unique column have one id: a set for each would cost ten times the memory.
  const idsByValue = new Map<Json, string | Set<string>>()
  return {
    ids(value) {
      const held = idsByValue.get(value)
      return held === undefined ? none : typeof held === 'string' ? [held] : held
    },
    add(value, id) {
      const held = idsByValue.get(value)
      if (held === undefined) idsByValue.set(value, id)
      else if (typeof held !== 'string') held.add(id)
      else if (held !== id) idsByValue.set(value, new Set([held, id]))
    },
    remove(value, id) {
      const held = idsByValue.get(value)
      if (held === id) idsByValue.delete(value)
      else if (held !== undefined && typeof held !== 'string' && held.delete(id) && held.size === 0)
        idsByValue.delete(value)
    },
  }
}
