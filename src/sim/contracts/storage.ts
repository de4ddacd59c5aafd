// The storage contract as cases: what every storage mode must do while nothing goes wrong. Runs on any implementation of
// client/storage/storage.ts; a harness says how it is opened and what can be done to it. `storageCases` lists the cases that fit a
// harness: with what must hold when what is kept is spoiled or writes are refused (storage-refusals.ts), when the process or the power
// ends at any step (storage-faults.ts), and when several clients have it open at once (storage-shared.ts).
import type { OutboxEvent } from '../../client/outbox/stored.ts'
import type { Sequence } from '../../protocol/ids.ts'
import { type ContractCase, expectRefusal, expectSame, expectThat } from './contract.ts'
import { faultCases } from './storage-faults.ts'
import {
  birth,
  decided,
  frame,
  intent,
  keptOf,
  made,
  onOne,
  reopened,
  type StorageAbilities,
  type StorageHarness,
} from './storage-harness.ts'
import { refusalCases, spoilCases } from './storage-refusals.ts'
import { sharedCases } from './storage-shared.ts'

/** The cases that fit. Each case makes its harnesses with names that are its seeds. */
export function storageCases(abilities: StorageAbilities): readonly ContractCase<StorageHarness>[] {
  return [
    ...plainCases,
    ...(abilities.isShared === true ? sharedCases : [aloneCase]),
    ...spoilCases(abilities),
    ...(abilities.refuses ? refusalCases(abilities) : []),
    ...faultCases(abilities),
  ]
}

const plainCases: readonly ContractCase<StorageHarness>[] = [
  onOne(
    '[I16] the first birth is kept, and a later start gets it back instead of its own',
    async (harness, storage) => {
      const { next, stored } = await reopened(harness, storage)
      expectSame(stored, { outbox: [birth('a')], frames: [] }, 'what a second start loads')
      await next.close()
    },
  ),
  onOne(
    '[I2] intents get the numbers 1, 2, 3 …, across starts too, and one call is one event',
    async (harness, storage) => {
      expectSame(await storage.append([intent(1)]), 1, 'the first number')
      expectSame(await storage.append([intent(2), intent(3)]), 2, 'the number after one intent')
      const { next, stored } = await reopened(harness, storage)
      expectSame(stored.outbox, [birth(), made(1, intent(1)), made(2, intent(2), intent(3))], 'the outbox')
      expectSame(await next.append([intent(4)]), 4, 'the number after a new start')
      await next.close()
    },
  ),
  onOne('[I18] calls that overlap are done in order, and no number is given twice', async (harness, storage) => {
    const calls = Array.from({ length: 200 }, (_, index) =>
      storage.append(index % 3 === 0 ? [intent(index), intent(1000 + index)] : [intent(index)]),
    )
    const firsts = await Promise.all(calls)
    let next = 1
    for (const [index, first] of firsts.entries()) {
      expectSame(first, next, `the number of call ${index}`)
      next += index % 3 === 0 ? 2 : 1
    }
    const { next: after, stored } = await reopened(harness, storage)
    expectSame(
      stored.outbox.slice(1).map((event) => event.kind === 'made' && event.first),
      firsts,
      'the numbers on disk',
    )
    await after.close()
  }),
  onOne('an append of nothing keeps nothing and takes no number', async (harness, storage) => {
    await storage.append([])
    await storage.note(() => [])
    expectSame(await storage.append([intent(1)]), 1, 'the first number')
    const { next, stored } = await reopened(harness, storage)
    expectSame(stored.outbox, [birth(), made(1, intent(1))], 'the outbox')
    await next.close()
  }),
  onOne('events come back in the order in which they were asked for, whatever overlapped', async (harness, storage) => {
    await Promise.all([
      storage.append([intent(1)]),
      storage.note(() => [decided(1, 1)]),
      storage.append([intent(2)]),
      storage.note(() => [decided(2, 2), { kind: 'forgotten', through: 1 as Sequence }]),
    ])
    const { next, stored } = await reopened(harness, storage)
    expectSame(
      stored.outbox,
      [
        birth(),
        made(1, intent(1)),
        decided(1, 1),
        made(2, intent(2)),
        decided(2, 2),
        { kind: 'forgotten', through: 1 },
      ],
      'the outbox',
    )
    await next.close()
  }),
  onOne(
    'any text comes back as it was: line ends, quotes, NUL-free controls, surrogate pairs, megabytes',
    async (harness, storage) => {
      const texts = ['a\nb\r\nc\u2028', '"\\{}', '\u0001\u001f\u007f', '🏋️ 深蹲', 'x'.repeat(2_000_000)]
      await storage.append(texts.map((text, index) => intent(index, { text })))
      const { next, stored } = await reopened(harness, storage)
      expectSame(stored.outbox[1], made(1, ...texts.map((text, index) => intent(index, { text }))), 'the intents')
      await next.close()
    },
  ),
  onOne(
    'intents that came in a draft are kept as those that came without, alone or among other calls',
    async (harness, storage) => {
      const drafted = (...labels: number[]) => {
        const draft = storage.draft?.()
        const intents = labels.map((label) => intent(label, { text: '🏋️ "\\ü'.repeat(label) }))
        for (const each of intents) draft?.add(JSON.stringify(each))
        return { intents, draft }
      }
      const many = drafted(...Array.from({ length: 300 }, (_, index) => index))
      const few = drafted(301, 302)
      const one = drafted(303)
      expectSame(await storage.append(one.intents, one.draft), 1, 'the number of a draft of one')
      const firsts = [
        storage.append([intent(7)]),
        storage.append(many.intents, many.draft),
        storage.append(few.intents, few.draft),
      ]
      expectSame(await Promise.all(firsts), [2, 3, 303], 'the first numbers')
      const { next, stored } = await reopened(harness, storage)
      const kept = stored.outbox.flatMap((event) => (event.kind === 'made' ? event.intents : []))
      expectSame(kept, [...one.intents, intent(7), ...many.intents, ...few.intents], 'the intents')
      await next.close()
    },
  ),
  onOne(
    'an event of a kind that this build does not know is told as a newer format, and nothing is touched',
    async (harness, storage) => {
      await storage.append([intent(1)])
      await storage.note(() => [{ kind: 'from-a-later-build', at: 1 } as unknown as OutboxEvent])
      await storage.close()
      const before = await harness.fingerprint?.()
      for (const _ of [1, 2]) {
        const next = await harness.open()
        await expectRefusal(next.load(birth('b')), 'storage_newer', 'loading')
        await next.close()
      }
      expectSame(await harness.fingerprint?.(), before, 'what is kept')
    },
  ),
  onOne('[I16] a rewrite replaces the outbox whole, and numbers go on from it', async (harness, storage) => {
    await Promise.all([1, 2, 3].map((label) => storage.append([intent(label)])))
    const rewritten = [birth('a', 2), made(3, intent(3)), decided(3, 3)]
    await storage.rewriteOutbox(() => rewritten)
    expectSame(await storage.append([intent(4)]), 4, 'the number after a rewrite')
    const { next, stored } = await reopened(harness, storage)
    expectSame(stored.outbox, [...rewritten, made(4, intent(4))], 'the outbox')
    expectSame(await next.append([intent(5)]), 5, 'the number after a new start')
    await next.close()
  }),
  onOne('what is asked for after a rewrite is done after it, without waiting for it', async (harness, storage) => {
    const before = storage.append([intent(1)])
    const rewrite = storage.rewriteOutbox(() => [birth('c'), made(1, intent(1))])
    const after = storage.append([intent(2)])
    expectSame(await Promise.all([before, rewrite, after]), [1, null, 2], 'the answers')
    const { next, stored } = await reopened(harness, storage)
    expectSame(stored.outbox, [birth('c'), made(1, intent(1)), made(2, intent(2))], 'the outbox')
    await next.close()
  }),
  onOne('[I18] a rewrite that would give a number again is refused and changes nothing', async (harness, storage) => {
    await storage.append([intent(1), intent(2)])
    const refusal = await storage.rewriteOutbox(() => [birth(), made(1, intent(1))]).catch((error: unknown) => error)
    expectThat(
      refusal instanceof Error && refusal.name === 'InvariantError',
      'the rewrite is refused as a broken invariant',
    )
    const { next, stored } = await reopened(harness, storage)
    expectSame(stored.outbox, [birth(), made(1, intent(1), intent(2))], 'the outbox')
    expectSame(await next.append([intent(3)]), 3, 'the next number')
    await next.close()
  }),
  onOne('[I16] a new birth may begin its numbers again', async (harness, storage) => {
    await storage.append([intent(1), intent(2)])
    await storage.rewriteOutbox(() => [birth('b'), made(1, intent(2))])
    const { next } = await reopened(harness, storage)
    expectSame(await next.append([intent(3)]), 2, 'the number after a new birth')
    await next.close()
  }),
  onOne('frames come back in order; a rewrite replaces them, and later ones follow it', async (harness, storage) => {
    await Promise.all([storage.keepFrame(frame(1)), storage.keepFrame(frame(2))])
    const first = await reopened(harness, storage)
    expectSame(first.stored.frames, keptOf(harness, frame(1), frame(2)), 'the frames')
    await Promise.all([
      first.next.keepFrame(frame(3)),
      first.next.rewriteFrames([frame(3, 5), frame(4, 5)]),
      first.next.keepFrame(frame(5)),
    ])
    const second = await reopened(harness, first.next)
    expectSame(second.stored.frames, keptOf(harness, frame(3, 5), frame(4, 5), frame(5)), 'the frames after a rewrite')
    await second.next.rewriteFrames([])
    const third = await reopened(harness, second.next)
    expectSame(third.stored.frames, [], 'the frames after a rewrite to none')
    await third.next.close()
  }),
  onOne(
    'frames to be rewritten are read at the call, so that what comes later cannot change them',
    async (harness, storage) => {
      const rows = [frame(1)]
      const rewrite = storage.rewriteFrames(
        (function* () {
          yield* rows
        })(),
      )
      rows.push(frame(2))
      await rewrite
      const { next, stored } = await reopened(harness, storage)
      expectSame(stored.frames, keptOf(harness, frame(1)), 'the frames')
      await next.close()
    },
  ),
  onOne('folding is asked for after much growth and not after a rewrite', async (harness, storage) => {
    expectSame(storage.folding(), { outbox: false, frames: false }, 'folding of an empty storage')
    const events = Array.from(
      { length: 2_000 },
      (_, index): OutboxEvent => ({
        kind: 'withdrawn',
        sequence: 1 as Sequence,
        as: 'discarded',
        detail: `${index}${'x'.repeat(600)}`,
      }),
    )
    await storage.note(() => events)
    await storage.keepFrame(frame(1, 30_000))
    expectSame(storage.folding(), { outbox: true, frames: harness.keepsNoFrames !== true }, 'folding after growth')
    await storage.rewriteOutbox(() => [birth()])
    await storage.rewriteFrames([frame(1, 30_000)])
    expectSame(storage.folding(), { outbox: false, frames: false }, 'folding after a rewrite')
  }),
  onOne(
    'closing keeps what was asked for before, refuses what comes after, and may be repeated',
    async (harness, storage) => {
      const pending = [storage.append([intent(1)]), storage.keepFrame(frame(1))]
      await Promise.all([storage.close(), storage.close()])
      await Promise.all(pending)
      await expectRefusal(storage.append([intent(2)]), 'storage_failed', 'an append after closing')
      await expectRefusal(
        storage.note(() => [decided(1, 1)]),
        'storage_failed',
        'a note after closing',
      )
      await expectRefusal(storage.keepFrame(frame(2)), 'storage_failed', 'a frame after closing')
      const next = await harness.open()
      expectSame(
        await next.load(birth('b')),
        { outbox: [birth(), made(1, intent(1))], frames: keptOf(harness, frame(1)) },
        'what was kept',
      )
      await next.close()
    },
  ),
]

const aloneCase = onOne('[I8] nobody else can open it until it is closed', async (harness, storage) => {
  await expectRefusal(harness.open(), 'storage_in_use', 'opening twice')
  await storage.close()
  const next = await harness.open()
  await next.close()
})
