// A kill or a power cut can tear the last record of the log in which Chromium keeps IndexedDB. The next start takes no notice of the
// torn end, but goes on writing behind it; the start after that finds a record that does not fit its checksum in the middle, and
// throws away everything that the origin has. The tear is made here by hand, since a real one comes once in some fifty kills.
import { appendFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { DevicePage } from './pages/device.ts'
import { createStage } from './stage.ts'

const numbers = (count: number, first = 1): number[] => Array.from({ length: count }, (_, n) => first + n)

/** The logs of the one origin that this profile knows. */
function logsOf(profile: string): readonly string[] {
  const folder = join(profile, 'Default', 'IndexedDB')
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.log'))
    .map((path) => join(folder, path))
    .sort()
}

/** Writes the beginning of a record: its head promises 200 bytes, and 20 came. */
function tear(log: string): void {
  appendFileSync(log, Uint8Array.from([1, 2, 3, 4, 200, 0, 1, ...new Array<number>(20).fill(7)]))
}

test('[I1] [I16] a log whose end a kill has torn costs nothing, however often the browser is started again', async () => {
  const stage = await createStage()
  const profile = stage.profile()

  const first = await stage.browser(profile)
  const one = await first.tab<DevicePage>('device')
  await one.call('start', { isPaused: true })
  await one.call('startWorkout', 'monday')
  await one.call('logSets', 'monday', 'phone', numbers(5))
  await first.kill()

  const [torn = '', ...others] = logsOf(profile).toReversed()
  expect(others).toEqual([])
  tear(torn)

  const second = await stage.browser(profile)
  const two = await second.tab<DevicePage>('device')
  await two.call('start', { isPaused: true })
  expect((await two.call('sets', 'monday')).map(({ number }) => number)).toEqual(numbers(5))
  await two.call('logSets', 'monday', 'phone', numbers(5, 6))
  await expect.poll(() => logsOf(profile), { timeout: 30_000 }).not.toContain(torn)
  await two.call('logSets', 'monday', 'phone', numbers(5, 11))
  await second.kill()

  const third = await stage.browser(profile)
  const three = await third.tab<DevicePage>('device')
  await three.call('start', { isPaused: true })
  expect((await three.call('sets', 'monday')).map(({ number }) => number)).toEqual(numbers(15))
  await three.call('resume')
  await three.call('untilSets', 'monday', 15, 'synced')
  expect(stage.sql('SELECT decided FROM holdfast_client')).toEqual([{ decided: 16 }])
})
