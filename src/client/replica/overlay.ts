// The overlay: confirmed rows with the pending runs on top, in order. Each row's pending writes stand in one list, so that its state
// as of any run is the last write before that run, else the confirmed row: nothing is copied, whatever is pending.
// Here are the look-ups, and the one swap by which a finished rebase becomes what readers see (I5, I6). How a rebase is found is
// rebase.ts; what it means for those who look on is diff.ts.

import { check } from '../../base/assert.ts'
import { countBefore, newSet, obtain } from '../../base/collections.ts'
import type { Place } from '../../protocol/frame.ts'
import type { IntentId } from '../../protocol/ids.ts'
import type { IntentContent } from '../../protocol/intent.ts'
import type { App } from '../../schema/app.ts'
import type { QuerySpec } from '../../schema/query.ts'
import type { Scope } from '../../schema/scope.ts'
import type { Row } from '../../schema/table.ts'
import type { StoredFrame } from '../storage/storage.ts'
import type { StagedFrame } from './apply-frame.ts'
import { type ColumnIndex, createColumnIndex } from './column-index.ts'
import type { RowMap } from './row-map.ts'
import type { RunRecord, View } from './run.ts'
import { equalityOf } from './spec.ts'
import { createTables, type TableState } from './tables.ts'
import type { Watch, Watcher } from './watches.ts'

/** One call of a mutator that is not retired yet. Its arguments are never changed, by nobody. */
export type PendingIntent = Omit<IntentContent, 'needs'>

/** What an intent shows: its writes, or nothing: it read what is not here (`blind`), only the authority can tell (`in-doubt`), no upgrade leads to this app (`unfit`). */
export type RunPicture = 'shown' | 'blind' | 'in-doubt' | 'unfit'

/** A pending intent in the overlay, with what its last run read and wrote. */
export interface Run {
  readonly intent: PendingIntent
  /** Rises in pending order; never given twice. */
  readonly position: number
  picture: RunPicture
  readers: readonly Watcher[]
  writes: readonly Write[]
}

/** What one run made of one row. It has read the row too: nothing is written that was not looked at first. */
export interface Write {
  readonly run: Run
  readonly state: TableState
  readonly id: string
  /** The row after the run, without positions; undefined when the run deleted it. */
  readonly row: Row | undefined
  /** The run itself put the row there. */
  readonly isInsert: boolean
  /** Its place among the run's writes. */
  readonly ordinal: number
  /** The pending intent that put the row there as it stands after this write, if one did. */
  inserter: IntentId | undefined
  /** The row as it was shown last, with its positions, while this write was the last one to it. */
  shown: Row | undefined
}

/** The state of a replica. */
export interface Overlay {
  readonly app: App
  /** Whose intents run here. */
  readonly actor: string
  readonly tables: ReadonlyMap<string, TableState>
  /** Pending runs in order, and by intent. */
  runs: Run[]
  readonly runsById: Map<IntentId, Run>
  readonly cursors: Map<Scope, Place>
  /** The fingerprint of the app whose tables the confirmed rows are of: another version may have left out what it did not know. */
  madeFor: string
  /** The last frame, without its patches. */
  frame: Omit<StoredFrame, 'patches'> | undefined
  nextPosition: number
  /** The rows after all pending runs, as the next run finds them. */
  readonly view: View
}

/** A row of the old world and of the new one, as mutators see it. */
export interface Difference {
  readonly before: Row | undefined
  readonly after: Row | undefined
}

/** One version of a row. */
export interface Version {
  readonly state: TableState
  readonly id: string
  readonly row: Row | undefined
}

/** What a rebase found, ready to be swapped in. */
export interface Rebased {
  readonly staged: StagedFrame | undefined
  /** How a row differs after all runs but those that are appended, if it does. */
  difference(state: TableState, id: string): Difference | undefined
  readonly retired: readonly Run[]
  readonly replayed: readonly { readonly run: Run; readonly record: RunRecord }[]
  readonly appended: readonly { readonly run: Run; readonly record: RunRecord }[]
}

/** An overlay without rows or runs. */
export function createOverlay(app: App, actor: string): Overlay {
  const tables = createTables(app)
  const overlay: Overlay = {
    app,
    actor,
    tables,
    runs: [],
    runsById: new Map(),
    cursors: new Map(),
    madeFor: app.fingerprint,
    frame: undefined,
    nextPosition: 1,
    view: {
      app,
      actor,
      tables,
      get isComplete() {
        return overlay.frame !== undefined
      },
      row: lastRow,
      candidates: (state, spec) => indexedIds(state, spec) ?? allIds(state),
      inserter: (state, id) => state.writes.get(id)?.at(-1)?.inserter,
    },
  }
  return overlay
}

/** Ids among which are those of all versions of rows that meet a query with an equality; undefined for one without. */
export function indexedIds(state: TableState, spec: QuerySpec): Iterable<string> | undefined {
  const equality = equalityOf(spec)
  if (equality === undefined) return undefined
  return equality.column === 'id' ? [String(equality.value)] : indexOn(state, equality.column).ids(equality.value)
}

/** Every id that any version of a table's rows has, each once. */
export function* allIds(state: TableState): Iterable<string> {
  yield* state.rows.keys()
  for (const id of state.writes.keys()) if (!state.rows.has(id)) yield id
}

/** The row after all pending runs, without provisional positions. */
export function lastRow(state: TableState, id: string): Row | undefined {
  const writes = state.writes.get(id)
  return writes === undefined ? state.rows.get(id) : writes.at(-1)?.row
}

/** The row as the run at `position` finds it. */
export function rowAt(state: TableState, id: string, position: number): Row | undefined {
  const write = writeBefore(state, id, position)
  return write === undefined ? state.rows.get(id) : write.row
}

/** The last pending write to a row before `position`, if any. */
export function writeBefore(state: TableState, id: string, position: number): Write | undefined {
  const writes = state.writes.get(id)
  if (writes === undefined) return undefined
  const isBefore = ({ run }: Write): boolean => run.position < position
  // Most questions are asked from the end of the list.
  const last = writes.at(-1)
  return last !== undefined && isBefore(last) ? last : writes[countBefore(writes, isBefore) - 1]
}

/** The index of a column, built when it is first asked for. */
export function indexOn(state: TableState, column: string): ColumnIndex {
  return obtain(state.indexes, column, () => {
    const index = createColumnIndex()
    for (const [id, row] of state.rows) index.add(row[column] ?? null, id)
    for (const [id, writes] of state.writes) {
      for (const { row } of writes) if (row !== undefined) index.add(row[column] ?? null, id)
    }
    return index
  })
}

/** Adds a version of a row to its table's indexes. */
export function indexRow(state: TableState, id: string, row: Row | undefined): void {
  if (row === undefined) return
  for (const [column, index] of state.indexes) index.add(row[column] ?? null, id)
}

/** Takes a version of a row out of its table's indexes where no other version has the same value. */
export function unindexRow(state: TableState, id: string, row: Row | undefined): void {
  if (row === undefined) return
  for (const [column, index] of state.indexes) {
    const value = row[column] ?? null
    if ((state.rows.get(id)?.[column] ?? null) === value && state.rows.has(id)) continue
    const writes = state.writes.get(id) ?? []
    if (writes.some((write) => write.row !== undefined && (write.row[column] ?? null) === value)) continue
    index.remove(value, id)
  }
}

/** Makes a finished rebase what readers see: confirmed rows, pending runs, and who read what, all at once. */
export function swap(overlay: Overlay, rebased: Rebased): void {
  const stale: Version[] = []
  if (rebased.staged !== undefined) swapFrame(overlay, rebased.staged, stale)
  if (rebased.retired.length + rebased.replayed.length > 0) swapRuns(overlay, rebased, stale)
  for (const { run, record } of rebased.appended) {
    check(
      run.position > (overlay.runs.at(-1)?.position ?? 0),
      'I5',
      'a run was appended before the end of the pending ones',
    )
    enter(run, record)
    overlay.runs.push(run)
    overlay.runsById.set(run.intent.id, run)
  }
  for (const { state, id, row } of stale) unindexRow(state, id, row)
}

/** Takes out what retired runs, and those that ran again, read and wrote before, and puts in what the latter do now. */
function swapRuns(overlay: Overlay, { retired, replayed }: Rebased, stale: Version[]): void {
  const goneWrites = new Set<Write>()
  const goneReaders = new Set<Watcher>()
  for (const run of retired) leave(run, goneWrites, goneReaders)
  for (const { run } of replayed) leave(run, goneWrites, goneReaders)
  const watches = new Set<Watch>()
  for (const reader of goneReaders) watches.add(reader.watch)
  const lists = new Map<TableState, Set<string>>()
  for (const write of goneWrites) {
    stale.push(write)
    obtain(lists, write.state, newSet<string>).add(write.id)
  }
  for (const { run, record } of replayed) {
    enter(run, record)
    for (const reader of run.readers) watches.add(reader.watch)
    for (const write of run.writes) obtain(lists, write.state, newSet<string>).add(write.id)
  }
  for (const [state, ids] of lists) for (const id of ids) settleWrites(state, id, goneWrites)
  for (const watch of watches) watch.owner.settle(watch, goneReaders)
  if (retired.length === 0) return
  const leaving = new Set(retired)
  for (const run of leaving) overlay.runsById.delete(run.intent.id)
  overlay.runs = overlay.runs.filter((run) => !leaving.has(run))
}

function swapFrame(overlay: Overlay, staged: StagedFrame, stale: Version[]): void {
  for (const [state, table] of staged.tables) {
    // A table that was empty takes the frame's own map: a hundred thousand rows need not be put from one into another.
    if (state.rows.size === 0 && table.before.size === 0) state.rows = table.after as RowMap
    else {
      for (const [id, row] of table.after) {
        if (row === undefined) state.rows.delete(id)
        else state.rows.set(id, row)
      }
    }
    state.mainOwner = table.mainOwner
    for (const [id, owner] of table.owners) {
      if (owner === undefined || owner === state.mainOwner) state.otherOwners.delete(id)
      else state.otherOwners.set(id, owner)
    }
    if (state.indexes.size === 0) continue
    // What comes is in the indexes since the rebase began, but for those that somebody asked for since then.
    for (const [id, row] of table.after) indexRow(state, id, row)
    for (const [id, row] of table.before) stale.push({ state, id, row })
  }
  overlay.cursors.clear()
  for (const [scope, place] of staged.cursors) overlay.cursors.set(scope, place)
  overlay.frame = staged.frame
  overlay.madeFor = staged.madeFor
}

function leave(run: Run, goneWrites: Set<Write>, goneReaders: Set<Watcher>): void {
  for (const write of run.writes) goneWrites.add(write)
  for (const reader of run.readers) goneReaders.add(reader)
}

/** Gives a run what its last execution read and wrote. Lists in which it is not the last are put in order afterwards. */
function enter(run: Run, record: RunRecord): void {
  run.picture = record.picture
  run.readers = [
    ...record.keys.map(({ state, id }) => state.watches.readKey(id, run)),
    ...record.ranges.map(({ state, spec, edge }) => state.watches.readRange(spec, edge, run)),
  ]
  // A copy has no room for more: most runs write one row, and ten thousand of them may be pending.
  run.writes = record.writes.slice()
  for (const write of run.writes) {
    const { state, id } = write
    const list = state.writes.get(id)
    write.inserter = inserterAfter(write, list?.at(-1))
    if (list === undefined) state.writes.set(id, [write])
    else list.push(write)
    indexRow(state, id, write.row)
  }
}

function settleWrites(state: TableState, id: string, gone: ReadonlySet<Write>): void {
  const all = state.writes.get(id) ?? []
  const writes = all.filter((write) => !gone.has(write)).sort((a, b) => a.run.position - b.run.position)
  let before: Write | undefined
  for (const write of writes) {
    write.inserter = inserterAfter(write, before)
    before = write
  }
  if (writes.length === 0) state.writes.delete(id)
  else state.writes.set(id, writes)
}

function inserterAfter({ row, isInsert, run }: Write, before: Write | undefined): IntentId | undefined {
  return row === undefined ? undefined : isInsert ? run.intent.id : before?.inserter
}
