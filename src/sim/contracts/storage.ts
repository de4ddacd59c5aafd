// The storage contract as cases: what every storage mode must do while nothing goes wrong, and what it must refuse. Runs on any
// implementation of client/storage/storage.ts; a harness says how it is opened and what can be done to it. What must hold when the
// power goes or the disk refuses is storage-faults.ts; `storageCases` lists the cases that fit a harness.

import type { Json } from '../../base/json.ts'
import type { OutboxEvent } from '../../client/outbox/stored.ts'
import type { Storage, StoredFrame } from '../../client/storage/storage.ts'
import type { ClientId, IntentId, Sequence } from '../../protocol/ids.ts'
import type { IntentContent } from '../../protocol/intent.ts'
import { type ContractCase, expectRefusal, expectSame, expectThat } from './contract.ts'
import { faultCases } from './storage-faults.ts'

/** How a suite gets at one storage. What an implementation cannot have done to it is left out. */
export interface StorageHarness {
  /** Opens what is kept, as a process that starts now. */
  open(): Promise<Storage>
  /** Ends the process that has it open: at once, or before the step `afterSteps` from now. Resolves when it has ended. */
  readonly stop?: ((how: 'kill' | 'power', afterSteps?: number) => Promise<void>) | undefined
  /** Makes writes fail, each with this probability and this error code, until called with 0. */
  readonly refuse?: ((probability: number, errno: string, steps?: readonly string[]) => void) | undefined
  /** Spoils what is kept while nobody has it open: bytes in the middle, half a record at the end, or a newer format. */
  readonly spoil?: ((journal: 'outbox' | 'frames', how: 'middle' | 'torn' | 'newer') => Promise<void>) | undefined
  /** All that is kept, as text; for comparison. */
  readonly fingerprint?: (() => Promise<string>) | undefined
  dispose(): Promise<void>
}

/** What a harness can do, and what the mode promises. */
export interface StorageAbilities {
  readonly stops: readonly ('kill' | 'power')[]
  readonly refuses: boolean
  readonly spoils: boolean
}

/** The cases that fit. Each case makes its harnesses with names that are its seeds. */
export function storageCases(abilities: StorageAbilities): readonly ContractCase<StorageHarness>[] {
  return [...plainCases, ...(abilities.spoils ? spoilCases : []), ...faultCases(abilities)]
}

/** A birth for tests. */
export const birth = (client = 'a', last = 0): OutboxEvent & { readonly kind: 'born' } => ({
  kind: 'born',
  format: 1,
  client: uuid(client) as ClientId,
  last,
  retired: last,
  at: 1,
})

/** An intent for tests; `label` makes it different from others. */
export const intent = (label: number, args: Json = { text: `line ${label}` }): IntentContent => ({
  id: uuid(label.toString(16)) as IntentId,
  name: 'add',
  version: 1,
  args,
  madeAt: label,
})

/** A frame for tests. */
export const frame = (label: number, rows = 1): StoredFrame => ({
  client: uuid('a') as ClientId,
  decided: label,
  patches: [
    {
      scope: 'user:1' as StoredFrame['patches'][number]['scope'],
      from: { version: label - 1, mark: '' },
      to: { version: label, mark: 'ab' },
      rows: {
        notes: Array.from({ length: rows }, (_, index) => ({
          id: `${label}.${index}`,
          text: 'a row of the length that notes have',
        })),
      },
      gone: {},
    },
  ],
  scopes: ['user:1'],
  at: label,
})

function uuid(label: string): string {
  return `00000000-0000-4000-8000-${label.padStart(12, '0')}`
}

type Run = (harness: StorageHarness, storage: Storage) => Promise<void>

/** A case that begins with an opened, loaded storage. */
function onOne(title: string, run: Run): ContractCase<StorageHarness> {
  return {
    title,
    async run(makeHarness) {
      const harness = await makeHarness(title)
      try {
        const storage = await harness.open()
        await storage.load(birth())
        await run(harness, storage)
      } finally {
        await harness.dispose()
      }
    },
  }
}

async function reopened(harness: StorageHarness, storage: Storage) {
  await storage.close()
  const next = await harness.open()
  return { next, stored: await next.load(birth('b')) }
}

const made = (first: number, ...intents: IntentContent[]): OutboxEvent => ({
  kind: 'made',
  first: first as Sequence,
  intents,
})
const decided = (from: number, to: number): OutboxEvent => ({
  kind: 'decided',
  outcomes: [{ from, to, status: 'applied' }],
  at: 5,
})

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
    await storage.note([])
    expectSame(await storage.append([intent(1)]), 1, 'the first number')
    const { next, stored } = await reopened(harness, storage)
    expectSame(stored.outbox, [birth(), made(1, intent(1))], 'the outbox')
    await next.close()
  }),
  onOne('events come back in the order in which they were asked for, whatever overlapped', async (harness, storage) => {
    await Promise.all([
      storage.append([intent(1)]),
      storage.note([decided(1, 1)]),
      storage.append([intent(2)]),
      storage.note([decided(2, 2), { kind: 'forgotten', through: 1 as Sequence }]),
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
  onOne('[I16] a rewrite replaces the outbox whole, and numbers go on from it', async (harness, storage) => {
    await Promise.all([1, 2, 3].map((label) => storage.append([intent(label)])))
    const rewritten = [birth('a', 2), made(3, intent(3)), decided(3, 3)]
    await storage.rewriteOutbox(rewritten)
    expectSame(await storage.append([intent(4)]), 4, 'the number after a rewrite')
    const { next, stored } = await reopened(harness, storage)
    expectSame(stored.outbox, [...rewritten, made(4, intent(4))], 'the outbox')
    expectSame(await next.append([intent(5)]), 5, 'the number after a new start')
    await next.close()
  }),
  onOne('what is asked for after a rewrite is done after it, without waiting for it', async (harness, storage) => {
    const before = storage.append([intent(1)])
    const rewrite = storage.rewriteOutbox([birth('c'), made(1, intent(1))])
    const after = storage.append([intent(2)])
    expectSame(await Promise.all([before, rewrite, after]), [1, null, 2], 'the answers')
    const { next, stored } = await reopened(harness, storage)
    expectSame(stored.outbox, [birth('c'), made(1, intent(1)), made(2, intent(2))], 'the outbox')
    await next.close()
  }),
  onOne('[I18] a rewrite that would give a number again is refused and changes nothing', async (harness, storage) => {
    await storage.append([intent(1), intent(2)])
    const refusal = await storage.rewriteOutbox([birth(), made(1, intent(1))]).catch((error: unknown) => error)
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
    await storage.rewriteOutbox([birth('b'), made(1, intent(2))])
    const { next } = await reopened(harness, storage)
    expectSame(await next.append([intent(3)]), 2, 'the number after a new birth')
    await next.close()
  }),
  onOne('frames come back in order; a rewrite replaces them, and later ones follow it', async (harness, storage) => {
    await Promise.all([storage.keepFrame(frame(1)), storage.keepFrame(frame(2))])
    const first = await reopened(harness, storage)
    expectSame(first.stored.frames, [frame(1), frame(2)], 'the frames')
    await Promise.all([
      first.next.keepFrame(frame(3)),
      first.next.rewriteFrames([frame(3, 5), frame(4, 5)]),
      first.next.keepFrame(frame(5)),
    ])
    const second = await reopened(harness, first.next)
    expectSame(second.stored.frames, [frame(3, 5), frame(4, 5), frame(5)], 'the frames after a rewrite')
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
      expectSame(stored.frames, [frame(1)], 'the frames')
      await next.close()
    },
  ),
  onOne('folding is asked for after much growth and not after a rewrite', async (_, storage) => {
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
    await storage.note(events)
    await storage.keepFrame(frame(1, 30_000))
    expectSame(storage.folding(), { outbox: true, frames: true }, 'folding after growth')
    await storage.rewriteOutbox([birth()])
    await storage.rewriteFrames([frame(1, 30_000)])
    expectSame(storage.folding(), { outbox: false, frames: false }, 'folding after a rewrite')
  }),
  onOne('[I8] nobody else can open it until it is closed', async (harness, storage) => {
    await expectRefusal(harness.open(), 'storage_in_use', 'opening twice')
    await storage.close()
    const next = await harness.open()
    await next.close()
  }),
  onOne(
    'closing keeps what was asked for before, refuses what comes after, and may be repeated',
    async (harness, storage) => {
      const pending = [storage.append([intent(1)]), storage.keepFrame(frame(1))]
      await Promise.all([storage.close(), storage.close()])
      await Promise.all(pending)
      await expectRefusal(storage.append([intent(2)]), 'storage_failed', 'an append after closing')
      await expectRefusal(storage.note([decided(1, 1)]), 'storage_failed', 'a note after closing')
      await expectRefusal(storage.keepFrame(frame(2)), 'storage_failed', 'a frame after closing')
      const next = await harness.open()
      expectSame(
        await next.load(birth('b')),
        { outbox: [birth(), made(1, intent(1))], frames: [frame(1)] },
        'what was kept',
      )
      await next.close()
    },
  ),
]

const spoilCases: readonly ContractCase<StorageHarness>[] = [
  ...(['outbox', 'frames'] as const).flatMap((journal) => [
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
    ),
    ...(['middle', 'newer'] as const).map((how) =>
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
            await expectRefusal(
              next.load(birth('b')),
              how === 'middle' ? 'storage_corrupt' : 'storage_newer',
              'loading',
            )
            await next.close()
          }
          expectSame(await harness.fingerprint?.(), before, 'what is kept')
        },
      ),
    ),
  ]),
]
