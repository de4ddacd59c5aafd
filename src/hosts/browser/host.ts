// The world of a client that runs in a browser: its places to keep things, fetch, Web Locks, real clock and dice. Wires and decides
// nothing: which storage is used when several may be is client/storage/ladder.ts.
import type { Host } from '../../client/host.ts'
import { openLadder } from '../../client/storage/ladder.ts'
import { inOrder, type Rung } from '../../client/storage/policy.ts'
import type { StorageMode } from '../../client/storage/storage.ts'
import type { ActorId } from '../../protocol/ids.ts'
import { canaryOf } from './canary.ts'
import { clock } from './clock.ts'
import { openIndexedDbStorage } from './indexeddb.ts'
import { createNetwork, type NetworkOptions } from './network.ts'
import { random } from './random.ts'
import { rescueHead } from './rescue-name.ts'
import { openTabs } from './tabs.ts'

/** The storage modes of a browser. */
export type BrowserMode = Exclude<StorageMode, 'file'>

/** What may be other than usual. */
export interface BrowserOptions {
  /**
   * The name of the device's store, 1 to 64 letters, digits, `.`, `_` or `-`; usually `holdfast`. Tabs of one origin that give the
   * same name, and the same actor, are one device; two names are two devices, even on one page.
   */
  readonly name?: string
  /**
   * How intents are kept: `strict` (usual) waits until the system has flushed them to the disk; `relaxed` does not, loses what was
   * acknowledged when the power is cut, and is therefore called not durable. It is there to show the difference.
   */
  readonly durability?: 'strict' | 'relaxed'
  /**
   * The storage modes that may be used, the best first; usually `['indexeddb', 'localstorage', 'memory']`. The first that works is used,
   * and the next when it stops working; `status().storage` says which it is and why.
   */
  readonly storage?: readonly BrowserMode[]
  /** Where errors go that no caller awaits. Usually the console. */
  readonly report?: (error: unknown) => void
  /** Times and limits of the network. */
  readonly network?: Partial<NetworkOptions>
}

/**
 * The host of a client in a browser.
 *
 * What is acknowledged survives a reload, the end of the browser and a power cut (storage mode `indexeddb`). All tabs of an origin
 * share it: each keeps its own calls, one of them sends and receives for all. Where the browser refuses a database, or has no room left
 * in it, the client goes on in a rescue copy (`localstorage`) and then in `memory`, which are not durable and say so.
 *
 * ```ts
 * const client = createClient({ app, host: browser(), url: '/sync', session: { actor: 'ann', token } })
 * ```
 */
export function browser({
  name = 'holdfast',
  durability = 'strict',
  storage = ['indexeddb', 'localstorage', 'memory'],
  report = console.error,
  network,
}: BrowserOptions = {}): Host {
  // A slash parts the name from the actor, who may have any.
  if (!/^[\w.-]{1,64}$/.test(name))
    throw new TypeError(`browser: name ${JSON.stringify(name)} must be 1 to 64 letters, digits, ".", "_" or "-"`)
  const storeName = (actor: ActorId): string => `${name}/${actor}`
  // They are hardly ever needed: loaded when a client has all that it has kept.
  const rescue = () => import('./localstorage.ts')
  const memory = () => import('../../client/storage/memory.ts')
  const rungsOf = (store: string): { readonly [M in BrowserMode]: Rung } => ({
    indexeddb: { mode: 'indexeddb', open: () => openIndexedDbStorage({ name: store, durability }) },
    localstorage: {
      mode: 'localstorage',
      open: async () => (await rescue()).openLocalStorage({ name: store }),
      holds: () => localStorage.getItem(rescueHead(store)) !== null,
      clear: async () => (await rescue()).clearLocalStorage(store),
      prepare: rescue,
    },
    memory: { mode: 'memory', open: async () => (await memory()).openMemoryStorage(), prepare: memory },
  })
  return {
    clock,
    random,
    network: createNetwork(report, network),
    openStorage: (actor) => openLadder({ rungs: inOrder(rungsOf(storeName(actor)), storage), clock, report }),
    ...(canJoin() ? { openTabs: (actor: ActorId) => openTabs(storeName(actor), report) } : {}),
    openCanary: (actor) => canaryOf(storeName(actor)),
    report,
  }
}

/** Web Locks exist only where the page came over HTTPS, or from this machine. Without them tabs take turns by the store's fence. */
function canJoin(): boolean {
  return typeof BroadcastChannel === 'function' && typeof navigator === 'object' && 'locks' in navigator
}
