// Profiles of a real browser that went back to a copy, were cloned into two that live, or whose database the browser had to throw away:
// what is made afterwards is decided once and none of it is swallowed, and the person is told what is gone.
import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import type { DevicePage } from './pages/device.ts'
import { createStage, type Stage, type StageBrowser, type Tab } from './stage.ts'

const numbers = (count: number, first = 1): number[] => Array.from({ length: count }, (_, n) => first + n)

/** Starts a browser on a profile, with one tab. */
async function start(
  stage: Stage,
  profile: string,
): Promise<{ readonly browser: StageBrowser; readonly tab: Tab<DevicePage> }> {
  const browser = await stage.browser(profile)
  // The browser writes of each answer that is a problem: here, that another copy has used the numbers.
  browser.expectError(/status of 409/)
  const tab = await browser.tab<DevicePage>('device')
  await tab.call('start', { isPaused: true })
  return { browser, tab }
}

/** Puts a copy of one folder in the place of another; nobody has either open. */
function copy(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true })
  // Whose it is in this moment is not part of a profile.
  cpSync(from, to, { recursive: true, filter: (path) => !basename(path).startsWith('Singleton') })
}

/** The sets of the authority, in their order: each stands there once. */
function setsOf(stage: Stage): readonly string[] {
  const sets = stage.sql<{ device: string; number: number; position: number }>(
    'SELECT device, number, position FROM sets ORDER BY position',
  )
  expect(sets.map(({ position }) => position)).toEqual(sets.map((_, index) => index + 1))
  return sets.map(({ device, number }) => `${device} ${number}`)
}

const named = (device: string, of: readonly number[]): readonly string[] => of.map((number) => `${device} ${number}`)

/** A profile with ten synced sets, a copy of it, and what it did afterwards: six sets that were synced and four that were not. */
async function tenAgo(stage: Stage): Promise<{ readonly profile: string; readonly backup: string }> {
  const profile = stage.profile()
  const backup = `${profile} copied`
  const first = await start(stage, profile)
  await first.tab.call('resume')
  await first.tab.call('startWorkout', 'monday')
  await first.tab.call('logSets', 'monday', 'before', numbers(10))
  await first.tab.call('quiet')
  await first.tab.call('stop')
  await first.browser.close()
  copy(profile, backup)
  const second = await start(stage, profile)
  await second.tab.call('resume')
  await second.tab.call('logSets', 'monday', 'since', numbers(6))
  await second.tab.call('quiet')
  await second.tab.call('pause')
  await second.tab.call('logSets', 'monday', 'since', numbers(4, 7))
  await second.tab.call('stop')
  await second.browser.close()
  return { profile, backup }
}

/** Twelve sets are made, and all of them come through. */
async function goOn(stage: Stage, { tab }: { readonly tab: Tab<DevicePage> }): Promise<void> {
  await tab.call('logSets', 'monday', 'after', numbers(12))
  await tab.call('resume')
  await tab.call('quiet')
  const expected = [named('before', numbers(10)), named('since', numbers(6)), named('after', numbers(12))].flat()
  expect(setsOf(stage)).toEqual(expected)
  expect((await tab.call('sets', 'monday')).map(({ device, number }) => `${device} ${number}`)).toEqual(expected)
  expect(await tab.call('outbox')).toEqual([])
}

test('[I18] a profile restored from a copy taken ten intents ago: all new intents are decided once, none is swallowed, and the person is told', async () => {
  const stage = await createStage()
  const { profile, backup } = await tenAgo(stage)
  copy(backup, profile)
  const restored = await start(stage, profile)
  await goOn(stage, restored)
  expect((await restored.tab.call('status')).lost).toMatchObject([{ kind: 'copied' }])
})

test('[I18] where the database alone went back, the person is told how many intents are gone, in every start until that is acknowledged', async () => {
  const stage = await createStage()
  const { profile, backup } = await tenAgo(stage)
  const database = join('Default', 'IndexedDB')
  copy(join(backup, database), join(profile, database))
  const lost = [{ kind: 'older', intents: 10, unsent: 4 }]
  const restored = await start(stage, profile)
  expect(await restored.tab.call('untilLost')).toMatchObject(lost)
  await goOn(stage, restored)
  await restored.tab.call('stop')
  await restored.browser.close()
  const again = await start(stage, profile)
  const other = await again.browser.tab<DevicePage>('device')
  await other.call('start')
  for (const tab of [again.tab, other]) expect(await tab.call('untilLost')).toMatchObject(lost)
  await other.call('acknowledgeLoss')
  for (const tab of [again.tab, other]) expect(await tab.call('untilLost', 0)).toEqual([])
})

test('[I18] a profile cloned into two living devices: what both make is decided once, and none is swallowed', async () => {
  const stage = await createStage()
  const { profile } = await tenAgo(stage)
  // Browsers are found by their profile: none may be the beginning of another.
  const clone = stage.profile('clone')
  copy(profile, clone)
  const devices = [await start(stage, profile), await start(stage, clone)]
  for (const [index, { tab }] of devices.entries()) await tab.call('logSets', 'monday', `device ${index}`, numbers(10))
  for (const { tab } of devices) await tab.call('resume')
  for (const { tab } of devices) await tab.call('quiet')
  const made = [named('before', numbers(10)), named('since', numbers(10)), named('device 0', numbers(10))]
  const all = [...made, named('device 1', numbers(10))].flat().sort()
  expect([...setsOf(stage)].sort()).toEqual(all)
  for (const { tab } of devices) expect(await tab.call('untilSets', 'monday', 40, 'synced')).toHaveLength(40)
  const lost = []
  for (const { tab } of devices) lost.push(...(await tab.call('status')).lost)
  expect(lost).toMatchObject([{ kind: 'copied' }])
})

test('a database that the browser had to throw away: the person is told how many intents had not been decided', async () => {
  const stage = await createStage()
  const { profile } = await tenAgo(stage)
  const folder = join(profile, 'Default', 'IndexedDB')
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    if (/\.(log|ldb)$|MANIFEST|CURRENT/.test(path)) writeFileSync(join(folder, path), 'no database')
  const { tab } = await start(stage, profile)
  expect(await tab.call('untilLost')).toMatchObject([{ kind: 'vanished', intents: 21, unsent: 4 }])
  await tab.call('resume')
  await tab.call('untilSets', 'monday', 16, 'synced')
})
