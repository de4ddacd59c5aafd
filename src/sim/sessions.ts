// Sessions that end: in some worlds a person signs out of a device, leaves what was not sent behind, and comes back a little later. From the
// moment in which that is durable nothing more goes over the wire (that is wire-checks.ts) or onto the disk (I8); when they are back,
// client, numbers and intents are what they were, and no row is (I16). What happens to the device in between is trouble.ts.
import { signOut } from '../client/index.ts'
import type { Cast } from './cast.ts'
import type { Checks } from './checks.ts'
import type { Device } from './device.ts'
import type { History } from './history.ts'
import type { Dice } from './random.ts'
import type { DiskImage } from './storage.ts'
import type { World } from './world.ts'

/** What sessions are made of. */
export interface SessionParts {
  readonly world: World
  readonly dice: Dice
  readonly history: History
  readonly checks: Checks
  readonly cast: Cast
  /** Whether a failure is one that the simulator makes. */
  isExpected(error: unknown): boolean
}

/** Begins: until then people leave, who come back all the same. The dice of worlds in which nobody does are as they were. */
export function beginSessions({ world, dice, history, checks, cast, isExpected }: SessionParts, until: number): void {
  if (!dice.chance(0.4)) return

  const later = (): void => {
    world.after(dice.between(2_000, 12_000), () => {
      if (world.now() > until) return
      const device = dice.pick(cast.devices)
      if (device !== undefined && !device.isFrozen) void leave(device)
      later()
    })
  }

  const leave = async (device: Device): Promise<void> => {
    const { client, name } = device
    if (client === undefined || hasLeft(device)) return
    try {
      await signOut(client, 'keep')
    } catch (error) {
      // A full disk keeps the person signed in.
      if (!isExpected(error) && client.status().fault?.code !== 'client_closed') history.note(`${name} stays signed in`)
      return
    }
    if (device.client !== client) return
    history.fault('left', name)
    const disk = textOf(device.image())
    const before = numbersOf(client)
    world.after(dice.between(500, 4_000), () => {
      if (device.client !== client) return
      checks.check('I8', textOf(device.image()) === disk, () => `${name} wrote after its session had ended`)
      void device.stop().then(() => comeBack(device, before))
    })
  }

  const comeBack = (device: Device, before: string): void => {
    if (device.client !== undefined) return
    device.start()
    const { client } = device as Device
    client?.ready.then(
      () => {
        if (device.client !== client) return
        const after = numbersOf(client)
        checks.check('I16', after === before, () => `${device.name} was ${before} before a sign-out, and is ${after}`)
        const { cursors } = client.inspect()
        checks.check('I16', cursors.length === 0, () => `${device.name} has rows of before its sign-out`)
      },
      () => undefined,
    )
  }

  later()
}

/** Whether the session of the device's client has ended, and the client still stands there. */
export function hasLeft({ client }: { readonly client?: Device['client'] }): boolean {
  return client?.status().fault?.code === 'signed_out'
}

function numbersOf(client: NonNullable<Device['client']>): string {
  const { client: id, entries } = client.inspect()
  return `${id}: ${entries.map(({ intent, sequence }) => `${sequence} ${intent.id}`).join(', ')}`
}

function textOf(image: DiskImage): string {
  return [...image].map(([name, bytes]) => `${name} ${Buffer.from(bytes).toString('base64')}`).join('\n')
}
