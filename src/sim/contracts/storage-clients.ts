// What the cases of a shared store work with: its clients, each of which writes down what it has loaded, kept and heard, two of them to begin
// a case with, and the end of one: all know what a new client loads. The cases are storage-shared.ts.
import type { OutboxEvent } from '../../client/outbox/stored.ts'
import type { SharedStorage, Storage, StoredFrame } from '../../client/storage/storage.ts'
import type { Sequence } from '../../protocol/ids.ts'
import type { IntentContent } from '../../protocol/intent.ts'
import { createDice, type Dice } from '../random.ts'
import { type ContractCase, expectSame } from './contract.ts'
import { birth, made, type StorageHarness } from './storage-harness.ts'

/** One client of a store, with all that it knows of what is kept. */
export interface Client {
  readonly storage: Storage
  readonly shared: SharedStorage
  readonly outbox: readonly OutboxEvent[]
  readonly frames: readonly StoredFrame[]
  /** How often it was told of others. */
  readonly told: number
  append(...intents: IntentContent[]): Promise<Sequence>
  note(...events: readonly OutboxEvent[]): Promise<void>
  keepFrame(frame: StoredFrame): Promise<void>
  /** Writes the outbox anew as it knows it then, or as it is said here. */
  rewriteOutbox(events?: readonly OutboxEvent[]): Promise<void>
  rewriteFrames(frames: readonly StoredFrame[]): Promise<void>
}

/** Opens a store beside whoever has it open. */
export async function join(harness: StorageHarness): Promise<Client> {
  const storage = await harness.open()
  const { shared } = storage
  if (shared === undefined) throw new Error('Expected that the storage can be shared')
  let outbox: readonly OutboxEvent[] = []
  let frames: readonly StoredFrame[] = []
  let told = 0
  shared.listen({
    outbox(events) {
      told++
      outbox = events[0]?.kind === 'born' ? events : [...outbox, ...events]
    },
    frames(more, areAll) {
      told++
      frames = areAll ? more : [...frames, ...more]
    },
  })
  const stored = await storage.load(birth())
  ;({ outbox, frames } = stored)
  return {
    storage,
    shared,
    get outbox() {
      return outbox
    },
    get frames() {
      return frames
    },
    get told() {
      return told
    },
    async append(...intents) {
      const first = await storage.append(intents)
      if (first === undefined) throw new Error('Expected that the store can say where it kept what it kept')
      // A rewrite behind it has told of it already, or has forgotten it.
      const isTold = outbox.some(
        (event) => event.kind === 'made' && event.intents.some(({ id }) => id === intents[0]?.id),
      )
      if (first > 0 && !isTold) outbox = [...outbox, made(first, ...intents)]
      return first
    },
    async note(...events) {
      await storage.note(() => events)
      outbox = [...outbox, ...events]
    },
    async keepFrame(next) {
      await storage.keepFrame(next)
      frames = [...frames, next]
    },
    async rewriteOutbox(events) {
      let next: readonly OutboxEvent[] = []
      await storage.rewriteOutbox(() => {
        next = events ?? outbox
        return next
      })
      outbox = next
    },
    async rewriteFrames(next) {
      await storage.rewriteFrames(next)
      frames = next
    },
  }
}

/** A case with two clients of one empty store, of which neither leads; where dice play a part, once for each of some seeds. */
export function onTwo(
  title: string,
  run: (first: Client, second: Client, harness: StorageHarness, dice: Dice) => Promise<void>,
  seeds = 1,
): ContractCase<StorageHarness> {
  return {
    title,
    async run(makeHarness) {
      for (let seed = 1; seed <= seeds; seed++) {
        const harness = await makeHarness(`${title} ${seed}`)
        try {
          const [first, second] = [await join(harness), await join(harness)]
          first.shared.resign()
          second.shared.resign()
          await run(first, second, harness, createDice(`${title} ${seed}`))
        } finally {
          await harness.dispose()
        }
      }
    },
  }
}

/** All of them, once they have caught up, know what a new one loads. */
export async function expectAgreement(harness: StorageHarness, ...clients: readonly Client[]): Promise<void> {
  const fresh = await join(harness)
  for (const [index, client] of clients.entries()) {
    await client.shared.catchUp()
    expectSame(client.outbox, fresh.outbox, `the outbox that client ${index + 1} knows`)
    expectSame(client.frames, fresh.frames, `the frames that client ${index + 1} knows`)
  }
  await fresh.storage.close()
}

/** The cases for a storage that several clients may have open. */
