// A bad network between device and authority: an HTTP proxy that does to each request what its fate says (fates.ts), and counts.
// Until it is opened it is no network at all: connections end at once. Streams pass through as they come, and are cut now and
// then. It understands nothing of what passes; `onAnswer` shows each whole answer of the authority, also those that get lost.
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { createDice, createFates, type Fate } from './fates.ts'

/** One answer of the authority. */
export interface Exchange {
  readonly path: string
  readonly request: string
  readonly status: number
  readonly answer: string
}

/** What passed, from the device's side. Bytes are those of bodies. */
export interface LinkCounts {
  readonly requests: number
  /** Answers that the authority gave and that never arrived whole. */
  readonly answersLost: number
  /** Requests that reached the authority once more than they were sent. */
  readonly requestsRepeated: number
  readonly bytesUp: number
  readonly bytesDown: number
}

/** A running link. */
export interface Link {
  /** Where a device finds it: `http://127.0.0.1:port`, followed by the path at the authority. */
  readonly origin: string
  open(): void
  counts(): LinkCounts
  close(): Promise<void>
}

/** What a link is made of. */
export interface LinkOptions {
  /** The authority: protocol, host and port. */
  readonly target: string
  readonly seed: number
  onAnswer?(exchange: Exchange): void
}

/** Starts a link on a free port of this machine. */
export async function createLink({ target, seed, onAnswer }: LinkOptions): Promise<Link> {
  const nextFate = createFates(seed)
  const streamDice = createDice(seed + 1)
  const counts = { requests: 0, answersLost: 0, requestsRepeated: 0, bytesUp: 0, bytesDown: 0 }
  const earlier: { readonly from: IncomingMessage; readonly body: Buffer }[] = []
  const sockets = new Set<Socket>()
  let isOpen = false

  const server = createServer((from, to) => {
    to.on('error', () => undefined)
    handle(from, to).catch(() => to.destroy())
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    if (!isOpen) socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  async function handle(from: IncomingMessage, to: ServerResponse): Promise<void> {
    const body = await buffer(from)
    counts.requests++
    counts.bytesUp += body.length
    if (from.url?.endsWith('/live')) return stream(from, body, to)
    const fate = nextFate()
    if (fate === 'cut') return void to.destroy()
    const late = fate === 'replay' ? earlier[Math.floor(streamDice() * earlier.length)] : undefined
    if (late !== undefined) {
      counts.requestsRepeated++
      await ask(late.from, late.body)
    }
    earlier.push({ from, body })
    if (earlier.length > 20) earlier.shift()
    const answer = await askAs(fate, from, body)
    if (fate === 'lose' || fate === 'repeatAndLose' || fate === 'truncate') counts.answersLost++
    if (fate === 'lose' || fate === 'repeatAndLose') return void to.destroy()
    to.writeHead(answer.status, { ...answer.headers, 'content-length': String(answer.body.length) })
    const whole = fate !== 'truncate'
    const bytes = whole ? answer.body : answer.body.subarray(0, answer.body.length >> 1)
    counts.bytesDown += bytes.length
    if (whole) to.end(bytes)
    else to.write(bytes, () => to.destroy())
  }

  async function askAs(fate: Fate, from: IncomingMessage, body: Buffer): Promise<Answer> {
    if (!fate.startsWith('repeat')) return ask(from, body)
    counts.requestsRepeated++
    if (fate === 'repeat') {
      await ask(from, body)
      return ask(from, body)
    }
    // Both are waited for, so that nothing of this request is still under way when its answer arrives.
    const [first] = await Promise.all([ask(from, body), ask(from, body)])
    return first
  }

  /** Asks the authority and reads its whole answer, whatever will become of it. */
  async function ask(from: IncomingMessage, body: Buffer): Promise<Answer> {
    const incoming = await send(from, body)
    const answer = { status: incoming.statusCode ?? 502, headers: plainHeaders(incoming), body: await buffer(incoming) }
    onAnswer?.({
      path: from.url ?? '',
      request: body.toString(),
      status: answer.status,
      answer: answer.body.toString(),
    })
    return answer
  }

  function send(from: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const url = new URL(from.url ?? '/', target)
      const {
        host: _host,
        connection: _connection,
        'content-length': _length,
        'transfer-encoding': _encoding,
        ...headers
      } = from.headers
      const make = url.protocol === 'https:' ? httpsRequest : httpRequest
      const asked = make(url, { method: from.method, headers: { ...headers, 'content-length': body.length } }, resolve)
      asked.on('error', reject)
      asked.end(body)
    })
  }

  async function stream(from: IncomingMessage, body: Buffer, to: ServerResponse): Promise<void> {
    const incoming = await send(from, body)
    incoming.on('error', () => to.destroy())
    to.on('close', () => incoming.destroy())
    to.writeHead(incoming.statusCode ?? 502, plainHeaders(incoming))
    to.flushHeaders()
    let chunksLeft = streamDice() < 0.5 ? 1 + Math.floor(streamDice() * 6) : Number.POSITIVE_INFINITY
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      if (chunksLeft-- <= 0) {
        counts.bytesDown += chunk.length >> 1
        to.write(chunk.subarray(0, chunk.length >> 1), () => to.destroy())
        return
      }
      counts.bytesDown += chunk.length
      to.write(chunk)
    }
    to.end()
  }

  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    open: () => {
      isOpen = true
    },
    counts: () => ({ ...counts }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

interface Answer {
  readonly status: number
  readonly headers: { readonly [name: string]: string | string[] }
  readonly body: Buffer
}

/** The headers that concern the answer and not the connection that it came over. */
function plainHeaders(incoming: IncomingMessage): Answer['headers'] {
  const {
    connection: _connection,
    'keep-alive': _keepAlive,
    'transfer-encoding': _encoding,
    'content-length': _length,
    ...headers
  } = incoming.headers
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string | string[]] => entry[1] !== undefined),
  )
}
