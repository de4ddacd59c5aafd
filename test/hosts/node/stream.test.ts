// The device's streams against servers that break off, drip, lie and stay silent. Single requests are network.test.ts.
import { afterEach, expect, test } from 'vitest'
import type { NetworkAnswer, NetworkRequest, StreamListener } from '../../../src/client/host.ts'
import { createNetwork, type NetworkOptions } from '../../../src/hosts/node/network.ts'
import { type BareServer, bareServer } from './wire.ts'

let server: BareServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

async function requestTo(serve: Parameters<typeof bareServer>[0]): Promise<NetworkRequest> {
  server = await bareServer(serve)
  return { path: 'live', url: `${server.url}/sync/live`, headers: {}, body: '{}' }
}

const network = (options: Partial<NetworkOptions> = {}) =>
  createNetwork({ openStreamMs: 5_000, idleStreamMs: 5_000, ...options })

const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n'
const chunk = (text: string | Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n`), Buffer.from(text), Buffer.from('\r\n')])

/** Opens a stream; gives what it told, and a promise of its end. */
function listenTo(
  request: NetworkRequest,
  options: Partial<NetworkOptions> = {},
  onEvent: (data: string) => void = () => {},
) {
  const told: string[] = []
  const events: { end: unknown; refused: NetworkAnswer | undefined } = { end: undefined, refused: undefined }
  let cancel: () => void = () => {}
  const over = new Promise<typeof events>((resolve) => {
    const listener: StreamListener = {
      opened: () => void told.push('opened'),
      event(event, data) {
        told.push(`${event}:${data}`)
        onEvent(data)
      },
      refused(answer) {
        told.push('refused')
        events.refused = answer
        resolve(events)
      },
      ended(error) {
        told.push('ended')
        events.end = error
        resolve(events)
      },
    }
    cancel = network(options).stream(request, listener)
  })
  return { told, over, cancel: () => cancel() }
}

test('events and heartbeats are told as they come, in whatever pieces, and the end once', async () => {
  const text = Buffer.from('event: patch\ndata: {"ü":1}\n\n: still here\n\ndata: plain\n\n')
  const request = await requestTo((socket, received) => {
    if (!received.endsWith('{}')) return
    socket.write(head)
    for (const byte of text) socket.write(chunk(Buffer.from([byte])))
    socket.end('0\r\n\r\n')
  })
  const { told, over } = listenTo(request)
  expect(await over).toMatchObject({ end: { code: 'stream_lost' } })
  expect(told).toEqual(['opened', 'patch:{"ü":1}', ':', 'message:plain', 'ended'])
})

test('a stream that breaks off is lost, what was begun is not told', async () => {
  const request = await requestTo((socket, received) => {
    if (!received.endsWith('{}')) return
    socket.write(head)
    socket.end(chunk('data: whole\n\nevent: seal\ndata: ha'))
  })
  const { told, over } = listenTo(request)
  expect(await over).toMatchObject({ end: { code: 'stream_lost' } })
  expect(told).toEqual(['opened', 'message:whole', 'ended'])
})

test('a stream in which nothing comes any more is lost after its time', async () => {
  const request = await requestTo((socket, received) => {
    if (!received.endsWith('{}')) return
    socket.write(head)
    socket.write(chunk(': still here\n\n'))
  })
  const { told, over } = listenTo(request, { idleStreamMs: 20 })
  expect(await over).toMatchObject({ end: { code: 'stream_lost' } })
  expect(told).toEqual(['opened', ':', 'ended'])
})

test('heartbeats keep a stream for longer than silence would', async () => {
  const idleStreamMs = 200
  const request = await requestTo((socket, received) => {
    if (!received.endsWith('{}')) return
    socket.write(head)
    const until = performance.now() + 2.2 * idleStreamMs
    const beat = (): void => {
      if (performance.now() < until) socket.write(chunk(': still here\n\n'), () => setImmediate(beat))
      else socket.end('0\r\n\r\n')
    }
    beat()
  })
  const { over } = listenTo(request, { idleStreamMs })
  expect((await over).end).toMatchObject({ message: expect.stringContaining('ended the stream') })
})

test('a server that does not answer the opening of a stream, or is not there, is told as such', async () => {
  const silent = await requestTo(() => {})
  expect(await listenTo(silent, { openStreamMs: 20 }).over).toMatchObject({ end: { code: 'timed_out' } })
  await server?.close()
  expect(await listenTo(silent).over).toMatchObject({ end: { code: 'unreachable' } })
  const broken = await requestTo((socket) => socket.destroy())
  expect(await listenTo(broken).over).toMatchObject({ end: { code: 'unreachable' } })
})

test('what is not a stream is a refusal with its answer; a refusal that breaks off or drips is an end', async () => {
  const page = await requestTo((socket) =>
    socket.end('HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>'),
  )
  const { told, over } = listenTo(page)
  expect((await over).refused).toMatchObject({ status: 200, body: '<html></html>' })
  expect(told).toEqual(['refused'])
  await server?.close()
  const cut = await requestTo((socket) => socket.end('HTTP/1.1 503 No\r\ncontent-length: 50\r\n\r\n{'))
  expect(await listenTo(cut).over).toMatchObject({ end: { code: 'unreachable' } })
  await server?.close()
  const slow = await requestTo((socket) => socket.write('HTTP/1.1 503 No\r\ncontent-length: 50\r\n\r\n{'))
  expect(await listenTo(slow, { openStreamMs: 20 }).over).toMatchObject({ end: { code: 'timed_out' } })
})

test('[I13] an event without end, and bytes that are not UTF-8, end the stream', async () => {
  const endless = await requestTo((socket, received) => {
    if (!received.endsWith('{}')) return
    socket.write(head)
    const more = (): void => void (socket.destroyed || socket.write(chunk(`data: ${'x'.repeat(1_000)}\n`), more))
    more()
  })
  expect(await listenTo(endless, { eventLength: 50_000 }).over).toMatchObject({
    end: { code: 'stream_lost', message: expect.stringContaining('more than 50000 characters') },
  })
  await server?.close()
  const garbled = await requestTo((socket, received) => {
    if (received.endsWith('{}'))
      socket.write(Buffer.concat([Buffer.from(head), chunk(Buffer.from([0x64, 0xc3, 0x28]))]))
  })
  expect(await listenTo(garbled).over).toMatchObject({
    end: { code: 'stream_lost', message: expect.stringContaining('not UTF-8') },
  })
})

test('[I14] a cancelled stream tells nothing more, not even what had come already', async () => {
  let closed: () => void = () => {}
  const isClosed = new Promise<void>((resolve) => {
    closed = resolve
  })
  const request = await requestTo((socket, received) => {
    if (!received.endsWith('{}')) return
    socket.on('close', closed)
    socket.write(head)
    socket.write(chunk('data: 1\n\ndata: 2\n\ndata: 3\n\n'))
  })
  const { told, cancel } = listenTo(request, {}, (data) => {
    if (data === '2') cancel()
  })
  await isClosed
  cancel()
  expect(told).toEqual(['opened', 'message:1', 'message:2'])
})

test('a listener that throws is reported, and the stream goes on', async () => {
  const reported: unknown[] = []
  const request = await requestTo((socket, received) => {
    if (!received.endsWith('{}')) return
    socket.write(head)
    socket.end(Buffer.concat([chunk('data: 1\n\ndata: 2\n\n'), Buffer.from('0\r\n\r\n')]))
  })
  const { told, over } = listenTo(request, { report: (error) => void reported.push(error) }, () => {
    throw new Error('listener')
  })
  await over
  expect(told).toEqual(['opened', 'message:1', 'message:2', 'ended'])
  expect(reported).toHaveLength(2)
})
