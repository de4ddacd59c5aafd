// Signing out in real tabs: both end, the rows leave the database, and what was not sent is there when the person is back.
import { expect, test } from 'vitest'
import type { DevicePage } from './pages/device.ts'
import { createStage } from './stage.ts'

test('[I8] [I16] a person who signs out in one tab has left the other too, and finds what was not sent when they are back', async () => {
  const stage = await createStage()
  const browser = await stage.browser(stage.profile())
  const one = await browser.tab<DevicePage>('device')
  const two = await browser.tab<DevicePage>('device')
  for (const tab of [one, two]) await tab.call('start')
  await one.call('startWorkout', 'monday')
  await one.call('logSets', 'monday', 'phone', [1, 2, 3])
  await two.call('untilSets', 'monday', 3, 'synced')
  await two.call('pause')
  await two.call('logSets', 'monday', 'phone', [4, 5])
  await one.call('untilSets', 'monday', 5)

  expect(await two.call('signOut')).toBe('unsent')
  expect(await one.call('sets', 'monday')).toHaveLength(5)
  expect(await two.call('signOut', 'keep')).toBeUndefined()
  for (const tab of [one, two]) {
    await tab.call('untilSets', 'monday', 0)
    await tab.call('untilStatus', { connection: 'paused' })
    expect((await tab.call('status')).fault?.code).toBe('signed_out')
    expect(await tab.call('tryToLog', 'monday', 'phone', 9)).toMatchObject({ code: 'signed_out' })
  }
  expect(await one.call('countRecords', 'frames')).toBe(0)

  await one.call('start', { isPaused: true })
  expect((await one.call('sets', 'monday')).map(({ number }) => number)).toEqual([4, 5])
  await one.call('resume')
  const sets = await one.call('untilSets', 'monday', 5, 'synced')
  expect(sets.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5])
  expect(stage.sql('SELECT decided FROM holdfast_client')).toEqual([{ decided: 6 }])

  await one.call('quiet')
  expect(await one.call('signOut')).toBeUndefined()
  await one.call('start')
  await one.call('logSets', 'monday', 'phone', [6])
  await one.call('quiet')
  expect(stage.sql('SELECT decided FROM holdfast_client ORDER BY decided')).toEqual([{ decided: 1 }, { decided: 6 }])
})
