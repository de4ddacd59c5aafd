// The stores of one client: its queries, its status, its outbox. One set for each client, whichever component asks, and one that
// stays at its beginning for where there is no client: on a server, or before somebody has signed in.
import type { Client, OutboxItem, Status } from '../../client/index.ts'
import { keepEqual } from './keep-equal.ts'
import { createQueries, type Queries } from './queries.ts'
import type { Store } from './store.ts'

/** What the hooks of one client read. */
export interface Stores {
  /** Left out where there is no client. */
  readonly queries: Queries | undefined
  readonly status: Store<Status>
  readonly outbox: Store<readonly OutboxItem[]>
}

/** What is known before a client has said anything. */
const STATUS_AT_FIRST: Status = Object.freeze({
  connection: 'connecting',
  fault: undefined,
  attempts: 0,
  counts: Object.freeze({ saving: 0, unsaved: 0, queued: 0, sending: 0, synced: 0, conflict: 0, failed: 0 }),
  waiting: 0,
  oldestWaitingAt: undefined,
  storage: undefined,
  heardAt: undefined,
  isStalled: false,
  lost: Object.freeze([]),
  incoming: undefined,
  asOf: undefined,
  tab: 'alone',
})
const OUTBOX_AT_FIRST: readonly OutboxItem[] = Object.freeze([])

const storesByClient = new WeakMap<Client, Stores>()
const noStores: Stores = {
  queries: undefined,
  status: still(STATUS_AT_FIRST),
  outbox: still(OUTBOX_AT_FIRST),
}

/** The stores of a client. Making them asks the client for nothing. */
export function storesOf(client: Client | undefined): Stores {
  if (client === undefined) return noStores
  const known = storesByClient.get(client)
  if (known !== undefined) return known
  const stores: Stores = {
    queries: createQueries(client),
    status: told(client, () => client.status(), STATUS_AT_FIRST),
    outbox: told(client, () => client.outbox(), OUTBOX_AT_FIRST),
  }
  storesByClient.set(client, stores)
  return stores
}

/** A store that never changes. */
export function still<Value>(value: Value): Store<Value> {
  return { atFirst: value, read: () => value, subscribe: () => () => undefined }
}

/** A store of what `ask` answers, asked again when the client says that something is otherwise. */
function told<Value>(client: Client, ask: () => Value, atFirst: Value): Store<Value> {
  const listeners = new Set<{ readonly call: () => void }>()
  let value = atFirst
  let stop: (() => void) | undefined

  const refresh = (): void => {
    value = keepEqual(value, ask())
    for (const { call } of [...listeners]) call()
  }

  return {
    atFirst,
    read() {
      // While nobody listens, nobody says that it has changed.
      if (stop === undefined) value = keepEqual(value, ask())
      return value
    },
    subscribe(listener) {
      const entry = { call: listener }
      listeners.add(entry)
      if (stop === undefined) {
        stop = client.onStatus(refresh)
        value = keepEqual(value, ask())
      }
      return () => {
        if (!listeners.delete(entry) || listeners.size > 0) return
        stop?.()
        stop = undefined
      }
    },
  }
}
