// What a transaction reads and writes on the device: rows as one run finds them, with its own writes on top, and a record of both.
// Absent rows that were asked for count as read, and a range up to its last row, because their coming would change the run too.
// Decides nothing: what an insert or an update demands is schema/tx.ts, what becomes of the record is run.ts and rebase.ts.
import { SyncError } from '../../base/errors.ts'
import type { IntentId } from '../../protocol/ids.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { comparatorOf, matches, type QuerySpec } from '../../schema/query.ts'
import type { Row } from '../../schema/table.ts'
import type { TxSource } from '../../schema/tx.ts'
import type { RunPicture } from './overlay.ts'
import type { RangeRead, RecordedWrite, RunRecord, View } from './run.ts'
import { checkSpec, takeFirst } from './spec.ts'
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

interface Own {
  readonly row: Row | undefined
  readonly isInsert: boolean
  readonly ordinal: number
}

const never = new Promise<never>(() => {})

/** Makes the recorder of one run. */
export function createRecorder(view: View): Recorder {
  const keys = new Map<TableState, Set<string>>()
  const ranges: RangeRead[] = []
  const own = new Map<TableState, Map<string, Own>>()
  // Made on first use: most runs insert rows that refer to nothing pending.
  let needs: Set<IntentId> | undefined
  let writeCount = 0
  let isBlind = false
  let isOpen = true

  const stateOf = (table: string): TableState => view.tables.get(table) as TableState

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

  /** The row before the run, which it has then read. */
  const readKey = (state: TableState, id: string): Row | undefined => {
    const row = view.row(state, id)
    const ids = keys.get(state)
    if (ids === undefined) keys.set(state, new Set([id]))
    else ids.add(id)
    if (row !== undefined) need(state, id)
    return row
  }

  /** `before`: as the run found the row, or left it with its last write; none for an insert. */
  const write = (table: string, id: string, before: Row | undefined, row: Row | undefined): void => {
    const isInsert = before === undefined
    const state = stateOf(table)
    const rows = own.get(state) ?? new Map<string, Own>()
    own.set(state, rows)
    const earlier = rows.get(id)
    rows.set(id, {
      row,
      isInsert: row !== undefined && (isInsert || earlier?.isInsert === true),
      ordinal: earlier === undefined || arrives(state, before, row) ? writeCount : earlier.ordinal,
    })
    if (++writeCount > LIMITS.runWrites)
      throw new RangeError(`one run may write ${LIMITS.runWrites} rows: make several intents of it`)
  }

  const source: TxSource = {
    get(table, id) {
      if (!isOpen) return never
      const state = stateOf(table)
      const written = own.get(state)?.get(id)
      if (written !== undefined) return written.row
      const row = readKey(state, id)
      if (row === undefined && !view.isComplete) notHeld(`${table} ${id}`)
      return row === undefined ? undefined : txRow(state, row)
    },
    taken(table, id) {
      if (!isOpen) return never
      const state = stateOf(table)
      const written = own.get(state)?.get(id)
      return (written === undefined ? readKey(state, id) : written.row) !== undefined
    },
    find(spec) {
      if (!isOpen) return never
      const state = stateOf(spec.table)
      checkSpec(state, spec, 'mutator')
      if (!view.isComplete) notHeld(`a range of ${spec.table}`)
      if (spec.limit === 0) return []
      const found = findRows(view, state, own.get(state), spec)
      const last = found.at(-1)
      ranges.push({
        state,
        spec,
        edge: found.length === spec.limit && last !== undefined ? txRow(state, last) : undefined,
      })
      for (const { id } of found) if (own.get(state)?.has(id) !== true) need(state, id)
      return found.map((row) => txRow(state, row))
    },
    insert: (table, row) => (isOpen ? write(table, row.id, undefined, Object.freeze(row)) : never),
    update: (table, before, after) => (isOpen ? write(table, after.id, before, Object.freeze(after)) : never),
    delete: (table, before) => (isOpen ? write(table, before.id, before, undefined) : never),
  }

  return {
    source,
    isBlind: () => isBlind,
    close: () => {
      isOpen = false
    },
    record(picture) {
      const writes: RecordedWrite[] = []
      for (const [state, rows] of own) {
        for (const [id, { row, isInsert, ordinal }] of rows) {
          if (row !== undefined)
            for (const { column, target } of state.refs) needReferred(view, own, target, row[column], need)
          // What was inserted and deleted again in one run was never there.
          if (picture === 'shown' && (row !== undefined || view.row(state, id) !== undefined))
            writes.push({ state, id, row, isInsert, ordinal })
        }
      }
      return { picture, keys, ranges, writes, needs: needs === undefined ? [] : [...needs] }
    },
  }
}

/** Whether a write puts the row under a parent that it did not stand under before. */
function arrives({ positions }: TableState, before: Row | undefined, row: Row | undefined): boolean {
  return before === undefined || positions.some(({ parent }) => before[parent] !== row?.[parent])
}

/** The rows that a query finds before the run, with the run's own writes on top. */
function findRows(view: View, state: TableState, own: ReadonlyMap<string, Own> | undefined, spec: QuerySpec): Row[] {
  const rows: Row[] = []
  const consider = (row: Row | undefined): void => {
    if (row !== undefined && matches(spec.where, row)) rows.push(row)
  }
  for (const id of view.candidates(state, spec)) if (own?.has(id) !== true) consider(view.row(state, id))
  if (own !== undefined) for (const { row } of own.values()) consider(row)
  return takeFirst(rows, comparatorOf(spec.orderBy), spec.limit)
}

/** A row that is written refers to another one, which an earlier pending intent may have inserted. */
function needReferred(
  view: View,
  own: ReadonlyMap<TableState, ReadonlyMap<string, Own>>,
  table: string,
  id: Row[string] | undefined,
  need: (state: TableState, id: string) => void,
): void {
  const state = view.tables.get(table)
  if (state !== undefined && typeof id === 'string' && own.get(state)?.has(id) !== true) need(state, id)
}
