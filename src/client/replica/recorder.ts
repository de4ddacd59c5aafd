// What a transaction reads and writes on the device: rows as one run finds them, with its own writes on top, and a record of both.
// Absent rows that were asked for count as read, and a range up to its last row, because their coming would change the run too.
// Decides nothing: what an insert or an update demands is schema/tx.ts, what becomes of the record is run.ts and rebase.ts.
import { obtain } from '../../base/collections.ts'
import { SyncError } from '../../base/errors.ts'
import type { IntentId } from '../../protocol/ids.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { matches, type QuerySpec } from '../../schema/query.ts'
import type { Row } from '../../schema/table.ts'
import type { TxSource } from '../../schema/tx.ts'
import type { Run, RunPicture, Write } from './overlay.ts'
import type { KeyRead, RangeRead, RunRecord, Traced, View } from './run.ts'
import { takeFirst } from './spec.ts'
import { type TableState, txRow } from './tables.ts'

/** A transaction's source that remembers. */
export interface Recorder {
  readonly source: TxSource
  /** Whether the run read what may exist but is not here, even if the mutator caught the error. */
  isBlind(): boolean
  /** What was read and, for a run that shows, written. */
  record(picture: RunPicture): RunRecord
  /** Ends the transaction: calls that come later are never answered. */
  close(): void
}

/** What the run made of a row that it read, if it wrote it. */
interface Own {
  readonly row: Row | undefined
  readonly isInsert: boolean
  readonly ordinal: number
}

/** The rows of one table that the run read, each with what it made of it. */
interface Touched {
  readonly state: TableState
  readonly rows: Map<string, Own | undefined>
}

const never = new Promise<never>(() => {})

/** Makes the recorder of one run; `isTraced`: also of what an intent with a conflict policy is based on. */
export function createRecorder(view: View, run: Run, isTraced: boolean): Recorder {
  const trace: Map<string, Traced> | undefined = isTraced ? new Map() : undefined
  const touched = new Map<string, Touched>()
  const ranges: RangeRead[] = []
  // Made on first use: most runs insert rows that refer to nothing pending.
  let needs: Set<IntentId> | undefined
  let writeCount = 0
  let isBlind = false
  let isOpen = true

  const touch = (table: string): Touched =>
    obtain(touched, table, () => ({ state: view.tables.get(table) as TableState, rows: new Map() }))

  const notHeld = (what: string): never => {
    isBlind = true
    throw new SyncError('not_held', `${what} was read before the device had heard from the authority`)
  }

  const need = (state: TableState, id: string): void => {
    const inserter = view.inserter(state, id)
    if (inserter === undefined) return
    needs ??= new Set()
    needs.add(inserter)
  }

  /** Notes a row that the run has read, where its intent will have to say so. */
  const note = (state: TableState, id: string, before: Row | undefined): void => {
    if (trace === undefined) return
    obtain(trace, `${state.name}/${id}`, () => ({ state, id, before, names: new Set<string>() }))
    if (trace.size > LIMITS.baseRows) throw tooMany('read', LIMITS.baseRows)
  }

  /** The row as it stands in the run; as it stood before, the run has then read it. */
  const read = ({ state, rows }: Touched, id: string): Row | undefined => {
    const own = rows.get(id)
    if (own !== undefined) return own.row
    const row = view.row(state, id)
    note(state, id, row)
    rows.set(id, undefined)
    if (row !== undefined) need(state, id)
    return row
  }

  /** `before`: as the run found the row, or left it with its last write; none for an insert. */
  const write = (table: string, id: string, before: Row | undefined, row: Row | undefined): void => {
    const isInsert = before === undefined
    const { state, rows } = touch(table)
    const earlier = rows.get(id)
    rows.set(id, {
      row,
      isInsert: row !== undefined && (isInsert || earlier?.isInsert === true),
      ordinal: earlier === undefined || arrives(state, before, row) ? writeCount : earlier.ordinal,
    })
    if (++writeCount > LIMITS.runWrites) throw tooMany('write', LIMITS.runWrites)
  }

  const source: TxSource = {
    get(table, id) {
      if (!isOpen) return never
      const at = touch(table)
      const row = read(at, id)
      const isOwn = at.rows.get(id) !== undefined
      if (row === undefined && !isOwn && !view.isComplete) notHeld(`${table} ${id}`)
      return row === undefined || isOwn ? row : txRow(at.state, row)
    },
    taken: (table, id) => (isOpen ? read(touch(table), id) !== undefined : never),
    find(spec) {
      if (!isOpen) return never
      const { state, rows } = touch(spec.table)
      if (!view.isComplete) notHeld(`a range of ${spec.table}`)
      if (spec.limit === 0) return []
      const found = findRows(view, state, rows, spec)
      const last = found.at(-1)
      ranges.push({
        state,
        spec,
        edge: found.length === spec.limit && last !== undefined ? txRow(state, last) : undefined,
      })
      for (const row of found) {
        if (rows.get(row.id) !== undefined) continue
        need(state, row.id)
        note(state, row.id, row)
      }
      return found.map((row) => txRow(state, row))
    },
    insert: (table, row) => (isOpen ? write(table, row.id, undefined, Object.freeze(row)) : never),
    update(table, before, after, names) {
      if (!isOpen) return never
      for (const name of names) trace?.get(`${table}/${after.id}`)?.names.add(name)
      return write(table, after.id, before, Object.freeze(after))
    },
    delete: (table, before) => (isOpen ? write(table, before.id, before, undefined) : never),
  }

  /** A row that is written refers to others, which an earlier pending intent may have inserted. */
  const needReferred = (state: TableState, row: Row): void => {
    for (const { column, target } of state.refs) {
      const referred = view.tables.get(target)
      const id = row[column]
      if (referred === undefined || typeof id !== 'string') continue
      if (touched.get(target)?.rows.get(id) === undefined) need(referred, id)
    }
  }

  return {
    source,
    isBlind: () => isBlind,
    close: () => {
      isOpen = false
    },
    record(picture) {
      const keys: KeyRead[] = []
      const writes: Write[] = []
      for (const { state, rows } of touched.values()) {
        for (const [id, own] of rows) {
          if (own?.row !== undefined) needReferred(state, own.row)
          // What was inserted and deleted again in one run was never there.
          const isWritten = own !== undefined && (own.row !== undefined || view.row(state, id) !== undefined)
          if (picture === 'shown' && isWritten)
            writes.push({ run, state, id, ...own, inserter: undefined, shown: undefined })
          else keys.push({ state, id })
        }
      }
      return { picture, keys, ranges, writes, needs: needs === undefined ? [] : [...needs], trace }
    },
  }
}

const tooMany = (what: string, limit: number): RangeError =>
  new RangeError(`one run may ${what} ${limit} rows: make several intents of it`)

/** Whether a write puts the row under a parent that it did not stand under before. */
function arrives({ positions }: TableState, before: Row | undefined, row: Row | undefined): boolean {
  return before === undefined || positions.some(({ parent }) => before[parent] !== row?.[parent])
}

/** The rows that a query finds before the run, with the run's own writes on top. */
function findRows(view: View, state: TableState, own: ReadonlyMap<string, Own | undefined>, spec: QuerySpec): Row[] {
  const rows: Row[] = []
  const consider = (row: Row | undefined): void => {
    if (row !== undefined && matches(spec.where, row)) rows.push(row)
  }
  for (const id of view.candidates(state, spec)) if (own.get(id) === undefined) consider(view.row(state, id))
  for (const written of own.values()) consider(written?.row)
  return takeFirst(rows, spec.orderBy, spec.limit)
}
