// Live queries: rows that stay up to date, each with what is known of its way to the authority, and listeners who hear of a change
// once for each commit of the engine, after every query can be read (I14). A query whose result did not change tells nobody.
// What lies in a query is window.ts; what `sync` says is the client's business, which hands it in.

import type { Cancel } from '../../base/clock.ts'
import { newList, newSet, obtain } from '../../base/collections.ts'
import { createEmitter, type Emitter } from '../../base/emitter.ts'
import type { IntentId } from '../../protocol/ids.ts'
import type { QuerySpec } from '../../schema/query.ts'
import type { Row } from '../../schema/table.ts'
import type { Change, Replica, ReplicaCommit } from '../replica/replica.ts'
import { createSpecIndex, type SpecIndex } from '../replica/spec-index.ts'
import { freezeDeep } from '../replica/tables.ts'
import { createWindow, type Window } from './window.ts'

/** A query that stays up to date until it is closed. */
export interface LiveQuery<R> {
  /** The rows in order: a frozen array, the same one as long as nothing in it changes. */
  readonly rows: readonly R[]
  /** Whether what this device has kept is shown; before that, an empty answer means nothing yet. */
  readonly isLoaded: boolean
  /** Whether the authority has been heard, now or earlier: what is not shown is not there. */
  readonly isComplete: boolean
  /** Calls `listener` with the rows after each change of theirs. */
  subscribe(listener: (rows: readonly R[]) => void): Cancel
  /** Ends it; nobody is told any more. The rows stay as they are. */
  close(): void
}

/** What a row tells of its way to the authority, as far as it must be compared. */
export interface RowSync {
  readonly state: string
  readonly intents: readonly string[]
  readonly provisional: readonly string[]
}

/** A row as an app gets it. */
export type SyncedRow<Sync> = { readonly id: string; readonly sync: Sync; readonly [column: string]: unknown }

/** The live queries of one client. */
export interface LiveQueries<Sync> {
  /** Opens a query. Throws a TypeError that names a table or column that the app does not have. */
  live(spec: QuerySpec): LiveQuery<SyncedRow<Sync>>
  /** What `sync` says of the rows that these intents wrote may have changed. Told with the next commit or `flush`, at the latest after the microtasks that are queued now. */
  touchSync(intents: Iterable<IntentId>): void
  /** Tells what is to be told now. */
  flush(): void
  /** What this device has kept is shown. */
  loaded(): void
  /** Closes all queries. */
  close(): void
}

interface Open<Sync extends RowSync> {
  readonly spec: QuerySpec
  readonly window: Window<SyncedRow<Sync>>
  readonly listeners: Emitter<readonly SyncedRow<Sync>[]>
  rows: readonly SyncedRow<Sync>[]
  /** The window moved since `rows` was made. */
  isStale: boolean
  isOpen: boolean
  readonly unobserve: Cancel
}

/** Makes the live queries over a replica. `syncOf` says what a row's `sync` is; what a listener throws goes to `report`. */
export function createLiveQueries<Sync extends RowSync>(
  replica: Replica,
  syncOf: (table: string, id: string) => Sync,
  report: (error: unknown) => void = throwLater,
): LiveQueries<Sync> {
  /** By table, so that a thousand lists on the screen cost no more per change than the one that shows the row. */
  const index = new Map<string, SpecIndex<Open<Sync>>>()
  const open = new Set<Open<Sync>>()
  const touched = new Map<string, Set<string>>()
  let isLoaded = false
  let isFlushDue = false

  /** A row as the app gets it. What is inside a JSON column is the replica's own: an app that changed it would change what the authority said. */
  const make = (table: string, row: Row): SyncedRow<Sync> => {
    if (replica.table(table).hasJson) for (const value of Object.values(row)) freezeDeep(value)
    return Object.freeze({ ...row, sync: syncOf(table, row.id) })
  }

  /** The rows of a query, made anew only where something is new. */
  const rowsOf = (query: Open<Sync>): readonly SyncedRow<Sync>[] => {
    if (!query.isStale) return query.rows
    query.isStale = false
    const { slots } = query.window
    const length = Math.min(slots.length, query.spec.limit ?? slots.length)
    const rows: SyncedRow<Sync>[] = []
    let isSame = length === query.rows.length
    for (let at = 0; at < length; at++) {
      const slot = slots[at] as (typeof slots)[number]
      slot.made ??= make(query.spec.table, slot.row)
      rows.push(slot.made)
      isSame &&= slot.made === query.rows[at]
    }
    if (!isSame) query.rows = Object.freeze(rows)
    return query.rows
  }

  /** Notes in the queries that show a row that its `sync` is another. */
  const markSync = (table: string, id: string, stale: Set<Open<Sync>>): void => {
    const row = replica.get(table, id)
    if (row === undefined) return
    let sync: Sync | undefined
    index.get(table)?.concern(row, row, (query) => {
      const slot = query.window.slotOf(row)
      if (slot?.made === undefined) return
      sync ??= syncOf(table, id)
      if (syncEqual(slot.made.sync, sync)) return
      slot.made = undefined
      stale.add(query)
    })
  }

  /** Brings all queries up to date, then tells those whose result is another. */
  const update = (commit: ReplicaCommit | undefined, all: boolean): void => {
    // Ten thousand commits of one burst need not look for queries that are not there.
    if (open.size === 0) return touched.clear()
    const stale = new Set<Open<Sync>>()
    if (commit !== undefined) {
      if (commit.isFirstFrame) refill(stale)
      else for (const [query, changes] of sortOut(commit)) if (query.window.apply(changes)) stale.add(query)
      for (const [{ name }, rows] of commit.touched)
        if (index.has(name)) for (const id of rows.keys()) markSync(name, id, stale)
    }
    for (const [table, ids] of touched) for (const id of ids) markSync(table, id, stale)
    touched.clear()
    for (const query of stale) query.isStale = true
    const told: { readonly query: Open<Sync>; readonly rows: readonly SyncedRow<Sync>[] }[] = []
    for (const query of all ? open : stale) {
      if (query.listeners.size() === 0) continue
      const before = query.rows
      const rows = rowsOf(query)
      if (all || rows !== before) told.push({ query, rows })
    }
    for (const { query, rows } of told) if (query.isOpen) query.listeners.emit(rows)
  }

  /** The first frame brings all rows at once. */
  const refill = (stale: Set<Open<Sync>>): void => {
    for (const query of open) {
      query.window.refill()
      stale.add(query)
    }
  }

  const sortOut = (commit: ReplicaCommit): Map<Open<Sync>, Change[]> => {
    const byQuery = new Map<Open<Sync>, Change[]>()
    for (const [table, rows] of commit.changes) {
      const asking = index.get(table)
      if (asking === undefined) continue
      for (const [, change] of rows) {
        asking.concern(change.before, change.after, (query) => {
          const changes = obtain(byQuery, query, newList<Change>)
          if (changes.at(-1) !== change) changes.push(change)
        })
      }
    }
    return byQuery
  }

  const flush = (): void => {
    if (touched.size > 0) update(undefined, false)
  }

  const cancel = replica.onCommit((commit) => update(commit, commit.isFirstFrame))

  const shut = (query: Open<Sync>): void => {
    if (!query.isOpen) return
    rowsOf(query)
    query.isOpen = false
    query.unobserve()
    const asking = index.get(query.spec.table)
    asking?.remove(query.spec, query)
    if (asking?.isEmpty()) index.delete(query.spec.table)
    open.delete(query)
  }

  return {
    live(spec) {
      const query: Open<Sync> = {
        spec,
        window: createWindow(replica, spec),
        listeners: createEmitter(report),
        rows: Object.freeze([]),
        isStale: true,
        isOpen: true,
        unobserve: replica.observe(spec.table),
      }
      obtain(index, spec.table, createSpecIndex<Open<Sync>>).add(spec, query)
      open.add(query)
      return {
        get rows() {
          return rowsOf(query)
        },
        get isLoaded() {
          return isLoaded
        },
        get isComplete() {
          return replica.isComplete
        },
        subscribe(listener) {
          // What was not read before is not news afterwards.
          rowsOf(query)
          return query.listeners.on(listener)
        },
        close: () => shut(query),
      }
    },
    touchSync(intents) {
      // While nothing is shown, nobody has to go through the rows of ten thousand intents: a third of what a burst took to settle.
      if (open.size === 0) return
      for (const intent of intents) {
        for (const [table, id] of replica.keysOf(intent)) {
          if (!index.has(table)) continue
          obtain(touched, table, newSet<string>).add(id)
        }
      }
      if (touched.size === 0 || isFlushDue) return
      isFlushDue = true
      queueMicrotask(() => {
        isFlushDue = false
        flush()
      })
    },
    flush,
    loaded() {
      if (isLoaded) return
      isLoaded = true
      update(undefined, true)
    },
    close() {
      cancel()
      for (const query of [...open]) shut(query)
    },
  }
}

function syncEqual(a: RowSync, b: RowSync): boolean {
  return a === b || (a.state === b.state && listEqual(a.intents, b.intents) && listEqual(a.provisional, b.provisional))
}

function listEqual(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((item, at) => item === b[at]))
}

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
