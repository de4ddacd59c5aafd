// The watchdog: no state of the loop is silent for ever. It barks when the authority has been heard of, intents wait, and none of them was
// decided for too long: whatever the reason is, a fault that is told already or one that nobody has thought of. What then
// happens (everything from the beginning, and a word in the status) is engine.ts.
import type { Cancel, Clock } from '../../base/clock.ts'

/** What it watches. */
export interface Watched {
  readonly clock: Clock
  /** How long nothing may happen. */
  readonly stalledMs: number
  /** Whether the loop wants to send something, and may: not while it is off, or held for a person. */
  isWanting(): boolean
  /** Changes with everything that is decided. */
  progress(): string
  /** How often the authority has spoken. */
  answers(): number
  /** Nothing was decided for that long although the authority speaks. */
  onStalled(): void
}

/** The watchdog of one loop. */
export interface Watchdog {
  /** Since the last bark nothing was decided. */
  readonly isStalled: boolean
  /** Something may have changed. */
  look(): void
  stop(): void
}

/** Makes it; it sleeps until something waits. */
export function createWatchdog({ clock, stalledMs, isWanting, progress, answers, onStalled }: Watched): Watchdog {
  let seen = ''
  let heard = 0
  let isStalled = false
  let cancel: Cancel | undefined

  const stop = (): void => {
    cancel?.()
    cancel = undefined
  }
  const wait = (): void => {
    seen = progress()
    heard = answers()
    cancel = clock.after(stalledMs, () => {
      cancel = undefined
      if (!isWanting() || progress() !== seen) return look()
      // Nobody was heard: that is told already, and nothing is to be mended here.
      if (answers() !== heard) {
        isStalled = true
        onStalled()
      }
      if (cancel === undefined) wait()
    })
  }
  const look = (): void => {
    if (!isWanting()) {
      isStalled = false
      return stop()
    }
    if (isStalled && progress() !== seen) isStalled = false
    if (cancel === undefined) wait()
  }
  return {
    get isStalled() {
      return isStalled
    },
    look,
    stop,
  }
}
