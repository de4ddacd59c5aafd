// Many seeds as one: the sums that the command prints, the digest of all histories in the order of seeds, and why a run has failed.
// The same results give the same summary, in whatever order and by however many processes they came.
import { createHash } from 'node:crypto'
import { CHECKED, type CheckCounts, noChecks } from './checks.ts'
import { FAULTS, type Fault, type FaultCounts, noFaults } from './faults.ts'
import type { SeedResult } from './run.ts'

/** In a run of this many seeds every kind of fault and every check must have occurred. */
export const MUST_COUNT_ALL = 100

/** What a run of many seeds gives; printed as JSON. */
export interface Summary {
  readonly seeds: number
  readonly intents: number
  readonly steps: number
  readonly faults: FaultCounts
  readonly checks: CheckCounts
  /** Seeds in which an invariant did not hold. */
  readonly violations: number
  readonly firstSeed?: number
  readonly invariant?: string
  readonly message?: string
  /** Kinds of faults and checks that a long run never counted. */
  readonly never?: readonly string[]
  /** Seeds that were run twice and compared. */
  readonly comparedTwice: number
  /** The slowest agreement after healing, in milliseconds of the world. */
  readonly slowestAgreementMs: number
  readonly digest: string
}

/** Sums results up. */
export function summarize(results: readonly SeedResult[], comparedTwice: number): Summary {
  const faults = noFaults()
  const checks = noChecks()
  const hash = createHash('sha256')
  let intents = 0
  let steps = 0
  let slowest = 0
  const inOrder = [...results].sort((a, b) => a.seed - b.seed)
  for (const result of inOrder) {
    intents += result.intents
    steps += result.steps
    slowest = Math.max(slowest, result.agreedAfterMs)
    for (const kind of Object.keys(FAULTS) as Fault[]) faults[kind] += result.faults[kind]
    for (const id of CHECKED) checks[id] += result.checks[id]
    hash.update(`${result.seed} ${result.digest}\n`)
  }
  const failed = inOrder.filter(({ violations }) => violations.length > 0)
  const [first] = failed
  const never =
    results.length < MUST_COUNT_ALL
      ? []
      : [...Object.entries(faults), ...Object.entries(checks)].flatMap(([name, count]) => (count === 0 ? [name] : []))
  return {
    seeds: results.length,
    intents,
    steps,
    faults,
    checks,
    violations: failed.length,
    ...(first === undefined
      ? {}
      : {
          firstSeed: first.seed,
          invariant: first.violations[0]?.invariant ?? 'error',
          message: first.violations[0]?.message ?? '',
        }),
    ...(never.length === 0 ? {} : { never }),
    comparedTwice,
    slowestAgreementMs: slowest,
    digest: hash.digest('hex'),
  }
}

/** The result of a seed that came to no end. */
export function failedSeed(seed: number, message: string): SeedResult {
  return {
    seed,
    intents: 0,
    faults: noFaults(),
    checks: noChecks(),
    violations: [{ invariant: 'error', message }],
    digest: message,
    steps: 0,
    agreedAfterMs: -1,
  }
}

/** Whether a run has failed. */
export function hasFailed(summary: Summary): boolean {
  return summary.violations > 0 || summary.never !== undefined
}
