// The device’s requests against servers that break off, drip, lie and stay silent. Streams are stream.test.ts.
import { afterEach, expect, test } from 'vitest'
import type { NetworkRequest } from '../../../src/client/host.ts'
import { createNetwork, type NetworkOptions } from '../../../src/hosts/node/network.ts'
import { type BareServer, bareServer } from './wire.ts'

let server: BareServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

type Serve = Parameters<typeof bareServer>[0]

async function requestTo(serve: Serve, body = '{}'): Promise<NetworkRequest> {
  server = await bareServer(serve)
  return {
    path: 'push',
    url: `${server.url}/sync/push`,
    headers: { 'content-type': 'application/json', 'x-a': 'b' },
    body,
  }
}

const network = (options: Partial<NetworkOptions> = {}) =>
  createNetwork({ openStreamMs: 5_000, idleStreamMs: 5_000, ...options })

const ok = (body: string, headers = 'content-type: application/json\r\n'): string =>
  `HTTP/1.1 200 OK\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

/** Answers each whole request that came. */
const answering =
  (answer: string): Serve =>
  (socket, received) => {
    if (received.endsWith('{}')) socket.write(answer)
  }

test('a request arrives as it was given, and its answer as it was sent', async () => {
  let seen = ''
  const request = await requestTo((socket, received) => {
    seen = received
    if (received.endsWith('r"')) socket.write(ok('{"ä":1}', 'x-b: c\r\n'))
  }, '"für"')
  const answer = await network().exchange(request, 5_000).answer
  expect([
    answer.status,
    answer.header('x-b'),
    answer.header('x-none'),
    answer.header('constructor'),
    answer.body,
  ]).toEqual([200, 'c', undefined, undefined, '{"ä":1}'])
  expect(seen).toContain('POST /sync/push HTTP/1.1\r\n')
  expect(seen).toContain('x-a: b\r\n')
  expect(seen).toContain('content-length: 6\r\n')
})

test('whatever answers is told as it is: a redirect, a sign-in page, a proxy’s error', async () => {
  for (const [status, headers, body] of [
    [302, 'location: http://elsewhere/\r\n', ''],
    [200, 'content-type: text/html\r\n', '<html>Please sign in</html>'],
    [502, 'content-type: text/html\r\n', '<h1>Bad gateway</h1>'],
  ] as const) {
    const request = await requestTo(answering(ok(body, headers).replace('200 OK', `${status} Said`)))
    const answer = await network().exchange(request, 5_000).answer
    expect([answer.status, answer.body]).toEqual([status, body])
    await server?.close()
  }
})

test('nobody there, an address that is none, and a lost connection are all unreachable', async () => {
  const request = await requestTo((socket) => socket.destroy())
  await expect(network().exchange(request, 5_000).answer).rejects.toMatchObject({ code: 'unreachable' })
  await server?.close()
  await expect(network().exchange(request, 5_000).answer).rejects.toMatchObject({
    code: 'unreachable',
    details: { errno: 'ECONNREFUSED' },
  })
  for (const url of ['/sync/push', 'ftp://here/', 'no url']) {
    await expect(network().exchange({ ...request, url }, 5_000).answer).rejects.toMatchObject({ code: 'unreachable' })
  }
  await expect(
    network().exchange({ ...request, headers: { 'x-a': 'line\nbreak' } }, 5_000).answer,
  ).rejects.toMatchObject({ code: 'unreachable' })
})

test('an answer that breaks off is no answer', async () => {
  for (const cut of [
    'HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{"half',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n{"ha\r\n',
    'HTTP/1.1 200 O',
  ]) {
    const request = await requestTo((socket) => socket.end(cut))
    await expect(network().exchange(request, 5_000).answer).rejects.toMatchObject({ code: 'unreachable' })
    await server?.close()
  }
})

test('[I13] an answer that is too long or not UTF-8 is not taken', async () => {
  const declared = await requestTo(answering(ok('x'.repeat(1_000))))
  await expect(network({ answerBytes: 999 }).exchange(declared, 5_000).answer).rejects.toMatchObject({
    code: 'not_ours',
  })
  expect((await network({ answerBytes: 1_000 }).exchange(declared, 5_000).answer).body).toHaveLength(1_000)
  await server?.close()
  const endless = await requestTo((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
    const more = (): void => void (socket.destroyed || socket.write(`400\r\n${'x'.repeat(0x400)}\r\n`, more))
    more()
  })
  await expect(network({ answerBytes: 100_000 }).exchange(endless, 5_000).answer).rejects.toMatchObject({
    code: 'not_ours',
  })
  await server?.close()
  const garbled = await requestTo((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n')
    socket.write(Buffer.from([0xc3, 0x28]))
  })
  await expect(network().exchange(garbled, 5_000).answer).rejects.toMatchObject({ code: 'not_ours' })
})

test('silence, and an answer that drips, end with the time of the request', async () => {
  const silent = await requestTo(() => {})
  await expect(network().exchange(silent, 20).answer).rejects.toMatchObject({ code: 'timed_out' })
  await server?.close()
  const dripping = await requestTo((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n')
    const drip = (): void => {
      if (!socket.destroyed) socket.write('x', () => setImmediate(drip))
    }
    drip()
  })
  await expect(network().exchange(dripping, 30).answer).rejects.toMatchObject({ code: 'timed_out' })
})

test('a cancelled request is refused at once and leaves its connection; cancelling late harms nothing', async () => {
  let arrived: () => void = () => {}
  let closed: () => void = () => {}
  const hasArrived = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const isClosed = new Promise<void>((resolve) => {
    closed = resolve
  })
  const request = await requestTo((socket) => {
    socket.on('close', closed)
    arrived()
  })
  const { answer, cancel } = network().exchange(request, 5_000)
  await hasArrived
  cancel()
  await expect(answer).rejects.toMatchObject({ code: 'unreachable', details: { cancelled: true } })
  await isClosed
  cancel()
  await server?.close()
  const late = await requestTo(answering(ok('{}')))
  const done = network().exchange(late, 5_000)
  await done.answer
  done.cancel()
  await network().exchange(late, 5_000).answer
  expect(server?.connections()).toBe(1)
})

test('[I3] a kept connection that the other side has closed costs nothing: the request goes again on a new one', async () => {
  let requests = 0
  const request = await requestTo((socket, received, connection) => {
    if (!received.endsWith('{}')) return
    requests++
    if (connection === 1 && requests === 2) socket.destroy()
    else socket.write(ok(`${requests}`))
  })
  expect((await network().exchange(request, 5_000).answer).body).toBe('1')
  expect((await network().exchange(request, 5_000).answer).body).toBe('3')
  expect(server?.connections()).toBe(2)
})

test('an early refusal of a large body is told, though the body was never read', async () => {
  const problem = '{"code":"too_large"}'
  const request = await requestTo(
    (socket, received) => {
      if (received.length < 200_000) socket.pause().write(ok(problem).replace('200 OK', '413 Too large'))
    },
    `"${'x'.repeat(8_000_000)}"`,
  )
  const answer = await network().exchange(request, 5_000).answer
  expect([answer.status, answer.body]).toEqual([413, problem])
})

test('an https address is spoken to in TLS, and a plain answer is not taken', async () => {
  let first = ''
  const request = await requestTo((socket, received) => {
    first ||= received.slice(0, 2)
    socket.end(ok('{}'))
  })
  const url = request.url.replace('http:', 'https:')
  await expect(network().exchange({ ...request, url }, 5_000).answer).rejects.toMatchObject({ code: 'unreachable' })
  expect(first).toBe('\u0016\u0003')
})
