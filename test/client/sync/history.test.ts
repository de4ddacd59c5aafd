// An authority that was restored from a backup, seen from the device: what it lost is sent again, and the screen shows it meanwhile.
import { describe, expect, test } from 'vitest'
import { put, texts } from '../scenario.ts'
import { answerOf, createWorld } from '../world.ts'

describe('[I17] an authority that was set back', () => {
  async function start() {
    const world = createWorld()
    const client = await world.client()
    put(client, 2)
    await world.clock.settle()
    await world.sendFrame(0)
    const restore = world.authority.backup()
    put(client, 3, 3)
    await world.clock.settle()
    await world.sendFrame(2)
    expect(texts(client)).toHaveLength(5)
    return { world, client, restore }
  }

  test('is sent again what it lost, and the screen shows it all the while: noticed by the seal', async () => {
    const { world, client, restore } = await start()
    restore()
    world.fallback = ({ path }) => (path === 'push' ? 'held' : 'pass')
    world.stream().listener.ended(new Error('cut'))
    await world.clock.advance(5_000)
    expect(client.inspect().replica.confirmedRows('notes').size).toBe(2)
    expect(texts(client)).toHaveLength(5)
    expect(client.outbox().map(({ badge }) => badge)).toEqual(['sending', 'sending', 'sending'])
    world.fallback = () => 'pass'
    await world.release()
    await world.clock.settle()
    await world.sendFrame(2)
    expect(client.inspect().replica.confirmedRows('notes').size).toBe(5)
    expect(client.outbox()).toEqual([])
    expect([...world.authority.runs.values()]).toEqual([1, 1, 1])
  })

  test('is sent again what it lost, and the screen shows it all the while: noticed by a push', async () => {
    const { world, client, restore } = await start()
    restore()
    let pushes = 0
    world.fallback = ({ path }) => (path === 'push' ? (pushes++ === 0 ? 'pass' : 'held') : 'pass')
    put(client, 1, 9)
    await world.clock.settle()
    // The device knows from the push that the authority went back. Now the rows follow, before anything was decided again.
    world.stream().listener.event('pull', '')
    await world.clock.advance(1_000)
    expect(client.inspect().replica.confirmedRows('notes').size).toBe(2)
    expect(texts(client)).toHaveLength(6)
    world.fallback = () => 'pass'
    await world.release()
    await world.clock.advance(1_000)
    await world.sendFrame(2)
    expect(client.inspect().replica.confirmedRows('notes').size).toBe(6)
    expect(client.outbox()).toEqual([])
  })

  test('a frame of the earlier history that does not fit at first leads there all the same', async () => {
    const { world, client, restore } = await start()
    restore()
    world.fallback = ({ path }) => (path === 'push' ? 'held' : 'pass')
    world.fates.pull.push(({ body }) => {
      const answer = world.authority.pull(body)
      const page = JSON.parse(answer.body) as { patches: { rows: { notes: object[] } }[] }
      page.patches[0]?.rows.notes.push({ id: 'bad', ownerId: 5 })
      return answerOf(200, page)
    })
    world.stream().listener.ended(new Error('cut'))
    await world.clock.advance(5_000)
    expect(texts(client)).toHaveLength(5)
    expect(client.outbox().map(({ badge }) => badge)).toEqual(['sending', 'sending', 'sending'])
  })

  test('is sent again what it lost although its answer from before comes late and says that it is decided', async () => {
    const { world, client } = await start()
    const restore = world.authority.backup()
    world.fates.push.push('held')
    put(client, 2, 6)
    await world.clock.settle()
    const late = world.authority.push(world.requests.at(-1)?.body ?? '')
    await world.sendFrame(5)
    expect(client.outbox()).toEqual([])
    restore()
    world.stream().listener.ended(new Error('cut'))
    await world.clock.advance(5_000)
    expect(client.inspect().replica.confirmedRows('notes').size).toBe(5)
    await world.release(() => late)
    await world.clock.advance(5_000)
    await world.sendFrame(5)
    expect(client.inspect().replica.confirmedRows('notes').size).toBe(7)
    expect(client.outbox()).toEqual([])
    expect([...world.authority.runs.values()]).toEqual([1, 1])
  })

  test('is noticed at the next start too', async () => {
    const { world, client, restore } = await start()
    await client.close()
    restore()
    const again = await world.client()
    await world.clock.settle()
    await world.clock.advance(1_000)
    await world.sendFrame(2)
    expect(texts(again)).toHaveLength(5)
    expect(again.outbox()).toEqual([])
    expect([...world.authority.runs.values()]).toEqual([1, 1, 1])
  })
})
