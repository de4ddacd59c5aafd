// The listener against bare sockets: what callers do wrong, slowly, or not at all.
import { gzipSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import { SyncError } from '../../../src/base/errors.ts'
import { type Listener, type ListenerOptions, serve } from '../../../src/hosts/node/index.ts'
import type { HttpAnswer, HttpRequest, StreamSink } from '../../../src/server/http/exchange.ts'
import { call } from './wire.ts'

let listener: Listener | undefined
const reported: unknown[] = []

afterEach(async () => {
  await listener?.close()
  listener = undefined
  reported.length = 0
})

async function listen(handle: (request: HttpRequest) => Promise<HttpAnswer>, options: Partial<ListenerOptions> = {}) {
  listener = await serve({ handle }, { port: 0, closeMs: 50, report: (error) => void reported.push(error), ...options })
  return listener.port
}

const json = (value: unknown, status = 200): HttpAnswer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
})

/** Answers with what the body says, or with the code of the fault that reading it gave. */
const echo =
  (maxBytes: number) =>
  async (request: HttpRequest): Promise<HttpAnswer> => {
    try {
      return json({ text: await request.text(maxBytes) })
    } catch (error) {
      if (error instanceof SyncError) return json({ code: error.code }, 400)
      throw error
    }
  }

const post = (body: string | Buffer, headers = `content-length: ${Buffer.byteLength(body)}`): Buffer =>
  Buffer.concat([Buffer.from(`POST /sync/push HTTP/1.1\r\nhost: here\r\n${headers}\r\n\r\n`), Buffer.from(body)])

test('a request arrives with its method, path, headers and body, and a connection serves many', async () => {
  const seen: unknown[] = []
  const port = await listen(async (request) => {
    seen.push([
      request.method,
      request.path,
      request.header('x-a'),
      request.header('x-none'),
      request.header('constructor'),
    ])
    return json({ text: await request.text(100) })
  })
  const { socket, until } = call(port, post('für', 'x-a: 1\r\ncontent-length: 4'))
  expect(await until('{"text":"für"}')).toContain('HTTP/1.1 200 OK')
  socket.write(
    'POST http://here:1/b?c=/d HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n',
  )
  await until('{"text":"ab"}')
  socket.destroy()
  expect(seen).toEqual([
    ['POST', '/sync/push', '1', undefined, undefined],
    ['POST', '/b', undefined, undefined, undefined],
  ])
})

test('a text arrives whole, whether it is short, long, or empty', async () => {
  for (const text of ['', 'für', 'für '.repeat(4_096), 'für '.repeat(100_000)]) {
    const port = await listen(async () => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: text }))
    const answer = await fetch(`http://127.0.0.1:${port}/`)
    expect(answer.headers.get('content-length')).toBe(String(Buffer.byteLength(text)))
    expect(await answer.text()).toBe(text)
    await listener?.close()
  }
})

test('[I13] a body that is declared longer than the limit is refused before it comes', async () => {
  const port = await listen(echo(10))
  const { until, ended } = call(port, 'POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 1000000\r\n\r\n')
  expect(await until('too_large')).toContain('400 Bad Request')
  // What was announced does not come, and is not waited for.
  await ended()
})

test('[I13] a body that grows longer than the limit is refused, and the answer arrives although it still comes', async () => {
  const port = await listen(echo(100_000))
  const { socket, until } = call(port, 'POST / HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n')
  for (let part = 0; part < 50; part++) socket.write(`10000\r\n${'x'.repeat(0x10000)}\r\n`)
  expect(await until('too_large')).toContain('400 Bad Request')
  socket.write('0\r\n\r\n')
  // The rest was thrown away and the connection goes on.
  socket.write(post('next'))
  await until('{"text":"next"}')
  socket.destroy()
})

test('a caller that asks whether it may send its body is told so only when the body is wanted', async () => {
  const port = await listen(echo(10))
  const small = call(port, post('', 'expect: 100-continue\r\ncontent-length: 2'))
  await small.until('100 Continue')
  small.socket.write('ab')
  await small.until('{"text":"ab"}')
  small.socket.destroy()
  const large = call(port, post('', 'expect: 100-continue\r\ncontent-length: 2000'))
  expect(await large.ended()).not.toContain('100 Continue')
})

test('[I12] a body that is not UTF-8 is refused, and a byte-order mark is left to the decoder', async () => {
  const port = await listen(echo(100))
  const bad = call(port, post(Buffer.from([0x22, 0xc3, 0x28, 0x22])))
  await bad.until('malformed')
  bad.socket.destroy()
  const marked = call(port, post('\uFEFF{}'))
  await marked.until('{"text":"\uFEFF{}"}')
  marked.socket.destroy()
})

test('a compressed body is refused: a kilobyte may stand for a gigabyte', async () => {
  const port = await listen(echo(100_000))
  const body = gzipSync('x'.repeat(50_000))
  const { socket, until } = call(port, post(body, `content-encoding: gzip\r\ncontent-length: ${body.length}`))
  await until('media_type')
  socket.destroy()
})

test('a body that breaks off is a fault of the request, and the listener goes on', async () => {
  const faults: unknown[] = []
  let refused: () => void = () => {}
  const isRefused = new Promise<void>((resolve) => {
    refused = resolve
  })
  const port = await listen(async (request) => {
    if (request.path === '/next') return json({})
    await request.text(100).catch((error: unknown) => faults.push(error))
    refused()
    return json({})
  })
  const { socket } = call(port, post('half', 'content-length: 50'))
  socket.end()
  await isRefused
  expect(faults).toEqual([expect.objectContaining({ code: 'malformed' })])
  const next = call(port, 'GET /next HTTP/1.1\r\nhost: here\r\n\r\n')
  await next.until('200 OK')
  next.socket.destroy()
  expect(reported).toEqual([])
})

test('a caller that sends its headers or its body too slowly is sent away', async () => {
  const port = await listen(echo(100), { headersMs: 40, requestMs: 80 })
  expect(await call(port, 'POST / HTTP/1.1\r\nhost:').ended()).toContain('408')
  const slow = call(port, post('a', 'content-length: 50'))
  expect(await slow.ended()).toContain('408')
})

test('what is not HTTP is refused, and the listener goes on', async () => {
  const port = await listen(echo(100))
  expect(await call(port, 'something else\r\n\r\n').ended()).toContain('400')
  expect(await call(port, `POST / HTTP/1.1\r\nhost: here\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`).ended()).toContain(
    '431',
  )
  const { socket, until } = call(port, post('fine'))
  await until('{"text":"fine"}')
  socket.destroy()
})

test('an authority that throws, or answers what cannot be sent, is a problem with a request id and no cause', async () => {
  const port = await listen(async ({ path }) => {
    if (path === '/throws') throw new Error('secret')
    return { status: 200, headers: { 'x-a': 'line\r\nbreak' }, body: '' }
  })
  const thrown = await call(port, 'GET /throws HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n').ended()
  expect(thrown).toContain('500 Internal Server Error')
  expect(thrown).toContain('"code":"internal"')
  expect(thrown).not.toContain('secret')
  expect(reported).toHaveLength(1)
  await call(port, 'GET /unsendable HTTP/1.1\r\nhost: here\r\n\r\n').ended()
  expect(reported).toHaveLength(2)
})

/** Answers with a stream, and gives its sink and whether the other side has gone. */
function streaming() {
  let resolveSink: (sink: StreamSink) => void = () => {}
  let resolveGone: () => void = () => {}
  const sink = new Promise<StreamSink>((resolve) => {
    resolveSink = resolve
  })
  const gone = new Promise<void>((resolve) => {
    resolveGone = resolve
  })
  const answer: HttpAnswer = {
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    open(opened) {
      resolveSink(opened)
      return resolveGone
    },
  }
  return { answer, sink, gone }
}

const live = 'POST /live HTTP/1.1\r\nhost: here\r\ncontent-length: 0\r\n\r\n'

test('a stream is written as it comes, outlives the time of a request, and ends when it is closed', async () => {
  const { answer, sink, gone } = streaming()
  const port = await listen(async () => answer, { requestMs: 20, headersMs: 20 })
  const { until, ended } = call(port, live)
  const opened = await sink
  expect(await until('\r\n\r\n')).toContain('text/event-stream')
  opened.write('data: 1\n\n')
  await until('data: 1')
  // Longer than a request may take: this one is refused for its slowness meanwhile.
  await call(port, post('a', 'content-length: 50')).ended()
  opened.write('data: ü\n\n')
  await until('data: ü')
  opened.close()
  await gone
  expect(opened.write('data: 3\n\n')).toBe(0)
  expect(await ended()).not.toContain('data: 3')
})

test('[I13] a stream tells how many bytes wait for a caller that does not read', async () => {
  const { answer, sink, gone } = streaming()
  const port = await listen(async () => answer)
  const { socket, until } = call(port, live)
  const opened = await sink
  await until('\r\n\r\n')
  socket.pause()
  const text = `data: ${'x'.repeat(100_000)}\n\n`
  // What the system takes does not wait; what it does not take any more does.
  for (let written = 0, waiting = 0; waiting < 1_000_000; written++) {
    expect(written).toBeLessThan(1_000)
    opened.write(text)
    await new Promise(setImmediate)
    waiting = opened.write(': still here\n\n')
  }
  // Closing it cannot wait for a caller that never reads.
  opened.close()
  await gone
  socket.destroy()
})

test('whoever leaves a stream is noticed, also when that was before the stream began', async () => {
  const { answer, sink, gone } = streaming()
  const port = await listen(async () => answer)
  const first = call(port, live)
  await sink
  first.socket.destroy()
  await gone

  const late = streaming()
  let arrived: () => void = () => {}
  const hasArrived = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const second: { leave?: () => void } = {}
  await listener?.close()
  const latePort = await listen(async () => {
    arrived()
    await new Promise<void>((resolve) => {
      second.leave = resolve
    })
    return late.answer
  })
  const leaver = call(latePort, live)
  await hasArrived
  leaver.socket.destroy()
  // Only after the listener has noticed does the authority answer: another connection goes through it first.
  await call(latePort, 'not http\r\n\r\n').ended()
  second.leave?.()
  await late.gone
})

test('a stream whose opening fails ends', async () => {
  const port = await listen(async () => ({
    status: 200,
    headers: {},
    open() {
      throw new Error('no stream')
    },
  }))
  await call(port, live).ended()
  expect(reported).toEqual([expect.objectContaining({ message: 'no stream' })])
})

test('closing ends streams, lets a request end, drops who is idle or never ends, and may be repeated', async () => {
  const { answer, sink, gone } = streaming()
  let release: () => void = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  let arrived: () => void = () => {}
  const hasArrived = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const port = await listen(
    async ({ path }) => {
      if (path === '/live') return answer
      if (path !== '/slow') return json({})
      arrived()
      await released
      return json({ slow: true })
    },
    { closeMs: 300 },
  )
  const idle = call(port, 'GET /quick HTTP/1.1\r\nhost: here\r\n\r\n')
  await idle.until('{}')
  const half = call(port, 'GET /half HTTP/1.1\r\nho')
  const stream = call(port, live)
  await sink
  const slow = call(port, 'GET /slow HTTP/1.1\r\nhost: here\r\n\r\n')
  await hasArrived
  const closed = Promise.all([listener?.close(), listener?.close()])
  await gone
  await Promise.all([idle.ended(), stream.ended()])
  release()
  expect(await slow.ended()).toContain('{"slow":true}')
  await half.ended()
  await closed
})

test('a port that is taken is told', async () => {
  const port = await listen(echo(10))
  await expect(serve({ handle: echo(10) }, { port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
})

test('the address of a listener is one that can be called', async () => {
  const port = await listen(echo(10))
  expect(listener?.url).toBe(`http://127.0.0.1:${port}`)
  expect((await fetch(`${listener?.url}/x`, { method: 'POST', body: 'hello' })).status).toBe(200)
})
