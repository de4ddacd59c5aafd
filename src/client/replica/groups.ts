// Aggregates on the device: the authority's own row of a group, or, where pending intents touch the group, what its rows come to with
// them. Totals are whole numbers, so a change of one row is added to them instead of counting the group again, and the result is
// the same (I11); they exist only for groups that were touched and asked for.
// A view over the overlay: nothing here is confirmed and nothing is written.
import { type Aggregate, addToTotals, createTotals, rowOfTotals, type Totals } from '../../schema/aggregate.ts'
import type { Row } from '../../schema/table.ts'
import type { Change } from './diff.ts'
import { indexOn, lastRow, type Run } from './overlay.ts'
import type { TableState } from './tables.ts'

/** The groups of one aggregate. */
export interface Groups {
  /** The aggregate's table, which holds the authority's rows, and the one whose rows are counted. */
  readonly state: TableState
  readonly of: TableState
  readonly measures: readonly string[]
  /** The group to which a row belongs. */
  keyOf(row: Row): string
  row(key: string): Row | undefined
  /** Groups that pending intents touch. */
  touchedKeys(): Iterable<string>
  isTouched(key: string): boolean
  /** The groups to which a row belongs, confirmed or pending, if pending intents wrote it. */
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
  const counted = new Map<string, Counted>()

  const count = (key: string): Counted => {
    const totals = createTotals(aggregate)
    for (const id of indexOn(of, by).ids(key)) {
      const row = lastRow(of, id)
      if (row?.[by] === key) addToTotals(aggregate, totals, row, 1)
    }
    return { totals, row: rowOfTotals(aggregate, key, totals) }
  }

  const add = (row: Row | undefined, sign: 1 | -1): void => {
    if (row === undefined) return
    const key = String(row[by])
    const group = counted.get(key)
    if (group === undefined) return
    addToTotals(aggregate, group.totals, row, sign)
    group.row = undefined
    // Beyond safe integers adding is no longer exact, and what was lost would never come back.
    if (!group.totals.sums.every(Number.isSafeInteger)) counted.delete(key)
  }

  const regroup = (id: string): void => {
    for (const key of groupsOfId.get(id) ?? none) {
      const ids = touchedIds.get(key)
      ids?.delete(id)
      if (ids?.size === 0) touchedIds.delete(key)
    }
    groupsOfId.delete(id)
    if (!of.writes.has(id)) return
    const keys = new Set<string>()
    for (const row of [of.rows.get(id), lastRow(of, id)]) if (row !== undefined) keys.add(String(row[by]))
    groupsOfId.set(id, [...keys])
    for (const key of keys) {
      const ids = touchedIds.get(key)
      if (ids === undefined) touchedIds.set(key, new Set([id]))
      else ids.add(id)
    }
  }

  return {
    state,
    of,
    measures: Object.keys(aggregate.measures),
    keyOf: (row) => String(row[by]),
    row(key) {
      if (!touchedIds.has(key)) return state.rows.get(key)
      let group = counted.get(key)
      if (group === undefined) {
        group = count(key)
        counted.set(key, group)
      }
      group.row ??= rowOfTotals(aggregate, key, group.totals)
      return group.row
    },
    touchedKeys: () => touchedIds.keys(),
    isTouched: (key) => touchedIds.has(key),
    groupsOf: (id) => groupsOfId.get(id) ?? none,
    runs(key) {
      const runs = new Set<Run>()
      for (const id of touchedIds.get(key) ?? none) for (const { run } of of.writes.get(id) ?? []) runs.add(run)
      return [...runs].sort((a, b) => a.position - b.position)
    },
    settle(ids, changes) {
      for (const id of ids.keys()) regroup(id)
      if (counted.size === 0) return
      for (const [, { before, after }] of changes) {
        add(before, -1)
        add(after, 1)
      }
    },
  }
}
