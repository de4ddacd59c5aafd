// `npm run crash -- --rounds 50 [--seed N] [--json]`: the kill loop. A device and an authority as real processes on real files; in
// every round one of them, or both, is ended by SIGKILL at a seeded random moment: under way, in the middle of an exchange, or while
// it starts. In the end all must be quiet, and crash/judge.ts reads the authority's database by plain SQL. Exits with 1 when
// anything acknowledged was lost, anything is there twice or out of order, or something does not agree.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { judge, readHistory } from './crash/judge.ts'

const DEVICE = 'phone'
/** Notes of one life are numbered from the life times this. */
const NUMBERS_OF_A_LIFE = 1_000_000
/** A moment lies within so many milliseconds of the last sign that the round is under way, or of a start. */
const LATEST_KILL_MS = 200
/** What takes longer than this hangs. */
const PATIENCE_MS = 30_000

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
const seed = Number(values.seed)
if (!Number.isSafeInteger(rounds) || rounds < 1 || !Number.isSafeInteger(seed)) {
  console.error('npm run crash -- [--rounds N] [--seed N] [--json]')
  process.exit(1)
}

/** A child under way. */
interface Running {
  readonly process: ChildProcessWithoutNullStreams
  readonly closed: Promise<unknown>
  isGone: boolean
}

const began = performance.now()
const folder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'))
const database = join(folder, 'authority.db')
const dice = createDice(seed)
const acknowledged: number[] = []
const kills = { device: 0, authority: 0 }
let killsInExchange = 0
let killsInStart = 0
let lives = 0
let port = 0
/** Exchanges that the device has begun and not ended. */
let asking = 0
/** Signs of life since the last kill: a note acknowledged, and an exchange ended. */
const seen = { saved: false, told: false }
let quietNotes: number | undefined
let wake: () => void = () => undefined

let device: Running | undefined
let authority = startAuthority()
try {
  await until('the authority listens', () => port > 0)
  device = startDevice()
  for (let round = 1; round <= rounds; round++) {
    seen.saved = false
    seen.told = false
    const isStarting = dice() < 0.25
    if (!isStarting) await until('the device saves and is answered', () => seen.saved && seen.told)
    await setTimeout(dice() * LATEST_KILL_MS)
    const victim = dice()
    if (asking > 0) killsInExchange++
    if (isStarting) killsInStart++
    if (victim < 2 / 3) kills.device++
    if (victim >= 1 / 3) kills.authority++
    const victims: Running[] = [...(victim < 2 / 3 ? [device] : []), ...(victim >= 1 / 3 ? [authority] : [])]
    await Promise.all(victims.map(kill))
    if (victims.includes(authority)) authority = startAuthority()
    if (victims.includes(device)) device = startDevice()
    if (!values.json) console.error(`round ${round}: ${acknowledged.length} acknowledged`)
  }
  device.process.stdin.write('finish\n')
  await until('the device is quiet', () => quietNotes !== undefined)
  await device.closed
  await kill(authority)
  const history = readHistory(database)
  const verdict = judge(history, new Map([[DEVICE, acknowledged]]))
  const problems = [...verdict.problems]
  if (quietNotes !== history.notes.length) {
    problems.push(`the device sees ${quietNotes} notes, the authority has ${history.notes.length}`)
  }
  if (rounds >= 10 && killsInExchange === 0) problems.push('no kill met an exchange')
  const seconds = Math.round((performance.now() - began) / 100) / 10
  const report = {
    rounds,
    kills,
    ...verdict,
    problems,
    notes: history.notes.length,
    killsInExchange,
    killsInStart,
    seed,
    seconds,
  }
  const isRight =
    verdict.lost + verdict.doubled + verdict.outOfOrder + problems.length === 0 && verdict.acknowledged > 0
  if (values.json) console.log(JSON.stringify(report))
  else console.log(report)
  process.exitCode = isRight ? 0 : 1
} finally {
  const children = [authority, ...(device === undefined ? [] : [device])]
  for (const child of children) child.process.kill('SIGKILL')
  await Promise.all(children.map(({ closed }) => closed))
  rmSync(folder, { recursive: true, force: true })
}

function startAuthority(): Running {
  return start('authority', [database, String(port)], (line) => {
    port = Number(/^listening (\d+)$/.exec(line)?.[1] ?? port)
  })
}

function startDevice(): Running {
  const first = ++lives * NUMBERS_OF_A_LIFE
  asking = 0
  return start('device', [join(folder, 'device'), `http://127.0.0.1:${port}/sync`, DEVICE, String(first)], (line) => {
    const [word, number] = line.split(' ')
    if (word === 'asks') asking++
    else if (word === 'told') asking--
    else if (word === 'saved') acknowledged.push(Number(number))
    else if (word === 'quiet') quietNotes = Number(number)
    if (word === 'saved' || word === 'told') seen[word] = true
  })
}

function start(name: 'authority' | 'device', args: readonly string[], hear: (line: string) => void): Running {
  const script = fileURLToPath(new URL(`./crash/${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, [script, ...args], { stdio: 'pipe' })
  const running: Running = { process: child, closed: once(child, 'close'), isGone: false }
  // What was printed before a kill still counts; the half of a line that a kill may leave does not exist, since a line is one write.
  createInterface({ input: child.stdout }).on('line', (line) => {
    hear(line)
    wake()
  })
  child.stderr.pipe(process.stderr)
  child.stdin.on('error', () => undefined)
  child.once('exit', () => {
    running.isGone = true
    wake()
  })
  return running
}

async function kill(running: Running): Promise<void> {
  if (running.isGone) throw new Error('A child had ended by itself before it was killed')
  running.process.kill('SIGKILL')
  await running.closed
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!isSo()) {
    if (quietNotes === undefined && (authority.isGone || device?.isGone === true))
      throw new Error(`A child ended by itself before ${what}`)
    if (performance.now() > deadline) throw new Error(`Waited ${PATIENCE_MS} ms in vain until ${what} (seed ${seed})`)
    await Promise.race([
      new Promise<void>((resolve) => {
        wake = resolve
      }),
      setTimeout(250),
    ])
  }
}

/** Numbers from 0 to 1 that follow from a seed (mulberry32). */
function createDice(from: number): () => number {
  let state = from >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
