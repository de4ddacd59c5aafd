// One process of the storage contract, as a frame in the page `contract.ts`: removing a frame ends it like a tab that crashes, with its
// transactions where they are. Before each step on the database it asks what is to become of it. A step that is refused fails as one
// does that has no room: later, and with its whole transaction; here by putting something at a key that is taken.
import { openIndexedDbStorage } from '../../../src/hosts/browser/indexeddb.ts'

/** What a frame asks and offers. The page sets `beforeStep` before it opens a storage. */
export interface ProcessWindow {
  /** Whether the step is refused. */
  beforeStep(step: string): boolean
  openStorage: typeof openIndexedDbStorage
}

/** A key that each of our object stores has. */
const TAKEN = 'head'

/** The parts of IndexedDB that count as steps. */
const steps = ['get', 'getAll', 'getAllKeys', 'add', 'put', 'delete', 'clear'] as const

type Method = (...args: unknown[]) => unknown
type Prototype = Record<(typeof steps)[number], Method>

const { prototype } = (globalThis as unknown as { readonly IDBObjectStore: { readonly prototype: Prototype } })
  .IDBObjectStore
const original = Object.fromEntries(steps.map((step) => [step, prototype[step]])) as Prototype
for (const step of steps) {
  prototype[step] = function (this: unknown, ...args) {
    const isRefused = (globalThis as unknown as ProcessWindow).beforeStep(step)
    return isRefused ? original.add.call(this, '', TAKEN) : original[step].apply(this, args)
  }
}

Object.assign(globalThis, { openStorage: openIndexedDbStorage })
