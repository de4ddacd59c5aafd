// Several clients of one store, as the tabs of one browser are: each with a real IndexedDB storage (on an implementation in memory),
// a lock that is passed on in the order in which they came, and a channel between them. A tab that is frozen keeps its lock, hears
// nothing, and no timer of its own runs. Time stands still unless told.
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

  /** Who has the turn to lead, and who waits for it. A tab that is frozen hears of it when it thaws. */
  interface Wish {
    readonly tell: (what: () => void) => void
    readonly onTurn: () => void
    readonly onTaken: () => void
  }
  let queue: Wish[] = []
  let leader: Wish | undefined
  const passOn = (): void => {
    if (leader === queue[0]) return
    leader = queue[0]
    leader?.tell(leader.onTurn)
  }
  let isMute = false
  const ears = new Set<{
    readonly tell: (what: () => void) => void
    hear: (word: unknown) => void
  }>()

  const settle = async (): Promise<void> => {
    for (let round = 0; round < 12; round++) await world.clock.settle()
  }

  const openTabs = (tell: (what: () => void) => void): Tabs => {
    const ear = { tell, hear: (_word: unknown) => {} }
    ears.add(ear)
    return {
      lead(onTurn, onTaken, isSeizing) {
        const wish: Wish = { tell, onTurn, onTaken }
        const before = queue[0]
        if (isSeizing) {
          queue = [wish, ...queue.slice(1)]
          before?.tell(before.onTaken)
        } else queue.push(wish)
        passOn()
        return () => {
          queue = queue.filter((other) => other !== wish)
          passOn()
        }
      },
      say(word) {
        const heard = structuredClone(word)
        for (const other of ears) {
          if (other === ear || isMute) continue
          other.tell(() => other.hear(heard))
        }
      },
      hear(listener) {
        ear.hear = listener
      },
      close() {
        ears.delete(ear)
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
      const missed: (() => void)[] = []
      const unlessFrozen = (run: () => void) => () => void (isFrozen ? missed.push(run) : run())
      const joined = openTabs((what) => queueMicrotask(unlessFrozen(what)))
      const { clock } = world
      const client = createClient({
        app: notes,
        host: {
          ...world.host(),
          random: createTestRandom(++opened),
          clock: {
            now: () => clock.now(),
            monotonic: () => clock.monotonic(),
            after: (delayMs, run) => clock.after(delayMs, unlessFrozen(run)),
            turn: (run) => clock.turn(unlessFrozen(run)),
          },
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
        },
        thaw() {
          isFrozen = false
          for (const run of missed.splice(0)) run()
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
