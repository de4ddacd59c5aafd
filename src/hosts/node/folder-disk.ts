// The real disk: one folder, through node:fs. Writes go to the position that this process counted, so what a failed call left
// behind is overwritten, not added to. Decides nothing: which step follows which, and what an error means, is journal.ts and file.ts.
import { type FileHandle, mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Disk, DiskFile } from './disk.ts'
import { lockFolder } from './lock.ts'

/** Opens a folder as a disk; makes it, durably, when it is not there. */
export async function openFolder(path: string): Promise<Disk> {
  const folder = resolve(path)
  await makeFolder(folder)
  const at = (name: string): string => join(folder, name)
  return {
    list: () => readdir(folder),
    read: (name) => readFile(at(name)),
    create: async (name) => toDiskFile(await open(at(name), 'w', 0o600), 0),
    open: async (name) => {
      const handle = await open(at(name), 'r+')
      return toDiskFile(handle, (await handle.stat()).size)
    },
    rename: (from, to) => rename(at(from), at(to)),
    remove: (name) => unlink(at(name)),
    syncFolder: () => syncFolder(folder),
    lock: () => lockFolder(folder),
    checksum: (bytes) => crc32(bytes),
  }
}

function toDiskFile(handle: FileHandle, length: number): DiskFile {
  let size = length
  return {
    size: () => size,
    async append(bytes) {
      let done = 0
      while (done < bytes.length) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, size + done)
        done += bytesWritten
      }
      size += done
    },
    async truncate(to) {
      await handle.truncate(to)
      size = to
    },
    sync: () => handle.sync(),
    close: () => handle.close(),
  }
}

// What is kept here is one person's. A folder is durable when the folder that lists it is synced.
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  const top = dirname(resolve(first))
  for (let parent = dirname(folder); ; parent = dirname(parent)) {
    await syncFolder(parent)
    if (parent === top || parent === dirname(parent)) return
  }
}

async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folder as a file; its file systems keep names in a journal of their own.
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
