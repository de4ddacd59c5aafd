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
  test('[I1] [I4] asks before it keeps less safely, keeps what it had, and after a start with room all is in one place', async () => {
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
    expect(ending).toEqual({ code: 'not_durable', details: {} })
    expect(await tab.call('sets', 'monday')).toHaveLength(kept)
    expect(await tab.call('outbox')).toHaveLength(1 + kept)
    expect((await tab.call('status')).storage).toMatchObject({ mode: 'localstorage', isDurable: false, why: 'quota' })

    expect(await tab.call('tryToLog', 'monday', 'phone', 1)).toMatchObject({ code: 'not_durable' })
    expect(await tab.call('tryToLog', 'monday', 'phone', 1, true)).toBe('saved')
    await browser.setQuota(stage.url, undefined)
    await browser.close()
    const again = await stage.browser(profile)
    const after = await again.tab<DevicePage>('device')
    await after.call('start')
    expect((await after.call('status')).storage).toMatchObject({ mode: 'indexeddb', isDurable: true, refused: [] })
    await after.call('untilSets', 'monday', kept + 1, 'synced')
    expect(stage.sql('SELECT number FROM sets WHERE device = ? ORDER BY position', long)).toEqual(
      numbers(kept).map((number) => ({ number })),
    )
    expect(stage.sql('SELECT device FROM sets ORDER BY position DESC LIMIT 1')).toEqual([{ device: 'phone' }])
  })

  test('[I16] walks from indexeddb (full) to localstorage (blocked) to memory and back: 200 sets, three reloads, all once and in order', async () => {
    const stage = await createStage()
    const browser = await stage.browser(stage.profile())
    const tab = await browser.tab<DevicePage>('device')
    const where = async () => (await tab.call('status')).storage
    const restart = async (): Promise<void> => {
      await tab.call('stop')
      await tab.page.reload()
      await tab.call('start', { isPaused: true })
      expect(await tab.call('pointer', 'workout')).toBe('monday')
    }
    /** Fifty more, each call by itself. */
    const logFifty = async (from: number, accept: boolean): Promise<void> => {
      for (const number of numbers(50, from))
        expect(await tab.call('tryToLog', 'monday', 'phone', number, accept)).toBe('saved')
    }

    // Before the first write: for a while the browser believes what it has heard of the room that is left.
    await browser.setQuota(stage.url, 1_000_000)
    await tab.call('start', { isPaused: true })
    await tab.call('startWorkout', 'monday')
    await tab.call('point', 'workout', 'monday')
    await logFifty(1, false)
    await restart()
    expect(await where()).toMatchObject({ mode: 'indexeddb', isDurable: true, why: undefined, refused: [] })

    // The app is asked first, and may then repeat the call.
    await tab.call('fillUp')
    expect(await tab.call('tryToLog', 'monday', 'x'.repeat(50_000), 0)).toMatchObject({ code: 'not_durable' })
    expect(await where()).toMatchObject({
      mode: 'localstorage',
      isDurable: false,
      why: 'quota',
      refused: [{ mode: 'indexeddb', why: 'quota' }],
    })
    await logFifty(51, true)
    await restart()
    expect(await tab.call('status')).toMatchObject({ waiting: 101, storage: { mode: 'localstorage', why: 'quota' } })
    expect((await tab.call('sets', 'monday')).map(({ number }) => number)).toEqual(numbers(100))
    await logFifty(101, true)

    await tab.call('blockWebStorage')
    expect(await tab.call('tryToLog', 'monday', 'phone', 0, true)).toMatchObject({ code: 'not_durable' })
    expect(await where()).toMatchObject({ mode: 'memory', isDurable: false, why: 'forbidden', until: 'closed' })
    await logFifty(151, true)
    expect(await tab.call('status')).toMatchObject({ waiting: 201 })
    expect(await tab.call('pointer', 'workout')).toBe('monday')
    // Memory ends with the page: what is in it is sent before.
    await tab.call('resume')
    await tab.call('untilSets', 'monday', 200, 'synced')

    await browser.setQuota(stage.url, undefined)
    await restart()
    expect(await where()).toMatchObject({ mode: 'indexeddb', isDurable: true, why: undefined, refused: [] })
    expect(await tab.call('rescueItems')).toBe(0)
    await tab.call('resume')
    await tab.call('quiet')
    const rows = await tab.call('untilSets', 'monday', 200, 'synced')
    expect(rows.map(({ position, number }) => [position, number])).toEqual(numbers(200).map((n) => [n, n]))
    expect(stage.sql(`SELECT number FROM sets WHERE workoutId = 'monday' ORDER BY position`)).toEqual(
      numbers(200).map((number) => ({ number })),
    )
    expect(await tab.call('status')).toMatchObject({ waiting: 0, counts: { failed: 0, conflict: 0 } })
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
