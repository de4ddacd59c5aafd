// What differs between the world before a rebase and the one after it, as of the place in the pending order that the rebase has
// reached, and which run it touches next. It begins with the rows that a frame changes; where a run comes out as before, a difference
// ends, and whoever read the row later is not touched. Readers are looked for one at a time: what nobody gets to costs nothing.
// Decides nothing about runs: that is rebase.ts.

import { countBefore, newMap, obtain } from '../../base/collections.ts'
import type { QuerySpec } from '../../schema/query.ts'
import { matches } from '../../schema/query.ts'
import type { Row } from '../../schema/table.ts'
import type { StagedFrame } from './apply-frame.ts'
import { createHeap } from './heap.ts'
import { allIds, type Difference, indexedIds, indexOn, indexRow, type Run, type Version } from './overlay.ts'
import { equalityOf } from './spec.ts'
import { rowsEqual, type TableState } from './tables.ts'
import { liesBefore, type Range, type Reader } from './watches.ts'

/** The differences of one rebase. */
export interface Differences {
  /** How a row differs here, if it does. */
  of(state: TableState, id: string): Difference | undefined
  /** Says how a row stands in both worlds after the run at `position`. */
  settle(state: TableState, id: string, before: Row | undefined, after: Row | undefined, position: number): void
  /** At least the ids of the rows that meet a query in the new world, wherever in the order. */
  candidates(state: TableState, spec: QuerySpec): Iterable<string>
  /** Has a run looked at in its turn, touched or not. */
  visit(run: Run): void
  /** The next run that is to be looked at, in pending order. Positions only rise: what is settled meanwhile touches later runs. */
  next(): Run | undefined
}

/** Where the readers of one difference are looked for. */
interface Cursor {
  readonly state: TableState
  readonly id: string
  readonly difference: Difference
  readonly readers: readonly Reader[]
  readonly range: Range | undefined
  index: number
}

interface Stop {
  readonly run: Run
  /** What touches the run; undefined when it is to be looked at in any case. */
  readonly cursor: Cursor | undefined
}

/**
 * Begins with what a frame changes, whose rows it puts into the indexes at once. Versions that exist only during the rebase are
 * indexed like any other; `indexed` collects them, for the caller to take out again.
 */
export function createDifferences(staged: StagedFrame | undefined, indexed: Version[]): Differences {
  // Undefined for a row that the frame changes but that comes out as it was.
  const settled = new Map<TableState, Map<string, Difference | undefined>>()
  const stops = createHeap<Stop>((stop) => stop.run.position)

  const note = (state: TableState, id: string, difference: Difference | undefined): void => {
    obtain(settled, state, newMap<string, Difference | undefined>).set(id, difference)
  }

  const of = (state: TableState, id: string): Difference | undefined => {
    const known = settled.get(state)
    if (known?.has(id) === true) return known.get(id)
    const table = staged?.tables.get(state)
    if (table?.after.has(id) !== true) return undefined
    const [before, after] = [table.before.get(id), table.after.get(id)]
    // A position alone is nothing that a mutator sees: with that no difference begins which an earlier run's write would have to end.
    const difference = rowsEqual(state.txNames, before, after) ? undefined : { before, after }
    note(state, id, difference)
    return difference
  }

  /** Moves a cursor to its next reader, from `index` on, who would see the difference. */
  const advance = (cursor: Cursor, index: number): void => {
    const { readers, range, difference } = cursor
    for (let at = index; at < readers.length; at++) {
      const reader = readers[at] as Reader
      if (range !== undefined && reader.edge !== undefined && !sees(difference, reader, range)) continue
      cursor.index = at
      stops.push({ run: reader.run, cursor })
      return
    }
  }

  /** Looks for who read a row that differs after `position`. */
  const openCursors = (
    state: TableState,
    id: string,
    before: Row | undefined,
    after: Row | undefined,
    position: number,
  ): void => {
    state.watches.concern(id, before, after, (readers, range) => {
      const difference = of(state, id)
      if (difference !== undefined)
        advance(
          { state, id, difference, readers, range, index: 0 },
          countBefore(readers, ({ run }) => run.position <= position),
        )
    })
  }

  /** Whether what stopped here still differs; if so, its cursor goes on to the reader after this one. */
  const touches = ({ cursor }: Stop): boolean => {
    if (cursor === undefined) return true
    if (of(cursor.state, cursor.id) !== cursor.difference) return false
    advance(cursor, cursor.index + 1)
    return true
  }

  for (const [state, { after, before }] of staged?.tables ?? []) {
    // Where more comes than is there, an index is made again when somebody asks for it: often nobody does.
    if (after.size > state.rows.size + state.writes.size) state.indexes.clear()
    else if (state.indexes.size > 0) for (const [id, row] of after) indexRow(state, id, row)
    for (const id of state.watches.concerned(after)) {
      const [old, now] = [before.get(id), after.get(id)]
      // A position alone is nothing that a mutator sees.
      if (!rowsEqual(state.txNames, old, now)) openCursors(state, id, old, now, 0)
    }
  }

  return {
    of,
    settle(state, id, before, after, position) {
      const known = of(state, id)
      if (rowsEqual(state.txNames, before, after)) {
        if (known !== undefined) note(state, id, undefined)
      } else if (known === undefined || known.before !== before || known.after !== after) {
        note(state, id, { before, after })
        if (state.indexes.size > 0) {
          indexRow(state, id, after)
          indexed.push({ state, id, row: after })
        }
        openCursors(state, id, before, after, position)
      }
    },
    candidates(state, spec) {
      const equality = equalityOf(spec)
      if (equality !== undefined && equality.column !== 'id' && !state.indexes.has(equality.column)) {
        // What is new in the new world is not in an index of the old one.
        const index = indexOn(state, equality.column)
        for (const [id, row] of staged?.tables.get(state)?.after ?? [])
          if (row !== undefined) index.add(row[equality.column] ?? null, id)
        for (const [id, difference] of settled.get(state) ?? []) {
          if (difference?.after === undefined) continue
          index.add(difference.after[equality.column] ?? null, id)
          indexed.push({ state, id, row: difference.after })
        }
      }
      return indexedIds(state, spec) ?? newIds(state, settled.get(state), staged?.tables.get(state)?.after)
    },
    visit: (run) => stops.push({ run, cursor: undefined }),
    next() {
      for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) {
        let isTouched = touches(stop)
        while (stops.peek()?.run === stop.run) isTouched = touches(stops.pop() as Stop) || isTouched
        if (isTouched) return stop.run
      }
      return undefined
    },
  }
}

/** Whether a reader of a range up to an edge saw the row before, or would see it after. */
function sees({ before, after }: Difference, reader: Reader, range: Range): boolean {
  const lies = (row: Row | undefined): boolean =>
    row !== undefined && matches(range.where, row) && liesBefore(row, reader, range)
  return lies(before) || lies(after)
}

/** Every id that any version of the table's rows has in either world, each once. */
function* newIds(
  state: TableState,
  settled: ReadonlyMap<string, unknown> | undefined,
  staged: ReadonlyMap<string, unknown> | undefined,
): Iterable<string> {
  const isOld = (id: string): boolean => state.rows.has(id) || state.writes.has(id)
  yield* allIds(state)
  for (const id of settled?.keys() ?? []) if (!isOld(id)) yield id
  for (const id of staged?.keys() ?? []) if (!isOld(id) && settled?.has(id) !== true) yield id
}
