// Live queries: answers that stay up to date, each row with what is known of its way to the authority, and listeners who hear of a change
// once for each commit of the engine, after every query can be read (I14). A query whose answer did not change tells nobody.
// What an answer is made of is a view's business (view.ts, list.ts); what `sync` says is the client's, which hands it in.

import type { Cancel } from '../../base/clock.ts'
import { newList, newSet, obtain } from '../../base/collections.ts'
import { createEmitter, type Emitter } from '../../base/emitter.ts'
import type { IntentId } from '../../protocol/ids.ts'
import type { QuerySpec } from '../../schema/query.ts'
import type { Change, Replica, ReplicaCommit } from '../replica/replica.ts'
import { createSpecIndex, type SpecIndex } from '../replica/spec-index.ts'
import { freezeDeep } from '../replica/tables.ts'
import { createList } from './list.ts'
import type { Part, RowSync, Sources, SyncedRow, View } from './view.ts'

export type { SyncedRow } from './view.ts'

/** An answer that stays up to date until it is closed. */
export interface Live<Result> {
  /** The answer: frozen, and the same one as long as nothing in it changes. */
  readonly value: Result
  /** Whether what this device has kept is shown; before that, an empty answer means nothing yet. */
  readonly isLoaded: boolean
  /** Whether the authority has been heard, now or earlier: what is not shown is not there. */
  readonly isComplete: boolean
  /** Calls `listener` with the answer after each change of it. */
  subscribe(listener: (value: Result) => void): Cancel
  /** Ends it; nobody is told any more. The answer stays as it is. */
  close(): void
}

/** A query whose answer is rows. */
export interface LiveQuery<R> extends Live<readonly R[]> {
  /** The rows in order, which are its answer. */
  readonly rows: readonly R[]
}

/** What is asked: a query, or a question that brings along what answers it. */
export interface Asked<Result, Sync> {
  readonly spec: QuerySpec
  readonly view?: (sources: Sources<Sync>) => View<Result, Sync>
}

/** The live queries of one client. */
export interface LiveQueries<Sync> {
  /** Opens a query. Throws a TypeError that names a table or column that the app does not have. */
  live<Result>(question: Required<Asked<Result, Sync>>): Live<Result>
  live(query: Pick<Asked<never, Sync>, 'spec'>): LiveQuery<SyncedRow<Sync>>
  /** What `sync` says of the rows that these intents wrote may have changed. Told with the next commit or `flush`, at the latest after the microtasks that are queued now. */
  touchSync(intents: Iterable<IntentId>): void
  /** Tells what is to be told now. */
  flush(): void
  /** What this device has kept is shown. */
  loaded(): void
  /** Closes all queries. */
  close(): void
}

interface Open<Sync> {
  readonly view: View<unknown, Sync>
  readonly listeners: Emitter<unknown>
  /** The answer as it was read last. */
  value: unknown
  isOpen: boolean
  /** Ends its hearing of the replica. */
  letGo: Cancel
}

/** A part of an open query. */
interface Seat<Sync> {
  readonly query: Open<Sync>
  readonly part: Part<Sync>
}

/** Makes the live queries over a replica. `syncOf` says what a row's `sync` is; what a listener throws goes to `report`. */
export function createLiveQueries<Sync extends RowSync>(
  replica: Replica,
  syncOf: (table: string, id: string) => Sync,
  report: (error: unknown) => void = throwLater,
): LiveQueries<Sync> {
  /** By table, so that a thousand lists on the screen cost no more per change than the one that shows the row. */
  const index = new Map<string, SpecIndex<Seat<Sync>>>()
  const open = new Set<Open<Sync>>()
  const touched = new Map<string, Set<string>>()
  let isLoaded = false
  let isFlushDue = false

  const sources: Sources<Sync> = {
    replica,
    // What is inside a JSON column is the replica's own: an app that changed it would change what the authority said.
    make(table, row) {
      if (replica.table(table).hasJson) for (const value of Object.values(row)) freezeDeep(value)
      return Object.freeze({ ...row, sync: syncOf(table, row.id) })
    },
  }

  const read = (query: Open<Sync>): unknown => {
    if (query.isOpen) query.value = query.view.read()
    return query.value
  }

  /** Notes in the queries that show a row that its `sync` is another. */
  const markSync = (table: string, id: string, stale: Set<Open<Sync>>): void => {
    const row = replica.get(table, id)
    if (row === undefined) return
    let sync: Sync | undefined
    const ask = (): Sync => {
      sync ??= syncOf(table, id)
      return sync
    }
    index.get(table)?.concern(row, row, ({ query, part }) => {
      if (part.resync?.(row, ask)) stale.add(query)
    })
  }

  /** Brings all queries up to date, then tells those whose answer is another. */
  const update = (commit: ReplicaCommit | undefined, all: boolean): void => {
    // Ten thousand commits of one burst need not look for queries that are not there.
    if (open.size === 0) return touched.clear()
    const stale = new Set<Open<Sync>>()
    if (commit !== undefined) {
      if (commit.isFirstFrame) refill(stale)
      else for (const [{ query, part }, changes] of sortOut(commit)) if (part.apply(changes)) stale.add(query)
      for (const [{ name }, rows] of commit.touched)
        if (index.has(name)) for (const id of rows.keys()) markSync(name, id, stale)
    }
    for (const [table, ids] of touched) for (const id of ids) markSync(table, id, stale)
    touched.clear()
    const told = new Set<Open<Sync>>()
    for (const query of all ? open : stale) {
      if (query.listeners.size() === 0) continue
      const before = query.value
      if (read(query) !== before || all) told.add(query)
    }
    for (const query of told) if (query.isOpen) query.listeners.emit(query.value)
  }

  /** The first frame brings all rows at once. */
  const refill = (stale: Set<Open<Sync>>): void => {
    for (const query of open) {
      for (const part of query.view.parts) part.refill()
      stale.add(query)
    }
  }

  const sortOut = (commit: ReplicaCommit): Map<Seat<Sync>, Change[]> => {
    const bySeat = new Map<Seat<Sync>, Change[]>()
    for (const [table, rows] of commit.changes) {
      const asking = index.get(table)
      if (asking === undefined) continue
      for (const [, change] of rows) {
        asking.concern(change.before, change.after, (seat) => {
          const changes = obtain(bySeat, seat, newList<Change>)
          if (changes.at(-1) !== change) changes.push(change)
        })
      }
    }
    return bySeat
  }

  const flush = (): void => {
    if (touched.size > 0) update(undefined, false)
  }

  const cancel = replica.onCommit((commit) => update(commit, commit.isFirstFrame))

  /** Has the parts of a query hear of what they ask for; returns what ends that. */
  const seat = (query: Open<Sync>): Cancel => {
    const seats = query.view.parts.map((part) => {
      const one: Seat<Sync> = { query, part }
      obtain(index, part.asked.table, createSpecIndex<Seat<Sync>>).add(part.asked, one)
      return { one, unobserve: replica.observe(part.asked.table) }
    })
    return () => {
      for (const { one, unobserve } of seats) {
        unobserve()
        const { asked } = one.part
        const asking = index.get(asked.table)
        asking?.remove(asked, one)
        if (asking?.isEmpty()) index.delete(asked.table)
      }
    }
  }

  const shut = (query: Open<Sync>): void => {
    if (!query.isOpen) return
    read(query)
    query.isOpen = false
    query.letGo()
    open.delete(query)
  }

  return {
    live({ spec, view = (from) => createList(from, spec) }: Asked<unknown, Sync>) {
      const query: Open<Sync> = {
        view: view(sources),
        listeners: createEmitter(report),
        value: undefined,
        isOpen: true,
        letGo: nothing,
      }
      query.letGo = seat(query)
      open.add(query)
      const live: Live<unknown> & { readonly rows: unknown } = {
        get value() {
          return read(query)
        },
        get rows() {
          return read(query)
        },
        get isLoaded() {
          return isLoaded
        },
        get isComplete() {
          return replica.isComplete
        },
        subscribe(listener) {
          // What was not read before is not news afterwards.
          read(query)
          return query.listeners.on(listener)
        },
        close: () => shut(query),
      }
      // What it is the answer to is known by the types of what is asked.
      return live as never
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

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}

function nothing(): void {}
