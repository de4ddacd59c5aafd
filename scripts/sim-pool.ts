// The processes of `npm run sim`: hands seeds out in order, to as many processes at once as are asked for, each started when it is
// first needed. A process that hangs or dies is a violation of its seed. Results do not depend on the number of processes.
import { type ChildProcess, fork } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SeedResult } from '../src/sim/run.ts'
import { failedSeed } from '../src/sim/summary.ts'
import { isTight } from '../src/sim/tight.ts'
import type { Answer, Question } from './sim-worker.ts'

/** A seed that takes longer than this hangs: usual is half a second. */
const HANGS_AFTER_MS = 90_000

/** One lane of processes. */
export interface Lane {
  ask(question: Question): Promise<Answer>
  close(): void
}

/** The lanes of one command. */
export interface Pool {
  lane(): Lane
  close(): void
}

/** Makes a pool whose processes load the sources with this break, if any. */
export function createPool(broken: string | undefined): Pool {
  // In memory where the system has such a folder: a seed writes and deletes some megabytes.
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'holdfast-sim-'))
  const running = new Set<ChildProcess>()
  const close = (): void => {
    for (const worker of running) worker.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', close)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1))

  const start = (limits: 'tight' | 'usual'): ChildProcess => {
    const worker = fork(fileURLToPath(new URL('./sim-worker.ts', import.meta.url)), [folder, limits, broken ?? ''], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    running.add(worker)
    worker.once('exit', () => running.delete(worker))
    return worker
  }
  return {
    lane() {
      const workers = new Map<string, ChildProcess>()
      return {
        async ask(question) {
          const limits = isTight(question.seed) ? 'tight' : 'usual'
          const workerNow = (): ChildProcess => {
            const known = workers.get(limits)
            const worker = known?.connected === true ? known : start(limits)
            workers.set(limits, worker)
            return worker
          }
          // A process that was killed from outside says nothing about its seed; twice in a row it does.
          return (
            (await ask(workerNow(), question)) ??
            (await ask(workerNow(), question)) ??
            answerOf(question, 'its process was killed twice')
          )
        },
        close() {
          for (const worker of workers.values()) if (worker.connected) worker.disconnect()
        },
      }
    },
    close,
  }
}

function answerOf({ seed }: Question, message: string): Answer {
  return { result: failedSeed(seed, message), story: `seed ${seed}: ${message}\n` }
}

/** Asks a process; undefined when it was killed by somebody else. */
function ask(worker: ChildProcess, question: Question): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => fail(`it did not end within ${HANGS_AFTER_MS / 1000} s`), HANGS_AFTER_MS)
    const done = (answer: Answer | undefined): void => {
      clearTimeout(timer)
      worker.off('message', done)
      worker.off('exit', died)
      resolve(answer)
    }
    const died = (code: number | null): void =>
      code === null ? done(undefined) : fail(`its process ended with ${code}`)
    const fail = (message: string): void => {
      if (worker.connected) worker.disconnect()
      worker.kill('SIGKILL')
      done(answerOf(question, message))
    }
    worker.on('message', done)
    worker.on('exit', died)
    worker.send(question)
  })
}

/** What a run gave. */
export interface Ran {
  readonly results: readonly SeedResult[]
  /** The story of the seed with the first violation, where the run was only until there. */
  readonly story: string | undefined
  /** Seeds that were run twice and compared, and those of them that were not the same. */
  readonly comparedTwice: number
  readonly different: readonly number[]
}

/** Runs all seeds. With `untilFirst` the first violation is enough: what was handed out before it is finished. */
export async function runAll(
  pool: Pool,
  seeds: readonly number[],
  processes: number,
  {
    untilFirst = false,
    twiceEvery = 100,
    onResult,
  }: { readonly untilFirst?: boolean; readonly twiceEvery?: number; onResult(result: SeedResult): void },
): Promise<Ran> {
  const results = new Map<number, SeedResult>()
  const stories = new Map<number, string>()
  const different: number[] = []
  let comparedTwice = 0
  let next = 0
  let enough = seeds.length
  const runLane = async (): Promise<void> => {
    const lane = pool.lane()
    while (next < enough) {
      const at = next++
      const seed = seeds[at] as number
      const { result, story } = await lane.ask({ seed, story: untilFirst })
      results.set(at, result)
      onResult(result)
      if (result.violations.length > 0 && untilFirst) {
        enough = Math.min(enough, at + 1)
        stories.set(at, story)
      }
      if (seed % twiceEvery !== 0) continue
      comparedTwice++
      const again = await lane.ask({ seed, story: false })
      if (again.result.digest !== result.digest) different.push(seed)
    }
    lane.close()
  }
  await Promise.all(Array.from({ length: processes }, runLane))
  const counted = [...results].filter(([at]) => at < enough)
  return {
    results: counted.map(([, result]) => result),
    story: stories.get(enough - 1),
    comparedTwice,
    different: different.sort((a, b) => a - b),
  }
}
