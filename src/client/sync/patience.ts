// How long one intent may hold up those behind it. What the authority cannot decide now keeps its place, and is asked about again and
// again: a deploy that is mended lets all through as if nothing had happened. Only what has failed for long enough, and often
// enough, is given up to the person. Counts; who parks is push.ts.
import type { Clock } from '../../base/clock.ts'
import type { IntentId } from '../../protocol/ids.ts'

/** Both have to be reached. */
export interface PatienceLimits {
  readonly tries: number
  readonly ms: number
}

/** The patience with whichever intent stands first. */
export interface Patience {
  /** Counts one more try in vain; whether it was the last. */
  isOver(intent: IntentId, limits: PatienceLimits): boolean
}

/** Makes it. Only one intent is counted at a time: those behind it have not been tried. */
export function createPatience({ monotonic }: Pick<Clock, 'monotonic'>): Patience {
  let counted: IntentId | undefined
  let tries = 0
  let since = 0
  return {
    isOver(intent, limits) {
      if (intent !== counted) {
        counted = intent
        tries = 0
        since = monotonic()
      }
      tries++
      return tries >= limits.tries && monotonic() - since >= limits.ms
    },
  }
}
