// The storage contract when what is kept was spoiled, and when the disk refuses a write: each case does one thing that can go wrong
// and says exactly what must come of it. What must hold under any mixture of these and at any step is storage-faults.ts.
import type { Sequence } from '../../protocol/ids.ts'
import { type ContractCase, expectRefusal, expectSame, expectThat } from './contract.ts'
import {
  birth,
  frame,
  intent,
  made,
  onOne,
  reopened,
  type StorageAbilities,
  type StorageHarness,
} from './storage-harness.ts'

/** The cases for a harness whose disk can refuse. */
export function refusalCases({ stops, keepsNoFrames }: StorageAbilities): readonly ContractCase<StorageHarness>[] {
  return [
    refusal,
    keepsNoFrames === true ? carefree : gap,
    ...(stops.includes('power') ? [lyingSync, takenBack, unsureName] : []),
  ]
}

/** The cases for a harness whose files can be spoiled. */
export function spoilCases({ spoils, keepsNoFrames }: StorageAbilities): readonly ContractCase<StorageHarness>[] {
  const journals = keepsNoFrames === true ? (['outbox'] as const) : (['outbox', 'frames'] as const)
  return journals.flatMap((journal) => spoils.map((how) => (how === 'torn' ? torn(journal) : untouched(journal, how))))
}

const torn = (journal: 'outbox' | 'frames'): ContractCase<StorageHarness> =>
  onOne(
    `half a record at the end of the ${journal} is cut off, and what follows is sound`,
    async (harness, storage) => {
      await storage.append([intent(1)])
      await storage.keepFrame(frame(1))
      await storage.close()
      for (const round of [1, 2]) {
        await harness.spoil?.(journal, 'torn')
        const next = await harness.open()
        const stored = await next.load(birth('b'))
        expectSame(
          stored.outbox,
          [birth(), ...Array.from({ length: round }, (_, index) => made(index + 1, intent(index + 1)))],
          'the outbox',
        )
        expectSame(
          stored.frames,
          Array.from({ length: round }, (_, index) => frame(index + 1)),
          'the frames',
        )
        await next.append([intent(round + 1)])
        await next.keepFrame(frame(round + 1))
        await next.close()
      }
    },
  )

const untouched = (journal: 'outbox' | 'frames', how: 'middle' | 'newer'): ContractCase<StorageHarness> =>
  onOne(
    `${how === 'middle' ? 'damage inside' : 'a newer format of'} the ${journal} is told, and nothing is touched`,
    async (harness, storage) => {
      for (const label of [1, 2, 3]) {
        await storage.append([intent(label)])
        await storage.keepFrame(frame(label))
      }
      await storage.close()
      await harness.spoil?.(journal, how)
      const before = await harness.fingerprint?.()
      for (const _ of [1, 2]) {
        const next = await harness.open()
        await expectRefusal(next.load(birth('b')), how === 'middle' ? 'storage_corrupt' : 'storage_newer', 'loading')
        await next.close()
      }
      expectSame(await harness.fingerprint?.(), before, 'what is kept')
    },
  )

const refusal = onOne(
  '[I1] a write that the disk refuses is told with its cause, takes no number, and harms nothing',
  async (harness, storage) => {
    await storage.append([intent(1)])
    for (const errno of ['ENOSPC', 'EIO']) {
      harness.refuse?.(1, errno)
      const error = await expectRefusal(storage.append([intent(90)]), 'storage_failed', 'an append')
      expectSame(error.details, { errno }, 'its details')
      await expectRefusal(
        storage.note(() => [{ kind: 'forgotten', through: 1 as Sequence }]),
        'storage_failed',
        'a note',
      )
      await expectRefusal(
        storage.rewriteOutbox(() => [birth('b')]),
        'storage_failed',
        'a rewrite of the outbox',
      )
      if (harness.keepsNoFrames !== true)
        await expectRefusal(storage.rewriteFrames([frame(1)]), 'storage_failed', 'a rewrite of the frames')
      harness.refuse?.(0, '')
    }
    expectSame(await storage.append([intent(2)]), 2, 'the number after refusals')
    const { next, stored } = await reopened(harness, storage)
    expectSame(stored, { outbox: [birth(), made(1, intent(1)), made(2, intent(2))], frames: [] }, 'what is kept')
    await next.close()
  },
)

const gap = onOne(
  '[I5] after a frame that could not be kept none is kept until the rows are written anew',
  async (harness, storage) => {
    await storage.keepFrame(frame(1))
    harness.refuse?.(1, 'ENOSPC')
    await expectRefusal(storage.keepFrame(frame(2)), 'storage_failed', 'a frame on a full disk')
    harness.refuse?.(0, '')
    await expectRefusal(storage.keepFrame(frame(3)), 'storage_failed', 'the frame after one that was refused')
    expectThat(storage.folding().frames, 'writing the rows anew is asked for')
    await storage.rewriteFrames([frame(3, 2)])
    await storage.keepFrame(frame(4))
    const { next, stored } = await reopened(harness, storage)
    expectSame(stored.frames, [frame(3, 2), frame(4)], 'the frames')
    await next.close()
  },
)

const carefree = onOne(
  '[I5] frames that are not kept are accepted whatever the disk says, and none is there at the next start',
  async (harness, storage) => {
    harness.refuse?.(1, 'ENOSPC')
    await storage.keepFrame(frame(1))
    await storage.rewriteFrames([frame(2)])
    harness.refuse?.(0, '')
    expectThat(!storage.folding().frames, 'writing the rows anew is not asked for')
    const { next, stored } = await reopened(harness, storage)
    expectSame(stored.frames, [], 'the frames')
    await next.close()
  },
)

const lyingSync = onOne(
  '[I1] after a sync that failed, the success of another one on the same file is not believed',
  async (harness, storage, seed) => {
    await storage.append([intent(1)])
    harness.refuse?.(1, 'EIO', seed % 2 === 0 ? ['sync'] : ['sync', 'truncate'])
    await expectRefusal(storage.append([intent(2)]), 'storage_failed', 'an append whose sync failed')
    harness.refuse?.(0, '')
    expectSame(await storage.append([intent(3)]), 2, 'the number after it')
    await harness.stop?.('power')
    const next = await harness.open()
    const { outbox } = await next.load(birth())
    expectSame(outbox, [birth(), made(1, intent(1)), made(2, intent(3))], 'the outbox after the power cut')
    await next.close()
  },
  20,
)

const takenBack = onOne(
  '[I4] what was refused does not come back at the next start, if the disk let it be taken back',
  async (harness, storage, seed) => {
    await storage.append([intent(1)])
    harness.refuse?.(1, 'ENOSPC', seed % 2 === 0 ? ['append'] : ['sync'])
    // Both in one write: what it wrote before it failed is often the whole of the first.
    const small = storage.append([intent(2)])
    const large = storage.append([intent(3, { text: 'x'.repeat(2_000) })])
    await expectRefusal(large, 'storage_failed', 'an append to a disk that refuses')
    await expectRefusal(small, 'storage_failed', 'an append beside it')
    harness.refuse?.(0, '')
    await harness.stop?.(seed % 2 === 0 ? 'power' : 'kill')
    const next = await harness.open()
    expectSame((await next.load(birth())).outbox, [birth(), made(1, intent(1))], 'the outbox after the end')
    await next.close()
  },
  60,
)

const unsureName = onOne(
  '[I1] after a rewrite that failed when its file had its name already, what is acknowledged is not hidden by that file',
  async (harness, storage, seed) => {
    await storage.append([intent(1)])
    harness.refuse?.(1, 'EIO', ['syncFolder'])
    await expectRefusal(
      storage.rewriteOutbox(() => [birth('b')]),
      'storage_failed',
      'a rewrite whose name could not be synced',
    )
    harness.refuse?.(0, '')
    await storage.append([intent(2)])
    await harness.stop?.(seed % 2 === 0 ? 'power' : 'kill')
    const next = await harness.open()
    const { outbox } = await next.load(birth())
    expectSame(outbox, [birth(), made(1, intent(1)), made(2, intent(2))], 'the outbox after the end')
    await next.close()
  },
  20,
)
