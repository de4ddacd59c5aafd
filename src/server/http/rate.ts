// How many requests one actor may send: a bucket of tokens for each, that fills by the clock. Holds nothing on disk, so it counts for one
// process and begins full. Bounded: whoever was not heard of for longest is forgotten first, who then has a full bucket again (I13).
import type { Clock } from '../../base/clock.ts'

/** How fast a bucket fills, and how much it holds; `perSecond: Infinity` for no limit. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** The buckets of all actors. */
export interface Buckets {
  /**
   * Takes tokens from an actor's bucket, down to less than none. Gives the milliseconds until there is one again when there is none
   * left to begin with, and takes nothing then; else 0.
   */
  take(actor: string, tokens: number): number
  /** How many actors are known. */
  size(): number
}

interface Bucket {
  tokens: number
  /** When that was so, by the monotonic clock. */
  at: number
}

/** Makes the buckets. Throws a TypeError for a rate at which nobody could ever send. */
export function createBuckets(clock: Clock, { perSecond, burst }: Rate, maxActors = 10_000): Buckets {
  if (!(perSecond > 0 && burst >= 1))
    throw new TypeError(
      `createAuthority: rate is ${perSecond} a second and ${burst} at once, it must be above 0 and at least 1`,
    )
  const buckets = new Map<string, Bucket>()

  return {
    take(actor, tokens) {
      if (perSecond === Number.POSITIVE_INFINITY) return 0
      const now = clock.monotonic()
      const known = buckets.get(actor)
      const held = known === undefined ? burst : Math.min(burst, known.tokens + ((now - known.at) * perSecond) / 1_000)
      const isEmpty = held < 1
      // Whoever was heard of last stands last.
      buckets.delete(actor)
      buckets.set(actor, { tokens: isEmpty ? held : held - tokens, at: now })
      if (buckets.size > maxActors) {
        for (const oldest of buckets.keys()) {
          buckets.delete(oldest)
          break
        }
      }
      return isEmpty ? Math.ceil(((1 - held) * 1_000) / perSecond) : 0
    },
    size: () => buckets.size,
  }
}
