// A device in a real browser: what it has acknowledged outlives the end of every process of the browser, and goes to the authority
// when there is a network again. The authority is asked by plain SQL.
import { describe, expect, test } from 'vitest'
import type { DevicePage } from './pages/device.ts'
import { createStage } from './stage.ts'

const numbers = (count: number, first = 1): number[] => Array.from({ length: count }, (_, n) => first + n)

describe('a device that is offline', () => {
  test('[I1] [I2] 20 sets logged offline are there after SIGKILL, marked as on this device, and arrive in order', async () => {
    const stage = await createStage()
    const profile = stage.profile()

    const first = await stage.browser(profile)
    const before = await first.tab<DevicePage>('device')
    await first.setOffline(true)
    await before.call('start')
    await before.call('startWorkout', 'monday')
    for (const number of numbers(20)) await before.call('logSets', 'monday', 'phone', [number])
    await first.kill()

    const second = await stage.browser(profile)
    const after = await second.tab<DevicePage>('device')
    await second.setOffline(true)
    // An intent on its way is `sending`, also when the network does not take it: so nothing is tried while this is looked at.
    await after.call('start', { isPaused: true })
    expect(await after.call('sets', 'monday')).toEqual(
      numbers(20).map((number) => ({ position: number, device: 'phone', number, state: 'queued' })),
    )
    expect(await after.call('outbox')).toEqual(numbers(21).map((sequence) => ({ sequence, badge: 'queued' })))
    expect(await after.call('status')).toMatchObject({
      waiting: 21,
      storage: { mode: 'indexeddb', isDurable: true },
    })
    await after.call('resume')
    await after.call('untilStatus', { connection: 'offline' })
    expect(stage.sql('SELECT * FROM holdfast_ledger')).toEqual([])

    await second.setOffline(false)
    const synced = await after.call('untilSets', 'monday', 20, 'synced')
    expect(synced.map(({ position, number }) => [position, number])).toEqual(numbers(20).map((n) => [n, n]))
    expect(stage.sql(`SELECT position, number, device FROM sets WHERE workoutId = 'monday' ORDER BY position`)).toEqual(
      numbers(20).map((n) => ({ position: n, number: n, device: 'phone' })),
    )
    expect(stage.sql(`SELECT sequence, status FROM holdfast_ledger ORDER BY client, sequence`)).toEqual(
      numbers(21).map((sequence) => ({ sequence, status: 'applied' })),
    )
    expect(await after.call('outbox')).toEqual([])
  })

  test('[I16] closing the window and opening it again is the same device', async () => {
    const stage = await createStage()
    const profile = stage.profile()
    for (const life of [1, 2, 3]) {
      const browser = await stage.browser(profile)
      const tab = await browser.tab<DevicePage>('device')
      await tab.call('start')
      if (life === 1) await tab.call('startWorkout', 'monday')
      await tab.call('logSets', 'monday', 'phone', [life])
      expect((await tab.call('untilSets', 'monday', life, 'synced')).map(({ number }) => number)).toEqual(numbers(life))
      await browser.close()
    }
    expect(stage.sql('SELECT decided FROM holdfast_client')).toEqual([{ decided: 4 }])
  })

  test('[I17] a network that goes while the stream is open, and comes back, leaves two devices equal', async () => {
    const stage = await createStage()
    const phone = await stage.browser(stage.profile('phone'))
    const laptop = await stage.browser(stage.profile('laptop'))
    const here = await phone.tab<DevicePage>('device')
    const there = await laptop.tab<DevicePage>('device')
    await here.call('start')
    await there.call('start')
    await here.call('startWorkout', 'monday')
    await here.call('logSets', 'monday', 'phone', numbers(5))
    await there.call('untilSets', 'monday', 5, 'synced')

    await phone.setOffline(true)
    await laptop.setOffline(true)
    stage.dropStreams()
    await here.call('untilStatus', { connection: 'offline' })
    await here.call('logSets', 'monday', 'phone', numbers(10, 6))
    await there.call('logSets', 'monday', 'laptop', numbers(10, 1))
    expect(stage.sql('SELECT count(*) AS sets FROM sets')).toEqual([{ sets: 5 }])

    await phone.setOffline(false)
    await laptop.setOffline(false)
    const onPhone = await here.call('untilSets', 'monday', 25, 'synced')
    const onLaptop = await there.call('untilSets', 'monday', 25, 'synced')
    expect(onPhone).toEqual(onLaptop)
    expect(onPhone.map(({ position }) => position)).toEqual(numbers(25))
    for (const [device, count] of [
      ['phone', 15],
      ['laptop', 10],
    ] as const) {
      const own = onPhone.filter((set) => set.device === device).map(({ number }) => number)
      expect(own, device).toEqual(numbers(count))
    }
  })
})

describe('a device that has no room', () => {
  test('[I1] [I4] says so of what it could not keep, keeps what it had, and goes on when there is room', async () => {
    const stage = await createStage()
    const profile = stage.profile()
    const browser = await stage.browser(profile)
    const tab = await browser.tab<DevicePage>('device')
    // Before the first write: for a while the browser believes what it has heard of the room that is left.
    await browser.setQuota(stage.url, 400_000)
    await tab.call('start', { isPaused: true })
    await tab.call('startWorkout', 'monday')
    const long = 'x'.repeat(50_000)
    let kept = 0
    let ending: Awaited<ReturnType<DevicePage['tryToLog']>> = 'saved'
    while (ending === 'saved' && kept < 100) {
      ending = await tab.call('tryToLog', 'monday', long, kept + 1)
      if (ending === 'saved') kept++
    }
    expect(kept).toBeGreaterThan(0)
    expect(ending).toEqual({ code: 'storage_failed', details: { errno: 'QuotaExceededError' } })
    expect(await tab.call('sets', 'monday')).toHaveLength(kept)
    expect(await tab.call('outbox')).toHaveLength(1 + kept)

    await browser.setQuota(stage.url, undefined)
    expect(await tab.call('tryToLog', 'monday', 'phone', 1)).toBe('saved')
    await browser.kill()
    const again = await stage.browser(profile)
    const after = await again.tab<DevicePage>('device')
    await after.call('start')
    await after.call('untilSets', 'monday', kept + 1, 'synced')
    expect(stage.sql('SELECT number FROM sets WHERE device = ? ORDER BY position', long)).toEqual(
      numbers(kept).map((number) => ({ number })),
    )
    expect(stage.sql('SELECT decided FROM holdfast_client')).toEqual([{ decided: 2 + kept }])
  })
})

describe('a query in a page', () => {
  test('[I14] is told once for each frame, however many rows moved', async () => {
    const stage = await createStage()
    const browser = await stage.browser(stage.profile())
    const tab = await browser.tab<DevicePage>('device')
    await tab.call('start')
    await stage.authority.run('anna', 'startWorkout', { id: 'monday' })
    await stage.authority.run('anna', 'logSets', { workoutId: 'monday', device: 'desk', numbers: numbers(3) })
    await tab.call('untilSets', 'monday', 3, 'synced')
    await tab.call('watch', 'monday')
    for (const round of [1, 2, 3, 4, 5]) {
      const count = 3 + 100 * round
      await stage.authority.run('anna', 'logSets', {
        workoutId: 'monday',
        device: 'desk',
        numbers: numbers(100, count),
      })
      await tab.call('untilSets', 'monday', count, 'synced')
    }
    expect(await tab.call('heard')).toEqual([103, 203, 303, 403, 503])
  })
})
