// The world of a client that runs in a browser: IndexedDB, fetch, Web Locks, real clock and dice. Wires and decides nothing.
import type { Host } from '../../client/host.ts'
import type { ActorId } from '../../protocol/ids.ts'
import { canaryOf } from './canary.ts'
import { clock } from './clock.ts'
import { openIndexedDbStorage } from './indexeddb.ts'
import { createNetwork, type NetworkOptions } from './network.ts'
import { random } from './random.ts'
import { openTabs } from './tabs.ts'

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
  /** Where errors go that no caller awaits. Usually the console. */
  readonly report?: (error: unknown) => void
  /** Times and limits of the network. */
  readonly network?: Partial<NetworkOptions>
}

/**
 * The host of a client in a browser.
 *
 * What is acknowledged survives a reload, the end of the browser and a power cut (storage mode `indexeddb`). All tabs of an origin
 * share it: each keeps its own calls, one of them sends and receives for all. Opening it rejects with `storage_failed` where the
 * browser has no IndexedDB for this page.
 *
 * ```ts
 * const client = createClient({ app, host: browser(), url: '/sync', session: { actor: 'ann', token } })
 * ```
 */
export function browser({
  name = 'holdfast',
  durability = 'strict',
  report = console.error,
  network,
}: BrowserOptions = {}): Host {
  // A slash parts the name from the actor, who may have any.
  if (!/^[\w.-]{1,64}$/.test(name))
    throw new TypeError(`browser: name ${JSON.stringify(name)} must be 1 to 64 letters, digits, ".", "_" or "-"`)
  const storeName = (actor: ActorId): string => `${name}/${actor}`
  return {
    clock,
    random,
    network: createNetwork(report, network),
    openStorage: (actor) => openIndexedDbStorage({ name: storeName(actor), durability }),
    ...(canJoin() ? { openTabs: (actor: ActorId) => openTabs(storeName(actor), report) } : {}),
    openCanary: (actor) => canaryOf(storeName(actor)),
    report,
  }
}

/** Web Locks exist only where the page came over HTTPS, or from this machine. Without them tabs take turns by the store's fence. */
function canJoin(): boolean {
  return typeof BroadcastChannel === 'function' && typeof navigator === 'object' && 'locks' in navigator
}
