// One device on this page: who is signed in on it, its client and its import. Clients are made here, when somebody signs in, and
// not by components, which come and go. Name and switch are in the page's memory, so that a reload changes nothing; what was logged
// is Holdfast's to remember.
import { browser } from 'holdfast/browser'
import { type Client, createClient } from 'holdfast/client'
import { app } from '../app.ts'
import { demoToken } from '../demo-token.ts'
import { breath } from './breath.ts'
import { createImporter, type Importer } from './importer.ts'
import type { Memory } from './memory.ts'

/** Somebody who is signed in. */
export interface SignedIn {
  readonly actor: string
  readonly client: Client<typeof app>
  readonly importer: Importer
}

/** A device. */
export interface Device {
  /** The name of its store: two names are two devices. */
  readonly store: string
  /** Who is signed in now: the same object until that changes. */
  session(): SignedIn | undefined
  subscribe(listener: () => void): () => void
  signIn(actor: string): void
  /** What was logged stays on this device, for when the same person signs in again. */
  signOut(): void
  /** The demo's switch: stops and starts talking to the server. */
  setOffline(isOffline: boolean): void
}

/** Opens a device. */
export function openDevice(store: string, memory: Memory): Device {
  const listeners = new Set<() => void>()
  const keys = { actor: `${store}.actor`, offline: `${store}.offline` }
  let session: SignedIn | undefined

  const show = (actor: string | undefined): void => {
    if (actor === session?.actor) return
    // What cannot be closed is broken already, and has said so.
    void session?.client.close().catch(() => undefined)
    session = actor === undefined ? undefined : open(actor)
    for (const listener of [...listeners]) listener()
  }

  const open = (actor: string): SignedIn => {
    const client = createClient({
      app,
      host: browser({ name: store }),
      url: '/sync',
      session: { actor, token: demoToken(actor) },
      startPaused: memory.get(keys.offline) !== undefined,
    })
    // Why storage did not open is in the status.
    client.ready.catch(() => undefined)
    return { actor, client, importer: createImporter(client, actor, breath) }
  }

  // Another tab has signed in or out: tabs of one store are one device.
  memory.hear(keys.actor, () => show(memory.get(keys.actor)))
  show(memory.get(keys.actor))

  return {
    store,
    session: () => session,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    signIn(actor) {
      memory.set(keys.actor, actor)
      show(actor)
    },
    signOut() {
      memory.set(keys.actor, undefined)
      show(undefined)
    },
    setOffline(isOffline) {
      memory.set(keys.offline, isOffline ? 'yes' : undefined)
      if (isOffline) session?.client.pause()
      else session?.client.resume()
    },
  }
}
