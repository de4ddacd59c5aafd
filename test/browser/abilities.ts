// What the storage contract may have done to each mode that a browser has: a process ended at any step, a write refused, a record
// spoiled. Said apart from the page that does it, since the test that lists the cases runs in Node. A real power cut is
// `npm run power-cut`.
import type { StorageAbilities } from '../../src/sim/contracts/storage-harness.ts'
import { memoryAbilities } from '../client/storage/memory-harness.ts'
import { rescueAbilities } from '../client/storage/rescue-harness.ts'

/** The modes that a browser has. */
export type BrowserMode = 'indexeddb' | 'localstorage' | 'memory'

/** Of IndexedDB. A life costs a frame and some strict commits, each of which is a real sync. */
const abilities: StorageAbilities = {
  stops: ['kill'],
  refuses: true,
  // A transaction is there or not: there is no torn end.
  spoils: ['middle', 'newer'],
  isShared: true,
  lives: 16,
}

/** Of each mode. */
export const modeAbilities: Readonly<Record<BrowserMode, StorageAbilities>> = {
  indexeddb: abilities,
  localstorage: rescueAbilities,
  memory: memoryAbilities,
}

export const MODES = Object.keys(modeAbilities) as readonly BrowserMode[]
