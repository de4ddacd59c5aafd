// The rebase: what pending runs make of it when rows beneath them change. It walks the pending order with the set of rows that
// differ between the old world and the new one at that place, and runs again only what read one of them; where a run's writes come
// out as before, the difference ends there. What is not touched is not even looked at, so the cost follows the change and not the
// outbox. The result equals a replay of everything (I5; proved by property test). Nothing is changed here: overlay.ts swaps it in.

import type { SyncError } from '../../base/errors.ts'
import { matches } from '../../schema/query.ts'
import type { Row } from '../../schema/table.ts'
import type { Rejection } from '../../schema/tx.ts'
import type { StagedFrame } from './apply-frame.ts'
import { createHeap } from './heap.ts'
import {
  type Difference,
  indexOn,
  indexRow,
  type Overlay,
  type PendingIntent,
  type Rebased,
  type Run,
  rowAt,
  type Version,
  writeBefore,
} from './overlay.ts'
import { type RunControl, type RunRecord, type RunResult, runIntent, type View } from './run.ts'
import { equalityOf } from './spec.ts'
import { rowsEqual, type TableState } from './tables.ts'
import { liesBefore, type Reader, type Watch } from './watches.ts'

/** What is to become of the pending runs. */
export interface Plan {
  /** The confirmed rows that change, if any do. */
  readonly staged: StagedFrame | undefined
  /** Runs that leave: their effects are in the confirmed rows, or never will be. */
  readonly retired: ReadonlySet<Run>
  /** Intents to run after all others, in this order. */
  readonly appended: readonly { readonly intent: PendingIntent; readonly mode: 'call' | 'stored' }[]
}

/** Where the readers of one difference are looked for. */
interface Cursor {
  readonly state: TableState
  readonly id: string
  readonly difference: Difference
  readonly watch: Watch
  index: number
}

interface Stop {
  readonly run: Run
  /** What touches the run; undefined when it is looked at because it leaves or was blind. */
  readonly cursor: Cursor | undefined
}

/** What a rebase came to. Refused is only a first run; then there is nothing to swap in. */
export type RebaseResult =
  | {
      readonly kind: 'ready'
      readonly rebased: Rebased
      readonly counts: { readonly runs: number; readonly replays: number }
    }
  | { readonly kind: 'refused'; readonly error: SyncError | Rejection }

/** Finds what a plan leads to. `indexed` collects what was added to indexes on the way, for the caller to take out again. */
export async function rebase(
  overlay: Overlay,
  plan: Plan,
  control: RunControl,
  indexed: Version[],
): Promise<RebaseResult> {
  // Undefined for a row that a frame changes but that comes out as it was.
  const differences = new Map<TableState, Map<string, Difference | undefined>>()
  const stops = createHeap<Stop>((stop) => stop.run.position)
  const isComplete = overlay.frame !== undefined || plan.staged !== undefined

  const differenceOf = (state: TableState, id: string): Difference | undefined => {
    const known = differences.get(state)
    if (known?.has(id) === true) return known.get(id)
    const staged = plan.staged?.tables.get(state)
    if (staged?.after.has(id) !== true) return undefined
    const difference = { before: staged.before.get(id), after: staged.after.get(id) }
    note(state, id, difference)
    return difference
  }

  const note = (state: TableState, id: string, difference: Difference | undefined): void => {
    const rows = differences.get(state)
    if (rows === undefined) differences.set(state, new Map([[id, difference]]))
    else rows.set(id, difference)
  }

  /** Moves a cursor to its next reader, from `index` on, whom the difference touches. */
  const advance = (cursor: Cursor, index: number): void => {
    const { watch, difference } = cursor
    for (let at = index; at < watch.readers.length; at++) {
      const reader = watch.readers[at] as Reader
      if (watch.range !== undefined && reader.edge !== undefined && !sees(difference, reader, watch)) continue
      cursor.index = at
      stops.push({ run: reader.run, cursor })
      return
    }
  }

  /** Looks for who read a row that differs after `position`. */
  const openCursors = (state: TableState, id: string, difference: Difference, position: number): void => {
    if (state.watches.isEmpty()) return
    state.watches.concern(id, difference.before, difference.after, (watch) => {
      const cursor: Cursor = { state, id, difference, watch, index: 0 }
      advance(cursor, firstAfter(watch.readers, position))
    })
  }

  /** Compares a row after the run at `position` in both worlds. */
  const settle = (
    state: TableState,
    id: string,
    before: Row | undefined,
    after: Row | undefined,
    position: number,
  ): void => {
    const known = differenceOf(state, id)
    if (rowsEqual(state.txNames, before, after)) {
      if (known !== undefined) note(state, id, undefined)
    } else if (known === undefined || known.before !== before || known.after !== after) {
      const difference = { before, after }
      note(state, id, difference)
      if (state.indexes.size > 0) {
        indexRow(state, id, after)
        indexed.push({ state, id, row: after })
      }
      openCursors(state, id, difference, position)
    }
  }

  /** The new world as the run at `position` finds it: the old one, but for what differs. */
  const viewAt = (position: number): View => ({
    app: overlay.app,
    tables: overlay.tables,
    isComplete,
    row(state, id) {
      const difference = differenceOf(state, id)
      return difference === undefined ? rowAt(state, id, position) : difference.after
    },
    candidates(state, spec) {
      const equality = equalityOf(spec)
      if (equality === undefined) return allIds(state, differences.get(state), plan.staged?.tables.get(state)?.after)
      if (equality.column === 'id') return [String(equality.value)]
      let index = state.indexes.get(equality.column)
      if (index === undefined) {
        index = indexOn(state, equality.column)
        // What is new in the new world is not in an index of the old one.
        for (const [id, row] of plan.staged?.tables.get(state)?.after ?? [])
          if (row !== undefined) index.add(row[equality.column] ?? null, id)
        for (const [id, difference] of differences.get(state) ?? []) {
          if (difference?.after === undefined) continue
          index.add(difference.after[equality.column] ?? null, id)
          indexed.push({ state, id, row: difference.after })
        }
      }
      return index.ids(equality.value)
    },
    inserter: (state, id) => writeBefore(state, id, position)?.inserter,
  })

  /** Compares what a run wrote in the old world with what it writes in the new one. */
  const compareWrites = (run: Run, record: RunRecord | undefined): void => {
    const rewritten = new Map<TableState, Map<string, Row | undefined>>()
    for (const { state, id, row } of record?.writes ?? []) {
      const rows = rewritten.get(state)
      if (rows === undefined) rewritten.set(state, new Map([[id, row]]))
      else rows.set(id, row)
    }
    for (const { state, id, row } of run.writes) {
      const rows = rewritten.get(state)
      const difference = differenceOf(state, id)
      const now =
        rows?.has(id) === true
          ? rows.get(id)
          : difference !== undefined
            ? difference.after
            : rowAt(state, id, run.position)
      rows?.delete(id)
      settle(state, id, row, now, run.position)
    }
    for (const [state, rows] of rewritten) {
      for (const [id, row] of rows) {
        const difference = differenceOf(state, id)
        settle(
          state,
          id,
          difference !== undefined ? difference.before : rowAt(state, id, run.position),
          row,
          run.position,
        )
      }
    }
  }

  const hasRuns = overlay.runs.length > 0 || plan.appended.length > 0
  for (const [state, { after, before }] of hasRuns ? (plan.staged?.tables ?? []) : []) {
    if (state.indexes.size > 0) for (const [id, row] of after) indexRow(state, id, row)
    if (state.watches.isEmpty()) continue
    for (const [id, row] of after) {
      const difference = rowsEqual(state.txNames, before.get(id), row) ? undefined : differenceOf(state, id)
      if (difference !== undefined) openCursors(state, id, difference, 0)
    }
  }
  for (const run of plan.retired) stops.push({ run, cursor: undefined })
  // What was blind before the first frame can be seen now.
  if (isComplete && overlay.frame === undefined) {
    for (const run of overlay.runs) if (run.picture === 'blind') stops.push({ run, cursor: undefined })
  }

  const replayed: { run: Run; record: RunRecord }[] = []
  for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) {
    const { run } = stop
    let isTouched = false
    for (
      let same: Stop | undefined = stop;
      same !== undefined;
      same = stops.peek()?.run === run ? stops.pop() : undefined
    ) {
      const { cursor } = same
      if (cursor === undefined) isTouched = true
      else if (differenceOf(cursor.state, cursor.id) === cursor.difference) {
        isTouched = true
        advance(cursor, cursor.index + 1)
      }
    }
    if (plan.retired.has(run)) {
      compareWrites(run, undefined)
    } else if (isTouched) {
      const result: RunResult = await runIntent(run.intent, 'stored', viewAt(run.position), control)
      if (!result.kept) throw result.error
      compareWrites(run, result.record)
      replayed.push({ run, record: result.record })
    }
  }

  const appended: { run: Run; record: RunRecord }[] = []
  for (const { intent, mode } of plan.appended) {
    const run: Run = { intent, position: overlay.nextPosition++, picture: 'shown', readers: [], writes: [] }
    const result: RunResult = await runIntent(intent, mode, viewAt(run.position), control)
    if (!result.kept) return { kind: 'refused', error: result.error }
    if (plan.appended.length > 1) compareWrites(run, result.record)
    appended.push({ run, record: result.record })
  }
  return {
    kind: 'ready',
    rebased: { staged: plan.staged, difference: differenceOf, retired: [...plan.retired], replayed, appended },
    counts: { runs: appended.length, replays: replayed.length },
  }
}

/** Whether a reader of a range with an edge saw the row before, or would see it after. */
function sees({ before, after }: Difference, reader: Reader, watch: Watch): boolean {
  const lies = (row: Row | undefined): boolean =>
    row !== undefined && matches(watch.range?.where ?? [], row) && liesBefore(row, reader, watch)
  return lies(before) || lies(after)
}

function firstAfter(readers: readonly Reader[], position: number): number {
  let low = 0
  let high = readers.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((readers[middle] as Reader).run.position <= position) low = middle + 1
    else high = middle
  }
  return low
}

/** Every id that any version of the table has, each once. */
function* allIds(
  state: TableState,
  differences: ReadonlyMap<string, unknown> | undefined,
  staged: ReadonlyMap<string, unknown> | undefined,
): Iterable<string> {
  const isOld = (id: string): boolean => state.rows.has(id) || state.writes.has(id)
  yield* state.rows.keys()
  for (const id of state.writes.keys()) if (!state.rows.has(id)) yield id
  for (const id of differences?.keys() ?? []) if (!isOld(id)) yield id
  for (const id of staged?.keys() ?? []) if (!isOld(id) && differences?.has(id) !== true) yield id
}
