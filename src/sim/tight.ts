// Small limits for some seeds: pages of nine entries, batches of five intents, live patches of six. With the real limits no simulated
// world is large enough to fill a page, and what happens between two pages of one pull would never be seen.
import type { SourcePatch } from './patches.ts'

const limit = (name: string, usual: string, tight: number): SourcePatch => ({
  file: 'protocol/limit-values.ts',
  find: `export const ${name} = ${usual}\n`,
  replace: `export const ${name} = ${tight}\n`,
})

/** The patches. */
export const TIGHT: readonly SourcePatch[] = [
  limit('batchIntents', '1_000', 5),
  limit('pageEntries', '5_000', 9),
  limit('liveEntries', '2_000', 6),
]

/** Whether a seed lives with small limits. */
export function isTight(seed: number): boolean {
  return seed % 3 === 0
}
