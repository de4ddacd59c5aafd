// The engine between a scripted network and a manual clock: whatever the network does, each intent is decided once, nothing is
// asked without a pause, nothing waits for ever in silence, and what came too late changes nothing.
import { describe, expect, test } from 'vitest'
import { InvariantError } from '../../../src/base/assert.ts'
import { expectPeace, put, texts } from '../scenario.ts'
import { answerOf, captivePortal, createWorld, type Fate, problemOf, uuid } from '../world.ts'

describe('an answer', () => {
  test('[I3] that is lost is asked for again, and the intent is decided once', async () => {
    const world = createWorld()
    const client = await world.client()
    world.fates.push.push('lost', 'lost', 'lost')
    const [handle] = put(client, 1)
    await world.clock.settle()
    expect(client.status()).toMatchObject({ connection: 'offline', waiting: 1, fault: { code: 'timed_out' } })
    await world.clock.advance(60_000)
    expect(await handle?.decided).toEqual({ status: 'applied', repeated: true })
    await world.sendFrame(0)
    expectPeace(world, client, 1)
    expect(client.outbox()).toEqual([])
  })

  test('[I3] that comes twice settles once', async () => {
    const world = createWorld()
    const client = await world.client({ live: false })
    put(client, 2)
    await world.clock.settle()
    client.pause()
    client.resume()
    await world.clock.advance(20_000)
    expectPeace(world, client, 2)
  })

  test('of somebody else (a sign-in page of the network) parks nothing and is tried again, ever more rarely', async () => {
    const world = createWorld()
    world.fallback = () => captivePortal
    const client = await world.client()
    put(client, 3)
    await world.clock.advance(120_000)
    expect(client.status()).toMatchObject({ connection: 'offline', waiting: 3, fault: { code: 'not_ours' } })
    const tries = world.bodies('push').length
    expect(tries).toBeGreaterThan(4)
    expect(tries).toBeLessThan(20)
    world.fallback = () => 'pass'
    await world.clock.advance(31_000)
    await world.sendFrame(0)
    expectPeace(world, client, 3)
  })

  test.each([
    ['an answer for another client', { requestId: 'r', client: uuid(9), decided: 0, outcomes: [] }],
    ['a body that does not fit', { requestId: 'r', decided: -1 }],
    ['no JSON', 'x'],
  ])('that is %s changes nothing and is tried again', async (_what, body) => {
    const world = createWorld()
    const client = await world.client()
    world.fates.push.push(() => answerOf(200, body))
    const [handle] = put(client, 1)
    await world.clock.settle()
    expect(client.status()).toMatchObject({ connection: 'offline', fault: { code: 'not_ours' } })
    await world.clock.advance(1_000)
    expect(await handle?.decided).toMatchObject({ status: 'applied' })
  })

  test('that decides nothing although it could is no reason to ask at once, for ever', async () => {
    const world = createWorld()
    const client = await world.client()
    const { client: id } = client.inspect()
    world.fallback = ({ path }) =>
      path === 'push' ? () => answerOf(200, { requestId: 'r', client: id, decided: 0, outcomes: [] }) : 'pass'
    put(client, 2)
    await world.clock.advance(10_000)
    expect(client.status()).toMatchObject({ connection: 'offline', waiting: 2 })
    expect(world.bodies('push').length).toBeLessThan(10)
    world.fallback = () => 'pass'
    await world.clock.advance(31_000)
    expect(client.status().waiting).toBe(0)
  })

  test('[I8] that comes after a pause changes nothing; after resuming the same is asked again', async () => {
    const world = createWorld()
    const client = await world.client()
    world.fates.push.push('held')
    const [handle] = put(client, 1)
    await world.clock.settle()
    expect(client.outbox()[0]?.badge).toBe('sending')
    client.pause()
    await world.clock.settle()
    expect(client.outbox()[0]?.badge).toBe('queued')
    await world.release()
    expect(client.outbox()[0]).toMatchObject({ badge: 'queued', outcome: undefined })
    expect(client.status().connection).toBe('paused')
    await world.clock.advance(600_000)
    expect(world.bodies('push')).toHaveLength(1)
    client.resume()
    await world.clock.settle()
    expect(await handle?.decided).toEqual({ status: 'applied', repeated: true })
  })

  test.each(['push', 'pull'] as const)(
    '[I8] to a %s that comes although it was cancelled changes nothing',
    async (path) => {
      const world = createWorld()
      const client = await world.client({ startPaused: true })
      world.ignoresCancel = true
      world.authority.write('other', 'x')
      put(client, 1)
      await world.clock.settle()
      world.fates[path].push('held')
      world.fates.pull.push('unreachable', 'unreachable')
      client.resume()
      await world.clock.settle()
      client.pause()
      await world.release()
      await world.release()
      await world.clock.advance(60_000)
      expect(client.inspect().replica.confirmedRows('notes').size).toBe(0)
      if (path === 'push') expect(client.outbox()[0]).toMatchObject({ badge: 'queued', outcome: undefined })
      client.resume()
      await world.clock.advance(5_000)
      expect(client.status()).toMatchObject({ waiting: 0, connection: 'online' })
    },
  )

  test('a pause and a resume in one turn leave the intent marked as sending while it is sent', async () => {
    const world = createWorld()
    const client = await world.client()
    world.fates.push.push('held', 'held')
    put(client, 1)
    await world.clock.settle()
    client.pause()
    client.resume()
    await world.clock.settle()
    expect(world.bodies('push')).toHaveLength(2)
    expect(client.outbox()[0]?.badge).toBe('sending')
  })
})

describe('who is asking', () => {
  test('401 holds the queue, says so, keeps new calls, and goes on after signing in again', async () => {
    const world = createWorld()
    const client = await world.client()
    world.fates.push.push(() => problemOf('unauthenticated'))
    const [first] = put(client, 1)
    await world.clock.advance(600_000)
    expect(client.status()).toMatchObject({
      connection: 'held',
      fault: { code: 'unauthenticated', requestId: 'req-test' },
    })
    const [second] = put(client, 1, 2)
    await world.clock.settle()
    await second?.saved
    expect(world.bodies('push')).toHaveLength(1)
    client.resume()
    await world.clock.settle()
    expect([await first?.decided, await second?.decided]).toMatchObject([{ status: 'applied' }, { status: 'applied' }])
    await world.sendFrame(0)
    expectPeace(world, client, 2)
  })

  test('another actor than the one of this outbox holds the queue', async () => {
    const world = createWorld()
    const client = await world.client()
    world.fates.push.push(() => problemOf('actor_mismatch'))
    put(client, 1)
    await world.clock.advance(600_000)
    expect(client.status()).toMatchObject({ connection: 'held', fault: { code: 'actor_mismatch' } })
    expect(world.bodies('push')[0]?.actor).toBe('42')
  })

  test('a bare 401 of a proxy holds too', async () => {
    const world = createWorld()
    world.fallback = () => () => answerOf(401, 'no', { 'content-type': 'text/plain' })
    const client = await world.client()
    await world.clock.advance(600_000)
    expect(client.status().connection).toBe('held')
    expect(world.requests).toHaveLength(1)
  })

  test('the token is asked for before each request', async () => {
    const world = createWorld()
    let asked = 0
    const client = await world.client({ session: { actor: '42', token: async () => `t${++asked}` } })
    put(client, 1)
    await world.clock.settle()
    expect(world.requests.map(({ headers }) => headers['authorization'])).toEqual([
      'Bearer t1',
      'Bearer t2',
      'Bearer t3',
    ])
  })

  test('a token that cannot be had for now is a fault that time heals, not the end of the client', async () => {
    const world = createWorld()
    let isOffline = true
    const client = await world.client({
      session: {
        actor: '42',
        token: async () => {
          if (isOffline) throw new TypeError('fetch failed')
          return 'good'
        },
      },
    })
    const [handle] = put(client, 1)
    await world.clock.advance(5_000)
    expect(client.status()).toMatchObject({ connection: 'offline', waiting: 1 })
    expect(world.requests).toHaveLength(0)
    isOffline = false
    await world.clock.advance(31_000)
    expect(await handle?.decided).toMatchObject({ status: 'applied' })
    expect(client.status().connection).toBe('online')
  })

  test('a token that never comes does not leave the queue waiting in silence', async () => {
    const world = createWorld()
    let answers = 0
    const client = await world.client({
      session: { actor: '42', token: () => (answers++ < 2 ? new Promise<string>(() => undefined) : 'good') },
    })
    const [handle] = put(client, 1)
    await world.clock.advance(200_000)
    expect(await handle?.decided).toMatchObject({ status: 'applied' })
  })

  test('the token that fails while a stream is opened is tried again', async () => {
    const world = createWorld()
    let asked = 0
    const client = await world.client({
      session: {
        actor: '42',
        token: () => {
          asked++
          if (asked === 2) throw new Error('no token for the stream')
          return 'good'
        },
      },
    })
    expect(client.status().connection).toBe('offline')
    await world.clock.advance(2_000)
    expect(world.streams).toHaveLength(1)
    expect(client.status().connection).toBe('online')
  })
})

describe('a network that misbehaves', () => {
  test('by throwing what is no SyncError is a network that cannot be reached, not a broken engine', async () => {
    const world = createWorld()
    const client = await world.client()
    world.fates.push.push(() => {
      throw new TypeError('Failed to fetch')
    })
    const [handle] = put(client, 1)
    await world.clock.settle()
    expect(client.status()).toMatchObject({ connection: 'offline', fault: { code: 'unreachable' } })
    await world.clock.advance(2_000)
    expect(await handle?.decided).toMatchObject({ status: 'applied' })
  })

  test('an hour offline is noticed within half a minute of its end, and the first half that gets through wakes the other', async () => {
    const world = createWorld()
    world.fallback = () => 'unreachable'
    const client = await world.client()
    put(client, 5)
    await world.clock.advance(3_600_000)
    expect(client.status()).toMatchObject({ connection: 'offline', waiting: 5, fault: { code: 'unreachable' } })
    expect(Math.min(...world.clock.due())).toBeLessThanOrEqual(30_000)
    world.fallback = () => 'pass'
    await world.clock.advance(world.clock.due()[0] ?? 0)
    expect(client.status()).toMatchObject({ waiting: 0, connection: 'online' })
    await world.sendFrame(0)
    expectPeace(world, client, 5)
  })

  test('one half that always fails is not driven by the other that works', async () => {
    const world = createWorld()
    world.fallback = ({ path }) => (path === 'push' ? 'unreachable' : 'pass')
    const client = await world.client()
    put(client, 1)
    await world.clock.settle()
    for (let version = 0; version < 100; version++) {
      world.authority.write(`other${version}`, 'x')
      await world.sendFrame(version)
      await world.clock.advance(20)
    }
    // A hundred frames in two seconds.
    expect(world.bodies('push').length).toBeLessThan(10)
  })
})

describe('a batch', () => {
  test('[I13] that is too large is halved at once, and one intent that is too large alone is parked', async () => {
    const world = createWorld()
    const client = await world.client({ startPaused: true })
    put(client, 8)
    await world.clock.settle()
    const tooLarge = uuid(5)
    world.fallback = (request) => {
      const intents = request.path === 'push' ? (world.bodies('push').at(-1)?.intents ?? []) : []
      return intents.some(({ id, withdraw }) => id === tooLarge && withdraw === undefined)
        ? () => problemOf('too_large')
        : 'pass'
    }
    client.resume()
    await world.clock.settle()
    expect(client.status().waiting).toBe(0)
    expect(client.outbox().find(({ id }) => id === tooLarge)).toMatchObject({
      badge: 'failed',
      parked: { reason: 'fault' },
    })
    await world.sendFrame(0)
    expect(texts(client)).toHaveLength(7)
    expect(world.authority.runs.size).toBe(8)
  })

  test('that is refused as too large however small it is, is tried again with a pause, and at most one intent is parked', async () => {
    const world = createWorld()
    const client = await world.client({ startPaused: true })
    put(client, 4)
    await world.clock.settle()
    world.fallback = ({ path }) =>
      path === 'push' ? () => answerOf(413, 'proxy', { 'content-type': 'text/html' }) : 'pass'
    client.resume()
    await world.clock.advance(120_000)
    expect(client.outbox().filter(({ parked }) => parked !== undefined).length).toBeLessThanOrEqual(1)
    expect(world.bodies('push').length).toBeLessThan(20)
    world.fallback = () => 'pass'
    await world.clock.advance(31_000)
    expect(client.status().waiting).toBe(0)
  })

  test('after a bare 5xx is halved, so that one bad intent cannot hold the others, and grows again', async () => {
    const world = createWorld()
    const client = await world.client({ startPaused: true })
    put(client, 8)
    await world.clock.settle()
    const bad = () => answerOf(502, 'bad gateway', { 'content-type': 'text/html' })
    world.fates.push.push(bad, bad, bad)
    client.resume()
    await world.clock.advance(60_000)
    expect(client.status()).toMatchObject({ waiting: 0 })
    expect(world.bodies('push').map(({ intents }) => intents.length)).toEqual([8, 4, 2, 1, 2, 4, 1])
    expect(client.outbox().every(({ parked }) => parked === undefined)).toBe(true)
  })

  test('Retry-After is honoured as seconds and as a date', async () => {
    const world = createWorld()
    const client = await world.client()
    world.fates.push.push(() => answerOf(429, 'slow down', { 'content-type': 'text/plain', 'retry-after': '90' }))
    put(client, 1)
    await world.clock.advance(89_000)
    expect(world.bodies('push')).toHaveLength(1)
    expect(client.status()).toMatchObject({ connection: 'offline', fault: { code: 'rate_limited' } })
    world.fates.push.push(() =>
      problemOf('unavailable', {}, { 'retry-after': new Date(world.clock.now() + 200_000).toUTCString() }),
    )
    // Up to a quarter more: it was told to many at once.
    await world.clock.advance(1_000 + 90_000 / 4)
    expect(world.bodies('push')).toHaveLength(2)
    await world.clock.advance(200_000 - 25_000)
    expect(world.bodies('push')).toHaveLength(2)
    await world.clock.advance(25_000 + 200_000 / 4)
    expect(client.status().waiting).toBe(0)
  })
})

describe('a stop', () => {
  test('gap: the device sends from the number that the authority misses', async () => {
    const world = createWorld()
    const client = await world.client()
    put(client, 3)
    await world.clock.settle()
    const { client: id } = client.inspect()
    // The authority has lost this client's last two places, but a proxy still gave the old answers.
    world.authority.state.decided.get(id)?.splice(1)
    put(client, 1, 4)
    await world.clock.settle()
    expect(client.status().waiting).toBe(0)
    expect(
      world
        .bodies('push')
        .at(-1)
        ?.intents.map(({ sequence }) => sequence),
    ).toEqual([2, 3, 4])
    expect([...world.authority.runs.values()]).toEqual([1, 1, 1, 1])
  })

  test.each([
    ['a gap that is never closed', { code: 'gap', detail: 'x', expected: 1 }],
    ['a gap ahead of what is sent', { code: 'gap', detail: 'x', expected: 99 }],
    ['a gap without a number', { code: 'gap', detail: 'x' }],
    ['a version unknown at a number that was not sent', { code: 'version_unknown', detail: 'x', sequence: 77 }],
    ['an expired intent that stays expired when withdrawn', { code: 'expired', detail: 'x', sequence: 1 }],
  ])('%s is no reason to ask without a pause', async (_what, stop) => {
    const world = createWorld()
    const client = await world.client()
    const { client: id } = client.inspect()
    world.fallback = ({ path }) =>
      path === 'push'
        ? () => answerOf(200, { requestId: 'r', client: id, decided: 0, outcomes: [], stop: { sequence: 1, ...stop } })
        : 'pass'
    put(client, 2)
    await world.clock.advance(10_000)
    expect(world.bodies('push').length).toBeLessThan(12)
    expect(client.status().connection).not.toBe('broken')
    world.fallback = () => 'pass'
    await world.clock.advance(31_000)
    expect(client.status().waiting).toBe(0)
  })

  test('fault: the intent keeps its place, those before it are decided, it is tried ever more rarely and never parked', async () => {
    const world = createWorld()
    const client = await world.client({ startPaused: true })
    put(client, 4)
    await world.clock.settle()
    world.authority.stopAt = (id) => (id === uuid(3) ? { code: 'fault', detail: 'the mutator threw' } : undefined)
    client.resume()
    await world.clock.advance(120_000)
    expect(client.status()).toMatchObject({ connection: 'offline', waiting: 2, fault: { code: 'fault' } })
    expect(client.outbox().map(({ parked }) => parked)).toEqual([undefined, undefined])
    const tries = world.bodies('push').length
    expect(tries).toBeGreaterThan(4)
    expect(tries).toBeLessThan(15)
    world.authority.stopAt = () => undefined
    await world.clock.advance(31_000)
    await world.sendFrame(0)
    expectPeace(world, client, 4)
  })

  test('fault with a delay is tried again after the delay', async () => {
    const world = createWorld()
    const client = await world.client()
    world.authority.stopAt = () => ({ code: 'fault', detail: 'x', retryAfterMs: 50_000 })
    put(client, 1)
    await world.clock.advance(49_000)
    expect(world.bodies('push')).toHaveLength(1)
    world.authority.stopAt = () => undefined
    await world.clock.advance(1_000 + 50_000 / 4)
    expect(client.status().waiting).toBe(0)
  })

  test('a pinned fault is given up only after as many tries and as much time as the limit says, and those behind it go on', async () => {
    const world = createWorld()
    const client = await world.client({ startPaused: true })
    put(client, 3)
    await world.clock.settle()
    let pinned = false
    world.authority.stopAt = (id) =>
      id === uuid(2) ? { code: 'fault', detail: 'the mutator threw', ...(pinned ? { pinned } : {}) } : undefined
    client.resume()
    // As long as it may be the deploy, no time is too long.
    await world.clock.advance(3_600_000)
    expect(client.status()).toMatchObject({ waiting: 2, isStalled: true, fault: { code: 'fault', intent: uuid(2) } })
    pinned = true
    await world.clock.advance(44 * 60_000)
    expect(client.status().waiting).toBe(2)
    await world.clock.advance(3 * 60_000)
    expect(client.status()).toMatchObject({ waiting: 0, isStalled: false })
    expect(client.outbox().find(({ id }) => id === uuid(2))).toMatchObject({
      badge: 'failed',
      parked: { reason: 'fault' },
    })
  })

  test('what the authority cannot read is looked for in ever smaller batches, and one intent alone is given up after as long', async () => {
    const world = createWorld()
    const client = await world.client({ startPaused: true })
    put(client, 8)
    await world.clock.settle()
    world.fallback = ({ path, body }) =>
      path === 'push' && body.includes(`"${uuid(5)}","name"`) ? () => problemOf('malformed') : 'pass'
    client.resume()
    await world.clock.settle()
    expect(client.status()).toMatchObject({ waiting: 4, fault: { code: 'malformed' } })
    await world.clock.advance(44 * 60_000)
    expect(client.status().waiting).toBe(4)
    await world.clock.advance(3 * 60_000)
    expect(client.status().waiting).toBe(0)
    expect(
      client
        .outbox()
        .filter(({ parked }) => parked !== undefined)
        .map(({ id }) => id),
    ).toEqual([uuid(5)])
  })

  test('where no push can be read, and not even a pull, nothing is given up for it', async () => {
    const world = createWorld()
    world.fallback = () => () => problemOf('malformed')
    const client = await world.client()
    put(client, 3)
    await world.clock.advance(90 * 60_000)
    expect(client.outbox().map(({ parked }) => parked)).toEqual([undefined, undefined, undefined])
    world.fallback = () => 'pass'
    await world.clock.advance(60_000)
    expect(client.status().waiting).toBe(0)
  })

  test('an authority that is only minutes behind the app is waited for', async () => {
    const world = createWorld()
    const client = await world.client()
    world.authority.stopAt = () => ({ code: 'version_unknown', detail: 'not here' })
    put(client, 2)
    await world.clock.advance(4 * 60_000)
    expect(client.status()).toMatchObject({ waiting: 2, fault: { code: 'version_unknown', intent: uuid(1) } })
    world.authority.stopAt = () => undefined
    await world.clock.advance(31_000)
    await world.sendFrame(0)
    expectPeace(world, client, 2)
  })

  test.each([
    ['version_unknown', 'version', 'queued'],
    ['expired', 'expired', 'failed'],
  ] as const)(
    '%s: the place is given up by a withdrawal, those behind go on, the intent stays with its reason',
    async (code, reason, badge) => {
      const world = createWorld()
      const client = await world.client({ startPaused: true })
      const handles = put(client, 3)
      await world.clock.settle()
      world.authority.stopAt = (id) => (id === uuid(2) ? { code, detail: 'not here' } : undefined)
      client.resume()
      await world.clock.advance(reason === 'version' ? 6 * 60_000 : 0)
      expect(client.status().waiting).toBe(0)
      expect(client.outbox().find(({ id }) => id === uuid(2))).toMatchObject({
        badge,
        parked: { reason, detail: 'not here' },
      })
      expect(await handles[2]?.decided).toMatchObject({ status: 'applied' })
      await world.sendFrame(0)
      expect(texts(client)).toEqual(['n1:x', 'n3:x'])
      await client.quiet()
    },
  )
})

const fates: readonly Fate[] = [
  'pass',
  'lost',
  'unreachable',
  captivePortal,
  () => problemOf('internal'),
  () => problemOf('forked'),
  () => answerOf(500, '', {}),
]
test('[I17] whatever happens to the requests, all is decided once and here when it stops', async () => {
  let state = 7
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
  for (let round = 0; round < 30; round++) {
    const world = createWorld()
    world.fallback = () => fates[next(fates.length)] as Fate
    const client = await world.client({ live: next(2) === 0 })
    for (let step = 0; step < 12; step++) {
      if (next(2) === 0) put(client, 1, step + 1)
      if (next(6) === 0) client.pause()
      if (next(3) === 0) client.resume()
      await world.clock.advance(next(3_000))
    }
    world.fallback = () => 'pass'
    client.resume()
    await world.clock.advance(60_000)
    if (world.streams.length > 0 && !world.stream().isCancelled) world.stream().listener.event('pull', '')
    await world.clock.advance(60_000)
    expect(client.status(), `round ${round}`).toMatchObject({ connection: 'online', waiting: 0 })
    expect(
      [...world.authority.runs.values()].every((runs) => runs === 1),
      `round ${round}`,
    ).toBe(true)
    expect(texts(client)).toEqual([...world.authority.state.log.keys()].map((id) => `${id}:x`).sort())
    expect(client.outbox()).toEqual([])
    expect(world.reports.filter((error) => error instanceof InvariantError)).toEqual([])
    await client.close()
  }
})
