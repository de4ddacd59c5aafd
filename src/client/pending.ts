// Where outbox and replica meet: the overlay shows what is in neither the confirmed rows nor given up, whoever made it and whoever
// brings the rows, this client or another one of the same store (I5, I16). Decides nothing about sending; what a run shows is the
// replica's, what became of an intent the outbox's.
import { hasCode, SyncError } from '../base/errors.ts'
import { createLane } from '../base/lane.ts'
import { NOWHERE, samePlace } from '../protocol/frame.ts'
import type { OutboxEntry } from './outbox/entry.ts'
import type { Outbox } from './outbox/outbox.ts'
import type { OutboxEvent } from './outbox/stored.ts'
import type { PendingIntent, Replica } from './replica/replica.ts'
import type { OthersListener, StoredFrame } from './storage/storage.ts'

/** What they meet over. */
export interface PendingParts {
  readonly replica: Replica
  readonly outbox: Outbox
  /** Runs have been asked for: see that each ends with its turn. */
  onRuns(): void
  /** The badges of what these intents wrote may have changed. */
  touchSync(entries: readonly OutboxEntry[]): void
  /** A frame of this client’s own has come to count, and is to be kept. */
  keep(frame: StoredFrame): void
  /** All frames of a shared store. */
  readFrames(): Promise<readonly StoredFrame[]>
  report(error: unknown): void
}

/** The meeting place. */
export interface Pending {
  /** Applies what was kept of the rows, then runs what is pending; false when a frame does not fit: then only pulling leads on. */
  show(frames: readonly StoredFrame[]): Promise<boolean>
  /** Applies a frame that the authority sent to this client. */
  takeFrame(frame: StoredFrame): Promise<void>
  /** To be called for each frame that has come to count, before anybody looks: what it retires is `synced` in the same moment (I14). */
  committed(frame: Pick<StoredFrame, 'client' | 'decided'>): void
  /** Takes intents off the screen; what was built on them runs again. */
  takeBack(entries: readonly OutboxEntry[]): void
  /** Takes intents off the screen that the disk refused, and puts back what they were to replace. */
  refused(entries: readonly OutboxEntry[]): void
  /** Takes in what other clients of the same store kept. */
  readonly others: OthersListener
  /** The rows here may have left the line of the store: reads them anew. */
  reread(): void
  /** Shows nothing any more: no rows, and no intents on them. */
  clear(): Promise<void>
  /** Resolves when all that others kept so far is applied. */
  settled(): Promise<void>
}

/** Makes it. */
export function createPending(parts: PendingParts): Pending {
  const { replica, outbox, report } = parts
  const fromOthers = createLane()
  /** The frame of this client's own that is being applied. */
  let arriving: StoredFrame | undefined
  let isRereading = false

  /** What the overlay has to show. Of an earlier history than what is shown: all above `decided`. */
  const intents = (decided?: number): PendingIntent[] => {
    const pending: PendingIntent[] = []
    for (const { intent, sequence, isRetired, givenUp } of outbox.entries()) {
      const isPending = decided === undefined ? !isRetired : (sequence ?? Number.POSITIVE_INFINITY) > decided
      if (isPending && givenUp === undefined) pending.push(intent)
    }
    return pending
  }

  const apply = async (frame: StoredFrame): Promise<void> => {
    const isOfThisBirth = frame.client === outbox.client
    const isSealed = (entry: OutboxEntry | undefined): boolean =>
      entry !== undefined &&
      (entry.isRetired || (isOfThisBirth && (entry.sequence ?? Number.POSITIVE_INFINITY) <= frame.decided))
    // Rows that only turn from sending to synced change in nothing but their badge.
    parts.touchSync(outbox.entries().filter((entry) => !entry.isRetired && isSealed(entry)))
    parts.onRuns()
    // Of an earlier history than what is shown: what stood between the two is pending again.
    const wentBack = replica.client === frame.client && frame.decided < replica.decided
    await replica.confirm(frame, (id) => isSealed(outbox.get(id)), wentBack ? intents(frame.decided) : undefined)
  }

  const takeBack = (entries: readonly OutboxEntry[]): void => {
    if (entries.length === 0) return
    void replica.drop(new Set(entries.map(({ intent }) => intent.id)))
    parts.onRuns()
  }

  /** Rows that left the line of the store (a leader who was deposed had seen more) come back to it in one frame. */
  const reread = (): void => {
    if (isRereading) return
    isRereading = true
    void fromOthers.run(async () => {
      try {
        const frames = await parts.readFrames()
        isRereading = false
        if (frames.length > 0) await apply(inOne(frames))
      } catch (error) {
        isRereading = false
        report(error)
      }
    })
  }

  const applyOthers = async (frames: readonly StoredFrame[]): Promise<void> => {
    for (const frame of frames) {
      // What is being read anew holds these too.
      if (isRereading) return
      try {
        await apply(frame)
      } catch (error) {
        if (hasCode(error, 'frame_gap')) reread()
        else report(error)
      }
    }
  }

  /** Applies frames to an empty replica; false when one does not fit. */
  const showFrames = async (frames: readonly StoredFrame[]): Promise<boolean> => {
    // In one, where nothing between the first and the last matters: each of them would be looked at by every query.
    if (frames.length > 1 && frames.every((frame, at) => at === 0 || follows(frames[at - 1] as StoredFrame, frame))) {
      try {
        await replica.confirm(inOne(frames), () => false)
        return true
      } catch (error) {
        if (!(error instanceof SyncError)) throw error
      }
    }
    for (const frame of frames) {
      try {
        await replica.confirm(frame, () => false)
      } catch (error) {
        if (!(error instanceof SyncError)) throw error
        report(error)
        return false
      }
    }
    return true
  }

  return {
    async show(frames) {
      const areWhole = await showFrames(frames)
      parts.onRuns()
      await Promise.all(intents().map((intent) => replica.run(intent, 'stored')))
      return areWhole
    },
    async takeFrame(frame) {
      arriving = frame
      try {
        await apply(frame)
      } finally {
        arriving = undefined
      }
    },
    committed({ client, decided }) {
      if (outbox.client === client) outbox.retire(decided)
      // Handed over in the moment in which it counts, so that what is kept is always what was shown.
      if (arriving !== undefined) parts.keep(arriving)
    },
    takeBack,
    refused(entries) {
      takeBack(entries)
      if (!entries.some(({ intent }) => intent.replaces !== undefined)) return
      void replica.reorder(intents()).catch(report)
      parts.onRuns()
    },
    others: {
      outbox(events: readonly OutboxEvent[]) {
        const changed = outbox.take(events)
        // Its rows may have been here before word of it was.
        const retired = replica.client === outbox.client ? outbox.retire(replica.decided) : []
        takeBack([...changed.filter(({ givenUp }) => givenUp !== undefined), ...retired])
        if (!events.some(({ kind }) => kind === 'made')) return
        void replica.reorder(intents()).catch(report)
        parts.onRuns()
      },
      frames(frames, areAll) {
        void fromOthers.run(() => applyOthers(areAll ? [inOne(frames)] : frames))
      },
    },
    reread,
    async clear() {
      const { decided, at = 0 } = replica
      parts.onRuns()
      // What no scope holds leaves.
      await replica.confirm({ client: outbox.client, decided, patches: [], scopes: [], at }, () => true)
    },
    settled: () => fromOthers.run(async () => undefined),
  }
}

/** Whether nobody has to know that the first frame stood before the second: no history went back, no birth ended. */
function follows(before: StoredFrame, frame: StoredFrame): boolean {
  return before.client === frame.client && before.decided <= frame.decided
}

/** Frames that lead from nothing to a state, as one that does so whatever stood there before. */
function inOne(frames: readonly StoredFrame[]): StoredFrame {
  const patches = frames.flatMap((frame) => frame.patches)
  const [{ folded: first } = {}] = frames as readonly Partial<StoredFrame>[]
  let folded = 0
  for (const frame of frames) {
    if (frame.folded === undefined || frame.folded.app !== first?.app) break
    folded += frame.folded.patches
  }
  return {
    ...(frames.at(-1) as StoredFrame),
    patches: patches.map((patch) => (samePlace(patch.from, NOWHERE) ? { ...patch, reset: true } : patch)),
    ...(first === undefined ? {} : { folded: { ...first, patches: folded } }),
  }
}
