// Harnesses for the storage contract: memory, files on a simulated disk, files on the real one. Each gives the suite fresh storages
// and the means to stop, refuse and spoil that the place allows.
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Storage } from '../../../src/client/storage/storage.ts'
import type { Disk, DiskFile } from '../../../src/hosts/node/disk.ts'
import { openFileStorage } from '../../../src/hosts/node/file.ts'
import { openFolder } from '../../../src/hosts/node/folder-disk.ts'
import { encodeRecords } from '../../../src/hosts/node/record.ts'
import type { ActorId } from '../../../src/protocol/ids.ts'
import type { Spoiling, StorageAbilities, StorageHarness } from '../../../src/sim/contracts/storage-harness.ts'
import { createDice } from '../../../src/sim/random.ts'
import { createSimDisk, type Step } from '../../../src/sim/storage.ts'

const actor = 'anna' as ActorId

const allSpoilings: readonly Spoiling[] = ['torn', 'middle', 'newer']

export const realAbilities: StorageAbilities = { stops: ['kill'], refuses: false, spoils: allSpoilings, lives: 30 }
/** On a simulated disk a life costs some milliseconds, and a storage that leaves out any one sync falls within these. */
export const simAbilities: StorageAbilities = {
  stops: ['kill', 'power'],
  refuses: true,
  spoils: allSpoilings,
  lives: 120,
}

/** What may be broken on purpose, to see the suite fail. */
export interface Broken {
  readonly disk?: (disk: Disk) => Disk
  readonly storage?: (storage: Storage) => Storage
}

const writes: ReadonlySet<string> = new Set(['append', 'truncate', 'sync', 'create', 'rename', 'remove', 'syncFolder'])

export async function simHarness(name: string, broken: Broken = {}): Promise<StorageHarness> {
  const dice = createDice(name)
  let stepsLeft = Number.POSITIVE_INFINITY
  let end: () => void = () => {}
  let refusing: { readonly probability: number; readonly errno: string; readonly steps: ReadonlySet<string> } = {
    probability: 0,
    errno: '',
    steps: writes,
  }
  const disk = createSimDisk({
    dice: dice.fork('disk'),
    beforeStep() {
      if (stepsLeft-- <= 0) end()
    },
    failing: ({ kind }: Step) =>
      refusing.steps.has(kind) && dice.chance(refusing.probability) ? refusing.errno : undefined,
  })
  return {
    async open() {
      const mounted = disk.mount()
      const storage = await openFileStorage(broken.disk?.(mounted) ?? mounted, actor)
      return broken.storage?.(storage) ?? storage
    },
    stop: (how, afterSteps = 0) =>
      new Promise((resolve) => {
        end = () => {
          stepsLeft = Number.POSITIVE_INFINITY
          if (how === 'kill') disk.kill()
          else disk.cutPower()
          resolve()
        }
        stepsLeft = afterSteps
        if (afterSteps === 0) end()
      }),
    refuse(probability, errno, steps) {
      refusing = { probability, errno, steps: steps === undefined ? writes : new Set(steps) }
    },
    async spoil(journal, how) {
      for (const [file, bytes] of disk.image()) {
        if (file.startsWith(journal)) disk.damage(file, () => spoiled(bytes, how, disk.mount().checksum))
      }
    },
    fingerprint: async () =>
      JSON.stringify([...disk.image()].map(([file, bytes]) => [file, Buffer.from(bytes).toString('hex')])),
    dispose: async () => {},
  }
}

/**
 * On the real disk a killed process is a copy of its folder: every step that has begun is let come to its end, as the system would,
 * no other begins any more, and the next life has the copy.
 */
export async function realHarness(): Promise<StorageHarness> {
  const root = await mkdtemp(join(tmpdir(), 'holdfast-storage-'))
  let count = 0
  let folder = join(root, '0')
  let stepsLeft = Number.POSITIVE_INFINITY
  let end: () => void = () => {}
  const mount = async (): Promise<Disk> => {
    const running = new Set<Promise<unknown>>()
    const opened = new Set<DiskFile>()
    let isDead = false
    const died = async (): Promise<void> => {
      isDead = true
      await Promise.allSettled(running)
      await Promise.allSettled([...opened].map((file) => file.close()))
    }
    deaths.push(died)
    const disk = await openFolder(folder)
    const noted = async (opening: Promise<DiskFile>): Promise<DiskFile> => {
      const file = await opening
      opened.add(file)
      return file
    }
    const noting = {
      ...disk,
      open: (name: string) => noted(disk.open(name)),
      create: (name: string) => noted(disk.create(name)),
    }
    return eachStep(noting, (step) => {
      if (!isDead && stepsLeft-- <= 0) end()
      if (isDead) return new Promise(() => {})
      const result = step()
      running.add(result)
      return result.finally(() => running.delete(result))
    })
  }
  const deaths: (() => Promise<void>)[] = []
  const copyOfAll = async (): Promise<void> => {
    await Promise.all(deaths.splice(0).map((died) => died()))
    const copy = join(root, String(++count))
    await cp(folder, copy, { recursive: true, filter: (path) => !path.includes('lock-') })
    folder = copy
  }
  return {
    open: async () => openFileStorage(await mount(), actor),
    stop: (_how, afterSteps = 0) =>
      new Promise((resolve, reject) => {
        end = () => {
          stepsLeft = Number.POSITIVE_INFINITY
          copyOfAll().then(resolve, reject)
        }
        stepsLeft = afterSteps
        if (afterSteps === 0) end()
      }),
    async spoil(journal, how) {
      const { checksum } = await openFolder(folder)
      for (const file of await readdir(folder)) {
        if (file.startsWith(journal))
          await writeFile(join(folder, file), spoiled(await readFile(join(folder, file)), how, checksum))
      }
    },
    async fingerprint() {
      const files = (await readdir(folder)).sort()
      return JSON.stringify(
        await Promise.all(files.map(async (file) => [file, await readFile(join(folder, file), 'hex')])),
      )
    },
    async dispose() {
      await Promise.all(deaths.splice(0).map((died) => died()))
      await rm(root, { recursive: true, force: true })
    },
  }
}

function spoiled(bytes: Uint8Array, how: Spoiling, checksum: Disk['checksum']): Uint8Array {
  if (how === 'torn')
    return Buffer.concat([bytes, encodeRecords(['{"kind":"made"}'], bytes.length, checksum).subarray(0, 20)])
  if (how === 'newer') {
    const end = bytes.indexOf(10)
    const header = JSON.parse(Buffer.from(bytes.subarray(0, end)).toString().split(' ').slice(2).join(' ')) as object
    return Buffer.concat([
      encodeRecords([JSON.stringify({ ...header, format: 99 })], 0, checksum),
      Buffer.from('what a later build writes\n'),
    ])
  }
  const damaged = Uint8Array.from(bytes)
  const middle = Math.floor(bytes.length / 2)
  damaged[middle] = (damaged[middle] ?? 0) ^ 4
  return damaged
}

/** The same disk, each step of which goes through `around`. */
function eachStep(disk: Disk, around: (step: () => Promise<unknown>) => Promise<unknown>): Disk {
  const immediate = ['checksum', 'size', 'then']
  const wrap = <Item extends object>(item: Item): Item =>
    new Proxy(item, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key)
        if (typeof value !== 'function' || immediate.includes(String(key))) return value
        return async (...args: unknown[]) => {
          const result = await around(async () => value.apply(target, args))
          return key === 'open' || key === 'create' ? wrap(result as object) : result
        }
      },
    })
  return wrap(disk)
}
