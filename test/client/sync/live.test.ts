// The stream and the pull, seen from the device: frames are applied whole and in order, what does not fit leads to a pull, and a
// stream that ends, falls silent or was cancelled changes nothing any more.
import type { Client } from 'holdfast/client'
import { describe, expect, test } from 'vitest'
import { SyncError } from '../../../src/base/errors.ts'
import { DEFAULT_TUNING } from '../../../src/client/sync/tuning.ts'
import { answerOf, captivePortal, createWorld, type Notes, problemOf, uuid, type World } from '../world.ts'

const ids = (client: Client<Notes>): readonly string[] =>
  [...client.inspect().replica.confirmedRows('notes').keys()].sort()
const event = (world: World, name: string, data: unknown) =>
  world.stream().listener.event(name, typeof data === 'string' ? data : JSON.stringify(data))
const pulls = (world: World): number => world.bodies('pull').length

async function start(options: Parameters<World['client']>[0] = {}) {
  const world = createWorld()
  const client = await world.client(options)
  return { world, client, own: client.inspect().client }
}

describe('a stream', () => {
  test('is opened from where the pull ended, and its frames are shown as they come', async () => {
    const world = createWorld()
    world.authority.write('n1', 'x')
    const client = await world.client()
    expect(world.paths()).toEqual(['pull', 'live'])
    expect(world.bodies('live')[0]?.cursors).toEqual([{ scope: 'user:42', version: 1, mark: 'a10001' }])
    expect(ids(client)).toEqual(['n1'])
    world.authority.write('n2', 'y')
    await world.sendFrame(1)
    expect(ids(client)).toEqual(['n1', 'n2'])
    expect(client.status()).toMatchObject({ connection: 'online', fault: undefined })
  })

  test('[I5] a patch without its seal shows nothing', async () => {
    const { world, client, own } = await start()
    world.authority.write('n1', 'x')
    event(world, 'patch', world.authority.frame(own, 0).patch)
    await world.clock.settle()
    expect(ids(client)).toEqual([])
    event(world, 'seal', world.authority.frame(own, 0).seal)
    await world.clock.settle()
    expect(ids(client)).toEqual(['n1'])
  })

  test('[I5] frames that come in one moment are applied one after the other, in order', async () => {
    const { world, client, own } = await start()
    const frames: { readonly patch: object; readonly seal: object }[] = []
    for (let version = 0; version < 10; version++) {
      world.authority.write(`n${version}`, 'x')
      frames.push(world.authority.frame(own, version))
    }
    for (const { patch, seal } of frames) {
      event(world, 'patch', patch)
      event(world, 'seal', seal)
    }
    await world.clock.settle()
    expect(ids(client)).toHaveLength(10)
    expect(client.inspect().cursors).toMatchObject([{ version: 10 }])
    expect(client.inspect().replica.counters.framesApplied).toBe(11)
    expect(pulls(world)).toBe(1)
  })

  test.each([
    ['an event pull', (world: World) => event(world, 'pull', '')],
    [
      'a patch that does not fit',
      (world: World) =>
        event(world, 'patch', {
          scope: 'user:42',
          from: { version: 7, mark: 'a10007' },
          to: { version: 8, mark: 'a10008' },
          rows: {},
          gone: {},
        }),
    ],
  ])('%s leads to a pull from where the device stands, and a new stream', async (_what, tell) => {
    const { world, client } = await start()
    world.authority.write('n1', 'x')
    tell(world)
    await world.clock.settle()
    expect(world.streams[0]?.isCancelled).toBe(true)
    expect(world.paths()).toEqual(['pull', 'live', 'pull', 'live'])
    expect(ids(client)).toEqual(['n1'])
    expect(client.status().fault).toBeUndefined()
  })

  test.each([
    ['an event of another kind', 'gossip', '{}'],
    ['an event that is no JSON', 'patch', 'x'],
    ['a seal that does not fit', 'seal', '{"client":5}'],
  ])('%s ends the stream, and the device waits before it pulls', async (_what, name, data) => {
    const { world, client } = await start()
    event(world, name, data)
    await world.clock.settle()
    expect(world.streams[0]?.isCancelled).toBe(true)
    expect(client.status()).toMatchObject({ connection: 'offline', fault: { code: 'not_ours' } })
    await world.clock.advance(1_000)
    expect(client.status()).toMatchObject({ connection: 'online', fault: undefined })
    expect(world.streams).toHaveLength(2)
  })

  test('[I6] a frame with a row that does not fit is refused whole; the device pulls from where it stands', async () => {
    const { world, client, own } = await start()
    world.authority.write('n1', 'x')
    const { patch, seal } = world.authority.frame(own, 0)
    const damaged = JSON.parse(JSON.stringify(patch)) as { rows: { notes: object[] } }
    damaged.rows.notes.push({ id: 'n2', ownerId: 42 })
    event(world, 'patch', damaged)
    event(world, 'seal', seal)
    await world.clock.settle()
    expect(ids(client)).toEqual([])
    expect(client.status()).toMatchObject({ connection: 'offline', fault: { code: 'malformed' } })
    await world.clock.advance(1_000)
    expect(world.bodies('pull').at(-1)?.cursors).toEqual([{ scope: 'user:42', version: 0, mark: '' }])
    expect(ids(client)).toEqual(['n1'])
  })

  test('a seal for another client is not ours; one beyond what this store gave is a fork', async () => {
    const { world, client, own } = await start()
    event(world, 'seal', { ...world.authority.frame(own, 0).seal, client: uuid(9) })
    await world.clock.settle()
    expect(client.status().fault).toMatchObject({ code: 'not_ours' })
    await world.clock.advance(1_000)
    event(world, 'seal', { ...world.authority.frame(own, 0).seal, decided: 7 })
    await world.clock.settle()
    expect(client.inspect().client).not.toBe(own)
    expect(client.inspect().rebirths).toBe(1)
  })

  test('that worked and ends is opened again by way of a pull; frames that came before the end still count', async () => {
    const { world, client, own } = await start()
    await world.clock.advance(5_000)
    world.authority.write('n1', 'x')
    const { patch, seal } = world.authority.frame(own, 0)
    event(world, 'patch', patch)
    event(world, 'seal', seal)
    world.stream().listener.ended(new SyncError('stream_lost', 'idle'))
    await world.clock.settle()
    expect(ids(client)).toEqual(['n1'])
    expect(world.paths()).toEqual(['pull', 'live', 'pull', 'live'])
    expect(world.bodies('pull').at(-1)?.cursors).toMatchObject([{ version: 1 }])
  })

  test('that never brought anything and ends is tried again with a pause, ever longer while pulls fail too', async () => {
    const { world, client } = await start()
    world.stream().listener.ended(new SyncError('unreachable', 'cut'))
    await world.clock.settle()
    expect(client.status().connection).toBe('offline')
    expect(pulls(world)).toBe(1)
    await world.clock.advance(1_000)
    expect(pulls(world)).toBe(2)
    expect(world.streams).toHaveLength(2)
  })

  test('that ends with an error which is none of ours is a stream that ended', async () => {
    const { world, client } = await start()
    world.stream().listener.ended(new TypeError('terminated'))
    await world.clock.settle()
    expect(client.status().connection).toBe('offline')
    await world.clock.advance(1_000)
    expect(client.status().connection).toBe('online')
  })

  test('that is refused says what the refusal means', async () => {
    const { world, client } = await start()
    world.stream().listener.refused(problemOf('unauthenticated'))
    await world.clock.settle()
    expect(client.status()).toMatchObject({ connection: 'held', fault: { code: 'unauthenticated' } })
    client.resume()
    await world.clock.settle()
    world.stream().listener.refused(captivePortal())
    await world.clock.settle()
    expect(client.status()).toMatchObject({ connection: 'offline', fault: { code: 'not_ours' } })
    await world.clock.advance(1_000)
    expect(client.status().connection).toBe('online')
  })

  test('that falls silent is given up; heartbeats keep it', async () => {
    const { world, client } = await start()
    for (let beat = 0; beat < 10; beat++) {
      await world.clock.advance(DEFAULT_TUNING.silenceMs * 0.6)
      event(world, '', '')
    }
    expect(world.streams).toHaveLength(1)
    await world.clock.advance(DEFAULT_TUNING.silenceMs * 2 + 1_000)
    expect(world.streams[0]?.isCancelled).toBe(true)
    expect(world.streams.length).toBeGreaterThan(1)
    expect(client.status().connection).toBe('online')
  })

  test('streams that end as soon as they are open are opened with pauses between', async () => {
    const { world, client } = await start()
    for (let time = 0; time < 50; time++) {
      if (!world.stream().isCancelled) event(world, 'pull', '')
      await world.clock.advance(20)
    }
    // Fifty times twenty milliseconds.
    expect(world.streams.length).toBeLessThan(12)
    await world.clock.advance(60_000)
    expect(client.status().connection).toBe('online')
  })

  test('[I8] what a stream still brings after a pause changes nothing', async () => {
    const { world, client, own } = await start()
    world.authority.write('n1', 'x')
    const old = world.stream()
    client.pause()
    expect(old.isCancelled).toBe(true)
    const { patch, seal } = world.authority.frame(own, 0)
    for (const [name, data] of [
      ['patch', patch],
      ['seal', seal],
    ] as const)
      old.listener.event(name, JSON.stringify(data))
    old.listener.ended(new SyncError('stream_lost', 'late'))
    old.listener.refused(problemOf('unauthenticated'))
    await world.clock.advance(600_000)
    expect(ids(client)).toEqual([])
    expect(client.status()).toMatchObject({ connection: 'paused', fault: undefined })
    expect(world.streams).toHaveLength(1)
  })

  test('[I8] an old stream’s end does not end the new one', async () => {
    const { world, client } = await start()
    const old = world.stream()
    client.pause()
    client.resume()
    await world.clock.settle()
    expect(world.streams).toHaveLength(2)
    old.listener.ended(new SyncError('stream_lost', 'late'))
    old.listener.event('pull', '')
    await world.clock.settle()
    expect(world.stream().isCancelled).toBe(false)
    expect(world.streams).toHaveLength(2)
    expect(client.status().connection).toBe('online')
  })
})

describe('a pull', () => {
  test('of many pages is applied whole when the seal comes, and each page is asked from where the last one led', async () => {
    const world = createWorld()
    const place = (version: number, within?: object) => ({
      version,
      mark: version === 0 ? '' : `a${version}`,
      ...(within === undefined ? {} : { within }),
    })
    const row = (id: string) => ({ id, ownerId: '42', text: 'x', count: 0 })
    const middle = { table: 'notes', id: 'n1' }
    world.fates.pull.push(
      () =>
        answerOf(200, {
          requestId: 'r',
          patches: [{ scope: 'user:42', from: place(0), to: place(5, middle), rows: { notes: [row('n1')] }, gone: {} }],
        }),
      ({ body }) => {
        const { client, cursors } = JSON.parse(body) as { client: string; cursors: object[] }
        expect(cursors).toEqual([{ scope: 'user:42', version: 5, mark: 'a5', within: middle }])
        return answerOf(200, {
          requestId: 'r',
          patches: [{ scope: 'user:42', from: place(5, middle), to: place(5), rows: { notes: [row('n2')] }, gone: {} }],
          seal: { client, decided: 0, outcomes: [], scopes: ['user:42'], at: 1 },
        })
      },
    )
    const client = await world.client()
    expect(ids(client)).toEqual(['n1', 'n2'])
    expect(client.inspect().replica.counters.framesApplied).toBe(1)
  })

  test('whose page fails begins anew at what is held: nothing of a half is kept', async () => {
    const world = createWorld()
    world.authority.write('n1', 'x')
    world.fates.pull.push(
      () =>
        answerOf(200, {
          requestId: 'r',
          patches: [
            {
              scope: 'user:42',
              from: { version: 0, mark: '' },
              to: { version: 9, mark: 'ff' },
              rows: { notes: [{ id: 'half', ownerId: '42', text: 'x', count: 0 }] },
              gone: {},
            },
          ],
        }),
      'unreachable',
    )
    const client = await world.client()
    await world.clock.advance(1_000)
    expect(world.bodies('pull').map(({ cursors }) => cursors.length)).toEqual([0, 1, 0])
    expect(ids(client)).toEqual(['n1'])
  })

  test('[I12] page after page without rows and without a seal is not asked without a pause', async () => {
    const world = createWorld()
    world.fallback = ({ path }) => (path === 'pull' ? () => answerOf(200, { requestId: 'r', patches: [] }) : 'pass')
    const client = await world.client()
    await world.clock.advance(10_000)
    expect(pulls(world)).toBeLessThan(10)
    expect(client.status().connection).toBe('offline')
  })

  test('with a row that never fits is asked for ever more rarely, and goes on when the row is mended', async () => {
    const world = createWorld()
    world.authority.write('n1', 'x')
    world.fallback = ({ path }) =>
      path === 'pull'
        ? ({ body }) => {
            const answer = world.authority.pull(body)
            const page = JSON.parse(answer.body) as { patches: { rows: { notes: object[] } }[] }
            page.patches[0]?.rows.notes.push({ id: 'bad', ownerId: 5 })
            return answerOf(200, page)
          }
        : 'pass'
    const client = await world.client()
    await world.clock.advance(120_000)
    expect(client.status()).toMatchObject({ connection: 'offline', fault: { code: 'malformed' } })
    expect(pulls(world)).toBeLessThan(15)
    world.fallback = () => 'pass'
    await world.clock.advance(31_000)
    expect(ids(client)).toEqual(['n1'])
  })

  test('[I8] that comes back after a pause changes nothing', async () => {
    const world = createWorld()
    world.authority.write('n1', 'x')
    world.fates.pull.push('held')
    const client = await world.client()
    client.pause()
    await world.release()
    await world.clock.advance(60_000)
    expect(ids(client)).toEqual([])
    client.resume()
    await world.clock.settle()
    expect(ids(client)).toEqual(['n1'])
  })

  test('[I18] that a push overtook is no proof of a fork', async () => {
    const world = createWorld()
    world.fates.pull.push('held')
    const client = await world.client()
    client.mutate.put({ id: 'n1', text: 'x' })
    await world.clock.settle()
    expect(world.paths()).toEqual(['pull', 'push'])
    await world.release(() => problemOf('forked'))
    expect(client.inspect().rebirths).toBe(0)
    expect(world.paths()).toEqual(['pull', 'push', 'pull', 'live'])
    expect(client.status()).toMatchObject({ connection: 'online', waiting: 0 })
  })

  test('whose seal is older than what a push was told meanwhile is asked again at once, where no stream brings the rest', async () => {
    const world = createWorld()
    world.fates.pull.push('held')
    const client = await world.client({ live: false })
    const early = world.authority.pull(world.requests[0]?.body ?? '')
    client.mutate.put({ id: 'n1', text: 'x' })
    await world.clock.settle()
    await world.release(() => early)
    expect(world.paths()).toEqual(['pull', 'push', 'pull'])
    expect(ids(client)).toEqual(['n1'])
    expect(client.outbox()).toEqual([])
  })

  test('without a stream comes again after a while, and at once when the authority has decided something', async () => {
    const { world, client } = await start({ live: false })
    expect(client.status().connection).toBe('online')
    await world.clock.advance(DEFAULT_TUNING.pollMs + 10)
    expect(world.paths()).toEqual(['pull', 'pull'])
    client.mutate.put({ id: 'n1', text: 'x' })
    await world.clock.settle()
    expect(world.paths()).toEqual(['pull', 'pull', 'push', 'pull'])
    expect(ids(client)).toEqual(['n1'])
    await client.quiet()
    expect(client.outbox()).toEqual([])
  })
})

describe('what is not the authority’s to answer', () => {
  test('[I8] a frame that is being applied when a fork is noticed counts for the old birth only', async () => {
    const { world, client, own } = await start()
    client.mutate.put({ id: 'n1', text: 'x' }, { id: uuid(1) })
    client.mutate.put({ id: 'n2', text: 'x' }, { id: uuid(2) })
    await world.clock.settle()
    world.fates.push.push(() => problemOf('forked'))
    const { patch, seal } = world.authority.frame(own, 0)
    client.mutate.put({ id: 'n3', text: 'x' }, { id: uuid(3) })
    event(world, 'patch', patch)
    event(world, 'seal', seal)
    await world.clock.settle()
    expect(client.status().connection).not.toBe('broken')
    expect(client.inspect().client).not.toBe(own)
    await world.clock.advance(1_000)
    await world.sendFrame(2)
    expect(ids(client)).toEqual(['n1', 'n2', 'n3'])
    expect([...client.inspect().replica.rows('notes')]).toHaveLength(3)
    expect([...world.authority.runs.values()]).toEqual([1, 1, 1])
    expect(client.status()).toMatchObject({ waiting: 0, connection: 'online' })
  })

  test('an authority that calls every client forked does not make a storm of births', async () => {
    const { world, client } = await start()
    world.fallback = ({ path }) => (path === 'push' ? () => problemOf('forked') : 'pass')
    client.mutate.put({ id: 'n1', text: 'x' }, { id: uuid(1) })
    await world.clock.advance(60_000)
    expect(client.inspect().rebirths).toBeLessThan(12)
    // Every second time it is believed: a fork may be one all the same.
    expect(client.inspect().rebirths).toBeGreaterThan(1)
    expect(client.status().connection).not.toBe('broken')
    world.fallback = () => 'pass'
    await world.clock.advance(31_000)
    expect(client.status().waiting).toBe(0)
    expect(world.authority.runs.get(uuid(1))).toBe(1)
  })
})
