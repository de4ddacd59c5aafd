// What a commit means for those who look on: each row that they saw, how it was and how it is now. A retired intent whose confirmed
// result equals its picture changes nothing that anybody sees. Works in two steps around the swap: `look` before, `compare` after.
// Lists only; who is told, and in which order, is the replica's business (I14).
import { newMap, obtain } from '../../base/collections.ts'
import type { Row } from '../../schema/table.ts'
import type { StoredFrame } from '../storage/storage.ts'
import { changesOf, type StagedTable } from './apply-frame.ts'
import type { Rebased, Run } from './overlay.ts'
import type { RunRecord } from './run.ts'
import type { Shown } from './shown.ts'
import { rowsEqual, type TableState } from './tables.ts'

/** One row as it was shown and as it is. */
export interface Change {
  readonly before: Row | undefined
  readonly after: Row | undefined
}

/** The rows of one table that changed, by id. To be read while the commit is told. */
export interface RowChanges {
  readonly size: number
  get(id: string): Change | undefined
  [Symbol.iterator](): Iterator<readonly [id: string, change: Change]>
}

/** What one commit changed for those who look on. */
export interface ReplicaCommit {
  /** By table and id, every row that is shown otherwise than before. */
  readonly changes: ReadonlyMap<string, RowChanges>
  /** How rows were shown whose pending writers, or what lies beneath them, are others now, whether or not the row is another. */
  readonly touched: Looked
  /** The frame that this commit applied, if it did. */
  readonly frame: Omit<StoredFrame, 'patches'> | undefined
  /** It was the first one: from here on, what is absent is absent. */
  readonly isFirstFrame: boolean
}

/**
 * How rows were shown before the swap: those that the moving runs wrote or are going to write, confirmed ones that change beneath
 * pending writes, and the groups to which they belong.
 */
export type Looked = ReadonlyMap<TableState, ReadonlyMap<string, Row | undefined>>

/** Notes, before the swap, how everything is shown that the swap may change, but for rows that only the frame changes. */
export function look(shown: Shown, rebased: Rebased): Looked {
  const looked = new Map<TableState, Map<string, Row | undefined>>()
  const note = (state: TableState, id: string): void => {
    obtain(looked, state, newMap<string, Row | undefined>).set(id, shown.row(state, id))
  }
  const noteWrites = ({ writes }: Run | RunRecord): void => {
    for (const { state, id } of writes) note(state, id)
  }
  rebased.retired.forEach(noteWrites)
  for (const { run, record } of rebased.replayed) {
    noteWrites(run)
    noteWrites(record)
  }
  for (const { record } of rebased.appended) noteWrites(record)
  for (const [state, { after }] of rebased.staged?.tables ?? [])
    for (const id of common(after, state.writes)) note(state, id)
  for (const { state, of, groups } of shown.derived) {
    if (!groups.isObserved()) continue
    const moving = groups.moving({
      noted: looked.get(of) ?? noRows,
      after: (id) => rebased.difference(of, id)?.after,
      written: writtenTo(of, rebased),
      counted: rebased.staged?.tables.get(of),
      stated: rebased.staged?.tables.get(state),
    })
    for (const key of moving) note(state, key)
  }
  return looked
}

/** The rows of a table that runs write which run again, or for the first time. */
function* writtenTo(table: TableState, { replayed, appended }: Rebased): Iterable<Row> {
  for (const runs of [replayed, appended])
    for (const { record } of runs)
      for (const { state, row } of record.writes) if (state === table && row !== undefined) yield row
}

const noTables: ReadonlyMap<TableState, StagedTable> = new Map()
const noRows: ReadonlyMap<string, undefined> = new Map()

/** Lists, after the swap, what is shown otherwise. */
export function compare(shown: Shown, rebased: Rebased, looked: Looked): ReplicaCommit['changes'] {
  const changes = new Map<string, RowChanges>()
  const staged = rebased.staged?.tables ?? noTables
  const states = staged.size === 0 ? [...looked.keys()] : new Set([...looked.keys(), ...staged.keys()])
  const list = (
    state: TableState,
    noted: ReadonlyMap<string, Row | undefined>,
    others: ReadonlyMap<string, Row>,
  ): void => {
    const changed = new Map<string, Change>()
    for (const known of [noted, others]) {
      for (const [id, before] of known) {
        const after = shown.row(state, id)
        if (!rowsEqual(state.shownNames, before, after)) changed.set(id, { before, after })
      }
    }
    const table = shown.isTold(state) ? staged.get(state) : undefined
    const told = table === undefined ? changed : changesOf(table, noted, changed)
    if (told.size > 0) changes.set(state.name, told)
  }
  for (const state of states) {
    if (state.aggregate !== undefined) continue
    const noted = looked.get(state) ?? noRows
    list(state, noted, shown.settle(state, noted, staged.get(state)))
    shown.regroup(state, noted, changes.get(state.name) ?? [])
  }
  for (const state of states) if (state.aggregate !== undefined) list(state, looked.get(state) ?? noRows, new Map())
  return changes
}

/** The keys of both maps, by way of the smaller one. */
function* common(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): Iterable<string> {
  const [small, large] = a.size < b.size ? [a, b] : [b, a]
  for (const key of small.keys()) if (large.has(key)) yield key
}
