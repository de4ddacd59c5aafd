// Trouble: when what goes wrong, from the seed. Each seed has a mood, in which some kinds of faults are likely and others never come,
// since faults that always come together hide each other. Then healing: everything works again, and nobody writes any more.
// How a fault is done is the affair of the part to which it happens.
import type { AuthorityNode } from './authority.ts'
import type { Device } from './device.ts'
import type { Foreign } from './foreign.ts'
import type { History } from './history.ts'
import { CALM, type SimNetwork, type Weather } from './network.ts'
import type { Dice } from './random.ts'
import type { DiskImage } from './storage.ts'
import type { World } from './world.ts'

/** What trouble is made of. */
export interface TroubleParts {
  readonly world: World
  readonly dice: Dice
  readonly history: History
  readonly network: SimNetwork
  readonly authority: AuthorityNode
  readonly foreign: Foreign
  devices(): readonly Device[]
  /** Makes a second device from the disk of one. */
  clone(of: Device, image: DiskImage): void
  /** Ids that were on a device's disk and are not any more. */
  lostWithDisk(device: Device, ids: readonly string[]): void
}

/** The trouble of a world. */
export interface Trouble {
  /** Lets it happen until `until`. */
  begin(until: number): void
  /** To be called between the statements of the authority. */
  between(kind: 'read' | 'write'): void
  /** Everything works again. */
  heal(): Promise<void>
}

/** Plans the trouble of one seed. */
export function createTrouble({
  world,
  dice,
  history,
  network,
  authority,
  foreign,
  devices,
  clone,
  lostWithDisk,
}: TroubleParts): Trouble {
  const mood = dice.fork('mood')
  const often = (usual: number): number => (mood.chance(0.55) ? usual * (0.3 + 1.7 * mood.fraction()) : 0)
  const weather: Weather = {
    latencyMs: mood.between(2, 120),
    delay: often(0.04),
    requestLost: often(0.06),
    answerLost: often(0.06),
    repeat: often(0.05),
    concurrentRepeat: often(0.04),
    lateRepeat: often(0.03),
    garbledRequest: often(0.05),
    garbledAnswer: often(0.03),
    strangeAnswer: often(0.03),
    streamCut: often(0.03),
    streamStalled: often(0.02),
    streamSlow: often(0.01),
  }
  /** What happens to devices, and how likely each is. */
  const deviceMood = {
    cut: often(5),
    cutOneWay: often(2),
    crash: often(3),
    powerCut: often(3),
    restart: often(1.5),
    diskFull: often(0.7),
    clockJump: often(1),
    diskSetBack: often(0.8),
    cloned: often(0.6),
    signedOut: often(0.6),
    nothing: 2,
  }
  const authorityMood = {
    crash: often(2),
    setBack: often(1),
    badDeploy: often(2),
    foreignWrite: often(6),
    grantChange: often(3),
    backUp: 1.5,
    nothing: 3,
  }
  let isOver = false
  let ends = 0
  const armed: (() => boolean)[] = []
  const images = new Map<string, DiskImage>()

  /** Starts a device again unless somebody else has. */
  const startLater = (device: Device, delayMs: number): void =>
    void world.after(delayMs, () => (device.client === undefined ? device.start() : undefined))

  const onDevice: { readonly [Kind in keyof typeof deviceMood]: (device: Device) => void } = {
    nothing: (device) => void images.set(device.name, device.image()),
    cut(device) {
      history.fault('cut', device.name)
      device.line.up = device.line.down = false
      world.after(dice.between(200, 12_000), () => restore(device))
    },
    cutOneWay(device) {
      history.fault('cutOneWay', device.name)
      if (dice.chance(0.5)) device.line.up = false
      else device.line.down = false
      world.after(dice.between(200, 9_000), () => restore(device))
    },
    crash: (device) => die(device, 'kill'),
    powerCut: (device) => die(device, 'power'),
    restart(device) {
      history.fault('restart', device.name)
      device.stop().then(() => startLater(device, dice.between(0, 2_000)))
    },
    diskFull(device) {
      device.setDiskFull(true)
      world.after(dice.between(100, 3_000), () => device.setDiskFull(false))
    },
    clockJump(device) {
      history.fault('clockJump', device.name)
      device.jump(dice.between(-7_200_000, 7_200_000))
    },
    diskSetBack(device) {
      const image = images.get(device.name)
      if (image === undefined) return
      history.fault('diskSetBack', device.name)
      lostWithDisk(device, device.setBack(image))
      startLater(device, dice.between(0, 3_000))
    },
    cloned(device) {
      if (devices().length >= 6) return
      history.fault('cloned', device.name)
      const image = dice.chance(0.5) ? images.get(device.name) : undefined
      clone(device, image ?? device.image())
    },
    signedOut({ actor, name }) {
      history.fault('signedOut', name)
      authority.setSignedOut(actor, true)
      world.after(dice.between(300, 4_000), () => signIn(actor))
    },
  }

  const onAuthority: { readonly [Kind in keyof typeof authorityMood]: () => void } = {
    nothing: () => {},
    backUp: () => authority.backUp(),
    crash() {
      history.fault('authorityCrash', 'authority')
      void authority.crash().then(() => startAuthorityLater())
    },
    setBack() {
      if (!authority.hasBackup) return
      history.fault('authoritySetBack', 'authority')
      void authority.crash().then(() => {
        authority.setBack()
        startAuthorityLater()
      })
    },
    badDeploy() {
      authority.setBadDeploy(true)
      world.after(dice.between(500, 6_000), () => authority.setBadDeploy(false))
    },
    foreignWrite: () => arm('foreignWrite', 'foreignInSnapshot', foreign.write),
    grantChange: () => arm('grantChange', 'grantInSnapshot', foreign.changeGrants),
  }

  /** Does it now, or between two statements of the next snapshot. */
  function arm(
    kind: 'foreignWrite' | 'grantChange',
    inSnapshot: 'foreignInSnapshot' | 'grantInSnapshot',
    write: () => boolean,
  ): void {
    if (dice.chance(0.4)) {
      if (write()) history.fault(kind, 'authority')
      return
    }
    armed.push(() => {
      if (!write()) return false
      history.fault(kind, 'authority')
      history.fault(inSnapshot, 'authority')
      return true
    })
  }

  function restore(device: Device): void {
    device.line.up = device.line.down = true
  }

  function signIn(actor: string): void {
    authority.setSignedOut(actor, false)
    for (const device of devices()) if (device.actor === actor) device.client?.resume()
  }

  function die(device: Device, how: 'kill' | 'power'): void {
    if (device.client === undefined) return
    history.fault(how === 'kill' ? 'crash' : 'powerCut', device.name)
    device.die(how)
    startLater(device, dice.between(0, 6_000))
  }

  function startAuthorityLater(): void {
    world.after(dice.between(50, 4_000), () => {
      if (authority.isUp) return
      // A statement that fails while it starts ends the process.
      authority.start().catch(() => authority.crash().then(startAuthorityLater))
    })
  }

  function troubleDevice(device: Device): void {
    if (isOver || world.now() > ends) return
    onDevice[dice.weighted(deviceMood)](device)
    world.after(dice.between(800, 9_000), () => troubleDevice(device))
  }

  function troubleAuthority(): void {
    if (isOver || world.now() > ends) return
    onAuthority[dice.weighted(authorityMood)]()
    world.after(dice.between(200, 3_000), troubleAuthority)
  }

  return {
    begin(until) {
      ends = until
      network.setWeather(weather)
      authority.setUnrest({ pause: often(0.03), failure: often(0.004) })
      for (const device of devices()) world.after(dice.between(0, 9_000), () => troubleDevice(device))
      troubleAuthority()
    },
    between(kind) {
      if (isOver || kind !== 'read' || armed.length === 0 || !dice.chance(0.3)) return
      const [write] = armed
      if (write?.() === true) armed.shift()
    },
    async heal() {
      isOver = true
      network.setWeather(CALM)
      authority.setUnrest({ pause: 0, failure: 0 })
      authority.setBadDeploy(false)
      if (!authority.isUp) await authority.start()
      for (const device of devices()) {
        restore(device)
        device.setDiskFull(false)
        authority.setSignedOut(device.actor, false)
        if (device.client === undefined) device.start()
        else device.client.resume()
      }
    },
  }
}
