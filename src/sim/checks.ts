// The count of what was checked, by invariant, and what was found. Every check of the simulator goes through here, so that a check
// that is never reached shows as a zero. What is checked stands in the files that see it: wire-checks, truth, device-checks, verdict.
import { InvariantError, type InvariantId } from '../base/assert.ts'

/** The invariants that the simulator checks. */
export const CHECKED = [
  'I1',
  'I2',
  'I3',
  'I4',
  'I5',
  'I6',
  'I7',
  'I8',
  'I9',
  'I10',
  'I11',
  'I12',
  'I13',
  'I14',
  'I15',
  'I16',
  'I17',
  'I18',
] as const

/** One of them. */
export type Checked = (typeof CHECKED)[number]

/** Evaluations by invariant. */
export type CheckCounts = { [Id in Checked]: number }

/** An invariant that did not hold. `invariant` is «error» for a failure that no invariant names: something threw. */
export interface Violation {
  readonly invariant: InvariantId | 'error'
  readonly message: string
}

/** The checks of one run. */
export interface Checks {
  /** Counts one evaluation, and the violation when it fails. */
  check(invariant: Checked, holds: boolean, message: () => string): void
  /** Something threw or was reported that should not have been. */
  failed(error: unknown, where: string): void
  readonly counts: CheckCounts
  readonly violations: readonly Violation[]
}

/** No evaluation yet. */
export function noChecks(): CheckCounts {
  return Object.fromEntries(CHECKED.map((id) => [id, 0])) as CheckCounts
}

/** How many violations are kept: those after the first are mostly its consequences. */
const KEPT = 5

/** Begins to count. */
export function createChecks(): Checks {
  const counts = noChecks()
  const violations: Violation[] = []
  const found = (invariant: Violation['invariant'], message: string): void => {
    if (violations.length < KEPT) violations.push({ invariant, message })
  }
  return {
    check(invariant, holds, message) {
      counts[invariant]++
      if (!holds) found(invariant, message())
    },
    failed(error, where) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      found(error instanceof InvariantError ? error.invariant : 'error', `${where}: ${text}`)
    },
    counts,
    violations,
  }
}
