// A device as a node of a simulated world: the real client over the real file storage, on a disk, a line and a clock that fail. It
// can die between any two steps of its disk, with or without what was not synced, find its disk set back, and be cloned.
// Who uses it is people.ts; when what happens to it is trouble.ts.
import { type Client, createClient } from '../client/index.ts'
import { openFileStorage } from '../hosts/node/file.ts'
import { app, oldApp, type SimApp } from './app.ts'
import { AUTHORITY_URL } from './authority.ts'
import { createNodeClock, type NodeClock } from './clock.ts'
import { idsIn, watchDisk } from './disk-watch.ts'
import type { History } from './history.ts'
import type { Line, SimNetwork } from './network.ts'
import type { Dice } from './random.ts'
import { createSimDisk, type DiskImage } from './storage.ts'
import type { World } from './world.ts'

/** Who hears of what a device does. */
export interface DeviceWatch {
  /** A client was made and its storage is loaded. */
  opened(device: Device, client: Client<SimApp>): void
  /** Its client is no more. */
  closed(device: Device): void
  /** A client could not be opened. */
  failed(device: Device, error: unknown): void
  /** The client reported an error that nobody awaits. */
  reported(device: Device, error: unknown): void
}

/** A simulated device. */
export interface Device {
  readonly name: string
  readonly actor: string
  readonly line: Line
  /** The app in the version that the device has. */
  readonly app: SimApp
  /** The running client; undefined while the device is off. */
  readonly client: Client<SimApp> | undefined
  /** Its process stands still. */
  readonly isFrozen: boolean
  /** Ids of intents (and other ids) that are safe on its disk. */
  readonly safe: ReadonlySet<string>
  start(): void
  /** The process dies; with `power`, what was not synced is left to the dice. */
  die(how: 'kill' | 'power'): void
  /** Closes the client in order. */
  stop(): Promise<void>
  /** The disk as it is. */
  image(): DiskImage
  /** The process dies and the disk is what it was. Gives the ids that are on it no more. */
  setBack(image: DiskImage): readonly string[]
  jump(byMs: number): void
  freeze(): void
  thaw(): void
  setDiskFull(isFull: boolean): void
  /** Whether the session can give its token. */
  setToken(isThere: boolean): void
  /** From the next start on it has the newest app; false when it has it already. */
  update(): boolean
}

/** What a device is made of. */
export interface DeviceParts {
  readonly world: World
  readonly dice: Dice
  readonly history: History
  readonly network: SimNetwork
  readonly watch: DeviceWatch
  readonly name: string
  readonly actor: string
  readonly app: SimApp
  /** The disk of another device, for a clone. */
  readonly image?: DiskImage
}

/** Seconds instead of minutes, so that a short world sees many retries. */
const TUNING = { requestMs: 6_000, backoff: { firstMs: 200, maxMs: 4_000 }, pollMs: 3_000, foldAfterMs: 1_000 }

/** Makes a device; it is off. */
export function createDevice(parts: DeviceParts): Device {
  const { world, dice, history, network, watch, name, actor, image } = parts
  const diskDice = dice.fork('disk')
  const hostDice = dice.fork('host')
  const line = network.line(name)
  let skewMs = dice.chance(0.3) ? dice.between(-7_200_000, 7_200_000) : 0
  // Most keep a stream open, some look from time to time.
  const isLive = dice.chance(0.75)
  let running = parts.app
  let next = running
  let isFull = false
  let isFrozen = false
  let hasToken = true
  let life = 0
  let clock: NodeClock | undefined
  let client: Client<SimApp> | undefined
  let safe = new Set<string>()

  const disk = createSimDisk(
    {
      dice: diskDice,
      beforeStep: () => new Promise((resolve) => world.after(diskDice.below(4), () => clock?.hear(resolve))),
      failing: ({ kind }) => {
        if (!isFull || (kind !== 'append' && kind !== 'create')) return undefined
        history.fault('diskFull', name)
        return 'ENOSPC'
      },
    },
    image,
  )
  const idsOf = (held: DiskImage): string[] => [...held.values()].flatMap(idsIn)
  safe = new Set(image === undefined ? [] : idsOf(image))

  const off = (): void => {
    life++
    clock?.stop()
    clock = undefined
    client = undefined
    isFrozen = false
    watch.closed(device)
  }

  const device: Device = {
    name,
    actor,
    line,
    get app() {
      return running
    },
    get client() {
      return client
    },
    get isFrozen() {
      return isFrozen
    },
    get safe() {
      return safe
    },
    start() {
      const born = ++life
      clock = createNodeClock(world, skewMs)
      running = next
      const host = {
        clock,
        random: hostDice,
        network: network.connect(line, clock),
        openStorage: (who: Parameters<typeof openFileStorage>[1]) =>
          openFileStorage(
            watchDisk(
              disk.mount(),
              (file) => disk.image().get(file),
              (id) => void safe.add(id),
            ),
            who,
          ),
        report: (error: unknown) => {
          if (life === born) watch.reported(device, error)
        },
      }
      const made = createClient({
        app: running,
        host,
        url: AUTHORITY_URL,
        session: {
          actor,
          token: () => (hasToken ? actor : Promise.reject(new TypeError('The session gives no token now'))),
        },
        live: isLive,
        tuning: TUNING,
      })
      client = made
      made.ready.then(
        () => {
          if (life === born) watch.opened(device, made)
        },
        (error: unknown) => {
          if (life === born) watch.failed(device, error)
        },
      )
    },
    die(how) {
      off()
      if (how === 'power') disk.cutPower()
      else disk.kill()
    },
    async stop() {
      const closing = client
      if (closing === undefined) return
      await closing.close()
      if (client === closing) {
        off()
        disk.kill()
      }
    },
    image: () => disk.image(),
    setBack(held) {
      off()
      disk.setBack(held)
      const before = safe
      safe = new Set(idsOf(held))
      return [...before].filter((id) => !safe.has(id))
    },
    jump(byMs) {
      skewMs += byMs
      clock?.jump(byMs)
    },
    freeze() {
      isFrozen = client !== undefined
      clock?.freeze()
    },
    thaw() {
      isFrozen = false
      clock?.thaw()
    },
    setDiskFull: (full) => {
      isFull = full
    },
    setToken: (isThere) => {
      hasToken = isThere
    },
    update() {
      const isOld = next === oldApp
      next = app
      return isOld
    },
  }
  return device
}
