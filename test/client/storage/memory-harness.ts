// A harness for storage mode `memory`: what a process has ends with it, so there is nothing to stop, refuse or spoil.
import { createMemory, openMemoryStorage } from '../../../src/client/storage/memory.ts'
import type { StorageAbilities, StorageHarness } from '../../../src/sim/contracts/storage-harness.ts'

export const memoryAbilities: StorageAbilities = { stops: [], refuses: false, spoils: [], lives: 0 }

export async function memoryHarness(): Promise<StorageHarness> {
  const memory = createMemory()
  return { open: async () => openMemoryStorage(memory), dispose: async () => {} }
}
