// Which intents are safe on a device's disk, read off the bytes themselves: everything that was synced is searched for ids. So the
// question «was it durable before it was on the wire» (I1) does not rest on what the storage says of itself.
import type { Disk, DiskFile } from '../hosts/node/disk.ts'

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g
const decoder = new TextDecoder()

/** Every id in some bytes of a disk. */
export function idsIn(bytes: Uint8Array): string[] {
  return decoder.decode(bytes).match(uuid) ?? []
}

/** The same disk; every id that a sync made safe is told. `contents` gives what a file holds at present. */
export function watchDisk(
  disk: Disk,
  contents: (name: string) => Uint8Array | undefined,
  onSafe: (id: string) => void,
): Disk {
  const watchFile = (file: DiskFile, found?: Uint8Array): DiskFile => {
    // What an earlier process wrote and did not sync, the first sync makes safe too.
    let unsynced: Uint8Array[] = found === undefined ? [] : [found]
    return {
      size: () => file.size(),
      async append(bytes) {
        unsynced.push(bytes)
        await file.append(bytes)
      },
      truncate: (size) => file.truncate(size),
      async sync() {
        const covered = unsynced
        unsynced = []
        await file.sync()
        for (const bytes of covered) for (const id of idsIn(bytes)) onSafe(id)
      },
      close: () => file.close(),
    }
  }
  return {
    list: () => disk.list(),
    read: (name) => disk.read(name),
    create: async (name) => watchFile(await disk.create(name)),
    open: async (name) => watchFile(await disk.open(name), contents(name)),
    rename: (from, to) => disk.rename(from, to),
    remove: (name) => disk.remove(name),
    syncFolder: () => disk.syncFolder(),
    lock: () => disk.lock(),
    checksum: (bytes) => disk.checksum(bytes),
  }
}
