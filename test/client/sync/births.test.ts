// New births of a store, under a scripted network and disk: the same intents go on under a new client id, none runs twice, and
// neither a pause nor a disk that refuses is forgotten over it.
import { describe, expect, test } from 'vitest'
import { InvariantError } from '../../../src/base/assert.ts'
import { expectPeace, put, texts } from '../scenario.ts'
import { createWorld, problemOf, uuid } from '../world.ts'

describe('forked', () => {
  test('[I4] [I16] the device goes on under a new client id with the same intents and ids, and none runs twice', async () => {
    const world = createWorld()
    const client = await world.client()
    put(client, 2)
    await world.clock.settle()
    const before = client.inspect()
    world.fates.push.push(() => problemOf('forked'))
    const handles = put(client, 2, 3)
    await world.clock.settle()
    const after = client.inspect()
    expect(after.client).not.toBe(before.client)
    expect(after.rebirths).toBe(1)
    expect(after.entries.map(({ intent }) => intent.id)).toEqual([1, 2, 3, 4].map(uuid))
    expect(after.entries.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4])
    expect(world.bodies('push').at(-1)).toMatchObject({ client: after.client, last: 4, stored: 0 })
    expect(after.entries[2]?.intent.births).toEqual([[before.client, 3]])
    expect([await handles[0]?.decided, await handles[1]?.decided]).toMatchObject([
      { status: 'applied' },
      { status: 'applied' },
    ])
    await world.sendFrame(0)
    expectPeace(world, client, 4)
    expect(texts(client)).toEqual(['n1:x', 'n2:x', 'n3:x', 'n4:x'])
  })

  test('[I4] calls made while the new birth is written are in it or after it, in order', async () => {
    const world = createWorld()
    const client = await world.client()
    put(client, 1)
    await world.clock.settle()
    let letGo = (): void => undefined
    world.disk.beforeWrite = (verb) =>
      verb === 'rewriteOutbox' ? new Promise<void>((resolve) => (letGo = resolve)) : undefined
    world.fates.push.push(() => problemOf('forked'))
    put(client, 1, 2)
    await world.clock.settle()
    const during = put(client, 2, 3)
    await world.clock.settle()
    letGo()
    await world.clock.settle()
    await during[1]?.saved
    expect(client.inspect().entries.map(({ intent, sequence }) => [intent.id, sequence])).toEqual(
      [1, 2, 3, 4].map((number) => [uuid(number), number]),
    )
    await world.clock.settle()
    await world.sendFrame(0)
    expectPeace(world, client, 4)
  })

  test('[I8] a pause while the new birth is written stays a pause', async () => {
    const world = createWorld()
    const client = await world.client()
    let letGo = (): void => undefined
    world.disk.beforeWrite = (verb) =>
      verb === 'rewriteOutbox' ? new Promise<void>((resolve) => (letGo = resolve)) : undefined
    world.fates.push.push(() => problemOf('forked'))
    put(client, 1)
    await world.clock.settle()
    client.pause()
    letGo()
    await world.clock.advance(600_000)
    expect(client.status().connection).toBe('paused')
    expect(world.bodies('push')).toHaveLength(1)
    client.resume()
    await world.clock.settle()
    expect(client.status().waiting).toBe(0)
  })

  test('[I8] a resume while the new birth is written waits for it', async () => {
    const world = createWorld()
    const client = await world.client()
    let letGo = (): void => undefined
    world.disk.beforeWrite = (verb) =>
      verb === 'rewriteOutbox' ? new Promise<void>((resolve) => (letGo = resolve)) : undefined
    const old = client.inspect().client
    world.fates.push.push(() => problemOf('forked'))
    put(client, 1)
    await world.clock.settle()
    client.resume()
    await world.clock.settle()
    letGo()
    await world.clock.settle()
    await world.clock.advance(5_000)
    expect(
      world
        .bodies('push')
        .slice(1)
        .every(({ client: id }) => id !== old),
    ).toBe(true)
    expect(client.status()).toMatchObject({ waiting: 0, connection: 'online' })
    expect(client.inspect().rebirths).toBe(1)
  })

  test('a disk that refuses the new birth is asked again later; until then nothing is sent and nothing is lost', async () => {
    const world = createWorld()
    const client = await world.client()
    let refusals = 2
    world.disk.beforeWrite = (verb) => {
      if (verb === 'rewriteOutbox' && refusals-- > 0) throw new Error('ENOSPC')
    }
    world.fallback = (request) =>
      request.path !== 'pull' && world.bodies('push').at(-1)?.client === first ? () => problemOf('forked') : 'pass'
    const first = client.inspect().client
    const [handle] = put(client, 1)
    await world.clock.advance(60_000)
    expect(await handle?.decided).toMatchObject({ status: 'applied' })
    expect(client.status().connection).not.toBe('broken')
    expect(client.inspect().client).not.toBe(first)
  })

  test('a pause while a refused birth waits for its next try stays a pause', async () => {
    const world = createWorld()
    const client = await world.client()
    world.disk.beforeWrite = (verb) => {
      if (verb === 'rewriteOutbox') throw new Error('ENOSPC')
    }
    world.fates.push.push(() => problemOf('forked'))
    put(client, 1)
    await world.clock.settle()
    client.pause()
    await world.clock.advance(600_000)
    expect(world.bodies('push')).toHaveLength(1)
    expect(client.status().connection).toBe('paused')
  })

  test('[I18] a birth in which an invariant fails stops the client as broken, and nothing of it is tried again', async () => {
    const world = createWorld()
    const client = await world.client()
    world.disk.beforeWrite = (verb) => {
      if (verb === 'rewriteOutbox') throw new InvariantError('I18', 'scripted')
    }
    world.fates.push.push(() => problemOf('forked'))
    put(client, 1)
    await world.clock.advance(600_000)
    expect(client.status().connection).toBe('broken')
    expect(world.bodies('push')).toHaveLength(1)
    client.resume()
    await world.clock.advance(600_000)
    expect(world.bodies('push')).toHaveLength(1)
    expect(world.reports.some((error) => error instanceof InvariantError)).toBe(true)
  })

  test('a store that was set back finds out by the seal and is reborn', async () => {
    const world = createWorld()
    const client = await world.client()
    put(client, 3)
    await world.clock.settle()
    const old = client.inspect().client
    await client.close()
    // The disk goes back to before the intents were made.
    world.disk.memory.outbox.splice(1)
    const again = await world.client()
    await world.clock.settle()
    expect(again.inspect().client).not.toBe(old)
    put(again, 1, 9)
    await world.clock.settle()
    await world.sendFrame(0)
    expectPeace(world, again, 4)
  })
})
