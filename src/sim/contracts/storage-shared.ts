// The storage contract where several clients have one store open at once, as the tabs of a browser do: one row of numbers for all,
// each hears what the others kept, once and in order, and whoever led before another took over changes nothing (I8). What they know and how they are opened is
// storage-clients.ts.
import type { OutboxEvent } from '../../client/outbox/stored.ts'
import type { Sequence } from '../../protocol/ids.ts'
import { type ContractCase, expectRefusal, expectSame, expectThat } from './contract.ts'
import { type Client, expectAgreement, join, onTwo } from './storage-clients.ts'
import { birth, decided, frame, intent, made, type StorageHarness } from './storage-harness.ts'

export const sharedCases: readonly ContractCase<StorageHarness>[] = [
  onTwo(
    '[I2] [I18] two that append at once get one row of numbers, each of them once',
    async (first, second, harness) => {
      const numbers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? first : second).append(intent(index))),
      )
      expectSame(
        numbers.sort((a, b) => a - b),
        Array.from({ length: 20 }, (_, index) => index + 1),
        'the numbers',
      )
      await expectAgreement(harness, first, second)
    },
  ),
  onTwo('what another kept is heard before a later call settles, and once', async (first, second, harness) => {
    await first.append(intent(1))
    expectSame(await second.append(intent(2)), 2, 'the number after the other’s')
    expectSame(second.outbox, [birth(), made(1, intent(1)), made(2, intent(2))], 'what the second knows')
    await first.shared.catchUp()
    await first.shared.catchUp()
    expectSame([first.told, second.told], [1, 1], 'how often each was told')
    await expectAgreement(harness, first, second)
  }),
  onTwo(
    'a note is made when all is known that others kept before it, and a follower may make one',
    async (first, second, harness) => {
      await first.append(intent(1))
      let known: readonly OutboxEvent[] = []
      await second.storage.note(() => {
        known = second.outbox
        return []
      })
      expectSame(known, [birth(), made(1, intent(1))], 'what the second knew when it made its note')
      await second.note({ kind: 'withdrawn', sequence: 1 as Sequence, as: 'discarded' })
      await expectAgreement(harness, first, second)
    },
  ),
  onTwo('who comes later loads all, and is told only of what comes after that', async (first, second, harness) => {
    await first.shared.lead()
    await first.append(intent(1))
    await first.keepFrame(frame(1))
    const third = await join(harness)
    expectSame([third.outbox, third.frames], [[birth(), made(1, intent(1))], [frame(1)]], 'what the third loads')
    await second.append(intent(2))
    await third.shared.catchUp()
    expectSame([third.told, third.outbox.at(-1)], [1, made(2, intent(2))], 'what the third is told')
    await third.storage.close()
  }),
  onTwo('frames of who leads reach the others in order, and all can be read', async (first, second, harness) => {
    await first.shared.lead()
    await first.keepFrame(frame(1))
    await first.keepFrame(frame(2))
    await second.shared.catchUp()
    expectSame(second.frames, [frame(1), frame(2)], 'the frames of which the second is told')
    await first.keepFrame(frame(3))
    expectSame(await second.shared.readFrames(), [frame(1), frame(2), frame(3)], 'all frames')
    await first.keepFrame(frame(4))
    await first.rewriteFrames([frame(4, 4)])
    await first.keepFrame(frame(5))
    await second.shared.catchUp()
    expectSame(second.frames, [frame(4, 4), frame(5)], 'the frames after a rewrite')
    await expectAgreement(harness, first)
  }),
  onTwo('[I8] who led before another took over is refused, and changes nothing', async (first, second, harness) => {
    await first.shared.lead()
    await first.append(intent(1))
    await first.keepFrame(frame(1))
    await second.shared.lead()
    let wasAsked = false
    const ask = (): readonly OutboxEvent[] => {
      wasAsked = true
      return [birth('b')]
    }
    await expectRefusal(first.storage.note(ask), 'not_leading', 'a note')
    await expectRefusal(first.storage.rewriteOutbox(ask), 'not_leading', 'a rewrite of the outbox')
    await expectRefusal(first.storage.rewriteFrames([]), 'not_leading', 'a rewrite of the frames')
    await expectRefusal(first.storage.keepFrame(frame(2)), 'not_leading', 'a frame')
    expectThat(!wasAsked, 'what was refused was never asked for')
    expectSame(await first.append(intent(2)), 2, 'the number of who may still append')
    await second.note(decided(1, 1))
    await second.keepFrame(frame(3))
    await expectAgreement(harness, first, second)
  }),
  onTwo('[I8] the lead goes to and fro, and only who has it writes as leader', async (first, second, harness) => {
    const clients = [first, second] as const
    for (let turn = 1; turn <= 6; turn++) {
      const [leader, other] = turn % 2 === 1 ? clients : ([second, first] as const)
      await leader.shared.lead()
      await leader.keepFrame(frame(turn))
      await expectRefusal(other.storage.keepFrame(frame(90)), 'not_leading', 'a frame of the other')
    }
    for (const { storage, shared } of clients) {
      // Who leads has no gap in its frames; a follower would be refused for that too.
      await shared.lead()
      shared.resign()
      await expectRefusal(storage.keepFrame(frame(91)), 'not_leading', 'a frame of a follower')
      await expectRefusal(storage.rewriteFrames([]), 'not_leading', 'a rewrite of a follower')
      await expectRefusal(
        storage.rewriteOutbox(() => [birth()]),
        'not_leading',
        'a rewrite of the outbox by a follower',
      )
    }
    await expectAgreement(harness, first, second)
  }),
  onTwo('[I5] who takes over knows all that the one before it kept', async (first, second) => {
    await first.shared.lead()
    await first.append(intent(1))
    await first.note(decided(1, 1))
    await first.keepFrame(frame(1))
    await second.shared.lead()
    expectSame([second.outbox, second.frames], [first.outbox, first.frames], 'what the next leader knows')
  }),
  onTwo('[I16] a rewrite reaches who knew only a part as all that there is', async (first, second, harness) => {
    await first.shared.lead()
    await first.append(intent(1))
    await second.shared.catchUp()
    await first.append(intent(2))
    await first.note(decided(1, 2))
    await first.rewriteOutbox([birth('a', 1), made(2, intent(2))])
    expectSame(await second.append(intent(3)), 3, 'the number after a rewrite by the other')
    expectSame(
      second.outbox,
      [birth('a', 1), made(2, intent(2)), made(3, intent(3))],
      'what the second knows after the rewrite',
    )
    await expectAgreement(harness, first, second)
  }),
  onTwo('[I16] who knew all before a rewrite that says the same goes on from it', async (first, second) => {
    await first.shared.lead()
    await first.append(intent(1), intent(2))
    await second.shared.catchUp()
    const before = second.outbox
    const after = [birth('a', 1), made(2, intent(2))]
    await first.rewriteOutbox(after)
    await second.shared.catchUp()
    expectSame(second.outbox, second.told === 1 ? before : after, 'what the second knows')
    expectSame(await second.append(intent(3)), 3, 'its next number')
    expectSame(await first.append(intent(4)), 4, 'the number after it')
  }),
  onTwo(
    'a client that does not know what a newer one keeps writes nothing more, and nothing is lost of it',
    async (first, second, harness) => {
      await first.shared.lead()
      await first.append(intent(1))
      await second.note({ kind: 'from-a-later-build', at: 1 } as unknown as OutboxEvent)
      for (const _ of [1, 2]) {
        await expectRefusal(first.shared.catchUp(), 'storage_newer', 'looking')
        await expectRefusal(
          first.storage.note(() => [decided(1, 1)]),
          'storage_newer',
          'a note',
        )
        await expectRefusal(first.rewriteOutbox(), 'storage_newer', 'a rewrite of the outbox')
      }
      await first.storage.close()
      await second.storage.close()
      const next = await harness.open()
      await expectRefusal(next.load(birth('b')), 'storage_newer', 'loading')
      await next.close()
    },
  ),
  onTwo('[I18] after a new birth all go on with its numbers', async (first, second, harness) => {
    await first.append(intent(1), intent(2))
    await second.shared.lead()
    await second.rewriteOutbox([birth('b'), made(1, intent(2))])
    expectSame(await first.append(intent(3)), 2, 'the number after a new birth by the other')
    await expectAgreement(harness, first, second)
  }),
  onTwo(
    '[I18] what was appended behind the back of a rewrite is in it, under the number that is told',
    async (first, second, harness) => {
      await second.shared.lead()
      await second.append(intent(1))
      const [number] = await Promise.all([first.append(intent(2)), second.rewriteOutbox()])
      expectSame(number, 2, 'the number after the other’s')
      expectSame(await first.append(intent(3)), 3, 'the next number')
      await expectAgreement(harness, first, second)
    },
  ),
  onTwo(
    '[I18] what a rewrite has forgotten before its number was told has none, and takes none',
    async (first, second, harness) => {
      await second.shared.lead()
      await second.append(intent(1))
      const [number] = await Promise.all([first.append(intent(2)), second.rewriteOutbox([birth('a', 2)])])
      // It was told before the rewrite, or the rewrite came first.
      expectThat([0, 2, 3].includes(number), `the number is ${number}`)
      expectSame(await first.append(intent(3)), Math.max(2, number) + 1, 'the next number')
      await expectAgreement(harness, first, second)
    },
  ),
  onTwo('when one is closed the others go on', async (first, second, harness) => {
    await first.shared.lead()
    await first.append(intent(1))
    await first.storage.close()
    await second.shared.lead()
    expectSame(await second.append(intent(2)), 2, 'the next number')
    await second.keepFrame(frame(1))
    await expectAgreement(harness, second)
  }),
  onTwo(
    'whatever overlaps, all know the same in the end, and it is what is kept',
    async (first, second, harness, dice) => {
      const clients = [first, second, await join(harness)]
      let label = 0
      let refused = 0
      const live = async (client: Client): Promise<void> => {
        for (let step = 0; step < 12; step++) {
          label++
          const number = label
          const deeds = {
            append: () => client.append(intent(number), intent(1_000 + number)),
            note: () => client.note({ kind: 'decided', outcomes: [], at: number }),
            catchUp: () => client.shared.catchUp(),
            lead: () => client.shared.lead(),
            keepFrame: () => client.keepFrame(frame(number)),
            rewriteOutbox: () => client.rewriteOutbox(),
            rewriteFrames: () => client.rewriteFrames(client.frames),
          }
          const deed = dice.weighted({
            append: 5,
            note: 2,
            catchUp: 2,
            lead: 2,
            keepFrame: 4,
            rewriteOutbox: 1,
            rewriteFrames: 1,
          })
          await deeds[deed]().catch((error: { readonly code?: string }) => {
            // A follower’s frame leaves a gap behind it, until it leads.
            if (error.code !== 'not_leading' && error.code !== 'storage_failed') throw error
            refused++
          })
        }
      }
      await Promise.all(clients.map(live))
      expectThat(refused < label, 'something was kept')
      await expectAgreement(harness, ...clients)
    },
    4,
  ),
]
