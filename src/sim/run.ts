// One seed from beginning to end: a world is made, people use it while trouble happens, then everything is healed and agreement is
// demanded within a bounded time without a new write; what was repeated late still has to arrive and change nothing. The result is
// numbers, violations, a digest of all that happened, and the calls for the story. The same seed gives the same bytes.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { app, oldApp, type SimApp } from './app.ts'
import { createAuthorityNode } from './authority.ts'
import type { Calls } from './calls.ts'
import { type CheckCounts, createChecks, type Violation } from './checks.ts'
import { createDevice, type Device } from './device.ts'
import { createDeviceChecks } from './device-checks.ts'
import type { FaultCounts } from './faults.ts'
import { createForeign } from './foreign.ts'
import { createHistory, type ToldFault } from './history.ts'
import { createNetwork } from './network.ts'
import { createPerson, type Person } from './people.ts'
import { createDice } from './random.ts'
import { createServerCode } from './server-code.ts'
import type { DiskImage } from './storage.ts'
import { createTrouble } from './trouble.ts'
import { createTruth } from './truth.ts'
import { disagreement, judge } from './verdict.ts'
import { openScreen, type Screen } from './views.ts'
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
  /** How long agreement took after healing, in milliseconds of the world. */
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
  const devices: Device[] = []
  const people = new Map<Device, Person>()
  const screens = new Map<Device, Screen>()
  const truth = createTruth(actors, checks, (id) => {
    const call = calls.get(id)
    if (call !== undefined) call.decidedAt ??= world.now()
  })
  const path = join(folder, `seed-${seed}`)
  rmSync(path, { recursive: true, force: true })
  mkdirSync(path, { recursive: true })
  const onRejection = (error: unknown): void => checks.failed(error, 'an unhandled rejection')
  process.on('unhandledRejection', onRejection)

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
      logged: (entry, cause) => {
        history.note(`authority logs ${entry.level} ${entry.message}`)
        if (entry.level === 'error' && !isExpected(cause))
          checks.failed(cause ?? entry.message, `the authority's log: ${entry.message}`)
      },
      backedUp: () => truth.backUp(),
      wentBack: () => truth.wentBack(),
    },
  })
  const deviceOf = (name: string): Device => devices.find((device) => device.name === name) as Device
  const network = createNetwork({
    world,
    dice: dice.fork('network'),
    history,
    server: authority.server,
    watch: createWireWatch({ truth, checks, history, calls, now: world.now, device: deviceOf }),
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
  const deviceChecks = createDeviceChecks({ truth, checks, calls, history, now: world.now })

  const addDevice = (name: string, actor: string, version: SimApp, image?: DiskImage): Device => {
    const device = createDevice({
      world,
      dice: dice.fork(`device ${name}`),
      history,
      network,
      name,
      actor,
      app: version,
      ...(image === undefined ? {} : { image }),
      watch: {
        opened(opened, client) {
          screens.set(opened, openScreen(name, client, checks))
          client.inspect().replica.onCommit(({ frame }) => deviceChecks.touched(opened, frame !== undefined))
          deviceChecks.touched(opened, true)
        },
        closed: (closed) => void screens.delete(closed),
        failed(stuck, error) {
          if (!isExpected(error)) return checks.failed(error, `${name} cannot open its storage`)
          stuck.die('kill')
          world.after(2_000, () => (stuck.client === undefined ? stuck.start() : undefined))
        },
        reported(_, error) {
          if (!isExpected(error)) checks.failed(error, `${name} reports`)
        },
      },
    })
    devices.push(device)
    people.set(
      device,
      createPerson({
        world,
        dice: dice.fork(`person ${name}`),
        history,
        checks,
        calls,
        device,
        gyms,
        actors,
        screen: () => screens.get(device),
      }),
    )
    return device
  }

  const trouble = createTrouble({
    world,
    dice: dice.fork('trouble'),
    history,
    network,
    authority,
    foreign,
    serverCode,
    devices: () => devices,
    clone(of, image) {
      const copy = addDevice(
        `${of.name}${'abc'[devices.filter(({ name }) => name.startsWith(of.name)).length - 1] ?? 'x'}`,
        of.actor,
        of.app,
        image,
      )
      copy.start()
      keepActing(copy)
    },
    lostWithDisk(device, ids) {
      for (const id of ids) {
        const call = calls.get(id)
        if (call !== undefined && !devices.some((other) => other !== device && other.safe.has(id)))
          call.isLostWithDisk = true
      }
    },
  })

  const pace = shape.between(700, 1_700)
  const keepActing = (device: Device): void => {
    const again = (): void => {
      if (world.now() > TROUBLE_MS) return
      people.get(device)?.act()
      world.after(shape.between(0, 2 * pace), again)
    }
    world.after(shape.between(0, pace), again)
  }
  const isSound = (): boolean => checks.violations.length === 0
  const afterStep = (): boolean | Promise<boolean> =>
    deviceChecks.isDue() ? deviceChecks.afterStep().then(isSound) : isSound()

  let agreedAfterMs = -1
  try {
    await authority.start()
    foreign.begin(gyms, actors)
    for (let number = 1; number <= shape.between(2, 4); number++) {
      const device = addDevice(
        `d${number}`,
        actors[(number - 1) % actors.length] as string,
        shape.chance(0.3) ? oldApp : app,
      )
      device.start()
      keepActing(device)
    }
    trouble.begin(TROUBLE_MS)
    await world.runUntil(TROUBLE_MS, afterStep)
    if (isSound()) {
      await trouble.heal()
      const healed = world.now()
      const reasons = (): string[] => devices.flatMap((device) => disagreement(device, truth) ?? [])
      while (isSound() && world.now() < healed + HEALING_MS && agreedAfterMs < 0) {
        await world.runUntil(world.now() + 500, afterStep)
        for (const person of people.values()) person.tidyUp()
        if (reasons().length === 0) agreedAfterMs = world.now() - healed
      }
      if (isSound()) {
        for (const device of devices)
          checks.check(
            'I17',
            disagreement(device, truth) === undefined,
            () =>
              `${device.name} does not agree ${HEALING_MS / 1000} s after all trouble: ${disagreement(device, truth)}`,
          )
      }
      if (isSound()) await world.runUntil(world.now() + AFTERMATH_MS, afterStep)
      if (isSound()) {
        truth.examine(authority.judge())
        judge({ truth, checks, calls, devices: () => devices }, authority.judge())
      }
    }
  } catch (error) {
    checks.failed(error, 'the run')
  } finally {
    for (const device of devices) if (device.client !== undefined) device.die('kill')
    await authority.close().catch(() => undefined)
    process.off('unhandledRejection', onRejection)
    rmSync(path, { recursive: true, force: true })
  }
  const intents = [...calls.values()].filter((call) => call.savedAt !== undefined).length
  const result = {
    seed,
    intents,
    faults: history.counts,
    checks: checks.counts,
    violations: checks.violations,
    digest: history.digest(),
    steps: world.steps(),
    agreedAfterMs,
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
