// Keeps a second process out of a folder. Each who wants in puts down a file of its own, whose name says which process it is, and then
// looks for others: of two that come at once at least one sees the other, so never both go in. What dead processes left is removed.
// A process is known by its id and, where the system tells it, when it began, since ids come again (in a container after each start).
// Processes of two machines, or of two containers with process ids of their own, do not see each other: give each its folder.
import { randomBytes } from 'node:crypto'
import { open, readdir, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { SyncError } from '../../base/errors.ts'

const lockName = /^lock-(\d+)-([0-9a-z]+)-[0-9a-f]+$/

/** What stands for «the system does not tell». */
const unknownStart = 'x'

/** Locks a folder; rejects with `storage_in_use`. The returned function lets go of it. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const own = `lock-${process.pid}-${await startOf(process.pid)}-${randomBytes(6).toString('hex')}`
  await (await open(join(folder, own), 'wx')).close()
  const remove = (name: string): Promise<void> => unlink(join(folder, name)).catch(() => undefined)
  try {
    for (const name of await readdir(folder)) {
      const [, pid, start] = name.match(lockName) ?? []
      if (name === own || pid === undefined || start === undefined) continue
      if (await isAlive(Number(pid), start)) {
        throw new SyncError('storage_in_use', `The folder is open in process ${pid}`, {
          details: { pid: Number(pid), own: Number(pid) === process.pid },
        })
      }
      await remove(name)
    }
  } catch (error) {
    await remove(own)
    throw error
  }
  return () => remove(own)
}

async function isAlive(pid: number, start: string): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    if ((error as { readonly code?: unknown }).code === 'ESRCH') return false
  }
  const now = await startOf(pid)
  return start === unknownStart || now === unknownStart || now === start
}

/** When a process began, in ticks since the machine was started, as Linux tells it. */
async function startOf(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The name of the program comes second, in parentheses, and may hold anything; the start is the twentieth field after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie waits only to be counted by its parent: it holds nothing open any more.
    return fields[0] === 'Z' ? 'dead' : (fields[19] ?? unknownStart)
  } catch {
    return unknownStart
  }
}
