// Aggregates on the device: the authority's own row of a group, or, where pending intents touch the group, what its rows come to with
// them. A change of one row is added to a group's totals instead of looking at all its rows again, and the result is the same (I11);
// where totals cannot tell (the greatest one went, a function of all rows), the rows are looked at when somebody asks. Totals exist
// only for groups that were touched and asked for.
// A view over the overlay: nothing here is confirmed and nothing is written.
import { newSet, obtain } from '../../base/collections.ts'
import { type Aggregate, addToTotals, createTotals, rowOfTotals, type Totals } from '../../schema/aggregate.ts'
import type { Row } from '../../schema/table.ts'
import type { Change } from './diff.ts'
import { indexOn, lastRow, type Run, type Write } from './overlay.ts'
import { type TableState, txRow } from './tables.ts'

/** The groups of one aggregate. */
export interface Groups {
  /** The aggregate's table, which holds the authority's rows, and the one whose rows are counted. */
  readonly state: TableState
  readonly of: TableState
  readonly measures: readonly string[]
  /** The group to which a row belongs. */
  keyOf(row: Row): string
  /** Begins to follow what is pending; asking for a group does so too. */
  wake(): void
  row(key: string): Row | undefined
  /** Groups that pending intents touch. */
  touchedKeys(): Iterable<string>
  isTouched(key: string): boolean
  /** Whether pending intents touch any group. */
  hasTouched(): boolean
  /** The groups to which a row belongs, confirmed or pending, if pending intents wrote it and anybody has asked for groups. */
  groupsOf(id: string): readonly string[]
  /** The pending runs that wrote rows of the group, in order. */
  runs(key: string): readonly Run[]
  /** To be called after a swap: the rows whose writers or whose confirmed row changed, and how rows are shown now. */
  settle(ids: ReadonlyMap<string, unknown>, changes: Iterable<readonly [string, Change]>): void
}

interface Counted {
  readonly totals: Totals
  /** The row that they make; undefined when it has to be made again. */
  row: Row | undefined
}

const none: readonly string[] = Object.freeze([])

/** Makes the view of one aggregate. */
export function createGroups(state: TableState, of: TableState, aggregate: Aggregate): Groups {
  const { by } = aggregate
  const touchedIds = new Map<string, Set<string>>()
  const groupsOfId = new Map<string, readonly string[]>()
  // The runs of groups that were asked for, and how much of a row's writes they take account of.
  const runsOf = new Map<string, Run[]>()
  const accounted = new Map<string, { readonly writes: readonly Write[]; readonly length: number }>()
  const counted = new Map<string, Counted>()
  let isAwake = false

  const rowsOf = (key: string): Row[] => {
    const rows: Row[] = []
    for (const id of indexOn(of, by).ids(key)) {
      const row = lastRow(of, id)
      if (row?.[by] === key) rows.push(row)
    }
    return rows
  }

  const count = (key: string): Counted => {
    const totals = createTotals(aggregate)
    for (const row of rowsOf(key)) addToTotals(aggregate, totals, row, 1)
    return { totals, row: undefined }
  }

  const add = (row: Row | undefined, sign: 1 | -1): void => {
    if (row === undefined) return
    const key = String(row[by])
    const group = counted.get(key)
    if (group === undefined) return
    addToTotals(aggregate, group.totals, row, sign)
    group.row = undefined
  }

  /** Whether all that is new of a row is one write at the end of its list; then that write. */
  const appendedTo = (id: string, writes: readonly Write[]): Write | undefined => {
    const known = accounted.get(id)
    const isOneMore =
      known === undefined ? writes.length === 1 : known.writes === writes && known.length + 1 === writes.length
    return isOneMore ? writes.at(-1) : undefined
  }

  /** Brings the runs of a group up to date with a row's writes, or forgets them where that is not simple. */
  const account = (key: string, added: Run | undefined): void => {
    const runs = runsOf.get(key)
    const last = runs?.at(-1)
    if (runs === undefined || (added !== undefined && last === added)) return
    if (added !== undefined && last !== undefined && last.position < added.position) runs.push(added)
    else runsOf.delete(key)
  }

  const regroup = (id: string): void => {
    const earlier = groupsOfId.get(id) ?? none
    const writes = of.writes.get(id)
    const keys = new Set<string>()
    if (writes !== undefined)
      for (const row of [of.rows.get(id), lastRow(of, id)]) if (row !== undefined) keys.add(String(row[by]))
    const added = writes === undefined ? undefined : appendedTo(id, writes)?.run
    for (const key of earlier) {
      if (keys.has(key)) continue
      runsOf.delete(key)
      const ids = touchedIds.get(key)
      ids?.delete(id)
      if (ids?.size === 0) touchedIds.delete(key)
    }
    for (const key of keys) {
      account(key, earlier.includes(key) || writes?.length === 1 ? added : undefined)
      obtain(touchedIds, key, newSet<string>).add(id)
    }
    if (writes === undefined) {
      groupsOfId.delete(id)
      accounted.delete(id)
    } else {
      groupsOfId.set(id, [...keys])
      accounted.set(id, { writes, length: writes.length })
    }
  }

  /** From the first question on, what is pending is followed; before that an aggregate costs nothing. */
  const wake = (): void => {
    if (isAwake) return
    isAwake = true
    for (const id of of.writes.keys()) regroup(id)
  }

  return {
    state,
    of,
    wake,
    measures: Object.keys(aggregate.measures),
    keyOf: (row) => String(row[by]),
    row(key) {
      wake()
      if (!touchedIds.has(key)) return state.rows.get(key)
      let group = counted.get(key)
      if (group === undefined) {
        group = count(key)
        counted.set(key, group)
      }
      group.row ??= rowOfTotals(aggregate, key, group.totals, () => rowsOf(key).map((row) => txRow(of, row)))
      return group.row
    },
    touchedKeys() {
      wake()
      return touchedIds.keys()
    },
    isTouched(key) {
      wake()
      return touchedIds.has(key)
    },
    hasTouched() {
      wake()
      return touchedIds.size > 0
    },
    groupsOf: (id) => groupsOfId.get(id) ?? none,
    runs(key) {
      wake()
      let runs = runsOf.get(key)
      if (runs === undefined) {
        const found = new Set<Run>()
        for (const id of touchedIds.get(key) ?? none) for (const { run } of of.writes.get(id) ?? []) found.add(run)
        runs = [...found].sort((a, b) => a.position - b.position)
        runsOf.set(key, runs)
      }
      return runs
    },
    settle(ids, changes) {
      if (!isAwake) return
      for (const id of ids.keys()) regroup(id)
      if (counted.size === 0) return
      for (const [, { before, after }] of changes) {
        add(before, -1)
        add(after, 1)
      }
    },
  }
}
