// `npm run sim -- --seeds 1..500 [--json]`: runs seeds of the simulator in as many processes as there are cores, and sums them up.
// `--seed N --story` tells one; `--break NAME` loads the sources with a patch that a violation must show; `--breaks` lists them.
// The last line of stdout is the summary (with --json one JSON object); progress goes to stderr. Exit code 1 on a violation, and when
// a long run never saw a kind of fault or a check.
import { type ChildProcess, fork } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { applyBreak, BREAKS } from '../src/sim/breaks.ts'
import type { SeedResult } from '../src/sim/run.ts'

/** What a worker is asked, and what it answers. */
type Question = { readonly seed: number; readonly story: boolean }
type Answer = { readonly result: SeedResult; readonly story: string }

/** A seed that takes longer than this hangs: usual is half a second. */
const HANGS_AFTER_MS = 90_000
/** One seed in so many is run twice and compared. */
const TWICE_EVERY = 100

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    story: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    break: { type: 'string' },
    breaks: { type: 'boolean', default: false },
    processes: { type: 'string' },
    worker: { type: 'boolean', default: false },
  },
})

if (options.breaks) {
  for (const { name } of BREAKS) console.log(name)
} else if (options.worker) {
  await work()
} else {
  process.exit(await command())
}

/** A worker: runs what it is asked until nobody asks any more. */
async function work(): Promise<void> {
  if (options.break !== undefined) loadBroken(options.break)
  const { runSeed } = await import('../src/sim/run.ts')
  const { tellStory } = await import('../src/sim/story.ts')
  // In memory where the system has such a folder: a seed writes and deletes some megabytes.
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'holdfast-sim-'))
  process.on('disconnect', () => {
    rmSync(folder, { recursive: true, force: true })
    process.exit()
  })
  process.on('message', async ({ seed, story }: Question) => {
    const run = await runSeed(seed, folder)
    process.send?.({ result: run.result, story: story ? tellStory(run) : '' } satisfies Answer)
  })
}

function loadBroken(name: string): void {
  const broken = BREAKS.find((each) => each.name === name)
  if (broken === undefined)
    throw new TypeError(`There is no break ${name}; there are ${BREAKS.map((each) => each.name).join(', ')}`)
  const url = new URL(`../src/${broken.file}`, import.meta.url).href
  const source = applyBreak(broken, readFileSync(fileURLToPath(url), 'utf8'))
  registerHooks({
    load: (asked, context, next) =>
      asked === url ? { format: 'module-typescript', source, shortCircuit: true } : next(asked, context),
  })
}

async function command(): Promise<number> {
  const { summarize, hasFailed } = await import('../src/sim/summary.ts')
  const [first, last] = seedsAsked()
  if (options.break !== undefined && !BREAKS.some(({ name }) => name === options.break)) {
    console.error(`There is no break ${options.break}; there are ${BREAKS.map(({ name }) => name).join(', ')}.`)
    return 2
  }
  const began = performance.now()
  const processes = Number(options.processes ?? Math.min(availableParallelism(), last - first + 1))
  const { results, different, compared } = await runAll(first, last, processes)
  const summary = summarize([...results.values()], compared)
  const seconds = Number(((performance.now() - began) / 1000).toFixed(1))
  const failed = hasFailed(summary) || different.length > 0
  for (const seed of different) console.error(`Seed ${seed} was not the same when it was run again.`)
  if (summary.never !== undefined) console.error(`Never in ${summary.seeds} seeds: ${summary.never.join(', ')}.`)
  const told = options.story ? first : summary.firstSeed
  if (told !== undefined)
    (options.story && !options.json ? process.stdout : process.stderr).write(
      (await ask(spawnWorker(), { seed: told, story: true }, true)).story,
    )
  const report = {
    ...summary,
    ...(different.length === 0 ? {} : { different }),
    seconds,
    seedsPerSecond: Number((summary.seeds / seconds).toFixed(2)),
  }
  if (options.json) console.log(JSON.stringify(report))
  else if (!options.story)
    console.log(`${summary.seeds} seeds, ${summary.intents} intents, ${summary.violations} violations, ${seconds} s`)
  return failed ? 1 : 0
}

function seedsAsked(): readonly [number, number] {
  const [, first, last] =
    (options.seeds ?? `${options.seed ?? 1}..${options.seed ?? 20}`).match(/^(\d+)\.\.(\d+)$/) ?? []
  if (first === undefined || last === undefined || Number(last) < Number(first)) {
    console.error('Say which seeds: --seeds 1..500, or --seed 7.')
    process.exit(2)
  }
  return [Number(first), Number(last)]
}

/** Hands seeds out in order. With a break the first violation is enough: what was handed out before it is finished. */
async function runAll(first: number, last: number, processes: number) {
  const results = new Map<number, SeedResult>()
  const different: number[] = []
  let compared = 0
  let next = first
  let enough = last
  let toldAt = 0
  const lane = async (): Promise<void> => {
    let worker = spawnWorker()
    while (next <= enough) {
      const seed = next++
      const { result } = await ask(worker, { seed, story: false })
      results.set(seed, result)
      if (result.violations.length > 0) {
        console.error(
          `seed ${seed}: ${result.violations[0]?.invariant} does not hold: ${result.violations[0]?.message.slice(0, 600)}`,
        )
        if (options.break !== undefined) enough = Math.min(enough, seed)
        if (!worker.connected) worker = spawnWorker()
      }
      if (seed % TWICE_EVERY === 0 && worker.connected) {
        compared++
        if ((await ask(worker, { seed, story: false })).result.digest !== result.digest) different.push(seed)
      }
      if (performance.now() > toldAt + 2_000) {
        toldAt = performance.now()
        console.error(`${results.size} of ${last - first + 1} seeds`)
      }
    }
    if (worker.connected) worker.disconnect()
  }
  await Promise.all(Array.from({ length: processes }, lane))
  for (const seed of results.keys()) if (seed > enough) results.delete(seed)
  return { results, different, compared }
}

function spawnWorker(): ChildProcess {
  return fork(
    fileURLToPath(import.meta.url),
    ['--worker', ...(options.break === undefined ? [] : ['--break', options.break])],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  )
}

/** Asks a worker; one that hangs or dies has found a violation. */
function ask(worker: ChildProcess, question: Question, isLast = false): Promise<Answer> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => fail(`it did not end within ${HANGS_AFTER_MS / 1000} s`), HANGS_AFTER_MS)
    const done = (answer: Answer): void => {
      clearTimeout(timer)
      worker.off('message', done)
      worker.off('exit', died)
      if (isLast) worker.disconnect()
      resolve(answer)
    }
    const died = (code: number | null): void => fail(`its process ended with ${code}`)
    const fail = (message: string): void => {
      if (worker.connected) worker.disconnect()
      worker.kill('SIGKILL')
      void import('../src/sim/summary.ts').then(({ failedSeed }) =>
        done({ result: failedSeed(question.seed, message), story: `seed ${question.seed}: ${message}\n` }),
      )
    }
    worker.on('message', done)
    worker.on('exit', died)
    worker.send(question)
  })
}
