// What a commit means for those who look on: each row that they saw, how it was and how it is now. A retired intent whose confirmed
// result equals its picture changes nothing that anybody sees. Works in two steps around the swap: `look` before, `compare` after.
// Lists only; who is told, and in which order, is the replica's business (I14).
import { newMap, newSet, obtain } from '../../base/collections.ts'
import type { Row } from '../../schema/table.ts'
import type { StoredFrame } from '../storage/storage.ts'
import { changesOf, type StagedTable } from './apply-frame.ts'
import type { Groups } from './groups.ts'
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
  /** Rows that were, or are going to be, written by the runs that move, and the groups to which they belong. */
  readonly touched: ReadonlyMap<TableState, ReadonlySet<string>>
  /** How they were shown, and the confirmed rows that change beneath pending ones. */
  readonly before: ReadonlyMap<TableState, Map<string, Row | undefined>>
}

/** Notes, before the swap, how everything is shown that the swap may change, but for rows that only the frame changes. */
export function look(shown: Shown, rebased: Rebased): Looked {
  const touched = new Map<TableState, Set<string>>()
  const touch = ({ writes }: Run | RunRecord): void => {
    for (const { state, id } of writes) obtain(touched, state, newSet<string>).add(id)
  }
  for (const run of rebased.retired) touch(run)
  for (const { run, record } of rebased.replayed) {
    touch(run)
    touch(record)
  }
  for (const { record } of rebased.appended) touch(record)

  const before = new Map<TableState, Map<string, Row | undefined>>()
  const note = (state: TableState, ids: Iterable<string>): void => {
    const rows = obtain(before, state, newMap<string, Row | undefined>)
    for (const id of ids) rows.set(id, shown.row(state, id))
  }
  for (const [state, ids] of touched) note(state, ids)
  for (const [state, { after }] of rebased.staged?.tables ?? []) note(state, common(after, state.writes))
  for (const groups of shown.observed()) {
    const keys = movingGroups(groups, rebased, before.get(groups.of) ?? new Map())
    touched.set(groups.state, keys)
    note(groups.state, keys)
  }
  return { touched, before }
}

/** The groups that pending intents touch, before or after, and to which something moves or from which something goes. */
function movingGroups(groups: Groups, rebased: Rebased, moving: ReadonlyMap<string, Row | undefined>): Set<string> {
  const { of, state } = groups
  const staged = rebased.staged?.tables.get(of)
  const keys = new Set<string>()
  const add = (row: Row | undefined): void => {
    if (row !== undefined) keys.add(groups.keyOf(row))
  }
  for (const [id, row] of moving) {
    add(row)
    add(of.rows.get(id))
    add(staged?.after.get(id))
    add(rebased.difference(of, id)?.after)
    for (const key of groups.groupsOf(id)) keys.add(key)
  }
  for (const { record } of rebased.replayed) for (const write of record.writes) if (write.state === of) add(write.row)
  for (const { record } of rebased.appended) for (const write of record.writes) if (write.state === of) add(write.row)
  // Rows that nobody here wrote count in groups that somebody did.
  if (groups.hasTouched()) {
    for (const [id, row] of staged?.after ?? [])
      for (const version of [row, staged?.before.get(id)])
        if (version !== undefined && groups.isTouched(groups.keyOf(version))) add(version)
    for (const key of rebased.staged?.tables.get(state)?.after.keys() ?? []) if (groups.isTouched(key)) keys.add(key)
  }
  return keys
}

const noTables: ReadonlyMap<TableState, StagedTable> = new Map()
const noRows: ReadonlyMap<string, Row> = new Map()

/** Lists, after the swap, what is shown otherwise. */
export function compare(shown: Shown, rebased: Rebased, looked: Looked): Pick<ReplicaCommit, 'changes' | 'touched'> {
  const changes = new Map<string, RowChanges>()
  const staged = rebased.staged?.tables ?? noTables
  const states = staged.size === 0 ? [...looked.before.keys()] : new Set([...looked.before.keys(), ...staged.keys()])
  const list = (state: TableState, others: ReadonlyMap<string, Row>): void => {
    const noted = looked.before.get(state) ?? new Map<string, Row | undefined>()
    const changed = new Map<string, Change>()
    for (const known of [noted, others]) {
      for (const [id, before] of known) {
        const after = shown.row(state, id)
        if (!rowsEqual(state.shownNames, before, after)) changed.set(id, { before, after })
      }
    }
    // Of an aggregate that nobody observes nothing is told while something is pending on what it counts.
    const isTold = state.aggregate === undefined || shown.isObserved(state) || shown.counts(state).writes.size === 0
    const table = isTold ? staged.get(state) : undefined
    const told = table === undefined ? changed : changesOf(table, noted, changed)
    if (told.size > 0) changes.set(state.name, told)
  }
  for (const state of states) {
    if (state.aggregate !== undefined) continue
    list(state, shown.settle(state, looked.before.get(state) ?? new Map(), staged.get(state)))
    shown.regroup(state, looked.before.get(state) ?? new Map(), changes.get(state.name) ?? [])
  }
  for (const state of states) if (state.aggregate !== undefined) list(state, noRows)
  return { changes, touched: new Map([...looked.touched].map(([state, ids]) => [state.name, ids])) }
}

/** The keys of both maps, by way of the smaller one. */
function* common(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): Iterable<string> {
  const [small, large] = a.size < b.size ? [a, b] : [b, a]
  for (const key of small.keys()) if (large.has(key)) yield key
}
