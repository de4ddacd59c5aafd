// `npm run sim -- --seeds 1..500 [--json]`: runs seeds of the simulator in as many processes as there are cores, and sums them up.
// `--seed N --story` tells one; `--break NAME` loads the sources with a patch that a violation must show; `--breaks` lists them.
// The last line of stdout is the summary (with --json one JSON object); progress goes to stderr. Exit code 1 on a violation, when a
// seed is not the same twice, and when a long run never saw a kind of fault or a check; 2 when the command makes no sense.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { BREAKS } from '../src/sim/breaks.ts'
import { patchProblem, readSource } from '../src/sim/patches.ts'
import { hasFailed, summarize } from '../src/sim/summary.ts'
import { createPool, type Pool, runAll } from './sim-pool.ts'

const USAGE = 'npm run sim -- --seeds 1..500 [--json] [--break NAME] [--processes N] | --seed N [--story] | --breaks'

process.exitCode = await command()

async function command(): Promise<number> {
  const options = readOptions()
  if (options === undefined) return 2
  if (options.breaks) {
    for (const { name } of BREAKS) console.log(name)
    return 0
  }
  const broken = BREAKS.find(({ name }) => name === options.break)
  if (options.break !== undefined && broken === undefined) return refuse(`There is no break ${options.break}`)
  const problem = broken === undefined ? undefined : patchProblem(broken, readSource(broken.file))
  if (problem !== undefined) return refuse(`The break ${broken?.name} does not fit the sources: ${problem}`)
  const seeds = readSeeds(options.seeds ?? options.seed ?? '1..20')
  if (seeds === undefined) return refuse('Say which seeds: --seeds 1..500, --seeds 3,17 or --seed 7')

  const began = performance.now()
  const pool = createPool(broken?.name)
  let count = 0
  let toldAt = began
  const { results, story, comparedTwice, different } = await runAll(
    pool,
    seeds,
    Math.min(Number(options.processes), seeds.length),
    {
      untilFirst: broken !== undefined,
      onResult({ seed, violations: [first] }) {
        count++
        if (first !== undefined)
          console.error(`seed ${seed}: ${first.invariant} does not hold: ${first.message.slice(0, 600)}`)
        if (performance.now() < toldAt + 2_000) return
        toldAt = performance.now()
        console.error(`${count} of ${seeds.length} seeds`)
      },
    },
  )
  const seconds = Number(((performance.now() - began) / 1000).toFixed(1))
  const summary = {
    ...summarize(results, comparedTwice),
    ...(different.length === 0 ? {} : { different }),
    seconds,
    seedsPerSecond: Number((results.length / seconds).toFixed(2)),
  }

  for (const seed of different) console.error(`Seed ${seed} was not the same when it was run again.`)
  if (summary.never !== undefined) console.error(`Never in ${summary.seeds} seeds: ${summary.never.join(', ')}.`)
  const told = options.story ? seeds[0] : summary.firstSeed
  if (told !== undefined) {
    const text = told === summary.firstSeed && story !== undefined ? story : await tell(pool, told)
    if (options.story && !options.json) process.stdout.write(text)
    else console.error(text)
  }
  pool.close()
  if (options.json) console.log(JSON.stringify(summary))
  else if (!options.story)
    console.log(`${summary.seeds} seeds, ${summary.intents} intents, ${summary.violations} violations, ${seconds} s`)
  return hasFailed(summary) || different.length > 0 ? 1 : 0
}

/** The story of one seed. */
async function tell(pool: Pool, seed: number): Promise<string> {
  const lane = pool.lane()
  const { story } = await lane.ask({ seed, story: true })
  lane.close()
  return story
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        seeds: { type: 'string' },
        seed: { type: 'string' },
        story: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        break: { type: 'string' },
        breaks: { type: 'boolean', default: false },
        processes: { type: 'string', default: String(availableParallelism()) },
      },
    }).values
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error))
    return undefined
  }
}

/** `7`, `1..500` or `3,17,20..22`. */
function readSeeds(text: string): readonly number[] | undefined {
  const seeds: number[] = []
  for (const part of text.split(',')) {
    const [, first, last = first] = part.match(/^(\d+)(?:\.\.(\d+))?$/) ?? []
    if (first === undefined || Number(last) < Number(first)) return undefined
    for (let seed = Number(first); seed <= Number(last); seed++) seeds.push(seed)
  }
  return seeds
}

function refuse(what: string): number {
  console.error(`${what}.\n${USAGE}`)
  return 2
}
