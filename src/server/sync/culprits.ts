// Whose fault it is when a mutator throws: that of one intent, or that of the deploy. Counted here, in the memory of one authority: how often
// each mutator has run through, and for which intents it fails. An intent is told that it fails by itself only when others of its mutator
// pass meanwhile, many for each that fails. It decides nothing: a device that is told so long enough parks that intent (decision 0009).

/** The count of one authority. */
export interface Culprits {
  /** The mutator ran through for this intent, whatever its outcome. */
  passed(mutator: string, intentId: string): void
  /** It threw for this intent; whether the intent fails by itself, as far as can be known. */
  failed(mutator: string, intentId: string): boolean
}

/** So many others have to pass for each intent that fails: a deploy that fails for a tenth of all is a bad deploy. */
const PASSES_EACH = 10

/** Failing intents of one mutator that are remembered; of more the oldest are forgotten, which only takes longer. */
const MAX_FAILING = 1_000

/** Makes the count. */
export function createCulprits(): Culprits {
  const counts = new Map<string, { passes: number; readonly failing: Map<string, number> }>()
  const countOf = (mutator: string) => {
    const known = counts.get(mutator)
    if (known !== undefined) return known
    const made = { passes: 0, failing: new Map<string, number>() }
    counts.set(mutator, made)
    return made
  }
  return {
    passed(mutator, intentId) {
      const count = countOf(mutator)
      count.passes++
      count.failing.delete(intentId)
    },
    failed(mutator, intentId) {
      const { passes, failing } = countOf(mutator)
      const since = failing.get(intentId) ?? passes
      failing.set(intentId, since)
      if (failing.size > MAX_FAILING) for (const oldest of failing.keys()) return failing.delete(oldest) && false
      return passes - since >= PASSES_EACH * failing.size
    },
  }
}
