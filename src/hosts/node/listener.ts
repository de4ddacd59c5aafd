// Our own HTTP listener for an authority: translates node:http to the neutral form and writes streams to the response itself, which
// costs a third of a web stream. Decides nothing about requests. Bounds what it can: size of bodies, time of headers, bodies and
// slow readers, time of its own end. Nothing that comes in from outside ends the process.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SyncError } from '../../base/errors.ts'
import { makeProblem, PROBLEM_TYPE } from '../../protocol/problem.ts'
import type { HttpAnswer, HttpRequest, StreamSink } from '../../server/http/exchange.ts'
import { readText } from './read-text.ts'

/** An answer whose body need not be text: what an app puts beside its authority, such as the files of its pages. */
export interface BytesAnswer {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: Uint8Array
}

/** Whoever answers requests: an authority. */
export interface Answerer {
  handle(request: HttpRequest): Promise<HttpAnswer | BytesAnswer>
}

/** What may be other than usual. Times are in milliseconds. */
export interface ListenerOptions {
  /** 0 takes any that is free. */
  readonly port: number
  /** Usually only this machine; put a proxy that speaks TLS in front of it. */
  readonly host: string
  /** How long a caller may take to send its headers. */
  readonly headersMs: number
  /** How long a caller may take to send a request, or to take a byte of its answer: longer than a slow link needs for a full batch. */
  readonly requestMs: number
  /** How long an idle connection is kept: longer than proxies keep theirs, so that none is closed under a request. */
  readonly keepAliveMs: number
  /** How long requests and streams may take to end when the listener is closed, and a refused body to stop coming. */
  readonly closeMs: number
  /** Where errors go that no answer can carry. */
  readonly report: (error: unknown) => void
}

/** A listener that is open. */
export interface Listener {
  readonly port: number
  readonly url: string
  /** Takes no more requests, lets those under way end, ends streams, and resolves when every connection is gone. Not the authority. */
  close(): Promise<void>
}

const usual: ListenerOptions = {
  port: 8787,
  host: '127.0.0.1',
  headersMs: 10_000,
  requestMs: 60_000,
  keepAliveMs: 65_000,
  closeMs: 5_000,
  report: console.error,
}

/**
 * Opens a listener; rejects with the system's error when the port is taken.
 *
 * ```ts
 * const listener = await serve(authority, { port: 8787 })
 * console.log(`Listening on ${listener.url}`)
 * ```
 */
export async function serve(authority: Answerer, options: Partial<ListenerOptions> = {}): Promise<Listener> {
  const limits: ListenerOptions = { ...usual, ...options }
  const { report, closeMs } = limits
  const streams = new Set<StreamSink>()
  let isClosing = false

  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse, goOn?: () => void): Promise<void> => {
    // Lost connections: whoever reads or writes notices by itself.
    incoming.on('error', ignore)
    outgoing.on('error', ignore)
    let mayCome = goOn === undefined
    const request = toRequest(incoming, () => {
      goOn?.()
      mayCome = true
    })
    const answered = await answerOf(authority, request, report)
    const endsConnection = isClosing || 'open' in answered || !mayCome
    const headers = endsConnection ? { ...answered.headers, connection: 'close' } : answered.headers
    if ('open' in answered) {
      outgoing.writeHead(answered.status, headers)
      outgoing.flushHeaders()
      openStream(outgoing, answered.open)
      return
    }
    const body = Buffer.from(answered.body)
    outgoing.writeHead(answered.status, { ...headers, 'content-length': body.length })
    outgoing.setTimeout(limits.requestMs, () => outgoing.destroy())
    outgoing.end(body)
    // The rest of a body that was refused is thrown away as it comes, so that the caller gets to read the answer; but not for ever.
    if (incoming.complete) return
    incoming.resume()
    destroyUnlessClosed(incoming, incoming.socket)
  }

  const destroyUnlessClosed = (awaited: IncomingMessage | ServerResponse, target: { destroy(): unknown }): void => {
    const timer = setTimeout(() => target.destroy(), closeMs)
    timer.unref()
    awaited.once('close', () => clearTimeout(timer))
  }

  const openStream = (outgoing: ServerResponse, open: (sink: StreamSink) => () => void): void => {
    let hasGone = false
    let leave: (() => void) | undefined
    const sink: StreamSink = {
      write(text) {
        if (hasGone || outgoing.writableEnded) return 0
        outgoing.write(shared(text))
        return outgoing.writableLength
      },
      close() {
        if (hasGone || outgoing.writableEnded) return
        outgoing.end()
        // One that reads no more would hold what waits for it for ever.
        destroyUnlessClosed(outgoing, outgoing)
      },
    }
    const gone = (): void => {
      if (hasGone) return
      hasGone = true
      streams.delete(sink)
      guarded(() => leave?.())
    }
    streams.add(sink)
    outgoing.on('close', gone)
    guarded(() => {
      leave = open(sink)
    })
    if (leave === undefined) outgoing.destroy()
    // Whoever left while the authority was thinking has said so already, and will not again.
    if (outgoing.destroyed) gone()
    else if (isClosing) sink.close()
  }

  const guarded = (run: () => void): void => {
    try {
      run()
    } catch (error) {
      report(error)
    }
  }

  const take = (incoming: IncomingMessage, outgoing: ServerResponse, goOn?: () => void): void => {
    answer(incoming, outgoing, goOn).catch((error: unknown) => {
      report(error)
      outgoing.destroy()
    })
  }

  const server = createServer({
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    // How often the two times above are looked at.
    connectionsCheckingInterval: Math.max(10, Math.min(limits.headersMs / 4, 5_000)),
    keepAlive: true,
  })
  server.on('request', (incoming, outgoing) => take(incoming, outgoing))
  // A caller that asks first is told to go on only when its body is wanted.
  server.on('checkContinue', (incoming, outgoing) => take(incoming, outgoing, () => outgoing.writeContinue()))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(limits.port, limits.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  server.on('error', report)
  const { port, family, address } = server.address() as AddressInfo

  let closing: Promise<void> | undefined
  return {
    port,
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    close() {
      closing ??= new Promise((resolve) => {
        isClosing = true
        const timer = setTimeout(() => server.closeAllConnections(), closeMs)
        server.close(() => {
          clearTimeout(timer)
          resolve()
        })
        for (const sink of [...streams]) sink.close()
        server.closeIdleConnections()
      })
      return closing
    },
  }
}

async function answerOf(
  authority: Answerer,
  request: HttpRequest,
  report: (error: unknown) => void,
): Promise<HttpAnswer | BytesAnswer> {
  try {
    return await authority.handle(request)
  } catch (error) {
    // The authority answers its own faults; this is for what it did not foresee.
    const requestId = randomUUID()
    report(new Error(`Request ${requestId} could not be answered`, { cause: error }))
    const problem = makeProblem('internal', requestId, 'The request could not be answered.')
    return {
      status: problem.status,
      headers: { 'content-type': PROBLEM_TYPE, 'x-request-id': requestId },
      body: JSON.stringify(problem),
    }
  }
}

function toRequest(incoming: IncomingMessage, goOn: () => void): HttpRequest {
  const { headers, method = '', url = '' } = incoming
  return {
    method,
    path: pathOf(url),
    header(name) {
      const value = Object.hasOwn(headers, name) ? headers[name] : undefined
      return Array.isArray(value) ? value.join(', ') : value
    },
    async text(maxBytes) {
      const encoding = headers['content-encoding'] ?? 'identity'
      if (encoding !== 'identity')
        throw new SyncError(
          'media_type',
          `The body has content-encoding ${encoding.slice(0, 40)}; only identity is taken`,
        )
      const isTooLong = Number(headers['content-length'] ?? 0) > maxBytes
      if (!isTooLong) goOn()
      return readText(incoming, maxBytes, (why, cause) => {
        if (why === 'long')
          return new SyncError('too_large', `The body is longer than ${maxBytes} bytes`, { details: { maxBytes } })
        return new SyncError('malformed', why === 'cut' ? 'The body ended before its end' : 'The body is not UTF-8', {
          cause,
        })
      })
    },
  }
}

/** The path of what stands in the first line of a request, which may be a whole address. */
function pathOf(target: string): string {
  if (target.startsWith('/')) return target.split('?', 1)[0] as string
  return URL.canParse(target) ? new URL(target).pathname : ''
}

// All streams at one place of one scope are given the same text, one after the other: it is turned into bytes once.
let lastText = ''
let lastBytes: Buffer = Buffer.alloc(0)

function shared(text: string): Buffer {
  if (text !== lastText) {
    lastBytes = Buffer.from(text)
    lastText = text
  }
  return lastBytes
}

function ignore(): void {}
