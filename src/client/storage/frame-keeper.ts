// Keeps the frames of confirmed rows on disk, one after the other, and folds the journals when nothing else is to do.
// A frame that could not be kept must not be followed by one that builds on it: then all rows are written anew (I5: what is
// stored is always one state that was true). Losing the newest frames costs a longer pull, never an intent.
import type { Cancel, Clock } from '../../base/clock.ts'
import { createLane } from '../../base/lane.ts'
import type { Storage, StoredFrame } from './storage.ts'

/** What the keeper works with. */
export interface FrameKeeperParts {
  readonly storage: Storage
  readonly clock: Clock
  /** How long after a frame to fold. */
  readonly foldAfterMs: number
  /** The present confirmed state as frames. */
  frames(): Iterable<StoredFrame>
  /** Lets go of what the outbox need not keep. */
  tidyOutbox(): Promise<void>
  report(error: unknown): void
  /** Whether what storage holds now is what is shown. */
  readonly areWhole: boolean
}

/** Keeps frames. */
export interface FrameKeeper {
  /** Keeps a frame in the background, after all earlier ones. */
  keep(frame: StoredFrame): void
  /** Runs a job, which may take frames away, while nothing is being written. When it resolves, what comes later is not kept. */
  last<Result>(job: () => Promise<Result>): Promise<Result>
  /** Resolves when nothing is being written; nothing is begun after. */
  close(): Promise<void>
}

/** Makes the keeper of one storage. */
export function createFrameKeeper({
  storage,
  clock,
  foldAfterMs,
  frames,
  tidyOutbox,
  report,
  areWhole,
}: FrameKeeperParts): FrameKeeper {
  const lane = createLane()
  let isBroken = !areWhole
  let isClosed = false
  let isOver = false
  let cancelFold: Cancel | undefined
  /** Frames handed over, and how many of them a rewriting has covered: those must not follow it. */
  let handedOver = 0
  let covered = 0

  async function rewrite(): Promise<void> {
    // Taken in one go: rows that change while the disk is busy belong to later frames.
    const present = [...frames()]
    covered = handedOver
    isBroken = true
    await storage.rewriteFrames(present)
    isBroken = false
  }

  async function write(frame: StoredFrame, number: number): Promise<void> {
    if (isOver || (number <= covered && !isBroken)) return
    try {
      if (isBroken) await rewrite()
      else await storage.keepFrame(frame)
    } catch (error) {
      isBroken = true
      report(error)
    }
  }

  async function fold(): Promise<void> {
    if (isClosed || isOver) return
    await tidyOutbox()
    if (storage.folding().frames) await rewrite()
  }

  return {
    keep(frame) {
      // What is not kept comes again.
      if (isClosed) return
      const number = ++handedOver
      void lane.run(() => write(frame, number))
      cancelFold ??= clock.after(foldAfterMs, () => {
        cancelFold = undefined
        lane.run(fold).catch(report)
      })
    },
    last: (job) =>
      lane.run(async () => {
        // Where it fails it may have taken rows away, and no frame may follow those.
        isBroken = true
        const result = await job()
        isOver = true
        return result
      }),
    async close() {
      isClosed = true
      cancelFold?.()
      await lane.run(async () => undefined)
    },
  }
}
