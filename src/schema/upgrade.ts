// Older arguments turned into newer ones, in memory, just before a run, on either side. What is stored, sent and fingerprinted
// stays as it was made.
import { cloneJson, type Json, jsonProblem } from '../base/json.ts'
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
  if (version > mutator.version)
    return {
      kind: 'unfit',
      reason: `${name} is at version ${mutator.version} here, the intent was made by version ${version}`,
    }
  // A copy for each run: a step, a schema or a body that writes into its arguments must not change what was made.
  let current = cloneJson(args)
  for (let from = version; from < mutator.version; from++) {
    const step = mutator.upgrades[from]
    if (step === undefined)
      return { kind: 'unfit', reason: `${name} has no upgrade from version ${from} to ${from + 1}` }
    try {
      current = step(current)
    } catch (error) {
      return {
        kind: 'unfit',
        reason: `${name}: the upgrade from version ${from} threw: ${error instanceof Error ? error.message : String(error)}`,
      }
    }
    const problem = jsonProblem(current)
    if (problem !== undefined)
      return { kind: 'unfit', reason: `${name}: after the upgrade from version ${from}, ${problem}` }
  }
  const validated = validateArguments(name, mutator, current)
  if (validated.ok) return { kind: 'ready', input: validated.input }
  if (version === mutator.version) return { kind: 'invalid', problems: validated.problems }
  return {
    kind: 'unfit',
    reason: `${name}: upgraded arguments do not fit version ${mutator.version}: ${validated.problems.join('; ')}`,
  }
}
