// Who read what: for each key and each range that pending runs read, its readers in pending order. A rebase walks these lists to
// find the next run that a change touches, so that what nobody read costs nothing, however many intents are pending. Whoever wrote
// a row has read it too, and stands in the list of its writes only: most runs read nothing but what they write.
// Filled and emptied by the overlay when a rebase is swapped in; during a rebase it stays as it was.
import { obtain } from '../../base/collections.ts'
import { type Condition, comparatorOf, matches, type QuerySpec } from '../../schema/query.ts'
import type { Row } from '../../schema/table.ts'
import type { Run, Write } from './overlay.ts'
import { createSpecIndex } from './spec-index.ts'

/** One run that read a row or a range; a write to a row is one too. */
export interface Reader {
  readonly run: Run
  /** For a range whose limit was reached: the last row that was read. What lies after it, before and after a change, was not seen. */
  readonly edge?: Row | undefined
}

/** A reader in the list of its watch. */
export interface Watcher extends Reader {
  readonly watch: Watch
}

/** A key or a range with its readers, in pending order. */
export interface Watch {
  readonly owner: Watches
  readers: Watcher[]
  /** For a key its id; a range is known by its conditions and order. */
  readonly id: string | undefined
  readonly range: Range | undefined
}

/** Which rows a range holds, and in which order. */
export interface Range {
  readonly key: string
  readonly where: readonly Condition[]
  readonly compare: (a: Row, b: Row) => number
}

/** The watches of one table. */
export interface Watches {
  /** Adds a reader of a key. Readers come in any order; `settle` puts them in theirs. */
  readKey(id: string, run: Run): Watcher
  /** Adds a reader of a range, up to `edge` if there is one. */
  readRange(spec: QuerySpec, edge: Row | undefined, run: Run): Watcher
  /** Of these ids, at least those whose change may concern anybody, each once; by way of the keys that were read, where they are fewer. */
  concerned(ids: ReadonlyMap<string, unknown>): Iterable<string>
  /** Calls `visit` with each list of readers whom a change of this row from `before` to `after` may concern. */
  concern(
    id: string,
    before: Row | undefined,
    after: Row | undefined,
    visit: (readers: readonly Reader[], range: Range | undefined) => void,
  ): void
  /** Takes readers out of a watch, restores its order, and forgets it when nobody is left. */
  settle(watch: Watch, gone: ReadonlySet<Watcher>): void
}

/** Whether what a reader of a range saw is another with `row` changed, given that `row` meets the range's conditions. */
export function liesBefore(row: Row, { edge }: Reader, range: Range): boolean {
  return edge === undefined || range.compare(row, edge) <= 0
}

/** Makes the watches of the table with these writes. */
export function createWatches(writes: ReadonlyMap<string, readonly Write[]>): Watches {
  const byId = new Map<string, Watch>()
  const byRange = new Map<string, Watch>()
  const ranges = createSpecIndex<Watch>()

  const enrol = (watch: Watch, run: Run, edge: Row | undefined): Watcher => {
    const reader: Watcher = { run, watch, edge }
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
      if (byRange.size > 0 || byId.size + writes.size > ids.size) return yield* ids.keys()
      for (const id of writes.keys()) if (ids.has(id)) yield id
      for (const id of byId.keys()) if (ids.has(id) && !writes.has(id)) yield id
    },
    concern(id, before, after, visit) {
      for (const readers of [writes.get(id), byId.get(id)?.readers])
        if (readers !== undefined) visit(readers, undefined)
      if (byRange.size === 0) return
      ranges.concern(before, after, ({ readers, range }) => {
        const where = range?.where ?? []
        if ((before !== undefined && matches(where, before)) || (after !== undefined && matches(where, after)))
          visit(readers, range)
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
  }
  return watches
}
