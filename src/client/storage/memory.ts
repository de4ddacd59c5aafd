// Storage mode `memory`: keeps everything for as long as the process lives and says that it is not durable. For tests, for tools
// that need no second start, and as the last rung of the storage ladder. What is kept is a plain record, so that it can be looked
// at, copied and put back. Holds the references that it was given: events and frames are read-only everywhere.
import { SyncError } from '../../base/errors.ts'
import type { Sequence } from '../../protocol/ids.ts'
import { mustBeKnown, type OutboxEvent } from '../outbox/stored.ts'
import { lastNumberAfter, lastNumberOfRewrite } from './numbers.ts'
import type { Storage, StoredFrame } from './storage.ts'

/** What a memory holds. The storage that has it open adds to the arrays. */
export interface Memory {
  readonly outbox: OutboxEvent[]
  readonly frames: StoredFrame[]
  isOpen: boolean
}

/** An empty memory, or one that begins with what another held. */
export function createMemory(
  from: { readonly outbox: readonly OutboxEvent[]; readonly frames: readonly StoredFrame[] } = {
    outbox: [],
    frames: [],
  },
): Memory {
  return { outbox: [...from.outbox], frames: [...from.frames], isOpen: false }
}

/** A journal is worth writing anew when it has grown by this much and has doubled: memory is all that it would save. */
const FOLD_EVENTS = 1_000
const FOLD_ROWS = 10_000

/** Opens a memory; throws a SyncError `storage_in_use` while somebody else has it open. */
export function openMemoryStorage(memory: Memory = createMemory()): Storage {
  if (memory.isOpen) throw new SyncError('storage_in_use', 'This memory is already open')
  memory.isOpen = true
  const { outbox, frames } = memory
  const base = { events: outbox.length, rows: 0 }
  let rows = 0
  let isClosed = false
  let client = ''
  let last = 0

  const keep = (events: readonly OutboxEvent[]): void => {
    for (const event of events) {
      outbox.push(event)
      last = lastNumberAfter(last, event)
    }
  }
  const mustBeOpen = (): void => {
    if (isClosed) throw new SyncError('storage_failed', 'The storage is closed', { details: { closed: true } })
  }

  return {
    mode: 'memory',
    isDurable: false,
    async load(birth) {
      mustBeOpen()
      const [born = birth] = outbox
      if (born.kind !== 'born')
        throw new SyncError('storage_corrupt', 'The memory’s outbox does not begin with its birth')
      mustBeKnown(outbox)
      if (outbox.length === 0) keep([birth])
      client = born.client
      last = outbox.reduce(lastNumberAfter, 0)
      return { outbox: [...outbox], frames: [...frames] }
    },
    async append(intents) {
      mustBeOpen()
      const first = (last + 1) as Sequence
      if (intents.length > 0) keep([{ kind: 'made', first, intents: [...intents] }])
      return first
    },
    async note(make) {
      mustBeOpen()
      keep(make())
    },
    async rewriteOutbox(make) {
      mustBeOpen()
      const events = make()
      const after = lastNumberOfRewrite({ client, last }, events)
      outbox.splice(0, outbox.length)
      keep(events)
      base.events = events.length
      client = after.client
    },
    async keepFrame(frame) {
      mustBeOpen()
      frames.push(frame)
      rows += rowsOf(frame)
    },
    async rewriteFrames(next) {
      mustBeOpen()
      const replaced = [...next]
      frames.splice(0, frames.length)
      for (const frame of replaced) frames.push(frame)
      rows = replaced.reduce((sum, frame) => sum + rowsOf(frame), 0)
      base.rows = rows
    },
    folding: () => ({
      outbox: outbox.length - base.events > Math.max(FOLD_EVENTS, base.events),
      frames: rows - base.rows > Math.max(FOLD_ROWS, base.rows),
    }),
    async close() {
      if (isClosed) return
      isClosed = true
      memory.isOpen = false
    },
  }
}

/** What a frame weighs: its rows and ids, and itself. */
function rowsOf({ patches }: StoredFrame): number {
  let count = 1
  for (const patch of patches) {
    for (const table of Object.values(patch.rows)) count += table.length
    for (const ids of Object.values(patch.gone)) count += ids.length
  }
  return count
}
