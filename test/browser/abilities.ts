// What the storage contract may have done to IndexedDB: a process ended at any step, a write refused, a record spoiled. Said apart from
// the page that does it, since the test that lists the cases runs in Node. A real power cut is `npm run power-cut`.
import type { StorageAbilities } from '../../src/sim/contracts/storage-harness.ts'

/** A life costs a frame and some strict commits, each of which is a real sync. */
export const abilities: StorageAbilities = {
  stops: ['kill'],
  refuses: true,
  // A transaction is there or not: there is no torn end.
  spoils: ['middle', 'newer'],
  isShared: true,
  lives: 16,
}
