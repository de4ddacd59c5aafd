// How long to wait before the next try. Bounded and jittered, so that a fleet does not come back in one second.
// Who keeps the number of tries, and when to reset it, is the caller's business.
import { fraction, type Random } from './random.ts'

/** Bounds of a backoff, in milliseconds. */
export interface BackoffLimits {
  readonly firstMs: number
  readonly maxMs: number
}

/**
 * The delay in milliseconds before try number `attempt` (1 is the first retry): doubled each time up to `maxMs`, of which
 * a random half to whole is taken («equal jitter»). A server's own wish (`Retry-After`) is a floor, never shortened; up to a quarter is
 * added to it, for it is told to many at once.
 */
export function backoffMs(attempt: number, limits: BackoffLimits, random: Random, retryAfterMs = 0): number {
  const ceiling = Math.min(limits.maxMs, limits.firstMs * 2 ** Math.min(attempt - 1, 30))
  const chance = fraction(random)
  return Math.round(Math.max(ceiling / 2 + (ceiling / 2) * chance, retryAfterMs * (1 + chance / 4)))
}
