// What a commit means for those who look on: each row that they saw, how it was and how it is now. A retired intent whose confirmed
// result equals its picture changes nothing that anybody sees. Works in two steps around the swap: `look` before, `compare` after.
// Lists only; who is told, and in which order, is the replica's business (I14).
import type { Row } from '../../schema/table.ts'
import type { StoredFrame } from '../storage/storage.ts'
import { changesOf } from './apply-frame.ts'
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
  /** By table, the rows whose pending writers are others, or ran again, whether or not the row is another. */
  readonly touched: ReadonlyMap<string, ReadonlySet<string>>
  /** The frame that this commit applied, if it did. */
  readonly frame: Omit<StoredFrame, 'patches'> | undefined
  /** It was the first one: from here on, what is absent is absent. */
  readonly isFirstFrame: boolean
}

/** How things were before the swap, as far as it may change them. */
export interface Looked {
  /** Rows that were, or are going to be, written by the runs that move. */
  readonly touched: ReadonlyMap<TableState, ReadonlySet<string>>
  /** How they, and the confirmed rows that change beneath pending ones, were shown. */
  readonly before: ReadonlyMap<TableState, Map<string, Row | undefined>>
}

/** Notes, before the swap, how everything is shown that the swap may change. */
export function look(shown: Shown, rebased: Rebased): Looked {
  const touched = new Map<TableState, Set<string>>()
  const touch = ({ writes }: Run | RunRecord): void => {
    for (const { state, id } of writes) setOf(touched, state).add(id)
  }
  for (const run of rebased.retired) touch(run)
  for (const { run, record } of rebased.replayed) {
    touch(run)
    touch(record)
  }
  for (const { record } of rebased.appended) touch(record)

  const before = new Map<TableState, Map<string, Row | undefined>>()
  const note = (state: TableState, ids: Iterable<string>): void => {
    const rows = before.get(state) ?? new Map<string, Row | undefined>()
    before.set(state, rows)
    for (const id of ids) rows.set(id, shown.row(state, id))
  }
  for (const [state, ids] of touched) note(state, ids)
  for (const [state, staged] of rebased.staged?.tables ?? []) {
    // Of an aggregate that nobody observes nothing is told once something is pending on what it counts.
    if (state.aggregate !== undefined && !shown.isObserved(state)) continue
    if (!isPlain(shown.counts(state), touched)) note(state, staged.after.keys())
  }
  for (const [state, ids] of touchedGroups(shown, rebased, before)) {
    touched.set(state, ids)
    note(state, ids)
  }
  return { touched, before }
}

/** The groups of observed aggregates to which the rows that move belong, before or after. */
function touchedGroups(shown: Shown, rebased: Rebased, moving: Looked['before']): Map<TableState, Set<string>> {
  const keys = new Map<TableState, Set<string>>()
  for (const [of, rows] of moving) {
    for (const groups of shown.groupsOver(of)) {
      if (!shown.isObserved(groups.state)) continue
      const ids = setOf(keys, groups.state)
      const add = (row: Row | undefined): void => {
        if (row !== undefined) ids.add(groups.keyOf(row))
      }
      for (const [id, row] of rows) {
        add(row)
        add(of.rows.get(id))
        add(rebased.staged?.tables.get(of)?.after.get(id))
        add(rebased.difference(of, id)?.after)
        for (const key of groups.groupsOf(id)) ids.add(key)
      }
      for (const { record } of [...rebased.replayed, ...rebased.appended])
        for (const { state, row } of record.writes) if (state === of) add(row)
    }
  }
  return keys
}

/** Lists, after the swap, what is shown otherwise. */
export function compare(shown: Shown, rebased: Rebased, looked: Looked): Pick<ReplicaCommit, 'changes' | 'touched'> {
  const changes = new Map<string, RowChanges>()
  const others = shown.settle(looked.before)
  const list = (state: TableState, rows: ReadonlyMap<string, Row | undefined>): void => {
    const changed = new Map<string, Change>()
    for (const known of [rows, others.get(state) ?? []]) {
      for (const [id, before] of known) {
        const after = shown.row(state, id)
        if (!rowsEqual(state.shownNames, before, after)) changed.set(id, { before, after })
      }
    }
    if (changed.size > 0) changes.set(state.name, changed)
  }
  for (const [state, rows] of looked.before) if (state.aggregate === undefined) list(state, rows)
  // Where nothing is pending, what the frame changed is what is shown otherwise.
  for (const [state, staged] of rebased.staged?.tables ?? []) {
    if (staged.after.size > 0 && !looked.before.has(state) && isPlain(shown.counts(state), looked.touched))
      changes.set(state.name, changesOf(staged))
  }
  for (const state of new Set([...looked.before.keys(), ...(rebased.staged?.tables.keys() ?? [])]))
    shown.regroup(state, looked.before.get(state) ?? new Map(), changes.get(state.name) ?? [])
  for (const [state, rows] of looked.before) if (state.aggregate !== undefined) list(state, rows)
  return { changes, touched: new Map([...looked.touched].map(([state, ids]) => [state.name, ids])) }
}

/** Whether a table's confirmed rows are what is shown: nothing was, is or will be pending on it. */
function isPlain(state: TableState, touched: ReadonlyMap<TableState, ReadonlySet<string>>): boolean {
  return state.writes.size === 0 && !touched.has(state)
}

function setOf(sets: Map<TableState, Set<string>>, state: TableState): Set<string> {
  let ids = sets.get(state)
  if (ids === undefined) {
    ids = new Set()
    sets.set(state, ids)
  }
  return ids
}
