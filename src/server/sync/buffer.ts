// The rows of the batches of one commit while their intents run: what was read from SQL, and what was written and is not flushed yet, so
// that each intent reads the writes of those before it. Each write has a number, and each row remembers by which one it came under its parent:
// that order is the one of the positions, wherever between the writes a flush falls (I11).
// Knows neither rights nor outcomes; attempt.ts takes an intent's writes back, flush.ts puts rows into SQL.
import type { Row } from '../../schema/table.ts'
import type { Sql } from '../db/db.ts'
import type { Layout, TableLayout } from '../db/layout.ts'
import { together } from '../db/together.ts'
import type { GrantsSource } from '../rights/grants.ts'
import type { LoadRow } from '../rights/scopes.ts'
import { selectRows } from '../rights/select.ts'
import { highestPositions } from '../state/append-index.ts'
import { type Arrival, type Changes, type Highest, type Position, sendChanges, type Update } from './flush.ts'

/** What a row was at some moment. Its numbers are those of the buffer's writes; 0 stands for what was so when the row was read. */
export interface Moment {
  readonly now: Row | undefined
  /** The last write to it. */
  readonly writtenAt: number
  /** The last write that took it away: a row inserted again is not the same row, although it has the same id. */
  readonly goneAt: number
  /** For each position of its table, the write by which it came under the parent that it has. */
  readonly cameAt: readonly number[]
}

/** One row as it is now, and as it stands in SQL. */
export interface Held {
  readonly table: TableLayout
  readonly id: string
  now: Row | undefined
  writtenAt: number
  goneAt: number
  cameAt: readonly number[]
  stored: Row | undefined
  /** The last write to it that is in SQL. */
  storedAt: number
}

/** What the row is at this moment. */
export const momentOf = ({ now, writtenAt, goneAt, cameAt }: Held): Moment => ({ now, writtenAt, goneAt, cameAt })

interface Collected extends Changes {
  readonly deletes: string[]
  readonly updates: Update[]
  readonly inserts: Row[]
  readonly arrivals: Map<Position, Arrival[]>
}

/** What is to be read together: rows by their ids, whether there are rows of a table under these ids, and the last positions there. */
export interface Wanted {
  readonly rows: Map<TableLayout, Set<string>>
  readonly childless: Map<TableLayout, Set<string>>
  readonly positions: Map<Position, { readonly table: TableLayout; readonly parents: Set<string> }>
}

/** The rows of the batches of one commit. */
export interface Buffer {
  /** The writes from here on are those of the next batch. */
  beginBatch(): void
  /** Whether the batch that is under way did the write with this number. */
  isOwn(write: number): boolean
  /** Whether it took a row away since the last flush. */
  hasDeleted(): boolean
  /** The row with this id; read from SQL when it is met first. */
  lookUp(table: TableLayout, id: string): Held | Promise<Held>
  /** The row with this id, if it was read already. */
  peek(table: TableLayout, id: string): Held | undefined
  /** Reads what is not known yet, with one statement for each table and each list. */
  preload(wanted: Wanted): Promise<void>
  /** Whether it is known that SQL has no row of `child` under this id. */
  isChildless(child: TableLayout, id: string): boolean
  /** The row as it is now. */
  readonly load: LoadRow
  /** Notes what a row is now. */
  write(held: Held, now: Row | undefined): void
  /**
   * Writes what is not yet in SQL; rows in `except` are written as they were at that moment, and stay to be written as they are.
   * Rejects with a ConstraintError when a constraint refuses it; then the transaction, or its savepoint, must be undone.
   */
  flush(except?: ReadonlyMap<Held, Moment>): Promise<void>
  /** Sends that on its way: what is asked of SQL from then on finds it there, or fails as it fails. */
  send(): Promise<void>
  /** Settles when everything that was sent is in SQL. Rejects as `flush` does. */
  sent(): Promise<unknown>
  /** How many rows wait to be written. */
  size(): number
  /** Forgets what was read, because SQL may hold something else by now. What waits to be flushed still does. */
  forget(): void
  /** Forgets also what waits to be flushed: it is undone. */
  discard(): void
  /** For the app's function of grants: any row, as it is now. */
  readonly grantsSource: GrantsSource
}

/** Makes the buffer of one commit inside its transaction. */
export function createBuffer(sql: Sql, layout: Layout): Buffer {
  const rows = new Map<TableLayout, Map<string, Held>>()
  const dirty = new Set<Held>()
  /** By child table, the ids under which SQL had no rows when it was asked; none was sent there since. */
  const childless = new Map<TableLayout, Set<string>>()
  /** The highest positions under parents, as SQL had them when it was asked, and as they were given since. */
  const highest: Highest = new Map()
  let underWay: Promise<unknown> = Promise.resolve()
  let writes = 0
  /** The last write before the batch that is under way. */
  let begunAt = 0
  let hasDeleted = false

  function lookUp(table: TableLayout, id: string): Held | Promise<Held> {
    let ofTable = rows.get(table)
    if (ofTable === undefined) {
      ofTable = new Map()
      rows.set(table, ofTable)
    }
    return ofTable.get(id) ?? read(table, ofTable, id)
  }

  async function read(table: TableLayout, ofTable: Map<string, Held>, id: string): Promise<Held> {
    // An id that its column cannot hold is in no row.
    const key = table.compared('id', [id])
    const [found] = key.length === 0 ? [] : await sql.all(table.selectById, key)
    return hold(table, ofTable, id, found === undefined ? undefined : table.readRow(found))
  }

  /** What SQL says of a row. Another read of the same row may have come first: there is one Held for each row. */
  function hold(table: TableLayout, ofTable: Map<string, Held>, id: string, stored: Row | undefined): Held {
    const known = ofTable.get(id)
    if (known !== undefined) return known
    const cameAt = table.positions.map(() => 0)
    const held: Held = { table, id, now: stored, writtenAt: 0, goneAt: 0, cameAt, stored, storedAt: 0 }
    ofTable.set(id, held)
    return held
  }

  async function preload(wanted: Wanted): Promise<void> {
    await together([
      ...[...wanted.rows].map(([table, ids]) => preloadRows(table, ids)),
      ...[...wanted.childless].map(([child, ids]) => preloadChildless(child, ids)),
      ...[...wanted.positions].map(async ([position, { table, parents }]) => {
        const found = await highestPositions(sql, table, position, [...parents])
        highest.set(position, new Map([...(highest.get(position) ?? []), ...found]))
      }),
    ])
  }

  async function preloadRows(table: TableLayout, ids: ReadonlySet<string>): Promise<void> {
    const list = table.written.map((column) => table.select(column)).join(', ')
    const rowsFound = await sql.allKeyed(
      { columns: `${list}, ${table.asText('id')} AS key`, table: table.sql, key: [table.value('id')] },
      table.compared('id', [...ids]).map((id) => [id]),
    )
    const found = new Map(rowsFound.map((row) => [String(row['key']), row]))
    const ofTable = rows.get(table) ?? new Map<string, Held>()
    rows.set(table, ofTable)
    for (const id of ids) {
      const row = found.get(id)
      hold(table, ofTable, id, row === undefined ? undefined : table.readRow(row))
    }
  }

  async function preloadChildless(child: TableLayout, ids: ReadonlySet<string>): Promise<void> {
    const under = child.asText(child.under)
    const rowsFound = await sql.allKeyed(
      { columns: `DISTINCT ${under} AS under`, table: child.sql, key: [child.value(child.under)] },
      child.compared(child.under, [...ids]).map((id) => [id]),
    )
    const taken = new Set(rowsFound.map((row) => String(row['under'])))
    const known = childless.get(child) ?? new Set<string>()
    childless.set(child, known)
    for (const id of ids) if (!taken.has(id)) known.add(id)
  }

  const load: LoadRow = (table, id) => {
    const held = lookUp(table, id)
    return held instanceof Promise ? held.then(({ now }) => now) : held.now
  }

  async function send(except?: ReadonlyMap<Held, Moment>): Promise<void> {
    if (dirty.size === 0) return
    if (hasDeleted) forgetPlaces()
    const changes = new Map<TableLayout, Collected>()
    for (const held of dirty) {
      const { table, id, stored: from, storedAt } = held
      const { now: to, writtenAt, goneAt, cameAt } = except?.get(held) ?? held
      let ofTable = changes.get(table)
      if (ofTable === undefined) {
        ofTable = { deletes: [], updates: [], inserts: [], arrivals: new Map() }
        changes.set(table, ofTable)
      }
      const isSame = goneAt <= storedAt
      if (from !== undefined && (to === undefined || !isSame)) ofTable.deletes.push(id)
      if (to !== undefined && to !== from) {
        // Where a row leaves a parent, another one may be the last there; where one comes, there is a child.
        if (from !== undefined) forgetPlaces()
        else childless.get(table)?.delete(String(to[table.under]))
        const left: Position[] = []
        for (const [index, position] of table.positions.entries()) {
          const at = cameAt[index] ?? 0
          if (at <= storedAt) continue
          left.push(position)
          const arrival = { id, parent: String(to[position.parent]), cameAt: at }
          const arrivals = ofTable.arrivals.get(position)
          if (arrivals === undefined) ofTable.arrivals.set(position, [arrival])
          else arrivals.push(arrival)
        }
        if (from === undefined || !isSame) ofTable.inserts.push(to)
        else ofTable.updates.push({ from, to, left })
      }
      // From here on it counts as stored: when a statement fails, everything that this buffer says is given up.
      held.stored = to
      held.storedAt = writtenAt
      if (!except?.has(held)) dirty.delete(held)
    }
    if (dirty.size === 0) hasDeleted = false
    // Where tables were there before, foreign keys and triggers of the app may change other rows than those that are written.
    const mayChangeMore = layout.tables.some(({ isExisting }) => isExisting)
    if (mayChangeMore) forgetPlaces()
    const { done } = await sendChanges(sql, layout, changes, highest)
    // Who waits for the last of them waits for all.
    const before = underWay
    underWay = together([before, done])
    underWay.catch(() => undefined)
    if (mayChangeMore) forget()
  }

  const flush = async (except?: ReadonlyMap<Held, Moment>): Promise<void> => {
    await send(except)
    await underWay
  }

  /** Forgets what was read of the places under parents. */
  function forgetPlaces(): void {
    childless.clear()
    highest.clear()
  }

  function forget(): void {
    forgetPlaces()
    rows.clear()
    for (const held of dirty) rows.set(held.table, (rows.get(held.table) ?? new Map<string, Held>()).set(held.id, held))
  }

  return {
    beginBatch() {
      begunAt = writes
    },
    isOwn: (write) => write > begunAt,
    hasDeleted: () => hasDeleted,
    lookUp,
    peek: (table, id) => rows.get(table)?.get(id),
    preload,
    isChildless: (child, id) => childless.get(child)?.has(id) === true,
    load,
    write(held, now) {
      const { now: before, table, cameAt } = held
      held.now = now
      held.writtenAt = ++writes
      if (now === undefined) {
        held.goneAt = writes
        hasDeleted = true
      } else
        held.cameAt = table.positions.map(({ parent }, index) =>
          before?.[parent] === now[parent] ? (cameAt[index] ?? 0) : writes,
        )
      dirty.add(held)
    },
    flush,
    send: () => send(),
    sent: () => underWay,
    size: () => dirty.size,
    forget,
    discard() {
      rows.clear()
      forgetPlaces()
      dirty.clear()
      underWay = Promise.resolve()
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
