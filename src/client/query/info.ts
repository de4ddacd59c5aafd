// What the answers of a client stand for: which moment of the authority, whether there may be something newer, and how much of a first
// sync has come. The same for all queries of a client, for a frame states all scopes of its actor in one snapshot; apart from the
// answers, since it moves with every frame, and no list is to be drawn again for that. A function that an app imports.
import type { Cancel } from '../../base/clock.ts'
import type { Client } from '../api.ts'
import type { Status } from '../status.ts'

/**
 * Why answers may be older than what the authority holds. `incomplete`: it was never heard, so that rows may be missing altogether.
 * `behind`: it is being asked just now. `offline`: the last try failed. `held`: a person has to do something first (`status().fault`).
 * `paused`: by the app. `broken`: the client has stopped for good.
 */
export type Staleness = 'incomplete' | 'behind' | 'offline' | 'held' | 'paused' | 'broken'

/** What the answers of a client stand for. One's own calls are in them in any case. */
export interface QueryInfo {
  /** The moment of the authority that the rows show, by its clock, in milliseconds since 1970; `undefined` before it was ever heard. */
  readonly asOf: number | undefined
  /** Why there may be something newer; `undefined` while the device listens, for then silence says that nothing has changed. */
  readonly stale: Staleness | undefined
  /** How much has come of what takes several pages, as a first sync does. There is no total: the authority does not count beforehand. */
  readonly progress: { readonly pages: number; readonly rows: number } | undefined
}

/** What a status says of the answers. */
export function queryInfoOf({ asOf, connection, incoming }: Status): QueryInfo {
  return { asOf, stale: stalenessOf(asOf, connection), progress: incoming }
}

function stalenessOf(asOf: number | undefined, connection: Status['connection']): Staleness | undefined {
  if (connection === 'broken') return connection
  if (asOf === undefined) return 'incomplete'
  return connection === 'online' ? undefined : connection === 'connecting' ? 'behind' : connection
}

/**
 * Calls `listener` with what the answers stand for, now and whenever that is otherwise.
 *
 * ```ts
 * const cancel = onQueryInfo(client, ({ asOf, stale, progress }) => {
 *   if (stale === 'incomplete') show(progress === undefined ? 'Loading' : `${progress.rows} rows so far`)
 *   else show(stale === undefined ? '' : `As of ${new Date(asOf).toLocaleTimeString()}`)
 * })
 * ```
 */
export function onQueryInfo(client: Pick<Client, 'status' | 'onStatus'>, listener: (info: QueryInfo) => void): Cancel {
  let told = queryInfoOf(client.status())
  listener(told)
  return client.onStatus((status) => {
    const info = queryInfoOf(status)
    const { progress } = told
    const isSame = progress?.rows === info.progress?.rows && progress?.pages === info.progress?.pages
    if (isSame && told.asOf === info.asOf && told.stale === info.stale) return
    told = info
    listener(info)
  })
}
