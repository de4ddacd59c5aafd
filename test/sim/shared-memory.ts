// A memory that several clients have open at once: what the storage contract says of shared storages, in the fewest lines, so that
// the cases of the contract can be seen to hold and to fail without a browser. Keeps nothing beyond the process; what browsers keep
// is src/hosts/browser.
import { SyncError } from '../../src/base/errors.ts'
import { mustBeKnown, type OutboxEvent } from '../../src/client/outbox/stored.ts'
import { lastNumberAfter, lastNumberOfRewrite } from '../../src/client/storage/numbers.ts'
import type { OthersListener, Storage, StoredFrame } from '../../src/client/storage/storage.ts'
import type { Sequence } from '../../src/protocol/ids.ts'

/** One journal: its records with rising keys, whose turn it is to lead, and from which key on it was last written anew. */
interface Journal<Item> {
  records: readonly { readonly key: number; readonly item: Item }[]
  lastKey: number
  epoch: number
  rewrittenAt: number
}

/** A store that is in memory and may be opened many times. */
export interface SharedMemory {
  readonly outbox: Journal<OutboxEvent>
  readonly frames: Journal<StoredFrame>
}

/** An empty one. */
export function createSharedMemory(): SharedMemory {
  const empty = { records: [], lastKey: 0, epoch: 0, rewrittenAt: 0 }
  return { outbox: { ...empty }, frames: { ...empty } }
}

/** One client's view of a journal. */
function follow<Item>(journal: Journal<Item>, heard: (items: readonly Item[], areAll: boolean) => void) {
  let position = 0
  let epoch: number | undefined
  const add = (items: readonly Item[]): void => {
    journal.records = [...journal.records, ...items.map((item) => ({ key: ++journal.lastKey, item }))]
    position = journal.lastKey
  }
  const catchUp = (): void => {
    const areAll = position < journal.rewrittenAt
    const news = journal.records.filter(({ key }) => areAll || key > position).map(({ item }) => item)
    // What cannot be taken in is looked at again by each later call, and refuses it.
    if (news.length > 0 || areAll) heard(news, areAll)
    position = journal.lastKey
  }
  return {
    add,
    catchUp,
    load: (): readonly Item[] => {
      position = journal.lastKey
      return journal.records.map(({ item }) => item)
    },
    mustLead() {
      if (epoch === undefined || epoch !== journal.epoch)
        throw new SyncError('not_leading', `Epoch ${epoch ?? 'none'} is not ${journal.epoch}`)
    },
    rewrite(items: readonly Item[]) {
      journal.records = []
      journal.rewrittenAt = ++journal.lastKey
      add(items)
    },
    lead() {
      catchUp()
      epoch = ++journal.epoch
    },
    resign() {
      epoch = undefined
    },
    leads: () => epoch !== undefined,
  }
}

/** Opens it, beside whoever has it open. */
export function openSharedMemory(memory: SharedMemory): Storage {
  let listener: OthersListener | undefined
  let client = ''
  let last = 0
  let isClosed = false
  const know = (events: readonly OutboxEvent[]): void => {
    for (const event of events) {
      if (event.kind === 'born') client = event.client
      last = lastNumberAfter(last, event)
    }
  }
  const outbox = follow(memory.outbox, (events) => {
    mustBeKnown(events)
    know(events)
    listener?.outbox(events)
  })
  const frames = follow(memory.frames, (kept, areAll) => listener?.frames(kept, areAll))
  /** Each call takes a turn, as where a disk is waited for: calls of clients overlap, and whoever asked earlier has heard. */
  const turn = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve))
    if (isClosed) throw new SyncError('storage_failed', 'The storage is closed', { details: { closed: true } })
  }
  return {
    mode: 'memory',
    isDurable: false,
    async load(birth) {
      await turn()
      if (memory.outbox.records.length === 0) outbox.add([birth])
      const kept = outbox.load()
      mustBeKnown(kept)
      know(kept)
      return { outbox: kept, frames: frames.load() }
    },
    async append(intents) {
      await turn()
      outbox.catchUp()
      const first = (last + 1) as Sequence
      const event: OutboxEvent = { kind: 'made', first, intents: [...intents] }
      if (intents.length === 0) return first
      outbox.add([event])
      know([event])
      return first
    },
    async note(make) {
      await turn()
      if (outbox.leads()) outbox.mustLead()
      outbox.catchUp()
      const events = make()
      outbox.add(events)
      know(events)
    },
    async rewriteOutbox(make) {
      await turn()
      outbox.mustLead()
      outbox.catchUp()
      const events = make()
      lastNumberOfRewrite({ client, last }, events)
      outbox.rewrite(events)
      know(events)
    },
    async keepFrame(frame) {
      await turn()
      frames.mustLead()
      frames.catchUp()
      frames.add([frame])
    },
    async rewriteFrames(next) {
      const all = [...next]
      await turn()
      frames.mustLead()
      frames.catchUp()
      frames.rewrite(all)
    },
    folding: () => ({ outbox: memory.outbox.lastKey > 1_000, frames: memory.frames.lastKey > 1_000 }),
    async close() {
      await turn().catch(() => undefined)
      isClosed = true
    },
    shared: {
      listen: (others) => {
        listener = others
      },
      async catchUp() {
        await turn()
        outbox.catchUp()
        frames.catchUp()
      },
      async readFrames() {
        await turn()
        return frames.load()
      },
      async lead() {
        await turn()
        outbox.lead()
        frames.lead()
      },
      resign() {
        outbox.resign()
        frames.resign()
      },
    },
  }
}
