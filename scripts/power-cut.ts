// `npm run power-cut [-- --of chromium] [--rounds 10] [--relaxed]`: cuts the power under something that runs the real engine, and
// counts how much of what it had acknowledged is gone afterwards. Must be nothing; with `--relaxed` nothing waits for the disk, and
// something must be gone, or the cut proves nothing. `--of`: chromium, firefox, device (files, in Node) or authority (SQLite).
// The last line of stdout is one JSON object; exit code 1 when it is not as it must be, 2 where this machine cannot do it.
// `npm run test:powercut` (`--all`) tries all of them both ways, and its last line is `N passed, N failed`.
// The disk is power-cut/disk.ts: it needs root and loop devices.
import { parseArgs } from 'node:util'
import { endWith } from './end.ts'
import { type Count, cleanUp, cutPower } from './power-cut/cut.ts'
import { diskProblem } from './power-cut/disk.ts'
import type { Durability, Subject } from './power-cut/subject.ts'
import { SUBJECTS } from './power-cut/subjects.ts'

/** Rounds of a subject when all are tried. A loss that can happen shows in the first; the others are for those that must not. */
const ROUNDS_OF_ALL = 5

const { values } = parseArgs({
  options: {
    of: { type: 'string', default: 'chromium' },
    all: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    relaxed: { type: 'boolean', default: false },
    // As everywhere: the last line is JSON, asked for or not.
    json: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds ?? (values.all ? ROUNDS_OF_ALL : 10))
const subject = SUBJECTS.find(({ name }) => name === values.of)
if (!Number.isSafeInteger(rounds) || rounds < 1 || subject === undefined)
  refuse(`npm run power-cut -- [--of ${SUBJECTS.map(({ name }) => name).join('|')}] [--rounds N] [--relaxed]`)
const problem = diskProblem()
if (problem !== undefined) refuse(problem)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => void cleanUp().then(() => process.exit(1)))

await endWith(values.all ? await tryAll() : await tryOne(subject, values.relaxed ? 'relaxed' : 'strict'))

async function tryOne(subject: Subject, durability: Durability): Promise<number> {
  const missing = subject.problem()
  if (missing !== undefined) refuse(missing)
  const count = await cutPower(subject, durability, rounds, console.log)
  const wrong = judge(count, durability)
  if (wrong !== undefined) console.error(wrong)
  console.log(JSON.stringify({ of: subject.name, rounds, ...count, durability }))
  return wrong === undefined ? 0 : 1
}

async function tryAll(): Promise<number> {
  let passed = 0
  let failed = 0
  for (const subject of SUBJECTS) {
    for (const durability of ['strict', 'relaxed'] as const) {
      const wrong = await tried(subject, durability)
      if (wrong === undefined) passed++
      else {
        failed++
        console.error(`${subject.name}, ${durability}: ${wrong}`)
      }
    }
  }
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

/** What is wrong with a subject that was tried; one that cannot be tried here has failed. */
async function tried(subject: Subject, durability: Durability): Promise<string | undefined> {
  const missing = subject.problem()
  if (missing !== undefined) return missing
  try {
    const isEnough = ({ lost }: Count): boolean => durability === 'relaxed' && lost > 0
    const count = await cutPower(subject, durability, rounds, console.log, isEnough)
    console.log(`${subject.name}, ${durability}: ${count.acknowledged} acknowledged, ${count.lost} lost`)
    return judge(count, durability)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function judge({ acknowledged, lost }: Count, durability: Durability): string | undefined {
  if (acknowledged === 0) return 'Nothing was acknowledged, so nothing is proved.'
  if (durability === 'strict') return lost === 0 ? undefined : 'What is acknowledged must survive a power cut.'
  return lost > 0
    ? undefined
    : 'Nothing was lost although nothing waited for the disk: on this machine the cut proves nothing.'
}

function refuse(what: string): never {
  console.error(what)
  process.exit(2)
}
