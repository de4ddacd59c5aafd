// Work in slices: some milliseconds of it, then the page may draw and hear, then some more. Pure: what time it is and how to
// breathe come in, because a page has better ways than a timer (which a browser slows down in a tab that nobody looks at).
import type { Step, Steps } from '../import/steps.ts'

/** How a slice ends. */
export interface Breath {
  now(): number
  /** Resolves when the page has had its turn. */
  breathe(): Promise<void>
}

/** How long a slice may take: half a frame, so that the other half is left to draw. */
export const SLICE_MS = 8

/** Runs steps in slices; `onStep` hears how far they are after each slice. */
export async function runInSlices<Result>(
  steps: Steps<Result>,
  { now, breathe }: Breath,
  onStep: (step: Step) => void,
): Promise<Result> {
  for (;;) {
    const started = now()
    for (;;) {
      const step = steps.next()
      if (step.done === true) return step.value
      if (now() - started < SLICE_MS) continue
      onStep(step.value)
      break
    }
    await breathe()
  }
}

/**
 * How many pieces of work to do in the next slice, from what the last ones took: works also where a call only begins its work
 * and the rest of it runs before the page has its turn. Grows slowly and shrinks at once.
 */
export function nextSize(size: number, tookMs: number): number {
  const fitting = Math.floor((size * SLICE_MS) / Math.max(tookMs, 0.1))
  return Math.max(1, Math.min(fitting, size * 2, 100))
}
