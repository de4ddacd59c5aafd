// The storage ladder under the real client: moves down and up, what the person is told, and any mixture of faults and reloads.
import fc from 'fast-check'
import { signOut } from 'holdfast/client'
import { describe, expect, test } from 'vitest'
import { birth, intent } from '../../../src/sim/contracts/storage-harness.ts'
import { createLadderStage, type LadderStage, type Verb } from './ladder-stage.ts'

const writes: readonly Verb[] = ['append', 'note', 'rewriteOutbox', 'keepFrame', 'rewriteFrames']
const full = (verb: Verb): string | undefined => (writes.includes(verb) ? 'QuotaExceededError' : undefined)

/** Makes one note, and gives how its call ended. */
async function put(stage: LadderStage, client: Awaited<ReturnType<LadderStage['open']>>, id: string, accept = false) {
  const call = client.mutate.put({ id, text: id }, { accept })
  const saved = call.saved.then(
    () => 'saved',
    (error: { readonly code: string }) => error.code,
  )
  await stage.world.clock.settle()
  return saved
}

/** Online, everything is decided in the end: each id once, each note there. */
async function expectAllOnce(stage: LadderStage, ids: readonly string[]): Promise<void> {
  const { authority } = stage.world
  expect([...authority.runs.values()].filter((runs) => runs !== 1)).toEqual([])
  expect(ids.filter((id) => authority.state.log.get(id) === undefined)).toEqual([])
}

describe('a mode walk', () => {
  test('[I16] indexeddb, full: localstorage, blocked: memory, the app asked; after a reload indexeddb; 200 intents, all decided once and in order', async () => {
    const stage = createLadderStage()
    const { world } = stage
    const ids: string[] = []
    const make = async (client: Awaited<ReturnType<LadderStage['open']>>, count: number, accept: boolean) => {
      for (let index = 0; index < count; index++) {
        const id = `n${ids.length}`
        expect(await put(stage, client, id, accept)).toBe('saved')
        ids.push(id)
      }
    }
    world.fallback = () => 'unreachable'
    let client = await stage.open()
    await make(client, 50, false)
    expect(client.status().storage).toMatchObject({ mode: 'indexeddb', isDurable: true, why: undefined, refused: [] })
    await stage.end(client)

    client = await stage.open()
    stage.refuse = full
    // The next mode is not durable: the app is asked first, and may then repeat the call.
    expect(await put(stage, client, 'asked')).toBe('not_durable')
    expect(client.status().storage).toEqual({
      mode: 'localstorage',
      isDurable: false,
      why: 'quota',
      refused: [{ mode: 'indexeddb', why: 'quota' }],
      until: undefined,
    })
    await make(client, 50, true)
    expect(client.status().waiting).toBe(100)
    await stage.end(client)

    // What is in the rescue copy is there after a reload, although the best store still takes nothing.
    client = await stage.open()
    expect(client.status()).toMatchObject({ waiting: 100, storage: { mode: 'localstorage', why: 'quota' } })
    await make(client, 50, true)
    stage.refuseItem = () => 'SecurityError'
    expect(await put(stage, client, 'asked again', true)).toBe('not_durable')
    expect(client.status().storage).toMatchObject({ mode: 'memory', why: 'forbidden', until: 'closed' })
    await make(client, 50, true)
    expect(client.status().waiting).toBe(200)
    // What is in memory alone is sent before the reload.
    world.fallback = () => 'pass'
    client.resume()
    await world.clock.advance(120_000)
    expect(client.status().waiting).toBe(0)
    await stage.end(client)

    stage.refuse = () => undefined
    stage.refuseItem = () => undefined
    client = await stage.open()
    await world.clock.advance(120_000)
    expect(client.status()).toMatchObject({ waiting: 0, storage: { mode: 'indexeddb', isDurable: true, refused: [] } })
    expect(stage.area.items.size).toBe(0)
    await expectAllOnce(stage, ids)
    expect([...world.authority.state.log.keys()]).toEqual(ids)
    await stage.end(client)
  })

  test('[I1] on a full disk cached rows make room first: the intent is durable, the mode stays', async () => {
    const stage = createLadderStage()
    const client = await stage.open()
    let hasRows = true
    stage.refuse = (verb) => {
      if (verb === 'rewriteFrames') hasRows = false
      return hasRows && verb === 'append' ? 'QuotaExceededError' : undefined
    }
    expect(await put(stage, client, 'a')).toBe('saved')
    expect(client.status().storage).toMatchObject({ mode: 'indexeddb', refused: [] })
    expect(stage.top.frames).toEqual([])
    await stage.end(client)
    stage.refuse = () => undefined
    const again = await stage.open()
    await stage.world.clock.advance(60_000)
    await expectAllOnce(stage, ['a'])
    await stage.end(again)
  })

  test('a database that was deleted while the page ran: all undecided intents are copied, and decided once', async () => {
    const stage = createLadderStage()
    stage.world.fallback = () => 'unreachable'
    const client = await stage.open({ whenNotDurable: 'accept' })
    expect(await put(stage, client, 'a')).toBe('saved')
    stage.top.outbox.splice(0)
    stage.refuse = (verb) => (writes.includes(verb) ? 'InvalidStateError' : undefined)
    expect(await put(stage, client, 'b')).toBe('saved')
    expect(client.status()).toMatchObject({ waiting: 2, storage: { mode: 'localstorage', why: 'lost' } })
    await stage.end(client)
    stage.refuse = () => undefined
    const again = await stage.open()
    expect(again.status()).toMatchObject({ waiting: 2, storage: { mode: 'indexeddb' } })
    stage.world.fallback = () => 'pass'
    again.resume()
    await stage.world.clock.advance(60_000)
    await expectAllOnce(stage, ['a', 'b'])
    await stage.end(again)
  })

  test('a store that gives no answer is passed over after the time limit, and its late opening is closed', async () => {
    const stage = createLadderStage()
    stage.isStuck = true
    const client = await stage.open({ whenNotDurable: 'accept' })
    await stage.world.clock.advance(20_000)
    await client.ready
    expect(client.status().storage).toMatchObject({ mode: 'localstorage', why: 'timed_out' })
    await stage.end(client)
  })

  test('damage and a newer format on the first rung are told, and not passed over', async () => {
    const stage = createLadderStage()
    stage.top.outbox.push({ ...birth(), format: 99 as 1 })
    const storage = await stage.storage()
    await expect(storage.load(birth('b'))).rejects.toMatchObject({ code: 'storage_newer' })
    await storage.close()
  })

  test('what another tab has in its rescue copy is left alone until that tab has ended', async () => {
    const stage = createLadderStage()
    stage.world.fallback = () => 'unreachable'
    const first = await stage.open({ whenNotDurable: 'accept' })
    stage.refuse = full
    expect(await put(stage, first, 'a')).toBe('saved')
    stage.refuse = () => undefined
    const second = await stage.open()
    expect(second.status()).toMatchObject({
      waiting: 0,
      storage: { mode: 'indexeddb', why: undefined, refused: [{ mode: 'localstorage', why: 'in_use' }] },
    })
    await second.close()
    await stage.end(first)
    const third = await stage.open()
    expect(third.status()).toMatchObject({ waiting: 1, storage: { mode: 'indexeddb', refused: [] } })
    await stage.end(third)
  })
})

describe('a move', () => {
  const ids = Array.from({ length: 20 }, (_, n) => `n${n}`)

  test.each(['accept', 'ask'] as const)(
    '[I2] [I16] in the middle of a burst (%s): what was kept is decided in its order, the rest is told',
    async (whenNotDurable) => {
      const stage = createLadderStage()
      const { world } = stage
      world.fallback = () => 'unreachable'
      const client = await stage.open({ whenNotDurable })
      let fail = (): void => undefined
      const groups: readonly (readonly string[])[] = [ids.slice(0, 5), ids.slice(5, 12), ids.slice(12)]
      const endings: Promise<readonly string[]>[] = []
      for (const [at, group] of groups.entries()) {
        // The second group meets the fault; while it is under way the third is made.
        if (at === 1)
          stage.hold = (verb) => (verb === 'append' ? new Promise((resolve) => (fail = resolve)) : undefined)
        for (const id of group)
          endings.push(
            client.mutate.put({ id, text: id }).saved.then(
              () => [id],
              (error: { readonly code: string }) => {
                expect(error.code).toBe('not_durable')
                return []
              },
            ),
          )
        await world.clock.settle()
      }
      stage.refuse = full
      stage.hold = () => undefined
      fail()
      await world.clock.settle()
      const kept = (await Promise.all(endings)).flat()
      expect(client.status()).toMatchObject({ waiting: kept.length, storage: { mode: 'localstorage', why: 'quota' } })
      expect(kept).toEqual(whenNotDurable === 'accept' ? ids : groups[0])
      world.fallback = () => 'pass'
      client.resume()
      await world.clock.advance(60_000)
      expect([...world.authority.state.log.keys()]).toEqual(kept)
      await expectAllOnce(stage, kept)
      await stage.end(client)
    },
  )

  test.each(['pass', 'lost', 'unreachable'] as const)(
    '[I3] [I8] while requests are under way (%s): their late answers change nothing, all is decided once',
    async (fate) => {
      const stage = createLadderStage()
      const { world } = stage
      const client = await stage.open({ whenNotDurable: 'accept' })
      await world.clock.advance(5_000)
      world.fallback = () => 'held'
      for (const id of ids.slice(0, 10)) expect(await put(stage, client, id)).toBe('saved')
      // What was cancelled is answered all the same.
      world.ignoresCancel = true
      const held = world.heldCount()
      expect(held).toBeGreaterThan(0)
      world.fallback = () => 'pass'
      stage.refuse = full
      expect(await put(stage, client, 'n10')).toBe('saved')
      expect(client.status().storage).toMatchObject({ mode: 'localstorage' })
      for (let left = held; left > 0; left--) await world.release(fate)
      await world.clock.advance(120_000)
      expect(client.status()).toMatchObject({ waiting: 0, counts: { failed: 0 } })
      await expectAllOnce(stage, ids.slice(0, 11))
      expect(world.reports).toEqual([])
      await stage.end(client)
    },
  )

  test.each([
    ['open', 'SecurityError', 'forbidden'],
    ['open', 'InvalidStateError', 'lost'],
    ['open', 'QuotaExceededError', 'quota'],
    ['load', 'UnknownError', 'failed'],
    ['load', 'SecurityError', 'forbidden'],
  ] as const)('[I15] at a start on which %s fails with %s: the app is asked, and says why', async (at, errno, why) => {
    const stage = createLadderStage()
    stage.refuse = (verb) => (verb === at ? errno : undefined)
    const client = await stage.open()
    expect(client.status().storage).toMatchObject({ mode: 'localstorage', isDurable: false, why })
    expect(await put(stage, client, 'asked')).toBe('not_durable')
    expect(await put(stage, client, 'a', true)).toBe('saved')
    await stage.end(client)
    stage.refuse = () => undefined
    const again = await stage.open()
    await stage.world.clock.advance(60_000)
    expect(again.status()).toMatchObject({ waiting: 0, storage: { mode: 'indexeddb', why: undefined } })
    await expectAllOnce(stage, ['a'])
    await stage.end(again)
  })

  test('a browser that refuses both (a private window): memory, and it says so', async () => {
    const stage = createLadderStage()
    stage.refuse = (verb) => (verb === 'open' ? 'SecurityError' : undefined)
    stage.refuseItem = () => 'SecurityError'
    const client = await stage.open()
    expect(client.status().storage).toEqual({
      mode: 'memory',
      isDurable: false,
      why: 'forbidden',
      refused: [
        { mode: 'indexeddb', why: 'forbidden' },
        { mode: 'localstorage', why: 'forbidden' },
      ],
      until: 'closed',
    })
    expect(await put(stage, client, 'asked')).toBe('not_durable')
    expect(await put(stage, client, 'a', true)).toBe('saved')
    await stage.end(client)
  })
})

describe('signing out in a lower mode', () => {
  test.each(['keep', 'discard'] as const)('[I8] also leaves the store that was left behind (%s)', async (unsent) => {
    const stage = createLadderStage()
    const { world } = stage
    world.fallback = () => 'pass'
    let client = await stage.open({ whenNotDurable: 'accept' })
    expect(await put(stage, client, 'known')).toBe('saved')
    await world.clock.advance(5_000)
    expect(client.status().waiting).toBe(0)
    world.fallback = () => 'unreachable'
    expect(await put(stage, client, 'a')).toBe('saved')
    let isFull = true
    stage.refuse = (verb) => (isFull ? full(verb) : undefined)
    expect(await put(stage, client, 'b')).toBe('saved')
    // A new birth has what was decided said again.
    expect(client.status()).toMatchObject({ waiting: 3, storage: { mode: 'localstorage' } })
    // What takes rows away needs no room.
    isFull = false
    const leaving = signOut(client, unsent)
    await world.clock.advance(1_000)
    await leaving
    expect(stage.top.frames).toEqual([])
    await stage.end(client)
    expect(world.reports).toEqual([])

    client = await stage.open()
    world.fallback = () => 'pass'
    client.resume()
    await world.clock.advance(60_000)
    expect(client.status()).toMatchObject({ waiting: 0, storage: { mode: 'indexeddb' } })
    expect([...world.authority.state.log.keys()]).toEqual(unsent === 'keep' ? ['known', 'a', 'b'] : ['known'])
    await stage.end(client)
  })
})

test('[I3] [I4] [I16] whatever fails at any call, over reloads in any mode: what was saved and not lost with memory is decided, once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          what: fc.constantFrom('put', 'put', 'put', 'reload', 'online', 'offline', 'edit'),
          faults: fc.array(fc.constantFrom(undefined, undefined, 'QuotaExceededError', 'UnknownError'), {
            maxLength: 12,
          }),
          items: fc.array(fc.constantFrom(undefined, undefined, undefined, 'QuotaExceededError'), { maxLength: 12 }),
        }),
        { minLength: 4, maxLength: 14 },
      ),
      async (steps) => {
        const stage = createLadderStage()
        const { world } = stage
        world.fallback = () => 'unreachable'
        let client = await stage.open({ whenNotDurable: 'accept' })
        /** Saved, and in a place that outlives the page. */
        const kept = new Set<string>()
        let inMemory: string[] = []
        let made = 0
        for (const { what, faults, items } of steps) {
          const left = [...faults]
          const leftItems = [...items]
          stage.refuse = (verb) => (verb === 'open' || verb === 'load' ? undefined : left.shift())
          stage.refuseItem = () => leftItems.shift()
          if (what === 'put' || what === 'edit') {
            const id = `n${made++}`
            const saved = (await put(stage, client, id)) === 'saved'
            if (saved && client.status().storage?.mode === 'memory') inMemory.push(id)
            else if (saved) kept.add(id)
            if (what === 'edit') {
              client.mutate.edit({ id, text: 'edited' })
              await world.clock.settle()
            }
          } else if (what === 'reload') {
            await stage.end(client)
            inMemory = []
            client = await stage.open({ whenNotDurable: 'accept' })
          } else {
            world.fallback = () => (what === 'online' ? 'pass' : 'unreachable')
            client.resume()
            await world.clock.advance(5_000)
          }
        }
        stage.refuse = () => undefined
        stage.refuseItem = () => undefined
        world.fallback = () => 'pass'
        client.resume()
        await world.clock.advance(300_000)
        await stage.end(client)
        client = await stage.open({ whenNotDurable: 'accept' })
        await world.clock.advance(300_000)
        expect(client.status()).toMatchObject({ waiting: 0, storage: { mode: 'indexeddb' } })
        await expectAllOnce(stage, [...kept, ...inMemory])
        await stage.end(client)
      },
    ),
    { numRuns: 150 },
  )
}, 60_000)

test('the stage’s faults are real: with none of the lower rungs the same full disk refuses the intent', async () => {
  const stage = createLadderStage()
  const storage = await stage.storage()
  await storage.load(birth())
  stage.refuse = full
  await expect(storage.append([intent(1)])).rejects.toMatchObject({ code: 'storage_failed' })
})
