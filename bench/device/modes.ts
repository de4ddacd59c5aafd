// The figures of one storage mode among those of others: the same measuring as in the benches of the engine and of the browser, with the
// mode in front of each name. Measures nothing by itself.
import type { Figure } from '../harness.ts'

/** The figures, named after the mode of which they tell; a reach is set by the bench from which they come. */
export function inMode(mode: string, figures: readonly Figure[]): readonly Figure[] {
  return figures.map((figure) => ({ ...figure, name: `${mode}: ${figure.name}` }))
}
