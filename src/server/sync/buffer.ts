// The rows of one batch while its intents run: what was read from SQL, and what was written and is not flushed yet, so that each
// intent reads the writes of those before it. Knows neither rights nor outcomes; attempt.ts takes an intent's writes back.
import { check } from '../../base/assert.ts'
import type { Row } from '../../schema/table.ts'
import type { Sql, SqlValue } from '../db/db.ts'
import type { Layout, TableLayout } from '../db/layout.ts'
import type { GrantsSource } from '../rights/grants.ts'
import type { LoadRow } from '../rights/scopes.ts'
import { selectRows } from '../rights/select.ts'
import { nextPositions } from '../state/append-index.ts'

/** One row as it stands in SQL, and as it is now. */
export interface Held {
  readonly table: TableLayout
  readonly id: string
  stored: Row | undefined
  now: Row | undefined
  /** Whether it was absent since it was stored: a row inserted again is not the same row, although it has the same id. */
  wasAbsent: boolean
}

/** What a row was at some moment. */
export type Moment = Pick<Held, 'now' | 'wasAbsent'>

/** The rows of one batch. */
export interface Buffer {
  /** The row with this id; read from SQL when it is met first. */
  lookUp(table: TableLayout, id: string): Held | Promise<Held>
  /** The row as it is now. */
  readonly load: LoadRow
  /** Notes what a row is now. */
  write(held: Held, now: Row | undefined): void
  /**
   * Writes what is not yet in SQL; rows in `except` are written as they were at that moment, and stay to be written as they are.
   * Rejects with a ConstraintError when a constraint refuses it; then the transaction, or its savepoint, must be undone.
   */
  flush(except?: ReadonlyMap<Held, Moment>): Promise<void>
  /** Forgets what was read, because SQL may hold something else by now. What waits to be flushed still does. */
  forget(): void
  /** Forgets also what waits to be flushed: it is undone. */
  discard(): void
  /** For the app's function of grants: any row, as it is now. */
  readonly grantsSource: GrantsSource
}

/** Makes the buffer of one batch inside a transaction. */
export function createBuffer(sql: Sql, layout: Layout): Buffer {
  const rows = new Map<TableLayout, Map<string, Held>>()
  const dirty = new Set<Held>()

  function lookUp(table: TableLayout, id: string): Held | Promise<Held> {
    let ofTable = rows.get(table)
    if (ofTable === undefined) {
      ofTable = new Map()
      rows.set(table, ofTable)
    }
    return ofTable.get(id) ?? read(table, ofTable, id)
  }

  async function read(table: TableLayout, ofTable: Map<string, Held>, id: string): Promise<Held> {
    const [found] = await sql.all(table.selectById, [id])
    const stored = found === undefined ? undefined : table.readRow(found)
    // Another read of the same row may have come first: there is one Held for each row.
    const known = ofTable.get(id)
    if (known !== undefined) return known
    const held: Held = { table, id, stored, now: stored, wasAbsent: false }
    ofTable.set(id, held)
    return held
  }

  const load: LoadRow = (table, id) => {
    const held = lookUp(table, id)
    return held instanceof Promise ? held.then(({ now }) => now) : held.now
  }

  async function flush(except?: ReadonlyMap<Held, Moment>): Promise<void> {
    if (dirty.size === 0) return
    const deletes: Held[] = []
    const updates: { readonly held: Held; readonly from: Row; readonly to: Row }[] = []
    const inserts = new Map<TableLayout, Row[]>()
    for (const held of dirty) {
      const from = held.stored
      const { now: to, wasAbsent } = except?.get(held) ?? held
      if (from !== undefined && (to === undefined || wasAbsent)) deletes.push(held)
      if (to !== undefined && (from === undefined || wasAbsent)) {
        const list = inserts.get(held.table)
        if (list === undefined) inserts.set(held.table, [to])
        else list.push(to)
      } else if (from !== undefined && to !== undefined && from !== to) updates.push({ held, from, to })
      // From here on it counts as stored: when a statement fails, everything that this buffer says is given up.
      held.stored = to
      if (!except?.has(held)) {
        held.wasAbsent = false
        dirty.delete(held)
      }
    }
    // Deletes before updates before inserts, so that a unique value may pass from one row to another.
    for (const { table, id } of deletes) await sql.run(`DELETE FROM ${table.sql} WHERE id = ?`, [id])
    for (const { held, from, to } of updates) await update(held.table, from, to)
    for (const table of layout.tables) {
      const made = inserts.get(table)
      if (made !== undefined) await insert(table, made)
    }
  }

  /** Writes new rows, with their positions: giving those later would cost a second write of each row and of its mark. */
  async function insert(table: TableLayout, made: readonly Row[]): Promise<void> {
    const values = made.map((row) => table.writeValues(row))
    for (const position of table.positions) {
      const next = await nextPositions(
        sql,
        layout,
        table,
        position,
        made.map((row) => String(row[position.parent])),
      )
      for (const [index, list] of values.entries()) list.push(next[index] ?? null)
    }
    await sql.insert(table.insertHead, values)
  }

  /** Writes the columns that differ. A row that moves to another parent loses its position there; adoption gives it the next. */
  async function update(table: TableLayout, from: Row, to: Row): Promise<void> {
    const { quote } = layout.dialect
    const before = table.writeValues(from)
    const values: SqlValue[] = []
    const names: string[] = []
    for (const [index, value] of table.writeValues(to).entries()) {
      if (value === before[index]) continue
      values.push(value)
      names.push(table.written[index] as string)
    }
    if (names.length === 0) return
    const set = names.map((name) => `${quote(name)} = ?`)
    for (const { column, parent } of table.positions) if (names.includes(parent)) set.push(`${quote(column)} = NULL`)
    const changed = await sql.run(`UPDATE ${table.sql} SET ${set.join(', ')} WHERE id = ?`, [...values, to.id])
    check(changed === 1, 'I10', `an update of ${table.name} met ${changed} rows`)
  }

  return {
    lookUp,
    load,
    write(held, now) {
      // New rows go into SQL in the order in which they were inserted: positions follow it.
      if (held.now === undefined) dirty.delete(held)
      held.now = now
      if (now === undefined) held.wasAbsent = true
      dirty.add(held)
    },
    flush,
    forget() {
      rows.clear()
      for (const held of dirty)
        rows.set(held.table, (rows.get(held.table) ?? new Map<string, Held>()).set(held.id, held))
    },
    discard() {
      rows.clear()
      dirty.clear()
    },
    grantsSource: {
      get: (name, id) => load(layout.table(name), id),
      async find(query) {
        await flush()
        return selectRows(sql, layout, query, undefined)
      },
    },
  }
}
