// The page of a device: a client on the browser's own storage and network, and what a test may have it do. Does nothing until it is
// told to, so that a test can take the network away first. What it waits for it hears from the client; nothing is polled.

import { browser } from 'holdfast/browser'
import {
  type Client,
  createClient,
  type LiveQuery,
  pointersOf,
  type Status,
  signOut,
  type Unsent,
} from 'holdfast/client'
import { openDB } from 'idb'
import { app } from '../app.ts'

/** What is waited for and does not come within this time will not come. */
const PATIENCE_MS = 40_000

/** A set as the page shows it. */
export interface ShownSet {
  readonly position: number | null
  readonly device: string
  readonly number: number
  readonly state: string
}

/** Why a call was not kept. */
export interface Refusal {
  readonly code: string
  readonly details: unknown
}

/** As much of IndexedDB as is asked here. */
interface Asked<Result> {
  readonly result: Result
  onsuccess: () => void
}
interface Database {
  transaction(store: string): { objectStore(name: string): { getAllKeys(): Asked<readonly unknown[]> } }
  close(): void
}
const { indexedDB } = globalThis as unknown as { readonly indexedDB: { open(name: string): Asked<Database> } }

let client: Client<typeof app> | undefined
let query: LiveQuery<unknown> | undefined
let heard: number[] = []

const running = (): Client<typeof app> => {
  if (client === undefined) throw new Error('The client of this page was not started')
  return client
}

/** Resolves when `isTrue` says so, which is asked now and whenever `listen` calls; rejects with what `seen` tells. */
function until(isTrue: () => boolean, listen: (check: () => void) => () => void, seen: () => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    let stop = (): void => undefined
    const timer = setTimeout(() => {
      stop()
      reject(new Error(`Waited ${PATIENCE_MS} ms; what is there: ${JSON.stringify(seen())?.slice(0, 1_000)}`))
    }, PATIENCE_MS)
    const check = (): void => {
      if (!isTrue()) return
      clearTimeout(timer)
      stop()
      resolve()
    }
    stop = listen(check)
    check()
  })
}

const live = (workoutId: string) => running().live(app.query.sets.where({ workoutId }).orderBy('position'))

const shown = (rows: ReturnType<typeof live>['rows']): readonly ShownSet[] =>
  rows.map(({ position, device, number, sync }) => ({ position, device, number, state: sync.state }))

const page = {
  /** Opens the device; resolves when what it has kept shows. */
  async start({ name, isPaused = false }: { name?: string; isPaused?: boolean } = {}): Promise<void> {
    client = createClient({
      app,
      host: browser(name === undefined ? {} : { name }),
      url: '/sync',
      session: { actor: 'anna', token: 'anna' },
      startPaused: isPaused,
    })
    await client.ready
  },
  stop: () => running().close(),
  /** Signs out; resolves with the code of what refuses it, or with how many intents the bundle has. */
  signOut: (unsent?: Unsent): Promise<string | number | undefined> =>
    signOut(running(), unsent).then(
      (bundle) => bundle?.intents.length,
      ({ code }: Refusal) => code,
    ),
  pause: () => running().pause(),
  resume: () => running().resume(),
  status: (): Status => running().status(),
  outbox: () =>
    running()
      .outbox()
      .map(({ sequence, badge }) => ({ sequence, badge })),
  quiet: () => running().quiet(),
  /** Says where the person is; resolves when that is kept. */
  point: (name: string, id: string) => pointersOf(running()).set(name, id),
  async pointer(name: string): Promise<string | undefined> {
    await pointersOf(running()).ready
    return pointersOf(running()).get(name)
  },
  startWorkout: (id: string) => running().mutate.startWorkout({ id }).saved,
  /** Logs sets with these numbers, all in one turn; resolves when all are saved. */
  async logSets(workoutId: string, device: string, numbers: readonly number[]): Promise<void> {
    await Promise.all(numbers.map((number) => running().mutate.logSet({ workoutId, device, number }).saved))
  },
  /** Logs one set after the other for as long as it is let; tells each number that is saved by what the test has given to the page. */
  async logOn(workoutId: string, device: string): Promise<never> {
    const { acknowledged } = globalThis as unknown as { acknowledged(device: string, number: number): Promise<void> }
    for (let number = 1; ; number++) {
      await running().mutate.logSet({ workoutId, device, number }).saved
      void acknowledged(device, number)
    }
  },
  /** Logs one set; says how that ended. */
  async tryToLog(workoutId: string, device: string, number: number, accept = false): Promise<'saved' | Refusal> {
    try {
      await running().mutate.logSet({ workoutId, device, number }, { accept }).saved
      return 'saved'
    } catch (error) {
      const { code, details } = error as Refusal
      return { code, details }
    }
  },
  /** Fills what room the origin has with things of another app's, in ever smaller pieces. */
  async fillUp(): Promise<void> {
    const db = await openDB('filler', 1, {
      upgrade: (fresh) => void fresh.createObjectStore('pieces', { autoIncrement: true }),
    })
    const add = (bytes: number): Promise<boolean> =>
      db.add('pieces', crypto.getRandomValues(new Uint8Array(bytes))).then(
        () => true,
        () => false,
      )
    for (let bytes = 60_000; bytes >= 1; bytes = Math.floor(bytes / 8)) while (await add(bytes));
    db.close()
  },
  /** The browser refuses every write to Web Storage from now on, as one does whose owner forbids it. */
  blockWebStorage(): void {
    Storage.prototype.setItem = () => {
      throw new DOMException('Web Storage is blocked', 'SecurityError')
    }
  },
  /** From now on the database takes nothing more from this tab, as where there is no room; others may be luckier. */
  refuseDatabase(): void {
    const { IDBObjectStore: Store } = globalThis as unknown as { IDBObjectStore: { prototype: { add(): void } } }
    Store.prototype.add = () => {
      throw new DOMException('There is no room', 'QuotaExceededError')
    }
  },
  /** How many items of a rescue copy lie in Web Storage. */
  rescueItems: () => Object.keys(localStorage).filter((key) => key.startsWith('holdfast-rescue/')).length,
  sets(workoutId: string): readonly ShownSet[] {
    const sets = live(workoutId)
    const rows = shown(sets.rows)
    sets.close()
    return rows
  },
  /** Resolves with the sets as soon as there are so many, all of them in this state if one is given. */
  async untilSets(workoutId: string, count: number, state?: string): Promise<readonly ShownSet[]> {
    const sets = live(workoutId)
    const isThere = (): boolean =>
      sets.rows.length === count && (state === undefined || sets.rows.every(({ sync }) => sync.state === state))
    try {
      await until(
        isThere,
        (check) => sets.subscribe(check),
        () => shown(sets.rows),
      )
      return shown(sets.rows)
    } finally {
      sets.close()
    }
  },
  /** Resolves with what is told to be lost as soon as there are so many. */
  async untilLost(count = 1): Promise<Status['lost']> {
    await until(
      () => running().status().lost.length === count,
      (check) => running().onStatus(check),
      () => running().status(),
    )
    return running().status().lost
  },
  /** How many records a store of the database has, past all code of ours. */
  countRecords: (store: string): Promise<number> =>
    new Promise((resolve) => {
      const opening = indexedDB.open('holdfast/anna')
      opening.onsuccess = () => {
        const keys = opening.result.transaction(store).objectStore(store).getAllKeys()
        keys.onsuccess = () => {
          opening.result.close()
          // The head of a journal has a name for its key.
          resolve(keys.result.filter((key) => typeof key === 'number').length)
        }
      }
    }),
  acknowledgeLoss: () => running().acknowledgeLoss(),
  async untilStatus(wanted: Partial<Pick<Status, 'connection' | 'tab' | 'waiting'>>): Promise<Status> {
    const fits = (): boolean => {
      const status = running().status()
      return Object.entries(wanted).every(([name, value]) => status[name as keyof Status] === value)
    }
    await until(
      fits,
      (check) => running().onStatus(check),
      () => running().status(),
    )
    return running().status()
  },
  /** From now on counts how often a query over the sets is told, and how many rows it had each time. */
  watch(workoutId: string): void {
    const sets = live(workoutId)
    query = sets
    heard = []
    sets.subscribe((rows) => heard.push(rows.length))
  },
  heard: (): readonly number[] => heard,
  unwatch: () => query?.close(),
}

/** What a test may call. */
export type DevicePage = typeof page

Object.assign(globalThis, { page })
