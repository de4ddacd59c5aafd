// A disk in memory that fails the way disks do: what was not synced may be lost, torn, or come back as zeros when the power goes,
// names that were not synced may be the old ones again, a sync that failed lies about the next one. It can be copied, set back and
// damaged. All chance comes from the given dice, so one seed gives one fate. The storage on top is the real one (hosts/node/file.ts).
// Who crashes what and when is the world's business: `beforeStep` is called before each step, and may wait or crash.
import { crc32 } from 'node:zlib'
import { SyncError } from '../base/errors.ts'
import type { Disk, DiskFile } from '../hosts/node/disk.ts'
import type { Dice } from './random.ts'

/** What a step does to the disk. */
export type StepKind =
  | 'list'
  | 'read'
  | 'create'
  | 'open'
  | 'append'
  | 'truncate'
  | 'sync'
  | 'close'
  | 'rename'
  | 'remove'
  | 'syncFolder'
  | 'lock'

/** One step that a process asks of the disk. */
export interface Step {
  readonly kind: StepKind
  readonly name: string
}

/** What the disk may be told. */
export interface SimDiskOptions {
  readonly dice: Dice
  /** Called before each step; when it gives a promise, the step waits for it. */
  readonly beforeStep?: (step: Step) => void | Promise<void>
  /** The error code (`ENOSPC`, `EIO`) with which a step fails, if it is to fail. A failing append writes a part. */
  readonly failing?: (step: Step) => string | undefined
}

/** The whole of a disk at one time. Never changes. */
export type DiskImage = ReadonlyMap<string, Uint8Array>

/** One folder of a simulated disk. */
export interface SimDisk {
  /** The disk as a process sees it that starts now. */
  mount(): Disk
  /** The process dies and the machine goes on: all that was written is there. */
  kill(): void
  /** The power goes: what was not synced is left to the dice. */
  cutPower(): void
  /** What is there now, synced or not. */
  image(): DiskImage
  /** The process dies, and the disk holds what it once held. */
  setBack(image: DiskImage): void
  /** Changes bytes of a file, durably. */
  damage(name: string, change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array): void
}

interface Inode {
  /** What processes read. */
  bytes: Uint8Array
  /** What is on the platter. */
  durable: Uint8Array
  /** Bytes from here on were in a sync that failed: the system counts them as written, and they are not. */
  lostFrom: number
}

type Change =
  | { readonly kind: 'link'; readonly name: string; readonly inode: Inode }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string; readonly inode: Inode }
  | { readonly kind: 'unlink'; readonly name: string }

/** Makes an empty disk, or one that holds an image. */
export function createSimDisk(options: SimDiskOptions, image: DiskImage = new Map()): SimDisk {
  const { dice, beforeStep, failing } = options
  let names = new Map<string, Inode>()
  let durableNames = new Map<string, Inode>()
  let unsyncedChanges: Change[] = []
  let life = 0
  let isLocked = false

  const hold = (held: DiskImage): void => {
    names = new Map(
      [...held].map(([name, bytes]) => [
        name,
        { bytes: bytes.slice(), durable: bytes.slice(), lostFrom: Number.POSITIVE_INFINITY },
      ]),
    )
    durableNames = new Map(names)
    unsyncedChanges = []
  }
  const die = (): void => {
    life++
    isLocked = false
  }
  const change = (made: Change): void => {
    apply(names, made)
    unsyncedChanges.push(made)
  }
  const found = (name: string): Inode => {
    const inode = names.get(name)
    if (inode === undefined) throw failure('ENOENT', name)
    return inode
  }
  hold(image)

  const mount = (): Disk => {
    const born = life
    // A dead process hears nothing any more: its promises stay open.
    const step = async <Result>(
      kind: StepKind,
      name: string,
      act: (errno: string | undefined) => Result,
    ): Promise<Result> => {
      await beforeStep?.({ kind, name })
      if (born !== life) return new Promise<Result>(() => {})
      const errno = failing?.({ kind, name })
      if (errno !== undefined && kind !== 'append' && kind !== 'sync') throw failure(errno, name)
      return act(errno)
    }
    const toFile = (name: string, inode: Inode): DiskFile => ({
      size: () => inode.bytes.length,
      append: (bytes) =>
        step('append', name, (errno) => {
          const written = errno === undefined ? bytes : bytes.subarray(0, dice.below(bytes.length + 1))
          const joined = new Uint8Array(inode.bytes.length + written.length)
          joined.set(inode.bytes)
          joined.set(written, inode.bytes.length)
          inode.bytes = joined
          // Now and then the system writes out by itself what nobody has synced.
          if (inode.lostFrom > joined.length && dice.below(4) === 0) inode.durable = joined
          if (errno !== undefined) throw failure(errno, name)
        }),
      truncate: (size) =>
        step('truncate', name, () => {
          inode.bytes = inode.bytes.slice(0, size)
          // What is written here again is new to the system, and will be written out.
          if (size <= inode.lostFrom) inode.lostFrom = Number.POSITIVE_INFINITY
        }),
      sync: () =>
        step('sync', name, (errno) => {
          if (errno !== undefined) {
            inode.lostFrom = Math.min(inode.lostFrom, sharedLength(inode.bytes, inode.durable))
            throw failure(errno, name)
          }
          inode.durable = inode.bytes.slice()
          inode.durable.fill(0, Math.min(inode.lostFrom, inode.durable.length))
        }),
      close: () => step('close', name, () => {}),
    })
    return {
      list: () => step('list', '', () => [...names.keys()]),
      read: (name) => step('read', name, () => found(name).bytes.slice()),
      create: (name) =>
        step('create', name, () => {
          const inode: Inode = {
            bytes: new Uint8Array(),
            durable: new Uint8Array(),
            lostFrom: Number.POSITIVE_INFINITY,
          }
          change({ kind: 'link', name, inode })
          return toFile(name, inode)
        }),
      open: (name) => step('open', name, () => toFile(name, found(name))),
      rename: (from, to) => step('rename', from, () => change({ kind: 'rename', from, to, inode: found(from) })),
      remove: (name) =>
        step('remove', name, () => {
          found(name)
          change({ kind: 'unlink', name })
        }),
      syncFolder: () =>
        step('syncFolder', '', () => {
          durableNames = new Map(names)
          unsyncedChanges = []
        }),
      lock: () =>
        step('lock', '', () => {
          if (isLocked) throw new SyncError('storage_in_use', 'The simulated folder is open already')
          isLocked = true
          return async () => {
            if (born === life) isLocked = false
          }
        }),
      checksum: (bytes) => crc32(bytes),
    }
  }

  return {
    mount,
    kill: die,
    cutPower() {
      die()
      const left = new Map(durableNames)
      // A folder's changes reach the platter each by itself, in their order.
      for (const made of unsyncedChanges) if (dice.below(2) === 0) apply(left, made)
      hold(new Map([...left].map(([name, inode]) => [name, afterPowerCut(inode, dice)])))
    },
    image: () => new Map([...names].map(([name, { bytes }]) => [name, bytes.slice()])),
    setBack(held) {
      die()
      hold(held)
    },
    damage(name, spoil) {
      const spoiled = spoil(found(name).bytes.slice())
      names.set(name, { bytes: spoiled, durable: spoiled.slice(), lostFrom: Number.POSITIVE_INFINITY })
      durableNames.set(name, names.get(name) as Inode)
    },
  }
}

function apply(names: Map<string, Inode>, change: Change): void {
  if (change.kind === 'link') names.set(change.name, change.inode)
  else if (change.kind === 'unlink') names.delete(change.name)
  else {
    names.delete(change.from)
    names.set(change.to, change.inode)
  }
}

/** What the platter holds of a file: all that was synced, and of the rest nothing, a part, or a length filled with zeros here and there. */
function afterPowerCut({ bytes, durable, lostFrom }: Inode, dice: Dice): Uint8Array {
  const shared = sharedLength(bytes, durable)
  // Cut shorter since: the cut may not have reached the platter.
  if (shared < durable.length && dice.below(2) === 0) return durable
  const end = shared + dice.below(bytes.length - shared + 1)
  const left = bytes.slice(0, end)
  left.fill(0, Math.min(lostFrom, end))
  if (end > shared && dice.below(3) === 0) {
    const hole = shared + dice.below(end - shared)
    left.fill(0, hole, hole + 1 + dice.below(end - hole))
  }
  return left
}

function sharedLength(a: Uint8Array, b: Uint8Array): number {
  const limit = Math.min(a.length, b.length)
  let length = 0
  while (length < limit && a[length] === b[length]) length++
  return length
}

function failure(errno: string, name: string): Error {
  return Object.assign(new Error(`${errno}: the simulated disk failed at ${name === '' ? 'its folder' : name}`), {
    code: errno,
  })
}
