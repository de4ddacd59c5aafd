// Signing out: what leaves the device, what stays for the next time, what is asked for first, and that every tab ends with it.
import { SyncError } from 'holdfast'
import { type Client, exportUnsent, importUnsent, pointersOf, signOut, type Unsent } from 'holdfast/client'
import { describe, expect, test } from 'vitest'
import { hasCode } from '../../../src/base/errors.ts'
import { expectPeace, put, texts } from '../scenario.ts'
import { createTabWorld } from '../tabs/world.ts'
import { createWorld, type Notes, uuid, type World } from '../world.ts'

const MINUTE = 60_000

/** What a promise rejects with, which must be a SyncError. */
async function errorOf(promise: Promise<unknown>): Promise<SyncError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof SyncError)) throw new Error(`Not a SyncError: ${String(error)}`)
  return error
}

/** The client has ended: it shows nothing, says so, and refuses what is called. */
async function expectSignedOut(client: Client<Notes>): Promise<void> {
  expect(texts(client)).toEqual([])
  expect(client.status()).toMatchObject({ connection: 'paused', fault: { code: 'signed_out' } })
  expect(await client.mutate.put({ id: 'late', text: 'x' }).decided).toMatchObject({
    status: 'refused',
    code: 'signed_out',
  })
  expect((await errorOf(signOut(client, 'keep'))).code).toBe('signed_out')
}

/** A client that has two notes of the authority and three that it could not send, the last of which it gave up again. */
async function stage(): Promise<{ readonly world: World; readonly client: Client<Notes> }> {
  const world = createWorld()
  const client = await world.client({ live: false })
  put(client, 2)
  await world.clock.advance(MINUTE)
  world.fallback = () => 'unreachable'
  put(client, 3, 3)
  await world.clock.settle()
  void client.discard(uuid(5))
  await world.clock.settle()
  expect(texts(client)).toEqual(['n1:x', 'n2:x', 'n3:x', 'n4:x'])
  return { world, client }
}

describe('with intents that the authority has not applied', () => {
  test('no choice is asked for one, with their number, and nothing has changed', async () => {
    const { world, client } = await stage()
    const error = await errorOf(signOut(client))
    expect([error.code, error.details]).toEqual(['unsent', { count: 2 }])
    put(client, 1, 6)
    world.fallback = () => 'pass'
    await world.clock.advance(MINUTE)
    expectPeace(world, client, 6)
    expect(texts(client)).toEqual(['n1:x', 'n2:x', 'n3:x', 'n4:x', 'n6:x'])
  })

  test('[I1] [I16] keep: the rows leave, the intents stay with their ids and numbers, the pointers too, and all go out when the person is back', async () => {
    const { world, client } = await stage()
    await pointersOf(client).set('open', 'n3')
    const before = client.inspect().entries.map(({ intent, sequence }) => [intent.id, sequence])
    const shown: number[] = []
    client.live(client.app.query.notes).subscribe((rows) => shown.push(rows.length))
    const left = signOut(client, 'keep')
    await world.clock.settle()
    expect(await left).toBeUndefined()
    expect(shown.at(-1)).toBe(0)
    expect(world.disk.memory.frames).toEqual([])
    expect(world.disk.memory.outbox.at(-1)).toEqual({ kind: 'left', session: 1, retired: 2 })
    await expectSignedOut(client)
    const requests = world.requests.length
    world.fallback = () => 'pass'
    await world.clock.advance(60 * MINUTE)
    expect(world.requests.length).toBe(requests)

    const again = await world.client({ live: false, startPaused: true })
    expect(again.inspect().entries.map(({ intent, sequence }) => [intent.id, sequence])).toEqual(before)
    expect(again.inspect().cursors).toEqual([])
    // What was applied is not run on rows that are not here yet.
    expect(texts(again)).toEqual(['n3:x', 'n4:x'])
    await pointersOf(again).ready
    expect(pointersOf(again).get('open')).toBe('n3')
    again.resume()
    await world.clock.advance(MINUTE)
    expectPeace(world, again, 5)
    expect(texts(again)).toEqual(['n1:x', 'n2:x', 'n3:x', 'n4:x'])
  })

  test('send: all are decided first, then nothing is left of the person', async () => {
    const { world, client } = await stage()
    world.fallback = () => 'pass'
    const left = signOut(client, 'send')
    await world.clock.advance(MINUTE)
    await left
    expect(world.authority.runs.size).toBe(5)
    expect(world.disk.memory.outbox.map(({ kind }) => kind)).toEqual(['born', 'left'])
    expect(world.disk.memory.frames).toEqual([])
    await expectSignedOut(client)
  })

  test.each([
    ['offline', 'unreachable', 'unreachable'],
    ['after the session has ended', 'unauthenticated', 'unauthenticated'],
  ])('send, %s: says what stands in the way, and the client goes on', async (_when, fate, because) => {
    const { world, client } = await stage()
    const { problemOf } = await import('../world.ts')
    world.fallback = () => (fate === 'unreachable' ? 'unreachable' : () => problemOf('unauthenticated'))
    const error = errorOf(signOut(client, 'send'))
    await world.clock.advance(MINUTE)
    const { code, details } = await error
    expect([code, details]).toEqual(['unsent', { count: 2, because }])
    world.fallback = () => 'pass'
    client.resume()
    await world.clock.advance(MINUTE)
    expectPeace(world, client, 5)
  })

  test('send, and the authority refuses one: the person is asked what is to become of it', async () => {
    const { world, client } = await stage()
    world.authority.decideAs = (id) =>
      id === uuid(3) ? { status: 'rejected', code: 'no_room', details: {} } : undefined
    world.fallback = () => 'pass'
    const error = errorOf(signOut(client, 'send'))
    await world.clock.advance(MINUTE)
    expect((await error).details).toEqual({ count: 1 })
    expect(client.outbox().map(({ id }) => id)).toEqual([uuid(3)])
  })

  test('[I4] export: the bundle has what was not applied, and brings it in elsewhere', async () => {
    const { world, client } = await stage()
    const expected = await exportUnsent(client)
    const left = signOut(client, 'export')
    await world.clock.settle()
    const bundle = await left
    expect(bundle).toEqual(expected)
    expect(bundle?.intents.map(({ id, state }) => [id, state])).toEqual([
      [uuid(3), 'waiting'],
      [uuid(4), 'waiting'],
      [uuid(5), 'discarded'],
    ])
    world.fallback = () => 'pass'
    const again = await world.client({ live: false })
    expect(again.inspect().entries).toEqual([])
    await importUnsent(again, JSON.parse(JSON.stringify(bundle)))
    await world.clock.advance(MINUTE)
    expectPeace(world, again, 4)
    expect(texts(again)).toEqual(['n1:x', 'n2:x', 'n3:x', 'n4:x'])
  })

  test('[I18] discard: they are gone, and what is made afterwards is decided under a new client id', async () => {
    const { world, client } = await stage()
    const { client: before } = client.inspect()
    const left = signOut(client, 'discard')
    await world.clock.settle()
    await left
    world.fallback = () => 'pass'
    const again = await world.client({ live: false })
    expect(again.inspect().client).not.toBe(before)
    put(again, 1, 9)
    await world.clock.advance(MINUTE)
    expectPeace(world, again, 3)
    expect(texts(again)).toEqual(['n1:x', 'n2:x', 'n9:x'])
  })
})

test('a disk that refuses keeps the person signed in, and the next try goes through', async () => {
  const staged = await stage()
  const { world } = staged
  let { client } = staged
  for (const verb of ['rewriteFrames', 'note'] as const) {
    world.disk.beforeWrite = (each) => {
      if (each === verb) throw new SyncError('storage_failed', 'The disk is full')
    }
    const error = errorOf(signOut(client, 'keep'))
    await world.clock.settle()
    expect((await error).code).toBe('storage_failed')
    expect(texts(client)).toHaveLength(4)
  }
  world.disk.beforeWrite = () => undefined
  // The rows had left already: what comes then must not stand alone.
  world.fallback = () => 'pass'
  world.authority.write('n9', 'theirs')
  client.resume()
  await world.clock.advance(MINUTE)
  await client.close()
  client = await world.client({ live: false, startPaused: true })
  expect(texts(client)).toEqual(['n1:x', 'n2:x', 'n3:x', 'n4:x', 'n9:theirs'])
  const left = signOut(client, 'keep')
  await world.clock.settle()
  await left
  await expectSignedOut(client)
})

test('a client that has nothing which waits signs out without being asked', async () => {
  const world = createWorld()
  const client = await world.client({ live: false })
  put(client, 2)
  await world.clock.advance(MINUTE)
  const left = signOut(client)
  await world.clock.settle()
  await left
  expect(world.disk.memory.outbox.map(({ kind }) => kind)).toEqual(['born', 'left'])
})

describe('tabs', () => {
  test.each<[Unsent, number]>([
    ['keep', 0],
    ['keep', 1],
    ['discard', 0],
    ['discard', 1],
  ])(
    '[I8] %s, said in tab %i: both end and say so, nothing is sent afterwards, and a tab that slept through it hears of it when it wakes',
    async (choice, at) => {
      const world = createTabWorld()
      const tabs = [await world.open(), await world.open(), await world.open()]
      const [one, two, sleeper] = tabs as [(typeof tabs)[0], (typeof tabs)[0], (typeof tabs)[0]]
      put(one.client, 2)
      await world.clock.advance(MINUTE)
      world.fallback = () => 'unreachable'
      put(two.client, 2, 3)
      await world.settle()
      sleeper.freeze()
      const left = signOut([one, two][at]?.client as Client<Notes>, choice)
      await world.settle()
      await left
      await world.settle()
      for (const { client } of [one, two]) await expectSignedOut(client)
      const requests = world.requests.length
      world.fallback = () => 'pass'

      const again = await world.open()
      put(again.client, 1, 7)
      await world.clock.advance(MINUTE)
      expect(texts(again.client)).toEqual(['n1:x', 'n2:x', ...(choice === 'keep' ? ['n3:x', 'n4:x'] : []), 'n7:x'])
      const sent = world.requests.slice(requests)
      expect(sent.length).toBeGreaterThan(0)
      sleeper.thaw()
      await world.settle()
      await world.settle()
      await expectSignedOut(sleeper.client)
      expect(again.client.status()).toMatchObject({ connection: 'online', fault: undefined, waiting: 0 })
      expect([...world.authority.runs.values()].filter((count) => count !== 1)).toEqual([])
      expect(world.reports.filter((error) => !hasCode(error, 'not_leading'))).toEqual([])
    },
  )

  test('[I4] what another tab keeps in that moment is not emptied away: who was not asked about it is asked', async () => {
    const world = createTabWorld()
    const one = await world.open()
    const two = await world.open()
    world.fallback = () => 'unreachable'
    const error = errorOf(signOut(one.client))
    const [late] = put(two.client, 1)
    await world.settle()
    await late?.saved
    expect((await error).details).toEqual({ count: 1 })
    world.fallback = () => 'pass'
    one.client.resume()
    await world.clock.advance(MINUTE)
    for (const { client } of [one, two]) expect(texts(client)).toEqual(['n1:x'])
  })
})
