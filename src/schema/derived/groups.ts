// Aggregates on the device: the authority's own row of a group, or, where pending intents touch the group, what its rows come to with
// them. A change of one row is added to a group's totals instead of looking at all its rows again, and the result is the same (I11);
// where totals cannot tell (the greatest one went, a function of all rows), the rows are looked at when somebody asks. Totals exist
// only for groups that were touched and asked for.
// A view over the overlay: nothing here is confirmed and nothing is written.
import type { Cancel } from '../../base/clock.ts'
import { newSet, obtain } from '../../base/collections.ts'
import { type Aggregate, addToTotals, createTotals, rowOfTotals, type Totals } from '../aggregate.ts'
import type { Row } from '../table.ts'
import type { PendingRun, PendingWrite, Rows, Staged } from './pending.ts'

/** The groups of one aggregate. */
export interface Groups<Run extends PendingRun = PendingRun> {
  readonly measures: readonly string[]
  /** Groups that pending intents touch. Asking for them begins to follow what is pending. */
  touched(): ReadonlyMap<string, unknown>
  row(key: string): Row | undefined
  /** The groups to which a row belongs, confirmed or pending, if pending intents wrote it and anybody has asked for groups. */
  groupsOf(id: string): readonly string[]
  /** The pending runs that wrote rows of the group, in order. */
  runs(key: string): readonly Run[]
  /** The groups that pending intents touch, before or after a swap that is to come, and to which something moves or from which something goes. */
  moving(moves: Moves): Iterable<string>
  /** To be called after a swap: the rows whose writers or whose confirmed row changed, and how rows are shown now. */
  settle(ids: ReadonlyMap<string, unknown>, changes: Iterable<readonly [string, RowChange]>): void
  /** Somebody wants to hear of the aggregate's rows. */
  observe(): Cancel
  isObserved(): boolean
}

/** One row as it was shown and as it is. */
interface RowChange {
  readonly before: Row | undefined
  readonly after: Row | undefined
}

/** What a swap is going to change. */
export interface Moves {
  /** Rows that moving runs wrote or are going to write, and how they are shown. */
  readonly noted: ReadonlyMap<string, Row | undefined>
  /** How a row will be after all runs that there are already, if it will differ. */
  after(id: string): Row | undefined
  /** The rows that runs write which run again, or for the first time. */
  readonly written: Iterable<Row>
  /** What a frame changes among the rows that are counted, and among the authority's own rows of groups. */
  readonly counted: Staged | undefined
  readonly stated: Staged | undefined
}

interface Counted {
  readonly totals: Totals
  /** The row that they make; undefined when it has to be made again. */
  row: Row | undefined
}

const none: readonly string[] = Object.freeze([])

/** Makes the view of one aggregate: of the authority's own rows, and of the rows that are counted. */
export function createGroups<Run extends PendingRun>(
  stated: Rows<Run>,
  of: Rows<Run>,
  aggregate: Aggregate,
): Groups<Run> {
  const { by } = aggregate
  const touchedIds = new Map<string, Set<string>>()
  const groupsOfId = new Map<string, readonly string[]>()
  // The runs of groups that were asked for, and how much of a row's writes they take account of.
  const runsOf = new Map<string, Run[]>()
  const accounted = new Map<string, { readonly writes: readonly PendingWrite[]; readonly length: number }>()
  const counted = new Map<string, Counted>()
  let isAwake = false
  let observers = 0

  const keyOf = (row: Row): string => String(row[by])

  const rowsOf = (key: string): Row[] => {
    const rows: Row[] = []
    for (const id of of.ids(by, key)) {
      const row = of.last(id)
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
    const key = keyOf(row)
    const group = counted.get(key)
    if (group === undefined) return
    addToTotals(aggregate, group.totals, row, sign)
    group.row = undefined
  }

  /** Whether all that is new of a row is one write at the end of its list; then that write. */
  const appendedTo = (id: string, writes: readonly PendingWrite<Run>[]): PendingWrite<Run> | undefined => {
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
      for (const row of [of.confirmed.get(id), of.last(id)]) if (row !== undefined) keys.add(keyOf(row))
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

  const touched = (): ReadonlyMap<string, unknown> => {
    wake()
    return touchedIds
  }

  return {
    measures: Object.keys(aggregate.measures),
    touched,
    row(key) {
      if (!touched().has(key)) return stated.confirmed.get(key)
      const group = obtain(counted, key, () => count(key))
      group.row ??= rowOfTotals(aggregate, key, group.totals, () => rowsOf(key).map(of.seen))
      return group.row
    },
    groupsOf: (id) => groupsOfId.get(id) ?? none,
    runs(key) {
      wake()
      return obtain(runsOf, key, () => {
        const found = new Set<Run>()
        for (const id of touchedIds.get(key) ?? none) for (const { run } of of.writes.get(id) ?? []) found.add(run)
        return [...found].sort((a, b) => a.position - b.position)
      })
    },
    moving({ noted, after, written, counted, stated }) {
      const keys = new Set<string>()
      const add = (row: Row | undefined): void => {
        if (row !== undefined) keys.add(keyOf(row))
      }
      for (const [id, row] of noted) {
        for (const version of [row, of.confirmed.get(id), counted?.after.get(id), after(id)]) add(version)
        for (const key of groupsOfId.get(id) ?? none) keys.add(key)
      }
      for (const row of written) add(row)
      // Rows that nobody here wrote count in groups that somebody did.
      if (touched().size > 0) {
        for (const [id, row] of counted?.after ?? [])
          for (const version of [row, counted?.before.get(id)])
            if (version !== undefined && touchedIds.has(keyOf(version))) add(version)
        for (const key of stated?.after.keys() ?? []) if (touchedIds.has(key)) keys.add(key)
      }
      return keys
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
    observe() {
      wake()
      observers++
      let isObserving = true
      return () => {
        if (isObserving) observers--
        isObserving = false
      }
    },
    isObserved: () => observers > 0,
  }
}
