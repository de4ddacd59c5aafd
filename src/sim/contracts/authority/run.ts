// Runs cases of the authority's contract and counts them by item. A case that takes too long has failed: it waits
// for something that does not come. Prints nothing; scripts/contract.ts does.
import { beforeDeadline } from '../../../base/deadline.ts'
import type { AuthorityCase, Surroundings } from './ground.ts'

/** What the cases came to. */
export interface Tally {
  readonly passed: number
  readonly failed: number
  /** Cases that were not run, because one had failed and no more was asked for. */
  readonly skipped: number
  readonly byItem: { readonly [item: string]: { readonly passed: number; readonly failed: number } }
}

/** One case that failed. */
export interface Failed {
  readonly item: number
  readonly title: string
  readonly why: string
}

/** A case may take this long, in milliseconds of real time. */
const CASE_MS = 60_000

/** Runs one case. */
export function runCase({ run }: AuthorityCase, surroundings: Surroundings): Promise<void> {
  return beforeDeadline(surroundings.clock, CASE_MS, run(surroundings), 'the case')
}

/** Runs cases, `lanes` of them at once; `onFailed` hears of each that fails as it does. With `bail` none begins after one has failed. */
export async function runCases(
  cases: readonly AuthorityCase[],
  surroundings: Surroundings,
  lanes: number,
  onFailed: (failed: Failed) => void,
  bail = false,
): Promise<Tally> {
  const byItem: { [item: string]: { passed: number; failed: number } } = {}
  for (const { item } of cases) byItem[item] ??= { passed: 0, failed: 0 }
  const left = [...cases]
  let isOver = false
  const runLane = async (): Promise<void> => {
    for (let each = left.shift(); each !== undefined; each = isOver ? undefined : left.shift()) {
      const counted = byItem[each.item] as { passed: number; failed: number }
      try {
        await runCase(each, surroundings)
        counted.passed++
      } catch (error) {
        counted.failed++
        isOver = bail
        onFailed({ item: each.item, title: each.title, why: error instanceof Error ? error.message : String(error) })
      }
    }
  }
  await Promise.all(Array.from({ length: lanes }, runLane))
  const sum = (key: 'passed' | 'failed') => Object.values(byItem).reduce((total, counted) => total + counted[key], 0)
  return { passed: sum('passed'), failed: sum('failed'), skipped: left.length, byItem }
}
