// The browser is killed again and again while two tabs log sets and one of them sends, at moments that nobody chose: before, in and
// after transactions, with requests on their way and answers not yet read. In the end the authority is asked by plain SQL.
import { expect, test } from 'vitest'
import type { DevicePage } from './pages/device.ts'
import { createStage } from './stage.ts'

const LIVES = 4

test('[I1] [I2] [I3] [I16] killed in the middle of everything, again and again: all that was saved arrives once and in order', async () => {
  const stage = await createStage()
  const profile = stage.profile()
  const acknowledged = new Set<string>()
  const key = (device: string, number: number): string => `${device} ${number}`

  for (let life = 1; life <= LIVES; life++) {
    const browser = await stage.browser(profile)
    await browser.context.exposeFunction('acknowledged', (device: string, number: number) => {
      acknowledged.add(key(device, number))
    })
    const tabs = [await browser.tab<DevicePage>('device'), await browser.tab<DevicePage>('device')]
    for (const tab of tabs) await tab.call('start')
    if (life === 1) await tabs[0]?.call('startWorkout', 'monday')
    const before = acknowledged.size
    for (const [index, tab] of tabs.entries()) {
      // Ends with the browser and never by itself.
      tab.call('logOn', 'monday', `tab ${index} of life ${life}`).catch(() => undefined)
    }
    const wanted = before + 20 + Math.floor(Math.random() * 200)
    await expect.poll(() => acknowledged.size, { timeout: 30_000, interval: 1 }).toBeGreaterThan(wanted)
    await browser.kill()
  }

  const browser = await stage.browser(profile)
  const tab = await browser.tab<DevicePage>('device')
  await tab.call('start')
  await tab.call('quiet')
  expect(await tab.call('outbox')).toEqual([])
  const sets = stage.sql<{ device: string; number: number; position: number }>(
    'SELECT device, number, position FROM sets ORDER BY position',
  )
  const present = sets.map(({ device, number }) => key(device, number))
  expect([...acknowledged].filter((each) => !present.includes(each))).toEqual([])
  expect(new Set(present).size).toBe(present.length)
  expect(sets.map(({ position }) => position)).toEqual(sets.map((_, index) => index + 1))
  for (const device of new Set(sets.map((set) => set.device))) {
    const own = sets.filter((set) => set.device === device).map(({ number }) => number)
    expect(own, device).toEqual(own.map((_, index) => index + 1))
  }
  expect(stage.sql('SELECT decided FROM holdfast_client')).toEqual([{ decided: 1 + sets.length }])
})
