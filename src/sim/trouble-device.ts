// What may happen to a device, and how it ends by itself after a while. When it happens is trouble.ts.
import type { AuthorityNode } from './authority.ts'
import type { Cast } from './cast.ts'
import type { Device } from './device.ts'
import type { History } from './history.ts'
import type { DeviceTrouble } from './mood.ts'
import type { Dice } from './random.ts'
import type { DiskImage } from './storage.ts'
import type { World } from './world.ts'

/** What the trouble of devices is made of. */
export interface DeviceTroubleParts {
  readonly world: World
  readonly dice: Dice
  readonly history: History
  readonly authority: AuthorityNode
  readonly cast: Cast
  /** A device that has just joined gets its share of trouble. */
  onJoin(device: Device): void
}

/** More living copies than this teach nothing new. */
const MAX_DEVICES = 6

/** The trouble of devices. */
export interface DeviceTroubles {
  readonly kinds: { readonly [Kind in DeviceTrouble]: (device: Device) => void }
  /** The newest image that was taken of its disk. */
  image(device: Device): DiskImage | undefined
}

/** Makes it, kind by kind. */
export function createDeviceTrouble({
  world,
  dice,
  history,
  authority,
  cast,
  onJoin,
}: DeviceTroubleParts): DeviceTroubles {
  const images = new Map<string, DiskImage>()

  /** Starts a device again unless somebody else has; now and then it comes back with a newer app. */
  const startLater = (device: Device, delayMs: number): void => {
    if (dice.chance(0.3) && device.update()) history.fault('appUpdate', device.name)
    world.after(delayMs, () => (device.client === undefined ? device.start() : undefined))
  }
  const die = (device: Device, how: 'kill' | 'power'): void => {
    if (device.client === undefined) return
    history.fault(how === 'kill' ? 'crash' : 'powerCut', device.name)
    device.die(how)
    startLater(device, dice.between(0, 6_000))
  }
  const forAWhile = (longestMs: number, end: () => void): void => void world.after(dice.between(100, longestMs), end)

  const kinds: DeviceTroubles['kinds'] = {
    copy: (device) => void images.set(device.name, device.image()),
    cut(device) {
      history.fault('cut', device.name)
      device.line.up = device.line.down = false
      forAWhile(12_000, () => restore(device))
    },
    cutOneWay(device) {
      history.fault('cutOneWay', device.name)
      if (dice.chance(0.5)) device.line.up = false
      else device.line.down = false
      forAWhile(9_000, () => restore(device))
    },
    crash: (device) => die(device, 'kill'),
    powerCut: (device) => die(device, 'power'),
    restart(device) {
      if (device.isFrozen) return
      history.fault('restart', device.name)
      device.stop().then(() => startLater(device, dice.between(0, 2_000)))
    },
    frozen(device) {
      if (device.client === undefined) return
      history.fault('frozen', device.name)
      device.freeze()
      forAWhile(15_000, device.thaw)
    },
    paused(device) {
      const { client } = device
      if (client === undefined) return
      history.fault('paused', device.name)
      client.pause()
      forAWhile(5_000, () => (device.client === client ? client.resume() : undefined))
    },
    noToken(device) {
      history.fault('noToken', device.name)
      device.setToken(false)
      forAWhile(5_000, () => device.setToken(true))
    },
    diskFull(device) {
      device.setDiskFull(true)
      forAWhile(3_000, () => device.setDiskFull(false))
    },
    clockJump(device) {
      history.fault('clockJump', device.name)
      device.jump(dice.between(-7_200_000, 7_200_000))
    },
    diskSetBack(device) {
      const image = images.get(device.name)
      if (image === undefined) return
      history.fault('diskSetBack', device.name)
      cast.lose(device, device.setBack(image))
      startLater(device, dice.between(0, 3_000))
    },
    cloned(device) {
      if (cast.devices.length >= MAX_DEVICES) return
      history.fault('cloned', device.name)
      const image = dice.chance(0.5) ? images.get(device.name) : undefined
      onJoin(cast.clone(device, image ?? device.image()))
    },
    signedOut({ actor, name }) {
      history.fault('signedOut', name)
      authority.setSignedOut(actor, true)
      forAWhile(4_000, () => {
        authority.setSignedOut(actor, false)
        // People sign in again.
        for (const device of cast.devices) if (device.actor === actor && !device.isFrozen) device.client?.resume()
      })
    },
  }
  return { kinds, image: ({ name }) => images.get(name) }
}

/** Its line works again. */
export function restore({ line }: Device): void {
  line.up = line.down = true
}
