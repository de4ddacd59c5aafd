// The policy of the storage ladder: which rungs there are in which order, which faults make a client go on to the next, and what is
// said about it. Only that: how a rung is opened is the host's, what moves between two is ladder.ts.
import { hasCode, SyncError } from '../../base/errors.ts'
import type { RefusedWhy, Storage, StorageMode } from './storage.ts'

/** One mode, as a host offers it. */
export interface Rung {
  readonly mode: StorageMode
  open(): Promise<Storage>
  /** Whether an earlier session left something here; asked while the first rung opens, so it must be quick. */
  holds?(): boolean
  /** Erases what is kept here; nobody has it open. */
  clear?(): Promise<void>
  /** Has at hand whatever opening this needs, for a time without a network. */
  prepare?(): Promise<unknown>
}

/** The rungs in the order that was asked for. */
export function inOrder(rungs: { readonly [M in StorageMode]?: Rung }, order: readonly StorageMode[]): readonly Rung[] {
  const chosen = order.flatMap((mode) => rungs[mode] ?? [])
  if (chosen.length !== new Set(order).size || chosen.length === 0)
    throw new TypeError(`storage: [${order.join(', ')}] must name some of ${Object.keys(rungs).join(', ')}, each once`)
  return chosen
}

/** The word for an error. */
export function whyOf(error: unknown): RefusedWhy {
  if (hasCode(error, 'storage_in_use')) return 'in_use'
  if (hasCode(error, 'storage_newer') || hasCode(error, 'storage_corrupt')) return 'unreadable'
  switch (error instanceof SyncError ? error.details['errno'] : undefined) {
    case 'QuotaExceededError':
    case 'ENOSPC':
    case 'EDQUOT':
      return 'quota'
    case 'SecurityError':
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'forbidden'
    case 'InvalidStateError':
    case 'NotFoundError':
    case 'ENOENT':
      return 'lost'
    case 'TimeoutError':
      return 'timed_out'
    default:
      return 'failed'
  }
}

/**
 * Whether a client may begin on the next rung when this one could not be opened. What is there and cannot be read (damage, a newer
 * format) or is in other hands must not be passed over on the first rung: the person would start from nothing without a word.
 */
export function mayPassOver(error: unknown, isFirst: boolean): boolean {
  return hasCode(error, 'storage_failed') || (!isFirst && error instanceof SyncError)
}

/** Whether a client moves on while it runs: the store refuses, and was not closed by the client itself. */
export function mayMove(error: unknown): boolean {
  return hasCode(error, 'storage_failed') && error.details['closed'] !== true
}

/** Whether an earlier session left something there, as far as one may ask. */
export function holds(rung: Rung): boolean {
  try {
    return rung.holds?.() === true
  } catch {
    // Even to ask is refused here: then nothing was kept here either.
    return false
  }
}
