// Work that can be interrupted: a generator that says after each small step how far it is, and gives its result at the end.
// A process runs it at once; a page runs it in slices, so that nobody waits for a whole file between two key strokes.
// What the steps do is in parse.ts and plan.ts; when the next one runs is the caller's business.

/** How far the work is. */
export interface Step {
  readonly done: number
  readonly all: number
}

/** Work in steps of about a millisecond or less. */
export type Steps<Result> = Generator<Step, Result, undefined>

/** Runs all steps, one after the other. */
export function finish<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}
