// Several clients of one store: what one keeps the others show, one of them leads, and none is lost when it goes.
import { IDBObjectStore } from 'fake-indexeddb'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvariantError } from '../../../src/base/assert.ts'
import { put, texts } from '../scenario.ts'
import { uuid } from '../world.ts'
import { createTabWorld, type Tab, type TabWorld } from './world.ts'

const runs = Number(process.env['HOLDFAST_RUNS'] ?? 200)
const MINUTE = 60_000

/** Everybody shows what the authority says, everything was decided once (a withdrawal decides too), and nothing broke. */
function expectAgreement(world: TabWorld, intents: number): void {
  const rows = [...world.authority.state.log.entries()]
    .filter(([, { row }]) => row !== undefined)
    .map(([id, { row }]) => `${id}:${row?.text}`)
    .sort()
  for (const { client } of world.tabs) {
    expect(texts(client)).toEqual(rows)
    expect(client.status()).toMatchObject({ waiting: 0, fault: undefined })
    expect(client.outbox()).toEqual([])
  }
  expect([...world.authority.runs.values()].filter((count) => count !== 1)).toEqual([])
  expect(world.authority.runs.size).toBe(intents)
  expect(world.reports.filter((error) => error instanceof InvariantError)).toEqual([])
}

/** As much of an object store as is looked at here. */
interface ObjectStore {
  readonly transaction: { readonly db: { transaction: unknown; close(): void } }
  add(value: unknown): unknown
}

/** Does something in the moment in which the next record has been added and its key is not known yet. */
function onNextAdd(run: (store: ObjectStore) => void): void {
  const all: ObjectStore = IDBObjectStore.prototype
  const { add } = all
  all.add = function (value) {
    all.add = add
    const request = add.call(this, value)
    run(this)
    return request
  }
}

describe('two tabs', () => {
  test('one leads, the other follows, and each shows what the other keeps', async () => {
    const world = createTabWorld()
    const one = await world.open()
    const two = await world.open()
    expect([one, two].map(({ client }) => client.status().tab)).toEqual(['leading', 'following'])
    world.fallback = () => 'unreachable'
    put(two.client, 1)
    put(one.client, 1, 2)
    await world.settle()
    expect(texts(one.client)).toEqual(['n1:x', 'n2:x'])
    expect(texts(two.client)).toEqual(['n1:x', 'n2:x'])
    world.fallback = () => 'pass'
    await world.clock.advance(MINUTE)
    await world.settle()
    expectAgreement(world, 2)
    expect(two.client.status().connection).toBe('online')
  })

  test('[I16] a call of the follower is decided though its tab closes at once', async () => {
    const world = createTabWorld()
    await world.open()
    const two = await world.open()
    const [handle] = put(two.client, 1)
    await world.settle()
    await handle?.saved
    await two.close()
    await world.clock.advance(MINUTE)
    await world.settle()
    expectAgreement(world, 1)
  })

  test('[I1] what is committed is saved, though another build takes the database away before its number is known', async () => {
    const world = createTabWorld()
    const one = await world.open()
    const two = await world.open()
    world.fallback = () => 'unreachable'
    world.mute()
    put(one.client, 1)
    await world.settle()
    // As each tab does when another wants to change the database.
    onNextAdd(({ transaction }) => transaction.db.close())
    const [handle] = put(two.client, 1, 2)
    await world.settle()
    await expect(handle?.saved).resolves.toBeUndefined()
    expect(texts(two.client)).toEqual(['n2:x'])
    expect(two.client.status()).toMatchObject({ waiting: 1 })
    const [late] = put(two.client, 1, 3)
    await world.settle()
    await expect(late?.saved).rejects.toMatchObject({ code: 'storage_failed' })
    await two.close()
    world.fallback = () => 'pass'
    await world.open()
    await world.clock.advance(MINUTE)
    await world.settle()
    expectAgreement(world, 2)
  })

  test('[I1] [I18] what is committed is saved, though what stands before it cannot be read at once: its number comes with the next look', async () => {
    const world = createTabWorld()
    const one = await world.open()
    const two = await world.open()
    world.fallback = () => 'unreachable'
    world.mute()
    put(one.client, 1)
    await world.settle()
    onNextAdd(({ transaction: { db } }) => {
      const { transaction } = db
      db.transaction = () => {
        db.transaction = transaction
        throw new DOMException('The disk is busy', 'UnknownError')
      }
    })
    const [handle] = put(two.client, 1, 2)
    await world.settle()
    await expect(handle?.saved).resolves.toBeUndefined()
    expect(two.client.status()).toMatchObject({ waiting: 1 })
    put(two.client, 1, 3)
    await world.settle()
    expect(two.client.status()).toMatchObject({ waiting: 3 })
    expect(two.client.outbox().map(({ id }) => id)).toEqual([uuid(1), uuid(2), uuid(3)])
    world.fallback = () => 'pass'
    await world.clock.advance(MINUTE)
    await world.settle()
    expectAgreement(world, 3)
  })

  test('when the leader closes, the other takes over and goes on with what waits', async () => {
    const world = createTabWorld()
    const one = await world.open()
    const two = await world.open()
    world.fallback = () => 'unreachable'
    put(one.client, 3)
    await world.settle()
    await one.close()
    expect(two.client.status().tab).toBe('leading')
    world.fallback = () => 'pass'
    await world.clock.advance(MINUTE)
    await world.settle()
    expectAgreement(world, 3)
  })

  test('both append two hundred at once: each gets numbers of its own, and is decided once', async () => {
    const world = createTabWorld()
    const one = await world.open()
    const two = await world.open()
    const handles = [...put(one.client, 200), ...put(two.client, 200, 201)]
    await world.clock.advance(MINUTE)
    await world.settle()
    await Promise.all(handles.map(({ saved }) => saved))
    expectAgreement(world, 400)
    const numbers = one.client.inspect().entries.map(({ sequence }) => sequence)
    expect(numbers).toEqual(Array.from({ length: 400 }, (_, index) => index + 1))
  })

  test('the decision is told to the tab that called, whoever sent it', async () => {
    const world = createTabWorld()
    await world.open()
    const two = await world.open()
    const [handle] = put(two.client, 1)
    await world.clock.advance(MINUTE)
    await world.settle()
    expect(await handle?.decided).toEqual({ status: 'applied', repeated: false })
  })

  test('the follower is quiet when all that it knows of is decided and here', async () => {
    const world = createTabWorld()
    const one = await world.open()
    const two = await world.open()
    put(one.client, 1)
    await world.settle()
    let isQuiet = false
    void two.client.quiet().then(() => {
      isQuiet = true
    })
    await world.clock.advance(MINUTE)
    await world.settle()
    expect(isQuiet).toBe(true)
  })

  test('what the follower discards is withdrawn in its place', async () => {
    const world = createTabWorld()
    world.fallback = () => 'unreachable'
    const one = await world.open()
    const two = await world.open()
    put(one.client, 2)
    await world.settle()
    const discarded = two.client.discard(uuid(1))
    await world.settle()
    expect(texts(one.client)).toEqual(['n2:x'])
    world.fallback = () => 'pass'
    await world.clock.advance(MINUTE)
    await world.settle()
    expect(await discarded).toMatchObject({ status: 'withdrawn' })
    expect(texts(two.client)).toEqual(['n2:x'])
    expectAgreement(world, 2)
  })

  test('what is kept while a third tab is still loading shows there too', async () => {
    const world = createTabWorld()
    world.fallback = () => 'unreachable'
    const one = await world.open()
    await world.open()
    const opening = world.open()
    put(one.client, 1)
    const three = await opening
    await world.settle()
    expect(texts(three.client)).toEqual(['n1:x'])
  })

  test('what nobody lived to tell of is found by who leads', async () => {
    const world = createTabWorld()
    await world.open()
    const two = await world.open()
    world.mute()
    put(two.client, 1)
    await world.settle()
    await two.close()
    expect(world.authority.runs.size).toBe(0)
    await world.clock.advance(MINUTE)
    await world.settle()
    expectAgreement(world, 1)
  })

  test('[I8] where there are neither locks nor channels, tabs take turns by the fence of the store, and agree', async () => {
    const world = createTabWorld()
    const one = await world.open(true)
    const two = await world.open(true)
    put(one.client, 2)
    put(two.client, 2, 3)
    await world.clock.advance(2 * MINUTE)
    await world.settle()
    expectAgreement(world, 4)
  })

  test('pausing holds for both, and so does going on', async () => {
    const world = createTabWorld()
    const one = await world.open()
    const two = await world.open()
    two.client.pause()
    await world.settle()
    put(one.client, 1)
    await world.clock.advance(MINUTE)
    await world.settle()
    expect([one, two].map(({ client }) => client.status().connection)).toEqual(['paused', 'paused'])
    expect(world.authority.runs.size).toBe(0)
    const three = await world.open()
    expect(three.client.status().connection).toBe('paused')
    one.client.resume()
    await world.clock.advance(MINUTE)
    await world.settle()
    expectAgreement(world, 1)
    expect(three.client.status().connection).toBe('online')
  })

  test('[I8] a leader who was frozen while another took over changes nothing when it comes back', async () => {
    const world = createTabWorld()
    const one = await world.open()
    const two = await world.open()
    world.fates.push.push('held')
    put(one.client, 1)
    await world.settle()
    expect(world.heldCount()).toBe(1)
    one.freeze()
    await world.clock.advance(5_000)
    await world.settle()
    expect(two.client.status().tab).toBe('leading')
    put(two.client, 1, 2)
    await world.clock.advance(MINUTE)
    await world.settle()
    // The answer to what the old leader had sent comes now.
    one.thaw()
    await world.release()
    await world.clock.advance(MINUTE)
    await world.settle()
    expect(one.client.status().tab).toBe('following')
    expectAgreement(world, 2)
  })

  test('a leader that lives is not deposed, however long it has nothing to tell', async () => {
    const world = createTabWorld()
    const tabs = [await world.open(), await world.open(), await world.open()]
    for (let round = 0; round < 20; round++) {
      await world.clock.advance(MINUTE / 10)
      await world.settle()
      expect(tabs.map(({ client }) => client.status().tab)).toEqual(['leading', 'following', 'following'])
    }
  })

  test('[I8] of ten tabs whose leader freezes one takes over, and five times the next', async () => {
    const world = createTabWorld()
    const tabs: Tab[] = []
    const leaders = (among: readonly Tab[]) => among.filter(({ client }) => client.status().tab === 'leading')
    for (let count = 0; count < 10; count++) tabs.push(await world.open())
    for (let round = 0; round < 5; round++) {
      tabs.forEach(({ client }, index) => void put(client, 5, round * 100 + index * 5 + 1))
      await world.settle()
      const [frozen] = leaders(tabs)
      frozen?.freeze()
      await world.clock.advance(5_000)
      await world.settle()
      // Who was as quick as another believes to lead until the store says no to its next write.
      expect(leaders(tabs.filter((tab) => tab !== frozen)).length).toBeGreaterThan(0)
      await world.clock.advance(MINUTE)
      frozen?.thaw()
      await world.settle()
    }
    await world.clock.advance(2 * MINUTE)
    await world.settle()
    expect(leaders(tabs)).toHaveLength(1)
    expectAgreement(world, 250)
  })

  test('[I16] a new birth that the leader begins is taken over by the others, with every intent', async () => {
    const world = createTabWorld()
    const one = await world.open()
    const two = await world.open()
    put(one.client, 2)
    await world.clock.advance(MINUTE)
    await world.settle()
    const before = one.client.inspect().client
    // A copy of the store has used the next number.
    world.authority.state.decided.get(before)?.push({ id: uuid(99), outcome: { status: 'applied' } })
    put(two.client, 2, 3)
    await world.clock.advance(2 * MINUTE)
    await world.settle()
    const after = one.client.inspect().client
    expect(after).not.toBe(before)
    expect(two.client.inspect().client).toBe(after)
    expect(two.client.inspect().entries.length).toBe(one.client.inspect().entries.length)
    expectAgreement(world, 4)
  })

  test('words that are no words are not heard', async () => {
    const world = createTabWorld()
    const one = await world.open()
    const two = await world.open()
    for (const word of [null, 7, 'kept', {}, { kind: 'talk' }, { kind: 'talk', talk: { connection: 'fine' } }])
      world.shout(word)
    world.shout({ kind: 'talk', talk: { connection: 'online', attempts: 1, isPaused: false, fault: { code: 'no' } } })
    put(one.client, 1)
    await world.clock.advance(MINUTE)
    await world.settle()
    expectAgreement(world, 1)
    expect(two.client.status().connection).toBe('online')
  })
})

type Step =
  | { readonly do: 'call'; readonly tab: number; readonly count: number }
  | { readonly do: 'discard'; readonly tab: number; readonly which: number }
  | { readonly do: 'open' | 'settle' | 'offline' | 'online' | 'write' }
  | { readonly do: 'close' | 'freeze' | 'thaw'; readonly tab: number }
  | { readonly do: 'advance'; readonly ms: number }

const tab = fc.nat(3)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('call' as const), tab, count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('discard' as const), tab, which: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('open', 'settle', 'offline', 'online', 'write' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('close', 'freeze', 'thaw' as const), tab }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(1, 500, 5_000, 40_000) }),
  },
) as fc.Arbitrary<Step>

test('[I4] [I5] [I8] [I17] tabs that come, go, freeze and thaw in any order agree in the end, and each call is decided once', {
  timeout: 300_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const world = createTabWorld()
      await world.open()
      let made = 0
      let written = 0
      const decisions: Promise<unknown>[] = []
      const kept: { isKept: boolean }[] = []
      for (const each of steps) {
        const chosen = 'tab' in each ? world.tabs[each.tab % world.tabs.length] : undefined
        if (each.do === 'call' && chosen !== undefined) {
          for (const handle of put(chosen.client, each.count, made + 1)) {
            const fate = { isKept: false }
            kept.push(fate)
            handle.saved.then(
              () => {
                fate.isKept = true
              },
              () => undefined,
            )
          }
          made += each.count
        } else if (each.do === 'discard' && chosen !== undefined && made > 0)
          decisions.push(chosen.client.discard(uuid((each.which % made) + 1)).catch(() => undefined))
        else if (each.do === 'open' && world.tabs.length < 4) await world.open()
        else if (each.do === 'close' && world.tabs.length > 1) await chosen?.close()
        else if (each.do === 'freeze') chosen?.freeze()
        else if (each.do === 'thaw') chosen?.thaw()
        else if (each.do === 'settle') await world.settle()
        else if (each.do === 'offline') world.fallback = () => 'unreachable'
        else if (each.do === 'online') world.fallback = () => 'pass'
        else if (each.do === 'write') world.authority.write(`w${written++}`, 'foreign')
        else if (each.do === 'advance') await world.clock.advance(each.ms)
      }
      world.fallback = () => 'pass'
      for (const open of world.tabs) open.thaw()
      for (let round = 0; round < 4; round++) {
        await world.clock.advance(2 * MINUTE)
        await world.settle()
      }
      const lost = kept.filter(({ isKept }) => !isKept).length
      expect(lost).toBe(0)
      expectAgreement(world, made)
      for (const open of [...world.tabs]) await open.close()
    }),
    { numRuns: runs },
  )
})
