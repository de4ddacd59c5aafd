// One process of `npm run sim`: runs the seeds that it is asked for over the channel of its parent, and answers with their results.
// Arguments: a folder for the authority's files, `tight` or `usual` limits, and the name of a break, if any. The patches have to be
// in place before the first source is loaded, so the sources come by dynamic import.
import { BREAKS } from '../src/sim/breaks.ts'
import { loadPatched } from '../src/sim/patches.ts'
import type { SeedResult } from '../src/sim/run.ts'
import { TIGHT } from '../src/sim/tight.ts'

/** What a worker is asked. */
export interface Question {
  readonly seed: number
  /** Whether the story is wanted too. */
  readonly story: boolean
}

/** What it answers. */
export interface Answer {
  readonly result: SeedResult
  readonly story: string
}

const [folder = '', limits = 'usual', broken = ''] = process.argv.slice(2)
loadPatched([...BREAKS.filter(({ name }) => name === broken), ...(limits === 'tight' ? TIGHT : [])])
const { runSeed } = await import('../src/sim/run.ts')
const { tellStory } = await import('../src/sim/story.ts')

process.on('disconnect', () => process.exit())
process.on('message', async ({ seed, story }: Question) => {
  const run = await runSeed(seed, folder)
  process.send?.({ result: run.result, story: story ? tellStory(run) : '' } satisfies Answer)
})
