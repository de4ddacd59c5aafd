// The simulated disk: each way to fail that it promises is seen to happen, and what was synced is never lost by any of them.
import { expect, test } from 'vitest'
import type { Disk } from '../../src/hosts/node/disk.ts'
import { createDice } from '../../src/sim/random.ts'
import { createSimDisk, type SimDisk, type SimDiskOptions } from '../../src/sim/storage.ts'

const make = (seed: string, more: Partial<SimDiskOptions> = {}): SimDisk =>
  createSimDisk({ dice: createDice(seed), ...more })
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const read = async (disk: Disk, name: string): Promise<string> => new TextDecoder().decode(await disk.read(name))

/** What a hundred power cuts left of one file, each after the same steps. */
async function afterCuts(steps: (disk: Disk) => Promise<unknown>, name = 'a'): Promise<string[]> {
  const left: string[] = []
  for (let seed = 0; seed < 100; seed++) {
    const sim = make(`cut ${seed}`)
    await steps(sim.mount())
    sim.cutPower()
    left.push(await read(sim.mount(), name).catch((error: { code: string }) => error.code))
  }
  return left
}

const created = async (disk: Disk) => {
  const file = await disk.create('a')
  await file.append(bytes('safe'))
  await file.sync()
  await disk.syncFolder()
  return file
}

test('a power cut keeps what was synced, and of the rest nothing, a part, all, or zeros', async () => {
  const left = await afterCuts(async (disk) => (await created(disk)).append(bytes('+more')))
  expect(left.every((text) => text.startsWith('safe'))).toBe(true)
  for (const expected of ['safe', 'safe+mo', 'safe+more']) expect(left).toContain(expected)
  expect(left.some((text) => text.includes('\0'))).toBe(true)
})

test('a power cut may undo names that were not synced, each by itself', async () => {
  const left = await afterCuts(async (disk) => {
    await created(disk)
    await disk.rename('a', 'b')
  }, 'b')
  expect(new Set(left)).toEqual(new Set(['safe', 'ENOENT']))
  const removed = await afterCuts(async (disk) => {
    await created(disk)
    await disk.remove('a')
  })
  expect(new Set(removed)).toEqual(new Set(['safe', 'ENOENT']))
})

test('a power cut may undo a truncation that was not synced', async () => {
  const left = await afterCuts(async (disk) => (await created(disk)).truncate(2))
  expect(new Set(left)).toEqual(new Set(['safe', 'sa']))
})

test('after a sync that failed, the next one succeeds and keeps nothing of what the first should have', async () => {
  let isFailing = false
  const sim = make('lie', { failing: ({ kind }) => (isFailing && kind === 'sync' ? 'EIO' : undefined) })
  const disk = sim.mount()
  const file = await created(disk)
  await file.append(bytes('+lost'))
  isFailing = true
  await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' })
  isFailing = false
  await file.sync()
  expect(await read(disk, 'a')).toBe('safe+lost')
  sim.cutPower()
  expect(await read(sim.mount(), 'a')).toBe('safe\0\0\0\0\0')
})

test('a process that died hears nothing any more and changes nothing; the next finds what it had written, and the lock open', async () => {
  const sim = make('kill')
  const disk = sim.mount()
  const file = await created(disk)
  await disk.lock()
  await expect(sim.mount().lock()).rejects.toMatchObject({ code: 'storage_in_use' })
  await file.append(bytes('+more'))
  let hasSettled = false
  const settle = (): void => {
    hasSettled = true
  }
  file.append(bytes('late')).then(settle, settle)
  sim.kill()
  const next = sim.mount()
  await next.lock()
  expect(await read(next, 'a')).toBe('safe+more')
  expect(hasSettled).toBe(false)
})

test('a disk can be set back and copied, and the copy goes its own way', async () => {
  const sim = make('copy')
  await created(sim.mount())
  const image = sim.image()
  const file = await sim.mount().open('a')
  await file.append(bytes('+more'))
  const copy = createSimDisk({ dice: createDice('other') }, sim.image())
  sim.setBack(image)
  expect([await read(sim.mount(), 'a'), await read(copy.mount(), 'a')]).toEqual(['safe', 'safe+more'])
  sim.damage('a', (held) => held.fill(120, 0, 1))
  expect([await read(sim.mount(), 'a'), new TextDecoder().decode(image.get('a'))]).toEqual(['xafe', 'safe'])
})

test('one seed gives one fate', async () => {
  const steps = async (disk: Disk): Promise<void> => (await created(disk)).append(bytes('+more and more'))
  expect(await afterCuts(steps)).toEqual(await afterCuts(steps))
})
