// Several tabs of one device: each keeps what is logged in it, one of them talks to the authority for all, and when that one goes
// another takes over. The authority is asked by plain SQL.
import { describe, expect, test } from 'vitest'
import type { DevicePage } from './pages/device.ts'
import { createStage } from './stage.ts'

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n + 1)

async function twoTabs() {
  const stage = await createStage()
  const browser = await stage.browser(stage.profile())
  const first = await browser.tab<DevicePage>('device')
  await first.call('start')
  await first.call('untilStatus', { tab: 'leading' })
  const second = await browser.tab<DevicePage>('device')
  await second.call('start')
  await first.call('startWorkout', 'monday')
  return { stage, browser, first, second }
}

describe('two tabs', () => {
  test('a set logged in either shows in the other, and both say synced', async () => {
    const { stage, first, second } = await twoTabs()
    expect(await second.call('status')).toMatchObject({ tab: 'following' })
    await first.call('logSets', 'monday', 'first', [1])
    expect(await second.call('untilSets', 'monday', 1, 'synced')).toMatchObject([{ device: 'first', position: 1 }])
    await second.call('logSets', 'monday', 'second', [1])
    for (const tab of [first, second]) {
      expect(await tab.call('untilSets', 'monday', 2, 'synced')).toMatchObject([
        { device: 'first', position: 1 },
        { device: 'second', position: 2 },
      ])
    }
    expect(stage.sql('SELECT decided FROM holdfast_client')).toEqual([{ decided: 3 }])
  })

  test('a set logged offline in either shows in the other before any authority has heard of it', async () => {
    const { stage, browser, first, second } = await twoTabs()
    await second.call('quiet')
    await browser.setOffline(true)
    stage.dropStreams()
    await second.call('logSets', 'monday', 'second', [1])
    expect(await first.call('untilSets', 'monday', 1, 'queued')).toMatchObject([{ device: 'second' }])
    await first.call('logSets', 'monday', 'first', [1])
    expect(await second.call('untilSets', 'monday', 2, 'queued')).toMatchObject([
      { device: 'second' },
      { device: 'first' },
    ])
    expect(stage.sql('SELECT * FROM sets')).toEqual([])
    await browser.setOffline(false)
    for (const tab of [first, second]) await tab.call('untilSets', 'monday', 2, 'synced')
  })

  test('[I8] the tab that leads is closed: the other takes over, and what was logged in either is sent', async () => {
    const { stage, first, second } = await twoTabs()
    await first.call('logSets', 'monday', 'first', [1])
    await second.call('untilSets', 'monday', 1, 'synced')
    const before = performance.now()
    await first.page.close()
    await second.call('untilStatus', { tab: 'leading' })
    const tookMs = Math.round(performance.now() - before)
    console.info(`The other tab led ${tookMs} ms after the leader was closed.`)
    await second.call('logSets', 'monday', 'second', [1])
    await second.call('untilSets', 'monday', 2, 'synced')
    expect(stage.sql('SELECT device, position FROM sets ORDER BY position')).toEqual([
      { device: 'first', position: 1 },
      { device: 'second', position: 2 },
    ])
  })

  test('[I8] the tab that leads crashes: the other takes over', async () => {
    const { stage, browser, first, second } = await twoTabs()
    await first.call('logSets', 'monday', 'first', [1])
    await browser.crash(first.page)
    await second.call('untilStatus', { tab: 'leading' })
    await second.call('logSets', 'monday', 'second', [1])
    await second.call('untilSets', 'monday', 2, 'synced')
    expect(stage.sql('SELECT decided FROM holdfast_client')).toEqual([{ decided: 3 }])
  })

  test('[I3] [I8] one moves to its rescue copy: the other stays, leads, and all that either logs is decided once', async () => {
    const { stage, first, second } = await twoTabs()
    await first.call('logSets', 'monday', 'first', [1])
    await second.call('untilSets', 'monday', 1, 'synced')
    await first.call('refuseDatabase')
    expect(await first.call('tryToLog', 'monday', 'first', 2)).toMatchObject({ code: 'not_durable' })
    expect(await first.call('tryToLog', 'monday', 'first', 2, true)).toBe('saved')
    expect(await first.call('status')).toMatchObject({ tab: 'alone', storage: { mode: 'localstorage', why: 'quota' } })
    await second.call('untilStatus', { tab: 'leading' })
    await second.call('logSets', 'monday', 'second', [1])
    for (const tab of [first, second]) await tab.call('untilSets', 'monday', 3, 'synced')
    expect((await second.call('status')).storage).toMatchObject({ mode: 'indexeddb', isDurable: true })
    expect(stage.sql('SELECT device, number FROM sets ORDER BY device, number')).toEqual([
      { device: 'first', number: 1 },
      { device: 'first', number: 2 },
      { device: 'second', number: 1 },
    ])
  })

  test('[I2] [I3] both append 200 at once: 400 are decided, each once, those of a tab in its order', async () => {
    const { stage, first, second } = await twoTabs()
    await Promise.all([
      first.call('logSets', 'monday', 'first', numbers(200)),
      second.call('logSets', 'monday', 'second', numbers(200)),
    ])
    for (const tab of [first, second]) await tab.call('untilSets', 'monday', 400, 'synced')
    expect(stage.sql('SELECT decided FROM holdfast_client')).toEqual([{ decided: 401 }])
    expect(
      stage.sql(
        'SELECT count(*) AS entries, count(DISTINCT intent_id) AS intents, min(status) AS a, max(status) AS b FROM holdfast_ledger',
      ),
    ).toEqual([{ entries: 401, intents: 401, a: 'applied', b: 'applied' }])
    const sets = stage.sql<{ position: number; device: string; number: number }>(
      'SELECT position, device, number FROM sets ORDER BY position',
    )
    expect(sets.map(({ position }) => position)).toEqual(numbers(400))
    for (const device of ['first', 'second'])
      expect(sets.filter((set) => set.device === device).map(({ number }) => number)).toEqual(numbers(200))
  })

  test('two names are two devices, even on one page of one profile', async () => {
    const stage = await createStage()
    const browser = await stage.browser(stage.profile())
    const phone = await browser.tab<DevicePage>('device')
    const laptop = await browser.tab<DevicePage>('device')
    await phone.call('start', { name: 'phone' })
    await laptop.call('start', { name: 'laptop' })
    await phone.call('startWorkout', 'monday')
    await phone.call('logSets', 'monday', 'phone', [1])
    await laptop.call('untilSets', 'monday', 1, 'synced')
    await laptop.call('logSets', 'monday', 'laptop', [1])
    await phone.call('untilSets', 'monday', 2, 'synced')
    expect(stage.sql('SELECT count(*) AS clients FROM holdfast_client')).toEqual([{ clients: 2 }])
  })
})
