// The hooks with the types of one app, so that its name need not be said at each call. The same functions as the plain ones but
// for `useLiveQuery`, which is also given the app's queries; both kinds can be used side by side.
import type { ReactElement } from 'react'
import type { Client, OutboxItem, QueryInfo, Question, Shown, Status, SyncInfo } from '../../client/index.ts'
import type { App, Query } from '../../schema/index.ts'
import {
  type Absent,
  type Select,
  useLiveQuery,
  useMutators,
  useOutbox,
  usePointer,
  useQueryInfo,
  useRowSync,
  useSyncStatus,
} from './hooks.ts'
import { HoldfastProvider, type HoldfastProviderProps, useClient } from './provider.ts'
import type { Answered, Askable, LiveAnswer, LiveValue } from './queries.ts'

/** What is asked, or what makes it of the app's queries; or nothing yet. */
type Made<A extends App, Asked> = Asked | Absent | ((queries: A['query']) => Asked | Absent)

/** The hooks of one app. What each does stands beside the plain hook of the same name. */
export interface Hooks<A extends App> {
  /** Gives a client of this app to the hooks below it. */
  HoldfastProvider(props: HoldfastProviderProps<A>): ReactElement
  /** The client itself. */
  useClient(): Client<A>
  /** The answer to a query, or to what a function makes of the app's queries: `useLiveQuery(({ sets }) => sets.where({ workoutId }))`. */
  readonly useLiveQuery: {
    <R>(question: Made<A, Question<readonly R[]>>): LiveAnswer<R>
    <Value>(question: Made<A, Question<Value>>): LiveValue<Value>
    <R>(query: Made<A, Query<R>>): LiveAnswer<Shown<R>>
  }
  /** The app's mutators. */
  useMutators(): Client<A>['mutate']
  /** The status of the client, or what a function selects of it. */
  readonly useSyncStatus: {
    (): Status
    <Part>(select: Select<Status, Part>): Part
  }
  /** Everything that is not synced. */
  useOutbox(): readonly OutboxItem[]
  /** What the answers stand for, or what a function selects of it. */
  readonly useQueryInfo: {
    (): QueryInfo
    <Part>(select: Select<QueryInfo, Part>): Part
  }
  /** The id that a pointer is aimed at. */
  usePointer(name: string): string | undefined
  /** What is known of one row's way to the authority. */
  useRowSync(table: keyof A['query'] & string, id: string): SyncInfo | undefined
}

/**
 * The hooks of one app: made once, beside the app, and imported from there.
 *
 * ```tsx
 * export const { HoldfastProvider, useLiveQuery, useMutators, useSyncStatus } = createHooks(app)
 *
 * const { rows } = useLiveQuery(({ sets }) => sets.where({ workoutId }).orderBy('position'))
 * const { logSet } = useMutators()
 * ```
 */
export function createHooks<A extends App>(app: A): Hooks<A> {
  return Object.freeze({
    HoldfastProvider,
    useClient: useClient<A>,
    useLiveQuery: ((query: Made<A, Askable>): Answered =>
      useLiveQuery(
        (typeof query === 'function' ? query(app.query) : query) as Question<unknown>,
      )) as Hooks<A>['useLiveQuery'],
    useMutators: useMutators<A>,
    useSyncStatus,
    useOutbox,
    usePointer,
    useQueryInfo,
    useRowSync,
  })
}
