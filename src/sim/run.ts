// One seed from beginning to end: a world is made, people use it while trouble happens, then everything is healed and agreement is
// demanded within a bounded time without a new write; what was repeated late still has to arrive and change nothing. The result is
// numbers, violations, a digest of all that happened, and the calls for the story. The same seed gives the same bytes.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { app, oldApp } from './app.ts'
import { createAuthorityNode } from './authority.ts'
import type { Calls } from './calls.ts'
import { createCast } from './cast.ts'
import { type CheckCounts, createChecks, type Violation } from './checks.ts'
import { createDeviceChecks } from './device-checks.ts'
import type { FaultCounts } from './faults.ts'
import { createForeign } from './foreign.ts'
import { createHistory, type ToldFault } from './history.ts'
import { createNetwork } from './network.ts'
import { createDice } from './random.ts'
import { createServerCode } from './server-code.ts'
import { beginSessions } from './sessions.ts'
import { createStranger } from './stranger.ts'
import { createTrouble } from './trouble.ts'
import { createTruth, isAdopted } from './truth.ts'
import { disagreement, judge } from './verdict.ts'
import { createWireWatch } from './wire-checks.ts'
import { createWorld } from './world.ts'

/** How long people act while trouble happens, in milliseconds of the world. */
const TROUBLE_MS = 40_000
/** How long agreement may take after healing: longer than the slowest retry (4 s), a request's limit (6 s) and a silent stream together. */
const HEALING_MS = 120_000
/** Repeats arrive up to this long after their request. */
const AFTERMATH_MS = 35_000

/** What a run gives. */
export interface SeedResult {
  readonly seed: number
  readonly intents: number
  readonly faults: FaultCounts
  readonly checks: CheckCounts
  readonly violations: readonly Violation[]
  /** Of all that happened. */
  readonly digest: string
  readonly steps: number
  /** How long agreement took after healing, at its slowest, in milliseconds of the world; −1 when it never came. */
  readonly agreedAfterMs: number
}

/** The result with what the story is made of. */
export interface SeedRun {
  readonly result: SeedResult
  readonly calls: Calls
  readonly told: readonly ToldFault[]
}

/** Runs one seed. `folder` is for the authority's files, and empty again afterwards; `onNote` hears of everything. */
export async function runSeed(seed: number, folder: string, onNote?: (line: string) => void): Promise<SeedRun> {
  const dice = createDice(`holdfast ${seed}`)
  const checks = createChecks()
  const world = createWorld((error) => checks.failed(error, 'an event of the world'))
  const history = createHistory(world, onNote)
  const calls: Calls = new Map()
  const shape = dice.fork('shape')
  const actors = ['ann', 'bob', 'cem'].slice(0, shape.between(2, 3))
  const gyms = ['g1', 'g2']
  const path = join(folder, `seed-${seed}`)
  rmSync(path, { recursive: true, force: true })
  mkdirSync(path, { recursive: true })
  const onRejection = (error: unknown): void => checks.failed(error, 'an unhandled rejection')
  process.on('unhandledRejection', onRejection)

  const truth = createTruth(actors, checks, (id) => {
    const call = calls.get(id)
    if (call !== undefined) call.decidedAt ??= world.now()
  })
  const authority = createAuthorityNode({
    world,
    dice: dice.fork('authority'),
    history,
    folder: path,
    watch: {
      committed(order) {
        truth.committed(authority.judge(), order)
        history.note(`authority commits ${truth.moment()}`)
      },
      between: (kind) => trouble.between(kind),
      logged(entry, cause) {
        history.note(`authority logs ${entry.level} ${entry.message}`)
        if (entry.level !== 'error' || isExpected(cause)) return
        checks.failed(cause ?? entry.message, `the authority's log: ${entry.message}`)
      },
      backedUp: () => truth.backUp(),
      wentBack: () => truth.wentBack(),
    },
  })
  const network = createNetwork({
    world,
    dice: dice.fork('network'),
    history,
    server: authority.server,
    watch: createWireWatch({
      truth,
      checks,
      history,
      calls,
      now: world.now,
      device: (name) => strangers.find((stranger) => stranger.name === name) ?? cast.device(name),
    }),
  })
  const foreign = createForeign({ authority, truth, dice: dice.fork('foreign'), actors })
  const serverCode = createServerCode({
    world,
    dice: dice.fork('server code'),
    history,
    checks,
    calls,
    truth,
    authority,
    actors,
    gyms,
  })
  const strangers = actors.map((actor) =>
    createStranger({ world, dice: dice.fork(`stranger ${actor}`), history, checks, truth, network, actor, gyms }),
  )
  const deviceChecks = createDeviceChecks({ truth, checks, calls, history, now: world.now })
  const cast = createCast({
    world,
    dice: dice.fork('cast'),
    history,
    checks,
    calls,
    network,
    deviceChecks,
    actors,
    gyms,
    actUntil: TROUBLE_MS,
    paceMs: shape.between(700, 1_700),
    isExpected,
  })
  const trouble = createTrouble({
    world,
    dice: dice.fork('trouble'),
    history,
    network,
    authority,
    foreign,
    serverCode,
    strangers,
    cast,
  })

  const isSound = (): boolean => checks.violations.length === 0
  const afterStep = (): boolean | Promise<boolean> =>
    deviceChecks.isDue() ? deviceChecks.afterStep().then(isSound) : isSound()
  const runFor = (ms: number): Promise<boolean> => world.runUntil(world.now() + ms, afterStep)

  /** Demands agreement without a new write; gives how long it took. */
  const agree = async (): Promise<number> => {
    const began = world.now()
    const isAgreed = (): boolean =>
      isAdopted(authority.judge()) && cast.devices.every((device) => disagreement(device, truth) === undefined)
    while (isSound() && world.now() < began + HEALING_MS) {
      await runFor(500)
      cast.tidyUp()
      if (isAgreed()) break
    }
    if (isSound()) checks.check('I17', isAdopted(authority.judge()), () => 'what somebody else wrote is not adopted')
    for (const device of isSound() ? cast.devices : []) {
      const why = disagreement(device, truth)
      checks.check(
        'I17',
        why === undefined,
        () => `${device.name} does not agree ${HEALING_MS / 1000} s after all trouble: ${why}`,
      )
    }
    return isSound() ? world.now() - began : -1
  }

  let agreedAfterMs = -1
  try {
    await authority.start()
    foreign.begin(gyms, actors)
    const count = shape.between(2, 4)
    for (let number = 1; number <= count; number++) {
      const actor = actors[(number - 1) % actors.length] as string
      cast.join(`d${number}`, actor, shape.chance(0.3) ? oldApp : app)
    }
    trouble.begin(TROUBLE_MS)
    beginSessions({ world, dice: dice.fork('sessions'), history, checks, cast, isExpected }, TROUBLE_MS)
    await world.runUntil(TROUBLE_MS, afterStep)
    if (isSound()) {
      await trouble.heal()
      agreedAfterMs = await agree()
      if (isSound() && (await trouble.strikeAgain())) agreedAfterMs = Math.max(agreedAfterMs, await agree())
      if (isSound()) await runFor(AFTERMATH_MS)
      if (isSound()) {
        truth.examine(authority.judge())
        judge({ truth, checks, calls, devices: () => cast.devices }, authority.judge())
      }
    }
  } catch (error) {
    checks.failed(error, 'the run')
  } finally {
    cast.end()
    await authority.close().catch(() => undefined)
    process.off('unhandledRejection', onRejection)
    rmSync(path, { recursive: true, force: true })
  }
  const result: SeedResult = {
    seed,
    intents: [...calls.values()].filter((call) => call.savedAt !== undefined).length,
    faults: history.counts,
    checks: checks.counts,
    violations: checks.violations,
    digest: history.digest(),
    steps: world.steps(),
    agreedAfterMs: isSound() ? agreedAfterMs : -1,
  }
  return { result, calls, told: history.faults }
}

/** Failures that the simulator makes itself, or that follow from them on a full disk. */
function isExpected(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name === 'SimulatedFailure') return true
    if ((cause as { readonly code?: unknown }).code === 'ENOSPC') return true
  }
  return false
}
