// The hooks. Each reads one store of the client around it (stores.ts, queries.ts) and renders again when that says something else;
// none opens a query, reads a storage or asks a clock while it renders on a server.
import { useCallback, useMemo } from 'react'
import type { Client, OutboxItem, QueryInfo, Question, Shown, Status, SyncInfo } from '../../client/index.ts'
import { queryInfoOf } from '../../client/query/info.ts'
import { pointersOf } from '../../client/session/pointers.ts'
import type { App, Query, QuerySpec } from '../../schema/index.ts'
import { useClientIfAny } from './provider.ts'
import { type Answered, type Askable, type LiveAnswer, type LiveValue, LOADING, meaningOf } from './queries.ts'
import { type Store, useSelected, useStore } from './store.ts'
import { still, storesOf } from './stores.ts'

/** No query: nothing is asked yet, because what it would ask for is not known. */
export type Absent = undefined | null | false

/**
 * The answer to a query, up to date: its rows, with their relations where it is an `include`, or one value (`countOf`, `sumOf`, `minOf`,
 * `maxOf`). `loading` with no rows and no value until what this device has kept is shown, then `ready`. Queries that ask the same are
 * the same, so build yours in the render; nothing has to be memoized. Throws into the error boundary what the query itself throws,
 * such as a TypeError for a column that the table does not have.
 *
 * ```tsx
 * const { state, rows } = useLiveQuery(app.query.sets.where({ workoutId }).orderBy('position'))
 * if (state === 'loading') return <Spinner />
 * return <ol>{rows.map((set) => <li key={set.id}>{set.exercise} ({set.sync.state})</li>)}</ol>
 * ```
 */
export function useLiveQuery<R>(question: Question<readonly R[]> | Absent): LiveAnswer<R>
export function useLiveQuery<Value>(question: Question<Value> | Absent): LiveValue<Value>
export function useLiveQuery<R>(query: Query<R> | Absent): LiveAnswer<Shown<R>>
export function useLiveQuery(query: Askable | Absent): Answered {
  return useStore(useAnswers('useLiveQuery', query || undefined))
}

/**
 * The app's mutators. A call shows at once in every query; what it returns tells when it is saved and what was decided.
 *
 * ```tsx
 * const { logSet } = useMutators<typeof app>()
 * return <button onClick={() => logSet({ id: crypto.randomUUID(), workoutId, exercise: 'Squat', reps: 5, kg: 100 })}>Log</button>
 * ```
 */
export function useMutators<A extends App = App>(): Client<A>['mutate'] {
  const client = useClientIfAny('useMutators')
  return (client?.mutate ?? noMutators) as Client<A>['mutate']
}

/** What a component shows of a whole: the smaller, the less often it renders. */
export type Select<Whole, Part> = (whole: Whole) => Part

/**
 * The status of the client, or what `select` makes of it; only a change of that renders again. The whole status changes with
 * every answer of the authority (`heardAt`), so select what you show.
 *
 * ```tsx
 * const connection = useSyncStatus((status) => status.connection)
 * const { waiting, asOf } = useSyncStatus()
 * ```
 */
export function useSyncStatus(): Status
export function useSyncStatus<Part>(select: Select<Status, Part>): Part
export function useSyncStatus(select: Select<Status, unknown> = all): unknown {
  return useSelected(storesOf(useClientIfAny('useSyncStatus')).status, select)
}

/**
 * What the answers of the client stand for, or what `select` makes of it: the moment of the authority that rows show, why there may be
 * something newer, and how much of a first sync has come. On a server, and until storage is loaded, `stale` is `incomplete`.
 *
 * ```tsx
 * const { asOf, stale, progress } = useQueryInfo()
 * if (stale === 'incomplete') return <p>{progress === undefined ? 'Loading' : `${progress.rows} rows so far`}</p>
 * const isOffline = useQueryInfo(({ stale }) => stale === 'offline')
 * ```
 */
export function useQueryInfo(): QueryInfo
export function useQueryInfo<Part>(select: Select<QueryInfo, Part>): Part
export function useQueryInfo(select: Select<QueryInfo, unknown> = all): unknown {
  const { status } = storesOf(useClientIfAny('useQueryInfo'))
  const ofStatus = useCallback((whole: Status) => select(queryInfoOf(whole)), [select])
  return useSelected(status, ofStatus)
}

/**
 * Everything that is not synced, in order, each with a title for people and a badge. An item is the same object until it changes.
 *
 * ```tsx
 * const waiting = useOutbox()
 * return <ul>{waiting.map(({ id, title, badge }) => <li key={id}>{title}: {badge}</li>)}</ul>
 * ```
 */
export function useOutbox(): readonly OutboxItem[] {
  return useStore(storesOf(useClientIfAny('useOutbox')).outbox)
}

/**
 * What is known of one row's way to the authority, for a badge far from its list; `undefined` while no such row is shown.
 * Where the row itself is at hand, `row.sync` says the same and costs nothing. Renders again when the badge changes, not when
 * only other columns do.
 *
 * ```tsx
 * const sync = useRowSync('sets', id)
 * return <span>{sync?.state ?? 'not here'}</span>
 * ```
 */
export function useRowSync(table: string, id: string): SyncInfo | undefined {
  return useSelected(useAnswers('useRowSync', rowQuery(table, id)), syncOfFirst)
}

/**
 * The id that a pointer is aimed at; `undefined` while it is aimed at nothing, until storage is loaded, and always on a server. Aim it with
 * `pointersOf(client).set(name, id)`.
 *
 * ```tsx
 * const workoutId = usePointer('activeWorkout')
 * return workoutId === undefined ? <StartWorkout /> : <Workout id={workoutId} />
 * ```
 */
export function usePointer(name: string): string | undefined {
  const client = useClientIfAny('usePointer')
  const store = useMemo((): Store<string | undefined> => {
    if (client === undefined) return nowhere
    return {
      atFirst: undefined,
      read: () => pointersOf(client).get(name),
      subscribe: (listener) => pointersOf(client).on(listener),
    }
  }, [client, name])
  return useStore(store)
}

const nowhere: Store<undefined> = still(undefined)

/** The answers to a query from the client around, as a store; the same one as long as client and meaning are. */
function useAnswers(caller: string, query: Askable | undefined): Store<Answered> {
  const { queries } = storesOf(useClientIfAny(caller))
  const meaning = useMemo(() => (query === undefined ? undefined : meaningOf(query.spec)), [query])
  // biome-ignore lint/correctness/useExhaustiveDependencies: queries of one meaning ask the same, whichever object says it.
  return useMemo(() => {
    if (queries === undefined || query === undefined || meaning === undefined) return nothingAsked
    return {
      atFirst: LOADING,
      read: () => queries.look(meaning, query),
      subscribe: (listener) => queries.hold(meaning, query, listener),
    }
  }, [queries, meaning])
}

const nothingAsked: Store<Answered> = still(LOADING)

/** A query of one row by names alone. A client looks at nothing but the data of a query. */
function rowQuery(table: string, id: string): Query<unknown> {
  const spec: QuerySpec = { table, where: [{ column: 'id', is: 'eq', value: id }], orderBy: [], limit: undefined }
  return { spec } as Query<unknown>
}

function syncOfFirst(answer: Answered): SyncInfo | undefined {
  const [row] = 'rows' in answer ? answer.rows : []
  return (row as Shown<object> | undefined)?.sync
}

function all<Whole>(whole: Whole): Whole {
  return whole
}

/** The mutators of nobody: a page can be rendered with them, and a call says what is missing. */
const noMutators = new Proxy(Object.freeze({}), {
  get: (_target, name) => () => {
    throw new Error(
      `${String(name)} was called while the HoldfastProvider has no client (client={undefined}): call mutators when there is one`,
    )
  },
})
