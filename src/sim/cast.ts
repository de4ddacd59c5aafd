// Who is in a world: its devices, clones among them, with the person and the screen of each. Devices join while the world runs.
import type { SimApp } from './app.ts'
import type { Calls } from './calls.ts'
import type { Checks } from './checks.ts'
import { createDevice, type Device } from './device.ts'
import type { DeviceChecks } from './device-checks.ts'
import type { History } from './history.ts'
import type { SimNetwork } from './network.ts'
import { createPerson, type Person } from './people.ts'
import type { Dice } from './random.ts'
import type { DiskImage } from './storage.ts'
import { openScreen, type Screen } from './views.ts'
import type { World } from './world.ts'

/** The cast of a world. */
export interface Cast {
  readonly devices: readonly Device[]
  /** A device by name; throws a TypeError for others. */
  device(name: string): Device
  /** A device joins, switched on, and its person begins to act. */
  join(name: string, actor: string, app: SimApp, image?: DiskImage): Device
  /** A second device from the disk of one. */
  clone(of: Device, image: DiskImage): Device
  /** Ids are not on a device's disk any more: calls that no other disk holds are lost with it. */
  lose(device: Device, ids: readonly string[]): void
  /** People decide what waits for them. */
  tidyUp(): void
  /** Every device is switched off. */
  end(): void
}

/** What a cast needs. */
export interface CastParts {
  readonly world: World
  readonly dice: Dice
  readonly history: History
  readonly checks: Checks
  readonly calls: Calls
  readonly network: SimNetwork
  readonly deviceChecks: DeviceChecks
  readonly actors: readonly string[]
  readonly gyms: readonly string[]
  /** People act until then, about so often. */
  readonly actUntil: number
  readonly paceMs: number
  /** Whether the simulator has made an error itself. */
  isExpected(error: unknown): boolean
}

/** An empty cast. */
export function createCast(parts: CastParts): Cast {
  const { world, dice, history, checks, calls, network, deviceChecks, actors, gyms, actUntil, paceMs, isExpected } =
    parts
  const devices: Device[] = []
  const people: Person[] = []
  const screens = new Map<Device, Screen>()
  const pace = dice.fork('pace')

  const keepActing = (person: Person): void => {
    if (world.now() > actUntil) return
    person.act()
    world.after(pace.between(0, 2 * paceMs), () => keepActing(person))
  }

  const cast: Cast = {
    devices,
    device(name) {
      const found = devices.find((device) => device.name === name)
      if (found === undefined) throw new TypeError(`There is no device ${name}`)
      return found
    },
    join(name, actor, app, image) {
      const device = createDevice({
        world,
        dice: dice.fork(`device ${name}`),
        history,
        network,
        name,
        actor,
        app,
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
      const person = createPerson({
        world,
        dice: dice.fork(`person ${name}`),
        history,
        checks,
        calls,
        device,
        gyms,
        actors,
        screen: () => screens.get(device),
      })
      devices.push(device)
      people.push(person)
      device.start()
      world.after(pace.between(0, paceMs), () => keepActing(person))
      return device
    },
    clone(of, image) {
      const copies = devices.filter(({ name }) => name.startsWith(of.name)).length
      return cast.join(`${of.name}${'abcdefgh'[copies - 1] ?? 'x'}`, of.actor, of.app, image)
    },
    lose(device, ids) {
      for (const id of ids) {
        const call = calls.get(id)
        if (call !== undefined && !devices.some((other) => other !== device && other.safe.has(id)))
          call.isLostWithDisk = true
      }
    },
    tidyUp() {
      for (const person of people) person.tidyUp()
      // Whoever is asked to sign in does so.
      for (const { client } of devices) if (client?.status().connection === 'held') client.resume()
    },
    end() {
      for (const device of devices) if (device.client !== undefined) device.die('kill')
    },
  }
  return cast
}
