// From node:http to an authority and back: translates a request to the neutral form, writes the answer, and writes streams to the response
// itself, which costs a third of a web stream. Decides nothing about requests, and opens no port: that is listener.ts, or an app's own
// server. Nothing that comes in from outside ends the process.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
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

/** What bounds an exchange. Times are in milliseconds. */
export interface AnsweringLimits {
  /** How long a caller may take to take a byte of its answer. */
  readonly requestMs: number
  /** How long streams may take to end, and a refused body to stop coming. */
  readonly closeMs: number
  /** Where errors go that no answer can carry. */
  readonly report: (error: unknown) => void
}

/** What answers requests of one server. */
export interface Answering {
  /** Answers; `goOn` tells a caller that asks first that its body is wanted. Never throws. */
  take(incoming: IncomingMessage, outgoing: ServerResponse, goOn?: () => void): void
  /** Ends streams, and lets no connection be used again. */
  end(): void
}

/** So many UTF-16 units make a short text. */
const SHORT = 16_384

/** Makes it. */
export function createAnswering(authority: Answerer, { requestMs, closeMs, report }: AnsweringLimits): Answering {
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
    const { body } = answered
    // A short text leaves with its headers in one piece; turning a long one into bytes here takes less memory than Node's own way.
    const piece = typeof body === 'string' && body.length <= SHORT ? body : Buffer.from(body)
    outgoing.writeHead(answered.status, { ...headers, 'content-length': Buffer.byteLength(piece) })
    outgoing.setTimeout(requestMs, () => outgoing.destroy())
    outgoing.end(piece)
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

  return {
    take(incoming, outgoing, goOn) {
      answer(incoming, outgoing, goOn).catch((error: unknown) => {
        report(error)
        outgoing.destroy()
      })
    },
    end() {
      isClosing = true
      for (const sink of [...streams]) sink.close()
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
  const { headers, method = '' } = incoming
  return {
    method,
    path: pathOf(wholeUrl(incoming)),
    header(name) {
      const value = Object.hasOwn(headers, name) ? headers[name] : undefined
      return Array.isArray(value) ? value.join(', ') : value
    },
    async text(maxBytes) {
      // For the operator: the caller has done nothing wrong, and is told nothing but that it failed.
      if (incoming.readableDidRead || incoming.readableEnded)
        throw new Error(
          'The body was read before the authority got the request: mount it before any parser of bodies, such as express.json()',
        )
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

/** What stood in the first line of the request: Express and Connect take away from `url` where a handler is mounted. */
function wholeUrl(incoming: IncomingMessage & { readonly originalUrl?: unknown }): string {
  return typeof incoming.originalUrl === 'string' ? incoming.originalUrl : (incoming.url ?? '')
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
