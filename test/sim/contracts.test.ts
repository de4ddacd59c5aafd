// The cases of the storage contract that speak of several clients of one store, in memory: that they hold, and that each of them is
// seen to fail on a store that is broken on purpose. The other cases are tried in test/client/storage, all of them in browsers too.
import { describe, expect, test } from 'vitest'
import { SyncError } from '../../src/base/errors.ts'
import type { SharedStorage, Storage } from '../../src/client/storage/storage.ts'
import type { Sequence } from '../../src/protocol/ids.ts'
import type { StorageHarness } from '../../src/sim/contracts/storage-harness.ts'
import { sharedCases } from '../../src/sim/contracts/storage-shared.ts'
import { createSharedMemory, openSharedMemory } from './shared-memory.ts'

/** One way to break what is opened; made anew for each store. */
type Breaking = () => (storage: Storage) => Storage

const whole: Breaking = () => (storage) => storage

const harnessOf = (breaking: Breaking) => async (): Promise<StorageHarness> => {
  const memory = createSharedMemory()
  const change = breaking()
  return { open: async () => change(openSharedMemory(memory)), dispose: async () => {} }
}

/** Changes what a storage has for sharing. */
const withShared =
  (change: (shared: SharedStorage) => Partial<SharedStorage>): Breaking =>
  () =>
  (storage) =>
    storage.shared === undefined ? storage : { ...storage, shared: { ...storage.shared, ...change(storage.shared) } }

/** Changes the rest of it. */
const withStorage =
  (change: (storage: Storage) => Partial<Storage>): Breaking =>
  () =>
  (storage) => ({ ...storage, ...change(storage) })

describe('several clients of one store in memory', () => {
  for (const { title, run } of sharedCases) test(title, () => run(harnessOf(whole)))
})

describe('the cases catch a store that', () => {
  const faults: readonly (readonly [fault: string, breaking: Breaking, caughtBy: RegExp])[] = [
    [
      'numbers the intents of each client by themselves',
      withStorage((storage) => {
        let own = 0
        return {
          async append(intents) {
            await storage.append(intents)
            own += intents.length
            return (own - intents.length + 1) as Sequence
          },
        }
      }),
      /one row of numbers/,
    ],
    ['tells nobody', withShared(() => ({ listen: () => undefined })), /is heard before a later call settles/],
    [
      'tells everything twice',
      withShared((shared) => ({
        listen: (listener) =>
          shared.listen({
            ...listener,
            outbox(events) {
              listener.outbox(events)
              listener.outbox(events)
            },
          }),
      })),
      /is heard before a later call settles, and once/,
    ],
    [
      'asks what to note before it knows what others kept',
      withStorage((storage) => ({
        async note(make) {
          const events = make()
          await storage.note(() => events)
        },
      })),
      /a note is made when all is known/,
    ],
    [
      'shows who comes later no frames',
      withStorage((storage) => ({ load: async (birth) => ({ ...(await storage.load(birth)), frames: [] }) })),
      /who comes later loads all/,
    ],
    [
      'tells of frames that were written anew as of more frames',
      withShared((shared) => ({
        listen: (listener) => shared.listen({ ...listener, frames: (frames) => listener.frames(frames, false) }),
      })),
      /frames of who leads reach the others/,
    ],
    [
      'lets everybody lead who wants to write',
      withStorage((storage) => ({
        keepFrame: (frame) =>
          storage.keepFrame(frame).catch(async () => {
            await storage.shared?.lead()
            await storage.keepFrame(frame)
          }),
      })),
      /who led before another took over is refused/,
    ],
    ['never gives the lead up', withShared(() => ({ resign: () => undefined })), /the lead goes to and fro/],
    [
      'lets somebody lead who does not know yet what was kept',
      withShared((shared) => {
        let isLeading = false
        return {
          listen: (listener) =>
            shared.listen({
              outbox: (events) => (isLeading ? undefined : listener.outbox(events)),
              frames: (frames, areAll) => (isLeading ? undefined : listener.frames(frames, areAll)),
            }),
          async lead() {
            isLeading = true
            await shared.lead()
            isLeading = false
          },
        }
      }),
      /who takes over knows all/,
    ],
    [
      'tells of a rewrite without its birth',
      withShared((shared) => ({
        listen: (listener) =>
          shared.listen({
            ...listener,
            outbox: (events) => listener.outbox(events.filter(({ kind }) => kind !== 'born')),
          }),
      })),
      /reaches who knew only a part/,
    ],
    [
      'tells who knew all of a rewrite as if it were more',
      withShared((shared) => ({
        listen: (listener) =>
          shared.listen({
            ...listener,
            outbox: (events) => listener.outbox(events[0]?.kind === 'born' ? events.slice(1) : events),
          }),
      })),
      /who knew all before a rewrite/,
    ],
    [
      'goes on with the numbers of an earlier birth',
      withStorage((storage) => {
        let last = 0
        return {
          async append(intents) {
            const first = Math.max(last + 1, (await storage.append(intents)) ?? 0) as Sequence
            last = first + intents.length - 1
            return first
          },
        }
      }),
      /after a new birth all go on/,
    ],
    [
      'ends for all when it ends for one',
      () => {
        let isOver = false
        return (storage) => ({
          ...storage,
          append: (intents) =>
            isOver ? Promise.reject(new SyncError('storage_failed', 'It is over')) : storage.append(intents),
          async close() {
            isOver = true
            await storage.close()
          },
        })
      },
      /when one is closed the others go on/,
    ],
    [
      'goes on from what a client has kept itself',
      withStorage((storage) => {
        let own = 0
        return {
          async append(intents) {
            own += intents.length
            return Math.min((await storage.append(intents)) ?? 0, own - intents.length + 1) as Sequence
          },
        }
      }),
      /behind the back of a rewrite/,
    ],
    [
      'forgets in a rewrite how far numbers were given',
      withStorage((storage) => ({
        rewriteOutbox: (make) =>
          storage.rewriteOutbox(() => make().map((event) => (event.kind === 'born' ? { ...event, last: 0 } : event))),
      })),
      /what a rewrite has forgotten/,
    ],
    [
      'loses what two append in the same moment',
      withStorage((storage) => {
        let running = 0
        return {
          async append(intents) {
            running++
            const first = await storage.append(running > 1 ? intents.slice(1) : intents)
            running--
            return first
          },
        }
      }),
      /two that append at once/,
    ],
    [
      'passes over what it does not know',
      withShared((shared) => ({ catchUp: () => shared.catchUp().catch(() => undefined) })),
      /does not know what a newer one keeps/,
    ],
    [
      'hears nothing while it catches up beside other calls',
      withShared((shared) => ({ catchUp: async () => void shared.resign() })),
      /whatever overlaps/,
    ],
  ]
  for (const [fault, breaking, caughtBy] of faults) {
    test(fault, async () => {
      const caught: string[] = []
      for (const { title, run } of sharedCases) await run(harnessOf(breaking)).catch(() => caught.push(title))
      expect(caught).toContainEqual(expect.stringMatching(caughtBy))
    })
  }

  test('each case is the one that catches something', () => {
    for (const { title } of sharedCases)
      expect(faults.filter(([, , caughtBy]) => caughtBy.test(title)).length, title).toBeGreaterThan(0)
  })
})
