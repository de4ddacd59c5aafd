// The measuring itself: medians, percentiles, two sides in turns, and what one figure of a report holds.
// Knows nothing of what is measured. A figure stands beside its raw limit, measured in the same process by turns, because the
// machine is shared and noisy: the ratio says more than either number.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What a figure is to reach. */
export interface Reach {
  /** What is held against the bound: the figure, or its ratio to the raw limit. */
  readonly of: 'value' | 'ratio'
  readonly is: 'at most' | 'at least'
  readonly bound: number
}

/** One line of the report. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** The raw limit in the same unit; null where there is none. */
  readonly raw: number | null
  /** The figure divided by its raw limit. */
  readonly ratio: number | null
  readonly reach: Reach | null
  /** Whether the reach is met; null where none is set. */
  readonly met: boolean | null
  /** What was measured, what the raw limit is, and what the reach compares. */
  readonly note: string
}

/** Makes a figure and judges it. */
export function figure(parts: {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly raw?: number
  readonly reach?: Reach
  readonly note: string
}): Figure {
  const { name, unit, note } = parts
  const value = rounded(parts.value)
  const raw = parts.raw === undefined ? null : rounded(parts.raw)
  const ratio = parts.raw === undefined || parts.raw === 0 ? null : rounded(parts.value / parts.raw)
  const reach = parts.reach ?? null
  return { name, value, unit, raw, ratio, reach, met: reach === null ? null : isMet(reach, value, ratio), note }
}

function isMet(reach: Reach, value: number, ratio: number | null): boolean {
  const held = reach.of === 'value' ? value : (ratio ?? Number.NaN)
  return reach.is === 'at most' ? held <= reach.bound : held >= reach.bound
}

/** Three significant digits, and whole numbers above a thousand. */
function rounded(value: number): number {
  return Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(3))
}

/** The value below which the given share of the samples lies. */
export function percentile(samples: readonly number[], share: number): number {
  if (samples.length === 0) throw new RangeError('There are no samples')
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number
}

/** The middle of the samples. */
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle]
  if (upper === undefined) throw new RangeError('There are no samples')
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2
}

/**
 * Two ways, each measured as often as asked, in the order ab ba ab … so that a slow moment meets both. Every sample begins on a
 * collected heap, so that none pays for the one before it; `asItComes` leaves collecting to the runtime, for samples so short that
 * one forced collection would bring on the next in their midst.
 */
export async function inTurns<A, B>(
  repeats: number,
  a: () => Promise<A>,
  b: () => Promise<B>,
  heap: 'collected' | 'asItComes' = 'collected',
): Promise<{ readonly a: readonly A[]; readonly b: readonly B[] }> {
  const all = { a: [] as A[], b: [] as B[] }
  for (let round = 0; round < repeats; round++) {
    const order = round % 2 === 0 ? (['a', 'b'] as const) : (['b', 'a'] as const)
    for (const side of order) {
      if (heap === 'collected') collectGarbage()
      if (side === 'a') all.a.push(await a())
      else all.b.push(await b())
    }
  }
  return all
}

/** How long something takes, in milliseconds. */
export async function timed(run: () => unknown): Promise<number> {
  const began = performance.now()
  await run()
  return performance.now() - began
}

function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('A figure runs under --expose-gc: start it with bench/run.ts')
  globalThis.gc()
}

/** Gives a fresh folder to `run` and removes it afterwards. */
export async function inFolder<Result>(run: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
  try {
    return await run(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
