// Rows as queries show them: the overlay with provisional positions, and aggregates as they are with the pending intents.
// A view: keeps no row of its own but what it has put together from the overlay. How positions are counted is positions.ts, how
// groups are, groups.ts.
import type { Cancel } from '../../base/clock.ts'
import type { Row } from '../../schema/table.ts'
import type { StagedTable } from './apply-frame.ts'
import type { Change } from './diff.ts'
import { createGroups, type Groups } from './groups.ts'
import type { Overlay, Run, Write } from './overlay.ts'
import { createPositions, type Positions } from './positions.ts'
import type { TableState } from './tables.ts'

/** The rows that queries see. */
export interface Shown {
  row(state: TableState, id: string): Row | undefined
  rows(state: TableState): Iterable<Row>
  /** The columns of a row whose values the authority may still change. */
  provisional(state: TableState, id: string): readonly string[]
  /** The pending runs that wrote a row, or rows of a group, in order. */
  runs(state: TableState, id: string): readonly Run[]
  /** The aggregates over a table. */
  groupsOver(state: TableState): readonly Groups[]
  /** The table that an aggregate counts; a table counts itself. */
  counts(state: TableState): TableState
  /** Whether anybody wants to hear of an aggregate's rows. */
  isObserved(state: TableState): boolean
  /** The aggregates that somebody observes. */
  observed(): Iterable<Groups>
  observe(state: TableState): Cancel
  /**
   * To be called after each swap for each table with rows that may have changed: those noted, with how they were shown, and those
   * that a frame changed. Returns others that show something else now, as they were shown before.
   */
  settle(
    state: TableState,
    noted: ReadonlyMap<string, Row | undefined>,
    staged: StagedTable | undefined,
  ): ReadonlyMap<string, Row>
  /** To be called after that with how the rows of a table are shown now. */
  regroup(state: TableState, ids: ReadonlyMap<string, unknown>, changes: Iterable<readonly [string, Change]>): void
}

const none: readonly string[] = Object.freeze([])
const noRows: ReadonlyMap<string, Row> = new Map()

/** Makes the view of an overlay. */
export function createShown(overlay: Overlay): Shown {
  const positionsOf = new Map<TableState, readonly Positions[]>()
  const groupsOf = new Map<TableState, Groups>()
  const groupsOver = new Map<TableState, Groups[]>()
  const observers = new Map<TableState, number>()
  for (const state of overlay.tables.values()) {
    groupsOver.set(state, [])
    if (state.positions.length > 0) {
      const positions = state.positions.map((position) => createPositions(state, position))
      positionsOf.set(state, positions)
    }
    const of = state.aggregate === undefined ? undefined : overlay.tables.get(state.aggregate.of)
    if (state.aggregate === undefined || of === undefined) continue
    const groups = createGroups(state, of, state.aggregate)
    groupsOf.set(state, groups)
    groupsOver.get(of)?.push(groups)
  }

  /** A row that pending runs wrote, with its positions. The same object as long as nothing in it changes. */
  const withPositions = (state: TableState, id: string, write: Write, positions: readonly Positions[]): Row => {
    const known = write.shown
    const confirmed = state.rows.get(id)
    const numberOf = ({ of, column }: Positions): Row[string] => of(id) ?? confirmed?.[column] ?? null
    const isKnown = (position: Positions): boolean => known?.[position.column] === numberOf(position)
    if (known !== undefined && positions.every(isKnown)) return known
    const row: { [column: string]: Row[string] } = { ...write.row }
    for (const position of positions) row[position.column] = numberOf(position)
    write.shown = row as Row
    return write.shown
  }

  const row = (state: TableState, id: string): Row | undefined => {
    const groups = groupsOf.get(state)
    if (groups !== undefined) return groups.row(id)
    const write = state.writes.get(id)?.at(-1)
    if (write === undefined) return state.rows.get(id)
    const positions = positionsOf.get(state)
    return write.row === undefined || positions === undefined ? write.row : withPositions(state, id, write, positions)
  }

  const rows = function* (state: TableState): Iterable<Row> {
    const groups = groupsOf.get(state)
    const touched = groups === undefined ? state.writes.keys() : groups.touchedKeys()
    for (const [id, confirmed] of state.rows) {
      const isTouched = groups === undefined ? state.writes.has(id) : groups.isTouched(id)
      const shown = isTouched ? row(state, id) : confirmed
      if (shown !== undefined) yield shown
    }
    for (const id of touched) {
      const shown = state.rows.has(id) ? undefined : row(state, id)
      if (shown !== undefined) yield shown
    }
  }

  return {
    row,
    // Where nothing is pending, what is confirmed is what is shown, and nobody has to look at each row.
    rows: (state) => (state.writes.size === 0 && !groupsOf.has(state) ? state.rows.all() : rows(state)),
    provisional(state, id) {
      const groups = groupsOf.get(state)
      if (groups !== undefined) return groups.isTouched(id) ? groups.measures : none
      const positions = positionsOf.get(state)
      if (positions === undefined || !state.writes.has(id)) return none
      return positions.filter(({ of }) => of(id) !== undefined).map(({ column }) => column)
    },
    runs(state, id) {
      return groupsOf.get(state)?.runs(id) ?? (state.writes.get(id) ?? []).map(({ run }) => run)
    },
    groupsOver: (state) => groupsOver.get(state) ?? [],
    counts: (state) => groupsOf.get(state)?.of ?? state,
    isObserved: (state) => observers.has(state),
    *observed() {
      for (const [state, groups] of groupsOf) if (observers.has(state)) yield groups
    },
    observe(state) {
      groupsOf.get(state)?.wake()
      observers.set(state, (observers.get(state) ?? 0) + 1)
      let isObserving = true
      return () => {
        if (!isObserving) return
        isObserving = false
        const others = (observers.get(state) ?? 1) - 1
        if (others === 0) observers.delete(state)
        else observers.set(state, others)
      }
    },
    settle(state, noted, staged) {
      let others: Map<string, Row> | undefined
      // A chain of writes to one row keeps it as shown once, not once a write.
      for (const id of noted.keys()) {
        const earlier = state.writes.get(id)?.at(-2)
        if (earlier !== undefined) earlier.shown = undefined
      }
      for (const positions of positionsOf.get(state) ?? []) {
        for (const [id, number] of positions.settle(noted, staged)) {
          const before = others?.get(id) ?? state.writes.get(id)?.at(-1)?.shown ?? row(state, id)
          if (before === undefined || noted.has(id)) continue
          others ??= new Map()
          others.set(id, { ...before, [positions.column]: number })
        }
      }
      return others ?? noRows
    },
    regroup(state, ids, changes) {
      for (const groups of groupsOver.get(state) ?? []) groups.settle(ids, changes)
    },
  }
}
