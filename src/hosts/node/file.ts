// Storage mode `file`: the storage contract over one folder of a disk. The outbox is synced before anything in it is acknowledged
// (I1), and what comes while one sync is under way shares the next; frames are written and not synced. Numbers are given inside
// the append, so none is given twice (I18). How journals survive a power cut is journal.ts; what real files are is folder-disk.ts.
import { SyncError } from '../../base/errors.ts'
import { createLane } from '../../base/lane.ts'
import { mustBeKnown, type OutboxEvent } from '../../client/outbox/stored.ts'
import { lastNumberAfter, lastNumberOfRewrite } from '../../client/storage/numbers.ts'
import type { Folding, Storage, StoredFrame } from '../../client/storage/storage.ts'
import type { ActorId, Sequence } from '../../protocol/ids.ts'
import type { Disk } from './disk.ts'
import { onDisk } from './disk-fault.ts'
import { findJournal, type Journal, openJournal } from './journal.ts'
import { createList, type ListBytes, listOf } from './list.ts'
import type { RecordText } from './record.ts'

/**
 * A journal is worth writing anew when it has grown by this much and has doubled since the last time. A megabyte is read and parsed
 * in about 10 ms, so below it a start gains nothing; doubling keeps all rewriting together under twice the bytes ever appended.
 */
const FOLD_BYTES = 1024 * 1024

/** Calls that share one write and one sync. */
interface Group {
  readonly jobs: Job[]
}

/** The events of one call, as texts; `intents` are to be given their number. */
interface Job {
  readonly intents?: { readonly count: number; readonly list: ListBytes }
  readonly events?: readonly { readonly text: string; readonly event: OutboxEvent }[]
  resolve(first: Sequence): void
  reject(error: unknown): void
}

/** Opens the folder of one actor; rejects with `storage_in_use` while somebody else has it. */
export async function openFileStorage(disk: Disk, actor: ActorId): Promise<Storage> {
  const unlock = await onDisk('lock the folder', () => disk.lock())
  const outboxLane = createLane()
  const framesLane = createLane()
  let outbox: Journal | undefined
  let frames: Journal | undefined
  let client = ''
  let last = 0
  // The group that calls may still join; closed by its commit, and by whatever must come after it.
  let group: Group | undefined
  // A frame could not be kept. One kept after it would tell of effects whose rows are missing.
  let hasGap = false
  let closing: Promise<void> | undefined

  const close = (): Promise<void> => {
    group = undefined
    closing ??= (async () => {
      await outboxLane.run(async () => outbox?.close())
      await framesLane.run(async () => {
        await frames?.sync().catch(() => undefined)
        await frames?.close()
      })
      await unlock().catch(() => undefined)
    })()
    return closing
  }

  const opened = (journal: Journal | undefined): Journal => {
    if (journal === undefined) throw new SyncError('storage_failed', 'The storage is not loaded')
    if (closing !== undefined)
      throw new SyncError('storage_failed', 'The storage is closed', { details: { closed: true } })
    return journal
  }

  const join = (job: Omit<Job, 'resolve' | 'reject'>): Promise<Sequence> =>
    new Promise((resolve, reject) => {
      opened(outbox)
      if (group === undefined) {
        const begun: Group = { jobs: [] }
        group = begun
        void outboxLane.run(() => commit(begun))
      }
      group.jobs.push({ ...job, resolve, reject })
    })

  const commit = async (committed: Group): Promise<void> => {
    if (group === committed) group = undefined
    const { jobs } = committed
    let reached = last
    const firsts: Sequence[] = []
    const records: RecordText[] = []
    for (const { intents, events = [] } of jobs) {
      firsts.push((reached + 1) as Sequence)
      if (intents !== undefined) {
        records.push({ head: `{"kind":"made","first":${reached + 1},"intents":[`, list: intents.list, tail: ']}' })
        reached += intents.count
      }
      for (const { text, event } of events) {
        records.push(text)
        reached = lastNumberAfter(reached, event)
      }
    }
    try {
      await onDisk('add to the outbox', async () => outbox?.append(records, true))
    } catch (error) {
      for (const { reject } of jobs) reject(error)
      return
    }
    last = reached
    jobs.forEach(({ resolve }, index) => {
      resolve(firsts[index] as Sequence)
    })
  }

  return {
    mode: 'file',
    isDurable: true,
    async load(birth) {
      try {
        return await onDisk('open the stored data', async () => {
          const outboxName = { kind: 'outbox', actor } as const
          const framesName = { kind: 'frames', actor } as const
          // Nothing is touched before both are known to be readable.
          const foundOutbox = await findJournal(disk, outboxName)
          const foundFrames = await findJournal(disk, framesName)
          const events = foundOutbox.records as readonly OutboxEvent[]
          if (foundOutbox.generation > 0) checkEvents(events)
          else if (foundFrames.generation > 0)
            throw new SyncError('storage_corrupt', 'The folder holds rows, but its outbox is missing')
          outbox = await openJournal(disk, outboxName, foundOutbox)
          frames = await openJournal(disk, framesName, foundFrames)
          if (foundOutbox.generation === 0) await outbox.rewrite([JSON.stringify(birth)])
          const stored = foundOutbox.generation === 0 ? [birth] : events
          last = stored.reduce(lastNumberAfter, 0)
          client = stored[0]?.kind === 'born' ? stored[0].client : birth.client
          return { outbox: stored, frames: foundFrames.records as readonly StoredFrame[] }
        })
      } catch (error) {
        await close()
        throw error
      }
    },
    draft: createList,
    async append(intents, draft) {
      if (intents.length === 0) return join({})
      const list = draft === undefined ? listOf(intents.map((intent) => JSON.stringify(intent))) : (draft as ListBytes)
      return join({ intents: { count: intents.length, list } })
    },
    async note(make) {
      await join({ events: make().map((event) => ({ text: JSON.stringify(event), event })) })
    },
    async rewriteOutbox(make) {
      const events = make()
      const records = events.map((event) => JSON.stringify(event))
      opened(outbox)
      // What is called after this is to be done after this.
      group = undefined
      await outboxLane.run(async () => {
        const after = lastNumberOfRewrite({ client, last }, events)
        await onDisk('write the outbox anew', async () => outbox?.rewrite(records))
        client = after.client
        last = after.last
      })
    },
    async keepFrame(frame) {
      const record = JSON.stringify(frame)
      opened(frames)
      await framesLane.run(async () => {
        if (hasGap)
          throw new SyncError(
            'storage_failed',
            'An earlier frame could not be kept, and the rows were not written anew since',
            { details: { gap: true } },
          )
        try {
          await onDisk('add a frame', async () => frames?.append([record], false))
        } catch (error) {
          hasGap = true
          throw error
        }
      })
    },
    async rewriteFrames(next) {
      // Read out at once: whoever gives the frames may go on changing what they are made of.
      const records = Array.from(next, (frame) => JSON.stringify(frame))
      opened(frames)
      await framesLane.run(async () => {
        await onDisk('write the rows anew', async () => frames?.rewrite(records))
        hasGap = false
      })
    },
    folding: (): Folding => ({ outbox: isLong(outbox), frames: hasGap || isLong(frames) }),
    close,
  }
}

function isLong(journal: Journal | undefined): boolean {
  if (journal === undefined) return false
  const { bytes, base } = journal.length()
  return bytes - base > Math.max(FOLD_BYTES, base)
}

function checkEvents(events: readonly OutboxEvent[]): void {
  const [born] = events
  if (born?.kind !== 'born') throw new SyncError('storage_corrupt', 'The outbox does not begin with its birth')
  mustBeKnown(events)
}
