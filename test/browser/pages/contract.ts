// The storage contract inside a page, on each mode that a browser has. On IndexedDB a process is a frame (process.ts): it opens the database with the engine's own
// code, can be ended before any step, and can be refused a write. Every storage leads from the moment in which it is loaded, as a
// tab does that has nobody before it. On Web Storage, which has no transactions, it is ended and refused by what stands before each item.
import { type Code, type Details, SyncError } from '../../../src/base/errors.ts'
import { lastNumberAfter } from '../../../src/client/storage/numbers.ts'
import type { Storage } from '../../../src/client/storage/storage.ts'
import type { Sequence } from '../../../src/protocol/ids.ts'
import { storageCases } from '../../../src/sim/contracts/storage.ts'
import type { StorageHarness } from '../../../src/sim/contracts/storage-harness.ts'
import { createDice } from '../../../src/sim/random.ts'
import { alive, aliveStorage, type Life } from '../../client/storage/life.ts'
import { memoryHarness } from '../../client/storage/memory-harness.ts'
import { type RescueArea, rescueHarness } from '../../client/storage/rescue-harness.ts'
import { type BrowserMode, modeAbilities } from '../abilities.ts'
import type { ProcessWindow } from './process.ts'

/** What the refusals of process.ts are called by the browser. */
const refusals: readonly unknown[] = ['ConstraintError', 'AbortError']

interface Frame {
  src: string
  readonly contentWindow: ProcessWindow
  onload: () => void
  remove(): void
}

interface Request<Result> {
  readonly result: Result
  onsuccess: () => void
  onerror: () => void
}

interface Database {
  transaction(store: string, mode: 'readwrite'): { objectStore(store: string): ObjectStore }
  close(): void
}

interface ObjectStore {
  getAll(): Request<unknown[]>
  getAllKeys(): Request<(string | number)[]>
  put(value: unknown, key: string | number): Request<unknown>
}

// What this page needs of a browser, in types: the tests are compiled without those of a page.
const { document, indexedDB } = globalThis as unknown as {
  readonly document: { createElement(name: 'iframe'): Frame; readonly body: { append(frame: Frame): void } }
  readonly indexedDB: { open(name: string): Request<Database>; deleteDatabase(name: string): Request<unknown> }
}

const writes: ReadonlySet<string> = new Set(['add', 'put', 'delete'])

let databases = 0

async function makeHarness(seed: string): Promise<StorageHarness> {
  const name = `contract ${++databases}`
  const dice = createDice(seed)
  const frames: Frame[] = []
  let stepsLeft = Number.POSITIVE_INFINITY
  let end = (): void => undefined
  let refusing = { probability: 0, errno: '', steps: writes }
  const killAll = (): void => {
    for (const frame of frames.splice(0)) frame.remove()
  }
  return {
    async open() {
      const frame = await newProcess()
      frames.push(frame)
      let isDead = false
      frame.contentWindow.beforeStep = (step) => {
        if (stepsLeft-- <= 0) end()
        isDead ||= !frames.includes(frame)
        if (!refusing.steps.has(step) || !dice.chance(refusing.probability)) return undefined
        return dice.pick(['step', 'commit'])
      }
      const own: Life = {
        isOver: () => isDead || !frames.includes(frame),
        error: (error) => ownError(error, refusing.errno),
      }
      const storage = aliveStorage(await alive(frame.contentWindow.openStorage({ name }), own), own)
      return {
        ...storage,
        async load(birth) {
          const stored = await storage.load(birth)
          await storage.shared?.lead()
          return stored
        },
      }
    },
    stop: (_how, afterSteps = 0) =>
      new Promise((resolve) => {
        end = () => {
          stepsLeft = Number.POSITIVE_INFINITY
          killAll()
          resolve()
        }
        stepsLeft = afterSteps
        if (afterSteps === 0) end()
      }),
    refuse(probability, errno, steps) {
      refusing = {
        probability,
        errno: errno === '' ? refusing.errno : errno,
        steps: steps === undefined ? writes : new Set(steps),
      }
    },
    spoil: (journal, how) =>
      inStore(name, journal, async (store) => {
        const records = await readStore(store)
        const [key, text] = records[Math.floor((records.length - 1) / 2)] ?? []
        const head = records.find(([each]) => each === 'head')?.[1]
        if (how === 'newer') await answer(store.put({ ...(head as object), format: 99 }, 'head'))
        else await answer(store.put(String(text).slice(0, -1), key ?? 0))
      }),
    fingerprint: async () => {
      const journals = ['outbox', 'frames'].map((journal) => inStore(name, journal, readStore))
      return JSON.stringify(await Promise.all(journals))
    },
    async dispose() {
      killAll()
      await answer(indexedDB.deleteDatabase(name))
    },
  }
}

function answer<Result>(request: Request<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(new Error('The database refused a step of the test itself'))
  })
}

async function inStore<Result>(
  name: string,
  journal: string,
  work: (store: ObjectStore) => Promise<Result>,
): Promise<Result> {
  const database = await answer(indexedDB.open(name))
  try {
    return await work(database.transaction(journal, 'readwrite').objectStore(journal))
  } finally {
    database.close()
  }
}

/** Every record of a journal with its key. */
async function readStore(store: ObjectStore): Promise<[key: string | number, value: unknown][]> {
  const [keys, values] = await Promise.all([answer(store.getAllKeys()), answer(store.getAll())])
  return keys.map((key, index) => [key, values[index]])
}

function newProcess(): Promise<Frame> {
  return new Promise((resolve) => {
    const frame = document.createElement('iframe')
    frame.src = '/process.html'
    frame.onload = () => resolve(frame)
    document.body.append(frame)
  })
}

/** The error in the classes of this page; a step that was made to fail is called what the case wants it to be. */
function ownError(error: unknown, errno: string): unknown {
  const { name, message, code, details } = error as Error & { readonly code: Code; readonly details: Details }
  if (name === 'InvariantError') return Object.assign(new Error(message, { cause: error }), { name })
  if (name !== 'SyncError') return error
  return new SyncError(code, message, {
    details: refusals.includes(details['errno']) ? { ...details, errno } : details,
    cause: error,
  })
}

/** Answers before anything was kept. */
function hasty(storage: Storage): Storage {
  let last = 0
  return {
    ...storage,
    async load(birth) {
      const stored = await storage.load(birth)
      last = stored.outbox.reduce(lastNumberAfter, 0)
      return stored
    },
    async append(intents) {
      storage.append(intents).catch(() => undefined)
      last += intents.length
      return (last - intents.length + 1) as Sequence
    },
  }
}

/** Web Storage and locks of this page. */
function createArea(): RescueArea {
  const items = globalThis.localStorage
  return {
    view: (beforeWrite = () => undefined) => ({
      get length() {
        return items.length
      },
      key: (index) => items.key(index),
      getItem: (key) => items.getItem(key),
      setItem(key, value) {
        beforeWrite()
        items.setItem(key, value)
      },
      removeItem(key) {
        beforeWrite()
        items.removeItem(key)
      },
      clear: () => items.clear(),
    }),
  }
}

const harnesses: Readonly<Record<BrowserMode, (name: string) => Promise<StorageHarness>>> = {
  indexeddb: makeHarness,
  localstorage: (name) => rescueHarness(name, createArea()),
  memory: memoryHarness,
}

const page = {
  /** Runs a case; `hasty` on a storage that is broken on purpose. */
  async run(mode: BrowserMode, title: string, how?: 'hasty'): Promise<void> {
    const found = storageCases(modeAbilities[mode]).find((each) => each.title === title)
    if (found === undefined) throw new Error(`There is no case «${title}» for ${mode}`)
    await found.run(async (name) => {
      const harness = await harnesses[mode](name)
      return how === 'hasty' ? { ...harness, open: async () => hasty(await harness.open()) } : harness
    })
  },
}

/** What a test may call. */
export type ContractPage = typeof page

Object.assign(globalThis, { page })
