// Rows as queries show them: the overlay with provisional positions. Aggregates too.
// A view: keeps no row of its own but what it has put together from the overlay, and finds by itself when that is out of date.
import type { Row } from '../../schema/table.ts'
import { lastRow, type Overlay } from './overlay.ts'
import { createPositions, type Positions } from './positions.ts'
import type { TableState } from './tables.ts'

/** The rows that queries see. */
export interface Shown {
  row(state: TableState, id: string): Row | undefined
  rows(state: TableState): Iterable<Row>
  /** The columns of a row whose values the authority may still change. */
  provisional(state: TableState, id: string): readonly string[]
  /** To be called after each swap with what may have changed; returns other rows that show something else now, as they were shown before. */
  settle(
    changed: ReadonlyMap<TableState, ReadonlyMap<string, Row | undefined>>,
  ): ReadonlyMap<TableState, ReadonlyMap<string, Row>>
}

const none: readonly string[] = Object.freeze([])

/** Makes the view of an overlay. */
export function createShown(overlay: Overlay): Shown {
  const positionsOf = new Map<TableState, readonly Positions[]>()
  const builtOf = new Map<TableState, Map<string, { readonly raw: Row; readonly row: Row }>>()
  for (const state of overlay.tables.values()) {
    if (state.positions.length === 0) continue
    positionsOf.set(
      state,
      state.positions.map((position) => createPositions(state, position)),
    )
    builtOf.set(state, new Map())
  }

  /** A row that pending runs wrote, with its positions. The same object as long as nothing in it changes. */
  const build = (state: TableState, id: string, raw: Row, positions: readonly Positions[]): Row => {
    const built = builtOf.get(state)
    const known = built?.get(id)
    const confirmed = state.rows.get(id)
    const numberOf = ({ of, column }: Positions): Row[string] => of(id) ?? confirmed?.[column] ?? null
    if (
      known !== undefined &&
      known.raw === raw &&
      positions.every((position) => known.row[position.column] === numberOf(position))
    )
      return known.row
    const row: { [column: string]: Row[string] } = { ...raw }
    for (const position of positions) row[position.column] = numberOf(position)
    built?.set(id, { raw, row: row as Row })
    return row as Row
  }

  const row = (state: TableState, id: string): Row | undefined => {
    if (!state.writes.has(id)) return state.rows.get(id)
    const raw = lastRow(state, id)
    const positions = positionsOf.get(state)
    return raw === undefined || positions === undefined ? raw : build(state, id, raw, positions)
  }

  return {
    row,
    *rows(state) {
      for (const [id, confirmed] of state.rows) {
        const shown = state.writes.has(id) ? row(state, id) : confirmed
        if (shown !== undefined) yield shown
      }
      for (const id of state.writes.keys()) {
        const shown = state.rows.has(id) ? undefined : row(state, id)
        if (shown !== undefined) yield shown
      }
    },
    provisional(state, id) {
      const positions = positionsOf.get(state)
      if (positions === undefined || !state.writes.has(id)) return none
      return positions.filter(({ of }) => of(id) !== undefined).map(({ column }) => column)
    },
    settle(changed) {
      const shifted = new Map<TableState, Map<string, Row>>()
      for (const [state, rows] of changed) {
        const built = builtOf.get(state)
        if (built === undefined) continue
        for (const id of rows.keys()) if (!state.writes.has(id)) built.delete(id)
        for (const positions of positionsOf.get(state) ?? []) {
          for (const [id, number] of positions.settle(rows)) {
            const others = shifted.get(state) ?? new Map<string, Row>()
            shifted.set(state, others)
            const before = others.get(id) ?? built.get(id)?.row ?? row(state, id)
            if (before !== undefined && !rows.has(id)) others.set(id, { ...before, [positions.column]: number })
          }
        }
      }
      return shifted
    },
  }
}
