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
}: FrameKeeperParts): FrameKeeper {
  const lane = createLane()
  let isBroken = !areWhole
  let isClosed = false
  let cancelFold: Cancel | undefined

  async function write(frame: StoredFrame): Promise<void> {
    try {
      if (isBroken) await storage.rewriteFrames(frames())
      else await storage.keepFrame(frame)
      isBroken = false
    } catch (error) {
      isBroken = true
      report(error)
    }
  }

  async function fold(): Promise<void> {
    if (isClosed) return
    await tidyOutbox()
    if (storage.folding().frames) await storage.rewriteFrames(frames())
  }

  return {
    keep(frame) {
      void lane.run(() => write(frame))
      cancelFold ??= clock.after(foldAfterMs, () => {
        cancelFold = undefined
        lane.run(fold).catch(report)
      })
    },
    async close() {
      isClosed = true
      cancelFold?.()
      await lane.run(async () => undefined)
    },
  }
}
