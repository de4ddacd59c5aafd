// Who read what: for each key and each range that pending runs read, its readers in pending order. A rebase walks these lists to
// find the next run that a change touches, so that what nobody read costs nothing, however many intents are pending.
// Filled and emptied by the overlay when a rebase is swapped in; during a rebase it stays as it was.
import { obtain } from '../../base/collections.ts'
import { type Condition, comparatorOf, matches, type QuerySpec } from '../../schema/query.ts'
import type { Row } from '../../schema/table.ts'
import type { Run } from './overlay.ts'
import { createSpecIndex } from './spec-index.ts'

/** One run that read a key or a range. */
export interface Reader {
  readonly run: Run
  readonly watch: Watch
  /** For a range whose limit was reached: the last row that was read. What lies after it, before and after a change, was not seen. */
  readonly edge: Row | undefined
}

/** A key or a range with its readers, in pending order. */
export interface Watch {
  readonly owner: Watches
  readers: Reader[]
  /** For a key its id; a range is known by its conditions and order. */
  readonly id: string | undefined
  readonly range: Range | undefined
}

interface Range {
  readonly key: string
  readonly where: readonly Condition[]
  readonly compare: (a: Row, b: Row) => number
}

/** The watches of one table. */
export interface Watches {
  /** Adds a reader of a key. Readers come in any order; `settle` puts them in theirs. */
  readKey(id: string, run: Run): Reader
  /** Adds a reader of a range, up to `edge` if there is one. */
  readRange(spec: QuerySpec, edge: Row | undefined, run: Run): Reader
  /** Of these ids, at least those whose change may concern anybody; by way of the keys that were read, where they are fewer. */
  concerned(ids: ReadonlyMap<string, unknown>): Iterable<string>
  /** Calls `visit` for each watch that a change of this row from `before` to `after` may concern. */
  concern(id: string, before: Row | undefined, after: Row | undefined, visit: (watch: Watch) => void): void
  /** Takes readers out of a watch, restores its order, and forgets it when nobody is left. */
  settle(watch: Watch, gone: ReadonlySet<Reader>): void
  isEmpty(): boolean
}

/** Whether what a reader of a range saw is another with `row` changed, given that `row` meets the range's conditions. */
export function liesBefore(row: Row, reader: Reader, watch: Watch): boolean {
  return reader.edge === undefined || watch.range === undefined || watch.range.compare(row, reader.edge) <= 0
}

/** Makes the watches of one table. */
export function createWatches(): Watches {
  const byId = new Map<string, Watch>()
  const byRange = new Map<string, Watch>()
  const ranges = createSpecIndex<Watch>()

  const enrol = (watch: Watch, run: Run, edge: Row | undefined): Reader => {
    const reader: Reader = { run, watch, edge }
    watch.readers.push(reader)
    return reader
  }

  const forget = (watch: Watch): void => {
    const { id, range } = watch
    if (id !== undefined) byId.delete(id)
    if (range === undefined) return
    byRange.delete(range.key)
    ranges.remove(range, watch)
  }

  const watches: Watches = {
    readKey: (id, run) =>
      enrol(
        obtain(byId, id, () => ({ owner: watches, readers: [], id, range: undefined })),
        run,
        undefined,
      ),
    readRange({ where, orderBy }, edge, run) {
      const key = JSON.stringify([where, orderBy])
      const watch = obtain(byRange, key, () => {
        const range = { key, where, compare: comparatorOf(orderBy) }
        const made: Watch = { owner: watches, readers: [], id: undefined, range }
        ranges.add(range, made)
        return made
      })
      return enrol(watch, run, edge)
    },
    *concerned(ids) {
      if (byRange.size > 0 || byId.size > ids.size) yield* ids.keys()
      else for (const id of byId.keys()) if (ids.has(id)) yield id
    },
    concern(id, before, after, visit) {
      const own = byId.get(id)
      if (own !== undefined) visit(own)
      if (byRange.size === 0) return
      ranges.concern(before, after, (watch) => {
        const where = watch.range?.where ?? []
        if ((before !== undefined && matches(where, before)) || (after !== undefined && matches(where, after)))
          visit(watch)
      })
    },
    settle(watch, gone) {
      let isOrdered = true
      let last = Number.NEGATIVE_INFINITY
      watch.readers = watch.readers.filter((reader) => {
        if (gone.has(reader)) return false
        isOrdered &&= last <= reader.run.position
        last = reader.run.position
        return true
      })
      if (!isOrdered) watch.readers.sort((a, b) => a.run.position - b.run.position)
      if (watch.readers.length === 0) forget(watch)
    },
    isEmpty: () => byId.size === 0 && byRange.size === 0,
  }
  return watches
}
