// One process of the storage contract, as a frame in the page `contract.ts`: removing a frame ends it like a tab that crashes, with its
// transactions where they are. Before each step on the database it asks what is to become of it. What is refused fails as it does
// when there is no room: later, and with its whole transaction. Either the step itself fails, here by a key that is taken, or the
// step succeeds and the transaction does not.
import { openIndexedDbStorage } from '../../../src/hosts/browser/indexeddb.ts'

/** What a frame asks and offers. The page sets `beforeStep` before it opens a storage. */
export interface ProcessWindow {
  /** What refuses the step, if anything. */
  beforeStep(step: string): 'step' | 'commit' | undefined
  openStorage: typeof openIndexedDbStorage
}

/** A key that each of our object stores has. */
const TAKEN = 'head'

/** The parts of IndexedDB that count as steps. */
const steps = ['get', 'getAll', 'getAllKeys', 'add', 'put', 'delete', 'clear'] as const

type Method = (this: Store, ...args: unknown[]) => Request
type Prototype = Record<(typeof steps)[number], Method>

interface Request {
  addEventListener(event: 'success', listener: () => void): void
}

interface Transaction {
  abort(): void
  commit(): void
}

interface Store {
  readonly transaction: Transaction
}

const { IDBObjectStore: store, IDBTransaction: transaction } = globalThis as unknown as {
  readonly IDBObjectStore: { readonly prototype: Prototype }
  readonly IDBTransaction: { readonly prototype: Transaction }
}
const original = Object.fromEntries(steps.map((step) => [step, store.prototype[step]])) as Prototype
const doomed = new WeakSet<Transaction>()

for (const step of steps) {
  store.prototype[step] = function (...args) {
    const refusal = (globalThis as unknown as ProcessWindow).beforeStep(step)
    if (refusal === 'step') return original.add.call(this, '', TAKEN)
    const request = original[step].apply(this, args)
    if (refusal === 'commit') {
      doomed.add(this.transaction)
      request.addEventListener('success', () => this.transaction.abort())
    }
    return request
  }
}

const commit = transaction.prototype.commit
// What was told to commit can no longer be aborted.
transaction.prototype.commit = function () {
  if (!doomed.has(this)) commit.call(this)
}

Object.assign(globalThis, { openStorage: openIndexedDbStorage })
