// The storage contract on IndexedDB, inside a page. A process is a frame (process.ts): it opens the database with the engine's own
// code, can be ended before any step, and can be refused a write. Every storage leads from the moment in which it is loaded, as a
// tab does that has nobody before it.
import { type Code, type Details, SyncError } from '../../../src/base/errors.ts'
import { lastNumberAfter } from '../../../src/client/storage/numbers.ts'
import type { Storage } from '../../../src/client/storage/storage.ts'
import type { Sequence } from '../../../src/protocol/ids.ts'
import { storageCases } from '../../../src/sim/contracts/storage.ts'
import type { StorageHarness } from '../../../src/sim/contracts/storage-harness.ts'
import { createDice } from '../../../src/sim/random.ts'
import { abilities } from '../abilities.ts'
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
      const own: Own = {
        isOver: () => isDead || !frames.includes(frame),
        error: (error) => ownError(error, refusing.errno),
      }
      const storage = inThisPage(await inPage(frame.contentWindow.openStorage({ name }), own), own)
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

/** What becomes of answers that come out of a frame. */
interface Own {
  readonly isOver: () => boolean
  readonly error: (error: unknown) => unknown
}

/** A storage of a frame whose errors are of this page's classes, and which never answers once its frame is over. */
function inThisPage(storage: Storage, own: Own): Storage {
  const here = <Value>(value: Value): Value =>
    (typeof value === 'function'
      ? (...args: unknown[]) => {
          const result: unknown = value(...args)
          return isPromise(result) ? inPage(result, own) : result
        }
      : value) as Value
  const all = <Part extends object>(part: Part): Part =>
    Object.fromEntries(Object.entries(part).map(([name, value]) => [name, here(value)])) as Part
  return { ...all(storage), shared: storage.shared === undefined ? undefined : all(storage.shared) }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value
}

function inPage<Value>(result: PromiseLike<Value>, own: Own): Promise<Value> {
  return new Promise((resolve, reject) => {
    result.then(
      (value) => {
        if (!own.isOver()) resolve(value)
      },
      (error: unknown) => {
        if (!own.isOver()) reject(own.error(error))
      },
    )
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

const cases = new Map(storageCases(abilities).map((each) => [each.title, each]))

const page = {
  /** Runs a case; `hasty` on a storage that is broken on purpose. */
  async run(title: string, how?: 'hasty'): Promise<void> {
    const found = cases.get(title)
    if (found === undefined) throw new Error(`There is no case «${title}»`)
    await found.run(async (name) => {
      const harness = await makeHarness(name)
      return how === 'hasty' ? { ...harness, open: async () => hasty(await harness.open()) } : harness
    })
  },
}

/** What a test may call. */
export type ContractPage = typeof page

Object.assign(globalThis, { page })
