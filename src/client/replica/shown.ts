// Rows as queries show them: the overlay with provisional positions, and aggregates as they are with the pending intents.
// A view: keeps no row of its own. How positions are counted, and how groups are, comes along with what the app declares
// (schema/derived); an app that declares neither shows the overlay as it is.
import type { Cancel } from '../../base/clock.ts'
import type { Groups } from '../../schema/derived/groups.ts'
import type { Rows } from '../../schema/derived/pending.ts'
import type { Places } from '../../schema/derived/positions.ts'
import type { Row } from '../../schema/table.ts'
import type { StagedTable } from './apply-frame.ts'
import type { Change } from './diff.ts'
import { indexOn, lastRow, type Overlay, type Run } from './overlay.ts'
import { type TableState, txRow } from './tables.ts'

/** An aggregate of the replica. */
export interface Derived {
  /** The aggregate's table, which holds the authority's rows, and the one whose rows are counted. */
  readonly state: TableState
  readonly of: TableState
  readonly groups: Groups<Run>
}

/** The rows that queries see. */
export interface Shown {
  row(state: TableState, id: string): Row | undefined
  rows(state: TableState): Iterable<Row>
  /** The columns of a row whose values the authority may still change. */
  provisional(state: TableState, id: string): readonly string[]
  /** The pending runs that wrote a row, or rows of a group, in order. */
  runs(state: TableState, id: string): readonly Run[]
  /** The aggregates. */
  readonly derived: readonly Derived[]
  /** Whether commits tell of a table's rows: of an aggregate that nobody observes not while something is pending on what it counts. */
  isTold(state: TableState): boolean
  /** Somebody wants to hear of an aggregate's rows. */
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
  const placesOf = new Map<TableState, Places>()
  const derived: Derived[] = []
  for (const state of overlay.tables.values()) {
    const { places } = Object.values(state.columns).find((column) => column.places !== undefined) ?? {}
    if (places !== undefined) placesOf.set(state, places(rowsOf(state), state.columns))
    const of = overlay.tables.get(state.aggregate?.of ?? '')
    if (state.aggregate === undefined || of === undefined) continue
    const [measure] = Object.values(state.aggregate.measures)
    if (measure !== undefined)
      derived.push({ state, of, groups: measure.groups(rowsOf(state), rowsOf(of), state.aggregate) })
  }
  const groupsOf = new Map(derived.map(({ state, groups }) => [state, groups]))

  const row = (state: TableState, id: string): Row | undefined => {
    const groups = groupsOf.get(state)
    if (groups !== undefined) return groups.row(id)
    const write = state.writes.get(id)?.at(-1)
    if (write === undefined) return state.rows.get(id)
    const places = placesOf.get(state)
    return write.row === undefined || places === undefined ? write.row : places.row(id, write)
  }

  /** What pending runs have touched. */
  const touchedIn = (state: TableState): ReadonlyMap<string, unknown> => groupsOf.get(state)?.touched() ?? state.writes

  const rows = function* (state: TableState, touched: ReadonlyMap<string, unknown>): Iterable<Row> {
    for (const [id, confirmed] of state.rows) {
      const shown = touched.has(id) ? row(state, id) : confirmed
      if (shown !== undefined) yield shown
    }
    for (const id of touched.keys()) {
      const shown = state.rows.has(id) ? undefined : row(state, id)
      if (shown !== undefined) yield shown
    }
  }

  return {
    row,
    rows(state) {
      const touched = touchedIn(state)
      // Where nothing is pending, what is confirmed is what is shown, and nobody has to look at each row.
      return touched.size === 0 ? state.rows.all() : rows(state, touched)
    },
    provisional: (state, id) =>
      touchedIn(state).has(id) ? (groupsOf.get(state)?.measures ?? placesOf.get(state)?.provisional(id) ?? none) : none,
    runs: (state, id) => groupsOf.get(state)?.runs(id) ?? (state.writes.get(id) ?? []).map(({ run }) => run),
    derived,
    isTold: (told) =>
      derived.every(({ state, of, groups }) => state !== told || groups.isObserved() || of.writes.size === 0),
    observe: (state) => groupsOf.get(state)?.observe() ?? (() => undefined),
    settle: (state, noted, staged) => placesOf.get(state)?.settle(noted, staged) ?? noRows,
    regroup(state, ids, changes) {
      for (const { of, groups } of derived) if (of === state) groups.settle(ids, changes)
    },
  }
}

/** The rows of a table for what derives something from them. */
function rowsOf(state: TableState): Rows<Run> {
  return {
    get confirmed() {
      return state.rows
    },
    writes: state.writes,
    last: (id) => lastRow(state, id),
    ids: (column, value) => indexOn(state, column).ids(value),
    seen: (row) => txRow(state, row),
  }
}
