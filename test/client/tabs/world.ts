// Several clients of one store, as the tabs of one browser are: each with a real IndexedDB storage (on an implementation in memory),
// a lock that is passed on in the order in which they came, and a channel between them. Time stands still unless told.
import 'fake-indexeddb/auto'
import { type Client, createClient } from 'holdfast/client'
import type { Tabs } from '../../../src/client/host.ts'
import { openIndexedDbStorage } from '../../../src/hosts/browser/indexeddb.ts'
import { createTestRandom } from '../clock.ts'
import { createWorld, type Notes, notes, type World } from '../world.ts'

export interface Tab {
  readonly client: Client<Notes>
  /** Hears nothing and is told nothing until it thaws; others may take the lead meanwhile. */
  freeze(): void
  thaw(): void
  close(): Promise<void>
}

export interface TabWorld extends World {
  readonly tabs: readonly Tab[]
  /** `isDeaf`: on a page where there are neither locks nor channels. */
  open(isDeaf?: boolean): Promise<Tab>
  /** Runs whatever can run without time going on, the database too. */
  settle(): Promise<void>
  /** From now on no word reaches anybody: a tab may end between its write and its word. */
  mute(): void
  /** Says something to all tabs, as a stranger of the same origin may. */
  shout(word: unknown): void
}

let worlds = 0

export function createTabWorld(): TabWorld {
  const world = createWorld()
  const name = `tabs ${worlds++}`
  const tabs: Tab[] = []
  let opened = 0

  /** Who wants to lead, in order; the first that is not frozen does. */
  let queue: { readonly isFrozen: () => boolean; onTurn: (() => void) | undefined }[] = []
  const passOn = (): void => {
    const next = queue.find(({ isFrozen }) => !isFrozen())
    const onTurn = next?.onTurn
    if (next === undefined || onTurn === undefined) return
    next.onTurn = undefined
    queueMicrotask(onTurn)
  }
  let isMute = false
  const ears = new Set<{
    readonly isFrozen: () => boolean
    readonly missed: unknown[]
    hear: (word: unknown) => void
  }>()

  const settle = async (): Promise<void> => {
    for (let round = 0; round < 12; round++) await world.clock.settle()
  }

  const openTabs = (isFrozen: () => boolean): Tabs & { thaw(): void } => {
    const ear = { isFrozen, missed: [] as unknown[], hear: (_word: unknown) => {} }
    ears.add(ear)
    return {
      lead(onTurn) {
        const wish = { isFrozen, onTurn }
        queue.push(wish)
        if (queue.filter((other) => !other.isFrozen())[0] === wish) passOn()
        return () => {
          queue = queue.filter((other) => other !== wish)
          passOn()
        }
      },
      say(word) {
        const heard = structuredClone(word)
        for (const other of ears) {
          if (other === ear || isMute) continue
          if (other.isFrozen()) other.missed.push(heard)
          else queueMicrotask(() => other.hear(heard))
        }
      },
      hear(listener) {
        ear.hear = listener
      },
      close() {
        ears.delete(ear)
      },
      thaw() {
        for (const word of ear.missed.splice(0)) ear.hear(word)
      },
    }
  }

  return Object.assign(world, {
    tabs,
    settle,
    mute() {
      isMute = true
    },
    shout(word: unknown) {
      for (const ear of ears) ear.hear(word)
    },
    async open(isDeaf = false) {
      let isFrozen = false
      const joined = openTabs(() => isFrozen)
      const client = createClient({
        app: notes,
        host: {
          ...world.host(),
          random: createTestRandom(++opened),
          openStorage: () => openIndexedDbStorage({ name }),
          ...(isDeaf ? {} : { openTabs: () => joined }),
        },
        url: 'https://authority.test/sync/',
        session: { actor: '42' },
        live: false,
      })
      const tab: Tab = {
        client,
        freeze() {
          isFrozen = true
          passOn()
        },
        thaw() {
          isFrozen = false
          joined.thaw()
          passOn()
        },
        async close() {
          tabs.splice(tabs.indexOf(tab), 1)
          const closed = client.close()
          await settle()
          await closed
          await settle()
        },
      }
      tabs.push(tab)
      await settle()
      await client.ready
      await settle()
      return tab
    },
  })
}
