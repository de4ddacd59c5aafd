// Older arguments turned into newer ones, in memory, just before a run, on either side. What is stored, sent and fingerprinted
// stays as it was made.
import { cloneJson, type Json } from '../base/json.ts'
import { type Mutator, validateArguments } from './mutator.ts'

/** What a version of some arguments means to this mutator. */
export type Upgraded =
  | { readonly kind: 'ready'; readonly input: unknown }
  /** They are of this very version and do not fit. */
  | { readonly kind: 'invalid'; readonly problems: readonly string[] }
  /** They are newer, no chain of upgrades leads here, or the chain’s result does not fit. */
  | { readonly kind: 'unfit'; readonly reason: string }

/** Brings arguments to the mutator's version and validates them. An upgrade that throws is a chain that does not lead here. */
export function upgradeArguments(name: string, mutator: Mutator, version: number, args: Json): Upgraded {
  const unfit = (why: string): Upgraded => ({
    kind: 'unfit',
    reason: `${name} was called at version ${version} and is at version ${mutator.version} here: ${why}`,
  })
  if (version > mutator.version) return unfit('this app is older')
  // A copy for each run: a step, a schema or a body that writes into its arguments must not change what was made.
  let current = cloneJson(args)
  for (let from = version; from < mutator.version; from++) {
    const step = mutator.upgrades[from]
    if (step === undefined) return unfit(`no upgrade leads on from version ${from}`)
    try {
      current = step(current)
    } catch (error) {
      return unfit(`the upgrade from version ${from} threw ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const validated = validateArguments(name, mutator, current)
  if (validated.ok) return { kind: 'ready', input: validated.input }
  const { problems } = validated
  return version === mutator.version ? { kind: 'invalid', problems } : unfit(problems.join('; '))
}
