// Where the person is, through everything that can happen to a store: starts, rewrites, new births, other tabs, rows that go.
import { type Client, createClient, type PointerChange, pointersOf } from 'holdfast/client'
import { describe, expect, test } from 'vitest'
import { InvariantError } from '../../../src/base/assert.ts'
import { SyncError } from '../../../src/base/errors.ts'
import { expectPeace, put } from '../scenario.ts'
import { createTabWorld } from '../tabs/world.ts'
import { createWorld, type Notes, problemOf, uuid, type World } from '../world.ts'

const MINUTE = 60_000

/** What a pointer is aimed at, once that is known. */
async function aim(client: Client<Notes>, name = 'open'): Promise<string | undefined> {
  await pointersOf(client).ready
  return pointersOf(client).get(name)
}

const formatOf = ({ disk: { memory } }: World): unknown =>
  memory.outbox[0]?.kind === 'born' ? memory.outbox[0].format : undefined

/** Somebody else takes a note away, and the device hears of it. */
async function lose(world: World, id: string): Promise<void> {
  const { state } = world.authority
  state.log.delete(id)
  state.era = 'b2'
  await world.clock.advance(MINUTE)
}

describe('a pointer', () => {
  test('[I16] shows at once, is durable when it resolves, and is there after a start', async () => {
    const world = createWorld()
    const client = await world.client({ live: false })
    const heard: PointerChange[] = []
    pointersOf(client).on((change) => heard.push(change))
    const set = pointersOf(client).set('open', 'n1')
    expect(pointersOf(client).get('open')).toBe('n1')
    expect(world.disk.memory.outbox.some(({ kind }) => kind === 'pointer')).toBe(false)
    await set
    expect(world.disk.memory.outbox.at(-1)).toEqual({ kind: 'pointer', name: 'open', id: 'n1' })
    await client.close()
    const again = await world.client({ live: false })
    expect(await aim(again)).toBe('n1')
    await pointersOf(again).set('open', undefined)
    await again.close()
    expect(await aim(await world.client({ live: false }))).toBeUndefined()
    expect(heard).toEqual([{ name: 'open', id: 'n1', before: undefined, isGone: false }])
  })

  test('set before storage is loaded is kept like any other, over what was there', async () => {
    const world = createWorld()
    const first = await world.client({ live: false })
    await pointersOf(first).set('open', 'n1')
    await first.close()
    const opening = world.client({ live: false })
    const client = await opening
    await client.close()
    const early = createClient({ app: client.app, host: world.host(), url: '/sync', session: { actor: '42' } })
    const set = pointersOf(early).set('open', 'n2')
    expect(pointersOf(early).get('open')).toBe('n2')
    await set
    expect(pointersOf(early).get('open')).toBe('n2')
    await early.close()
    expect(await aim(await world.client({ live: false }))).toBe('n2')
  })

  test('[I16] is the same after the journal was written anew and after a new birth', async () => {
    const world = createWorld()
    const client = await world.client({ live: false })
    put(client, 2)
    await pointersOf(client).set('open', 'n1')
    await world.clock.advance(MINUTE)
    const before = client.inspect().client
    world.fates.push.push(() => problemOf('forked'))
    put(client, 1, 3)
    await world.clock.advance(MINUTE)
    expect(client.inspect().client).not.toBe(before)
    expect(pointersOf(client).get('open')).toBe('n1')
    await client.close()
    const again = await world.client({ live: false })
    expect(await aim(again)).toBe('n1')
    expectPeace(world, again, 3)
  })

  test('makes the journal one of format 2 before it stands in it; one without pointers stays as older builds read it', async () => {
    const world = createWorld()
    const client = await world.client({ live: false })
    put(client, 1)
    await world.clock.advance(MINUTE)
    expect(formatOf(world)).toBe(1)
    world.disk.writes.splice(0)
    await pointersOf(client).set('open', 'n1')
    expect([formatOf(world), world.disk.writes]).toEqual([2, ['rewriteOutbox', 'note']])
    await pointersOf(client).set('open', 'n2')
    expect(world.disk.writes).toEqual(['rewriteOutbox', 'note', 'note'])
  })

  test('[I15] that the disk refuses is aimed as before, and so says', async () => {
    const world = createWorld()
    const client = await world.client({ live: false })
    await pointersOf(client).set('open', 'n1')
    world.disk.beforeWrite = () => {
      throw new SyncError('storage_failed', 'No room')
    }
    const refused = pointersOf(client).set('open', 'n2')
    expect(pointersOf(client).get('open')).toBe('n2')
    await expect(refused).rejects.toMatchObject({ code: 'storage_failed' })
    expect(pointersOf(client).get('open')).toBe('n1')
    world.disk.beforeWrite = () => undefined
    world.disk.isDurable = false
    await expect(pointersOf(client).set('open', 'n2')).rejects.toMatchObject({ code: 'not_durable' })
    expect(pointersOf(client).get('open')).toBe('n1')
  })

  test('[I13] has bounds: of a name, of an id, and of how many there are', async () => {
    const client = await createWorld().client({ live: false })
    await expect(pointersOf(client).set('', 'n1')).rejects.toThrow('1 to 64')
    await expect(pointersOf(client).set('x'.repeat(65), 'n1')).rejects.toThrow('1 to 64')
    await expect(pointersOf(client).set('open', 'x'.repeat(257))).rejects.toThrow('1 to 256')
    await Promise.all(Array.from({ length: 64 }, (_, index) => pointersOf(client).set(`at ${index}`, 'n1')))
    await expect(pointersOf(client).set('one more', 'n1')).rejects.toThrow('64 pointers')
    await pointersOf(client).set('at 7', undefined)
    await pointersOf(client).set('one more', 'n1')
  })
})

describe('a pointer whose row', () => {
  test('is gone for good is cleared; whoever listens hears so, and may aim it anew', async () => {
    const world = createWorld()
    const client = await world.client({ live: false })
    put(client, 2)
    await world.clock.advance(MINUTE)
    await pointersOf(client).set('open', 'n1')
    await pointersOf(client).set('other', 'n2')
    const heard: PointerChange[] = []
    pointersOf(client).on((change) => {
      heard.push(change)
      if (change.isGone) void pointersOf(client).set(change.name, 'n2')
    })
    await lose(world, 'n1')
    expect(heard).toEqual([
      { name: 'open', id: undefined, before: 'n1', isGone: true },
      { name: 'open', id: 'n2', before: undefined, isGone: false },
    ])
    await client.close()
    const again = await world.client({ live: false })
    expect([await aim(again), await aim(again, 'other')]).toEqual(['n2', 'n2'])
  })

  test('went while the device was off is cleared by the first whole frame, not before', async () => {
    const world = createWorld()
    const client = await world.client({ live: false })
    put(client, 1)
    await world.clock.advance(MINUTE)
    await pointersOf(client).set('open', 'n1')
    await client.close()
    world.fallback = () => 'unreachable'
    world.disk.memory.frames.splice(0)
    const again = await world.client({ live: false })
    expect(again.inspect().isComplete).toBe(false)
    expect(await aim(again)).toBe('n1')
    await lose(world, 'n1')
    expect(await aim(again)).toBe('n1')
    world.fallback = () => 'pass'
    await world.clock.advance(MINUTE)
    expect(await aim(again)).toBeUndefined()
  })

  test('was never here stays aimed: it may come', async () => {
    const world = createWorld()
    const client = await world.client({ live: false })
    await pointersOf(client).set('open', 'n9')
    await world.clock.advance(MINUTE)
    expect(pointersOf(client).get('open')).toBe('n9')
  })

  test('was refused stays aimed while a repair may bring it back, and is cleared when a person gives it up', async () => {
    const world = createWorld()
    const client = await world.client({ live: false })
    world.authority.decideAs = (id) =>
      id === uuid(1) ? { status: 'rejected', code: 'no_room', details: {} } : undefined
    put(client, 1)
    await pointersOf(client).set('open', 'n1')
    await world.clock.advance(MINUTE)
    expect(pointersOf(client).get('open')).toBe('n1')
    await client.discard(uuid(1))
    put(client, 1, 2)
    await world.clock.advance(MINUTE)
    expect(pointersOf(client).get('open')).toBeUndefined()
  })
})

describe('several tabs', () => {
  test('[I16] have the same pointers, whichever of them sets one, and whoever leads next', async () => {
    const world = createTabWorld()
    const one = await world.open()
    const two = await world.open()
    const ofTwo = pointersOf(two.client).set('open', 'n1')
    const ofOne = pointersOf(one.client).set('other', 'n2')
    await world.settle()
    await Promise.all([ofTwo, ofOne])
    const all = () => Promise.all(world.tabs.map(async ({ client }) => [await aim(client), await aim(client, 'other')]))
    expect(await all()).toEqual([
      ['n1', 'n2'],
      ['n1', 'n2'],
    ])
    await one.close()
    await world.settle()
    await world.open()
    expect(two.client.status().tab).toBe('leading')
    expect(await all()).toEqual([
      ['n1', 'n2'],
      ['n1', 'n2'],
    ])
    expect(world.reports.filter((error) => error instanceof InvariantError)).toEqual([])
  })

  test('the first one of a follower is brought into a journal of format 2 by whoever leads', async () => {
    const world = createTabWorld()
    const one = await world.open()
    const two = await world.open()
    const set = pointersOf(two.client).set('open', 'n1')
    await world.settle()
    await set
    put(one.client, 1)
    await world.clock.advance(MINUTE)
    await world.settle()
    const third = await world.open()
    expect(await aim(third.client)).toBe('n1')
    expect(world.reports).toEqual([])
  })
})
