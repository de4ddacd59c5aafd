// The simulated network: each way in which it fails a device is seen to happen, and what it does not break arrives as it was sent.
import { describe, expect, test } from 'vitest'
import type { NetworkRequest, StreamListener } from '../../src/client/host.ts'
import { decodeText } from '../../src/protocol/codec.ts'
import { LIMITS } from '../../src/protocol/limits.ts'
import { pullRequest } from '../../src/protocol/pull.ts'
import { pushRequest } from '../../src/protocol/push.ts'
import type { HttpAnswer, StreamSink } from '../../src/server/http/exchange.ts'
import { garbleRequest, strangeAnswer } from '../../src/sim/garble.ts'
import { createHistory } from '../../src/sim/history.ts'
import { CALM, createNetwork, type Weather, type WireWatch } from '../../src/sim/network.ts'
import { createDice } from '../../src/sim/random.ts'
import { createWorld } from '../../src/sim/world.ts'

const request: NetworkRequest = {
  path: 'pull',
  url: 'http://authority.example/sync/pull',
  headers: { 'content-type': 'application/json' },
  body: '{"n":1}',
}

/** A world with one device and a server that says how often it was asked. */
function setUp(
  weather: Partial<Weather> = {},
  answer: HttpAnswer | 'nobody' = { status: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":1}' },
) {
  const world = createWorld((error) => {
    throw error
  })
  const history = createHistory(world)
  const asked: string[] = []
  const refused: HttpAnswer[] = []
  const written: string[] = []
  const watch: WireWatch = {
    sent() {},
    arrived: () => 0,
    answered() {},
    refusedRubbish: (_device, _request, said) => void refused.push(said),
    written: (_device, isFull) => void written.push(isFull ? 'though full' : 'in time'),
    opened: () => () => {},
  }
  const server = {
    handle: (came: { readonly path: string; text(max: number): Promise<string> }) => {
      if (answer === 'nobody') return undefined
      return came.text(LIMITS.bodyBytes).then((text) => {
        asked.push(`${came.path} ${text}`)
        return answer
      })
    },
  }
  const network = createNetwork({ world, dice: createDice('network test'), history, server, watch })
  network.setWeather({ ...CALM, ...weather })
  const line = network.line('d1')
  let isAlive = true
  const own = network.connect(line, { isAlive: () => isAlive, hear: (run) => (isAlive ? run() : undefined) })
  return { world, history, asked, refused, written, line, network: own, die: () => (isAlive = false) }
}

/** What became of a request, after ten seconds. */
async function outcome({ world, network }: ReturnType<typeof setUp>, timeoutMs = 5_000): Promise<string> {
  let said = 'nothing'
  network.exchange(request, timeoutMs).answer.then(
    ({ status, body }) => {
      said = `${status} ${body}`
    },
    (error: { readonly code: string }) => {
      said = error.code
    },
  )
  await world.runUntil(world.now() + 10_000, () => true)
  return said
}

describe('a request', () => {
  test('arrives once and is answered, when nothing goes wrong', async () => {
    const parts = setUp()
    expect(await outcome(parts)).toBe('200 {"ok":1}')
    expect(parts.asked).toEqual(['/sync/pull {"n":1}'])
  })

  test('gets nowhere when nobody listens', async () => {
    const parts = setUp({}, 'nobody')
    expect(await outcome(parts)).toBe('unreachable')
    expect(parts.asked).toEqual([])
  })

  test.each([
    ['requestLost', 'timed_out', 0],
    ['answerLost', 'timed_out', 1],
    ['repeat', '200 {"ok":1}', 2],
    ['concurrentRepeat', '200 {"ok":1}', 2],
  ] as const)('%s: the caller hears %s, the authority is asked %i times', async (kind, heard, times) => {
    const parts = setUp({ [kind]: 1 })
    expect(await outcome(parts)).toBe(heard)
    expect(parts.asked).toHaveLength(times)
    expect(parts.history.counts[kind]).toBe(1)
  })

  test('a late repeat arrives long after the answer', async () => {
    const parts = setUp({ lateRepeat: 1 })
    expect(await outcome(parts)).toBe('200 {"ok":1}')
    await parts.world.runUntil(40_000, () => true)
    expect(parts.asked).toHaveLength(2)
  })

  test('over a line that is cut says so or waits, and gets through again when it is healed', async () => {
    const parts = setUp()
    parts.line.up = parts.line.down = false
    expect(['unreachable', 'timed_out']).toContain(await outcome(parts))
    parts.line.up = true
    expect(await outcome(parts)).toBe('timed_out')
    expect(parts.asked).toHaveLength(1)
    parts.line.down = true
    expect(await outcome(parts)).toBe('200 {"ok":1}')
  })

  test('that is overtaken is counted as reordered', async () => {
    const parts = setUp({ delay: 0.5 })
    for (let number = 0; number < 20; number++) parts.network.exchange(request, 60_000).answer.catch(() => {})
    await parts.world.runUntil(60_000, () => true)
    expect(parts.history.counts.reorder).toBeGreaterThan(0)
  })

  test('of a process that died is never answered', async () => {
    const parts = setUp()
    parts.world.after(1, parts.die)
    expect(await outcome(parts)).toBe('nothing')
    expect(parts.asked).toHaveLength(1)
  })

  test('of which rubbish arrives too is answered all the same', async () => {
    const parts = setUp({ garbledRequest: 1 })
    expect(await outcome(parts)).toBe('200 {"ok":1}')
    expect(parts.refused.length).toBe(parts.history.counts.garbledRequest)
  })
})

describe('rubbish', () => {
  const pull = {
    protocol: 1,
    app: '3f1c5a0e-8f6b-5d0a-9c37-2b6c1e9d4a71',
    actor: 'ann',
    client: '0b6f9b3e-3a0b-4c55-9a43-6f1f6b1f7a01',
    last: 3,
    stored: 1,
    cursors: [],
  }
  const push = {
    ...pull,
    intents: [
      {
        sequence: 3,
        id: '0b6f9b3e-3a0b-4c55-9a43-6f1f6b1f7a02',
        name: 'step',
        version: 1,
        args: { id: 'x', by: 1 },
        madeAt: 0,
      },
    ],
  }

  test.each([
    ['pull', pull, pullRequest],
    ['push', push, pushRequest],
  ] as const)('[I12] made of a %s is never something that a decoder takes', (path, value, decoder) => {
    const dice = createDice(`rubbish ${path}`)
    const whole: NetworkRequest = { ...request, path, body: JSON.stringify(value) }
    expect(decodeText<unknown>(decoder, whole.body).ok).toBe(true)
    let made = 0
    for (let time = 0; time < 600; time++) {
      const garbled = garbleRequest(whole, dice)
      if (garbled === undefined) continue
      made++
      const isRefused =
        garbled.headers['content-type'] !== 'application/json' ||
        garbled.body.length > LIMITS.bodyBytes ||
        !decodeText<unknown>(decoder, garbled.body).ok
      expect(isRefused, garbled.body.slice(0, 400)).toBe(true)
    }
    expect(made).toBeGreaterThan(300)
  })

  test('what strangers answer is never an answer of the authority', () => {
    const dice = createDice('strangers')
    for (let time = 0; time < 100; time++) {
      const { status, body } = strangeAnswer(dice)
      expect(status === 200 && body.includes('requestId')).toBe(false)
    }
  })
})

describe('a stream', () => {
  /** A server whose stream is in the test's hands. */
  function openStream(weather: Partial<Weather> = {}) {
    let sink: StreamSink | undefined
    const said: string[] = []
    let isGone = false
    const parts = setUp(weather, {
      status: 200,
      headers: {},
      open: (given) => {
        sink = given
        return () => {
          isGone = true
        }
      },
    })
    const listener: StreamListener = {
      opened: () => said.push('opened'),
      event: (name, data) => said.push(`${name}:${data}`),
      refused: ({ status }) => said.push(`refused ${status}`),
      ended: (error) => said.push(`ended ${(error as { readonly code: string }).code}`),
    }
    const cancel = parts.network.stream({ ...request, path: 'live' }, listener)
    const write = async (text: string): Promise<number> => {
      const waiting = sink?.write(text) ?? -1
      await parts.world.runUntil(parts.world.now() + 1_000, () => true)
      return waiting
    }
    const writeNow = (text: string): void => void sink?.write(text)
    const wait = (ms: number) => parts.world.runUntil(parts.world.now() + ms, () => true)
    return { ...parts, said, write, writeNow, wait, cancel, close: () => sink?.close(), isGone: () => isGone }
  }

  test('brings events in order and whole, however its bytes are split', async () => {
    const stream = openStream()
    await stream.wait(1_000)
    for (let number = 1; number <= 20; number++) await stream.write(`event: seal\ndata: {"n":${number}}\n\n`)
    await stream.write(': still here\n\n')
    expect(stream.said).toEqual(['opened', ...Array.from({ length: 20 }, (_, index) => `seal:{"n":${index + 1}}`), ':'])
  })

  test('ends for both when either side ends it', async () => {
    const closed = openStream()
    await closed.wait(1_000)
    closed.close()
    await closed.wait(1_000)
    expect(closed.said).toEqual(['opened', 'ended stream_lost'])
    const cancelled = openStream()
    await cancelled.wait(1_000)
    cancelled.cancel()
    await cancelled.write('event: seal\ndata: {}\n\n')
    expect(cancelled.said).toEqual(['opened'])
    expect(cancelled.isGone()).toBe(true)
  })

  test('that is cut in the middle of a frame brings no part of it as an event', async () => {
    const stream = openStream({ streamCut: 1 })
    await stream.wait(1_000)
    await stream.write('event: seal\ndata: {"n":1}\n\n')
    expect(stream.said).toEqual(['opened', 'ended stream_lost'])
    expect(stream.isGone()).toBe(true)
  })

  test('that falls silent tells nobody', async () => {
    const stream = openStream({ streamStalled: 1 })
    await stream.wait(1_000)
    await stream.write('event: seal\ndata: {"n":1}\n\n')
    await stream.wait(60_000)
    expect(stream.said).toEqual(['opened'])
  })

  test('that is slow says that more waits than the authority may keep', async () => {
    const stream = openStream({ streamSlow: 1 })
    await stream.wait(1_000)
    expect(await stream.write('event: seal\ndata: {}\n\n')).toBeGreaterThan(LIMITS.streamBufferBytes)
    expect(stream.written).toEqual(['in time'])
  })

  test('[I13] that was slow is watched for what is written to it all the same', async () => {
    const stream = openStream({ streamSlow: 1 })
    await stream.wait(1_000)
    for (let time = 0; time < 2; time++) await stream.write('event: seal\ndata: {}\n\n')
    expect(stream.written).toEqual(['in time', 'though full'])
  })

  test('[I13] and so is one on which more waits than the limit by itself', async () => {
    const stream = openStream()
    await stream.wait(1_000)
    for (const characters of [LIMITS.streamBufferBytes - 2, 3, 1]) stream.writeNow(`:${'x'.repeat(characters)}`)
    expect(stream.written).toEqual(['in time', 'in time', 'though full'])
  })

  test('that nobody answers ends after a while', async () => {
    const stream = openStream({ requestLost: 1 })
    await stream.wait(60_000)
    expect(stream.said).toEqual(['ended timed_out'])
  })
})
