// Trouble: when what goes wrong, from the seed's mood and its dice. Then healing: everything works again, and nobody writes any more;
// and, in some worlds, one last blow after all had agreed. What goes wrong in which way is trouble-device.ts, trouble-authority.ts
// and network.ts.
import type { AuthorityNode } from './authority.ts'
import type { Cast } from './cast.ts'
import type { Device } from './device.ts'
import type { History } from './history.ts'
import { drawMood } from './mood.ts'
import { CALM, type SimNetwork } from './network.ts'
import type { Dice } from './random.ts'
import { type AuthorityTroubleParts, createAuthorityTrouble } from './trouble-authority.ts'
import { createDeviceTrouble, restore } from './trouble-device.ts'
import type { World } from './world.ts'

/** What trouble is made of. */
export interface TroubleParts extends AuthorityTroubleParts {
  readonly world: World
  readonly dice: Dice
  readonly history: History
  readonly authority: AuthorityNode
  readonly network: SimNetwork
  readonly cast: Cast
}

/** The trouble of a world. */
export interface Trouble {
  /** Lets it happen until `until`. */
  begin(until: number): void
  /** To be called between the statements of the authority. */
  between(kind: 'read' | 'write'): void
  /** Everything works again. */
  heal(): Promise<void>
  /** After all had agreed, the last blow: something goes back once more, or somebody else writes. False when nothing happens. */
  strikeAgain(): Promise<boolean>
}

/** Plans the trouble of one seed. */
export function createTrouble(parts: TroubleParts): Trouble {
  const { world, dice, history, network, authority, cast } = parts
  const mood = drawMood(dice.fork('mood'))
  let isOver = false
  let ends = 0

  const troubleDevice = (device: Device): void => {
    if (isOver || world.now() > ends) return
    onDevice.kinds[dice.weighted(mood.device)](device)
    world.after(dice.between(800, 9_000), () => troubleDevice(device))
  }
  const include = (device: Device): void => void world.after(dice.between(0, 9_000), () => troubleDevice(device))
  const onDevice = createDeviceTrouble({ ...parts, dice: dice.fork('devices'), onJoin: include })
  const onAuthority = createAuthorityTrouble({ ...parts, dice: dice.fork('authority') })
  const troubleAuthority = (): void => {
    if (isOver || world.now() > ends) return
    onAuthority.kinds[dice.weighted(mood.authority)]()
    world.after(dice.between(200, 3_000), troubleAuthority)
  }

  return {
    begin(until) {
      ends = until
      network.setWeather(mood.weather)
      authority.setUnrest(mood.unrest)
      for (const device of cast.devices) include(device)
      troubleAuthority()
    },
    between(kind) {
      if (!isOver) onAuthority.between(kind)
    },
    async heal() {
      isOver = true
      network.setWeather(CALM)
      authority.setUnrest({ pause: 0, failure: 0 })
      authority.setBadDeploy(false)
      authority.thaw()
      if (!authority.isUp) await authority.start()
      for (const device of cast.devices) {
        restore(device)
        device.thaw()
        device.setDiskFull(false)
        device.setToken(true)
        authority.setSignedOut(device.actor, false)
        if (device.client === undefined) device.start()
        else device.client.resume()
      }
    },
    async strikeAgain() {
      const { lastBlow } = mood
      if (lastBlow === 'foreignWrite' || lastBlow === 'grantChange') {
        const hasWritten = lastBlow === 'foreignWrite' ? parts.foreign.write() : parts.foreign.changeGrants()
        if (hasWritten) history.fault(lastBlow, 'authority')
        return hasWritten
      }
      let hasStruck = false
      const struck = cast.devices.find((device) => onDevice.image(device) !== undefined)
      const image = struck === undefined ? undefined : onDevice.image(struck)
      if ((lastBlow === 'diskSetBack' || lastBlow === 'both') && struck !== undefined && image !== undefined) {
        history.fault('diskSetBack', struck.name)
        cast.lose(struck, struck.setBack(image))
        struck.start()
        hasStruck = true
      }
      if ((lastBlow === 'authoritySetBack' || lastBlow === 'both') && authority.hasBackup) {
        history.fault('authoritySetBack', 'authority')
        await authority.crash()
        authority.setBack()
        await authority.start()
        hasStruck = true
      }
      return hasStruck
    },
  }
}
