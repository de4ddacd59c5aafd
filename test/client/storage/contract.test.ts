// The storage contract, on each storage mode that this package brings, and on storages broken on purpose: each guard of the suite
// is seen to fail.
import { describe, expect, test } from 'vitest'
import { lastNumberAfter } from '../../../src/client/storage/numbers.ts'
import type { Storage } from '../../../src/client/storage/storage.ts'
import type { Disk, DiskFile } from '../../../src/hosts/node/disk.ts'
import type { Sequence } from '../../../src/protocol/ids.ts'
import { storageCases } from '../../../src/sim/contracts/storage.ts'
import { type Broken, realAbilities, realHarness, simAbilities, simHarness } from './harnesses.ts'
import { memoryAbilities, memoryHarness } from './memory-harness.ts'
import { rescueAbilities, rescueHarness } from './rescue-harness.ts'

describe('memory', () => {
  for (const { title, run } of storageCases(memoryAbilities)) test(title, () => run(memoryHarness))
})

describe('localstorage, in memory', () => {
  for (const { title, run } of storageCases(rescueAbilities)) test(title, () => run(rescueHarness))
})

describe('file, on a simulated disk', () => {
  for (const { title, run } of storageCases(simAbilities)) test(title, () => run(simHarness))
})

describe('file, on the real disk', () => {
  for (const { title, run } of storageCases(realAbilities)) test(title, () => run(realHarness))
})

describe('the suite catches a storage that', () => {
  const withFile = (change: (file: DiskFile) => Partial<DiskFile>): Broken => ({
    disk: (disk) => {
      const changed = async (opening: Promise<DiskFile>): Promise<DiskFile> => {
        const file = await opening
        return { ...file, ...change(file) }
      }
      return { ...disk, open: (name) => changed(disk.open(name)), create: (name) => changed(disk.create(name)) }
    },
  })
  const withDisk = (change: (disk: Disk) => Partial<Disk>): Broken => ({
    disk: (disk) => ({ ...disk, ...change(disk) }),
  })
  const withStorage = (change: (storage: Storage) => Partial<Storage>): Broken => ({
    storage: (storage) => ({ ...storage, ...change(storage) }),
  })

  const faults: readonly (readonly [fault: string, broken: Broken, caughtBy: RegExp])[] = [
    ['never syncs its files', withFile(() => ({ sync: async () => {} })), /survives a power cut at any step/],
    ['never syncs its folder', withDisk(() => ({ syncFolder: async () => {} })), /survives a power cut at any step/],
    [
      'takes a torn record for a whole one',
      withDisk(() => ({ checksum: () => 0 })),
      /survives a power cut at any step/,
    ],
    [
      'answers before the write has come about',
      withStorage((storage) => {
        let last = 0
        return {
          async load(birth) {
            const stored = await storage.load(birth)
            last = stored.outbox.reduce(lastNumberAfter, 0)
            return stored
          },
          async append(intents) {
            storage.append(intents).catch(() => {})
            last += intents.length
            return (last - intents.length + 1) as Sequence
          },
        }
      }),
      /survives the end of the process/,
    ],
    [
      'does not cut a torn end off',
      withFile(() => ({ truncate: async () => {} })),
      /half a record at the end of the outbox/,
    ],
    [
      'syncs again after a sync that failed, and believes it',
      withFile((file) => ({
        sync: () =>
          file
            .sync()
            .catch(() => file.sync())
            .catch(() => {}),
      })),
      /is not believed/,
    ],
    [
      'gives numbers from 1 in each life',
      withStorage((storage) => {
        let last = 0
        return {
          async append(intents) {
            await storage.append(intents)
            last += intents.length
            return (last - intents.length + 1) as Sequence
          },
        }
      }),
      /\[I2\] intents get the numbers/,
    ],
    [
      'uses a number up for a write that was refused',
      withStorage((storage) => {
        let refused = 0
        return {
          append: (intents) =>
            storage.append(intents).then(
              (first = 0 as Sequence) => (first + refused) as Sequence,
              (error: unknown) => {
                refused += intents.length
                throw error
              },
            ),
        }
      }),
      /takes no number/,
    ],
    [
      'keeps frames behind a gap',
      withStorage((storage) => ({
        keepFrame: (frame) =>
          storage
            .keepFrame(frame)
            .catch((error: { details?: { gap?: boolean } }) =>
              error.details?.gap ? undefined : Promise.reject(error),
            ),
      })),
      /none is kept until the rows are written anew/,
    ],
    ['lets a second one in', withDisk(() => ({ lock: async () => async () => {} })), /nobody else can open it/],
    [
      'loses the order of overlapping calls',
      withStorage((storage) => ({
        note: async (make) => void (await Promise.resolve().then(() => storage.note(make))),
      })),
      /in the order in which they were asked for/,
    ],
  ]
  for (const [fault, broken, caughtBy] of faults) {
    test(fault, async () => {
      const caught: string[] = []
      for (const { title, run } of storageCases(simAbilities)) {
        await run((name) => simHarness(name, broken)).catch(() => caught.push(title))
      }
      expect(caught).toContainEqual(expect.stringMatching(caughtBy))
    })
  }
})
