// The file storage with real processes and real files: killed, opened twice, left locked by the dead, in folders named after actors.
import { type ChildProcess, spawn } from 'node:child_process'
import { cp, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Storage } from '../../../src/client/storage/storage.ts'
import { actorFolder } from '../../../src/hosts/node/actor-folder.ts'
import { node } from '../../../src/hosts/node/index.ts'
import type { ActorId } from '../../../src/protocol/ids.ts'
import { birth, intent } from '../../../src/sim/contracts/storage-harness.ts'
import { createDice } from '../../../src/sim/random.ts'

const anna = 'anna' as ActorId
let folder = ''
const children = new Set<ChildProcess>()

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-kept-'))
})
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
  await rm(folder, { recursive: true, force: true })
})

const open = (actor = anna): Promise<Storage> => node({ folder }).openStorage(actor)

/** Starts a process on the folder; gives its lines, and a function that kills it and resolves when it is gone. */
function start(mode: 'append' | 'hold') {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./appender.ts', import.meta.url)), folder, mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.add(child)
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()))
  return {
    lines: createInterface({ input: child.stdout }),
    pid: child.pid,
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

test('[I1] [I18] a process that is killed while it appends has lost nothing of what it acknowledged', async () => {
  const dice = createDice('kill')
  const acknowledged: [first: number, count: number][] = []
  for (let round = 0; round < 4; round++) {
    const { lines, kill } = start('append')
    let left = dice.between(5, 200)
    for await (const line of lines) {
      const [word, first, count] = line.split(' ')
      if (word === 'kept') acknowledged.push([Number(first), Number(count)])
      // What it has written to the pipe by then is read to its end, although it is dead.
      if (left-- === 0) void kill()
    }
    await kill()
    const storage = await open()
    const { outbox, frames } = await storage.load(birth('b'))
    const made = new Map<number, number | undefined>(
      outbox.flatMap((event) => (event.kind === 'made' ? [[event.first, event.intents.length] as const] : [])),
    )
    expect(outbox[0]).toEqual(birth())
    for (const [first, count] of acknowledged) expect(made.get(first)).toBe(count)
    expect(frames.map(({ at }) => at)).toEqual(frames.map((_, index) => index + 1))
    await storage.close()
  }
  const numbers = acknowledged.flatMap(([first, count]) => Array.from({ length: count }, (_, index) => first + index))
  expect(new Set(numbers).size).toBe(numbers.length)
  expect(acknowledged.length).toBeGreaterThan(20)
})

test('[I8] a second process is refused while the first has the folder, and let in when that one was killed', async () => {
  const { lines, pid, kill } = start('hold')
  await lines[Symbol.asyncIterator]().next()
  await expect(open()).rejects.toMatchObject({ code: 'storage_in_use', details: { pid, own: false } })
  // Another actor's folder is another storage.
  await (await open('bert' as ActorId)).close()
  await kill()
  const storage = await open()
  expect((await storage.load(birth('b'))).outbox).toEqual([birth()])
  await storage.close()
})

test('[I8] one process cannot open a folder twice', async () => {
  const storage = await open()
  await expect(open()).rejects.toMatchObject({ code: 'storage_in_use', details: { own: true } })
  await storage.close()
  await (await open()).close()
  expect((await readdir(join(folder, actorFolder(anna)))).filter((name) => name.startsWith('lock-'))).toEqual([])
})

test.runIf(process.platform === 'linux')('a lock of an earlier process with the same id is stale', async () => {
  await (await open()).close()
  await writeFile(join(folder, actorFolder(anna), `lock-${process.pid}-12345-00ff`), '')
  await (await open()).close()
})

test('a storage that could not be loaded lets go of its folder', async () => {
  const path = join(folder, actorFolder(anna))
  await (await open()).close()
  await writeFile(join(path, 'outbox-000001.journal'), 'something else')
  for (const _ of [1, 2]) await expect((await open()).load(birth())).rejects.toMatchObject({ code: 'storage_corrupt' })
})

test('the rows of a folder whose outbox was taken away are not taken for those of a new device', async () => {
  const path = join(folder, actorFolder(anna))
  await (await open()).close()
  await writeFile(join(path, 'frames-000001.journal'), '')
  await expect((await open()).load(birth())).rejects.toMatchObject({ code: 'storage_corrupt' })
})

test('a folder that was copied to another actor is refused', async () => {
  const storage = await open()
  await storage.load(birth())
  await storage.append([intent(1)])
  await storage.close()
  await cp(join(folder, actorFolder(anna)), join(folder, actorFolder('bert' as ActorId)), { recursive: true })
  await expect((await open('bert' as ActorId)).load(birth())).rejects.toMatchObject({ code: 'storage_corrupt' })
})

test('files of a generation that was never finished, and of older ones, are removed', async () => {
  const path = join(folder, actorFolder(anna))
  const storage = await open()
  await storage.load(birth())
  await storage.rewriteOutbox(() => [birth()])
  await storage.close()
  expect(await readdir(path)).toEqual(['outbox-000002.journal'])
  await writeFile(join(path, 'outbox-000001.journal'), 'older')
  await writeFile(join(path, 'outbox-000003.journal.unfinished'), 'half')
  const next = await open()
  expect((await next.load(birth('b'))).outbox).toEqual([birth()])
  await next.close()
  expect(await readdir(path)).toEqual(['outbox-000002.journal'])
})

test('a folder that cannot be made is a fault with the code of the system', async () => {
  await writeFile(join(folder, 'file'), '')
  await expect(node({ folder: join(folder, 'file') }).openStorage(anna)).rejects.toMatchObject({
    code: 'storage_failed',
    details: { errno: 'ENOTDIR' },
  })
})

test('what is kept is readable only for the one whose process it is', async () => {
  const storage = await open()
  await storage.load(birth())
  const path = join(folder, actorFolder(anna))
  expect((await stat(path)).mode & 0o077).toBe(0)
  expect((await stat(join(path, 'outbox-000001.journal'))).mode & 0o077).toBe(0)
  await storage.close()
})

test('actors have folders whose names any disk can tell apart', () => {
  const actors = ['anna', 'Anna', 'ANNA', 'anna ', '../anna', 'anna/..', 'con', 'ä'.repeat(128), '🏋️', '.', 'user:42']
  const names = actors.map((actor) => actorFolder(actor as ActorId))
  expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(actors.length)
  for (const name of names) expect(name).toMatch(/^actor-[a-z0-9-]{1,65}$/)
})

test('a host without a folder keeps one memory for each actor, for as long as it lives', async () => {
  const host = node({ memory: true })
  const storage = await host.openStorage(anna)
  expect(storage).toMatchObject({ mode: 'memory', isDurable: false })
  await storage.load(birth())
  await storage.append([intent(1)])
  await expect(host.openStorage(anna)).rejects.toMatchObject({ code: 'storage_in_use' })
  await storage.close()
  const again = await host.openStorage(anna)
  expect((await again.load(birth('b'))).outbox).toHaveLength(2)
  const other = await host.openStorage('bert' as ActorId)
  expect((await other.load(birth('b'))).outbox).toEqual([birth('b')])
})
