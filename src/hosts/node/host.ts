// The world of a client that runs in Node: real clock and dice, files or memory, HTTP. Wires and decides nothing.
import { join } from 'node:path'
import type { Host } from '../../client/host.ts'
import { createMemory, type Memory, openMemoryStorage } from '../../client/storage/memory.ts'
import type { ActorId } from '../../protocol/ids.ts'
import { actorFolder } from './actor-folder.ts'
import { canaryAt } from './canary.ts'
import { clock } from './clock.ts'
import { onDisk } from './disk-fault.ts'
import { openFileStorage } from './file.ts'
import { openFolder } from './folder-disk.ts'
import { createNetwork, type NetworkOptions } from './network.ts'
import { random } from './random.ts'

/** Where a client in Node keeps things: in a folder, one folder in it for each actor, or only for as long as this host lives. */
export type Place = { readonly folder: string } | { readonly memory: true }

/** What may be other than usual. */
export interface NodeOptions {
  /** Where errors go that no caller awaits. Usually stderr. */
  readonly report?: (error: unknown) => void
  /** Times and limits of the network. */
  readonly network?: Partial<NetworkOptions>
}

/**
 * The host of a client in Node.
 *
 * With `folder`, what is acknowledged survives a power cut (storage mode `file`, one process at a time); with `memory` it ends with
 * the host, and the client says that it is not durable. Opening an actor's storage rejects with `storage_in_use` while another
 * process has it, and with `storage_failed` when the folder cannot be made.
 *
 * ```ts
 * const client = createClient({ app, host: node({ folder: './device' }), url: 'http://127.0.0.1:8787/sync', session })
 * ```
 */
export function node(place: Place, { report = console.error, network }: NodeOptions = {}): Host {
  const memories = new Map<ActorId, Memory>()
  const memoryOf = (actor: ActorId): Memory => {
    const memory = memories.get(actor) ?? createMemory()
    memories.set(actor, memory)
    return memory
  }
  return {
    clock,
    random,
    network: createNetwork({ ...network, report }),
    async openStorage(actor) {
      if ('memory' in place) return openMemoryStorage(memoryOf(actor))
      const disk = await onDisk('open the folder', () => openFolder(join(place.folder, actorFolder(actor))))
      return openFileStorage(disk, actor)
    },
    ...('memory' in place
      ? {}
      : { openCanary: (actor: ActorId) => canaryAt(join(place.folder, `${actorFolder(actor)}.canary`)) }),
    report,
  }
}
