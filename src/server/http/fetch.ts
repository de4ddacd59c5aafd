// The web-standard face of the handler: a Request in, a Response out, for Hono, Express adapters, Next, Bun and Deno. Only translates.
// A stream goes through a web stream here, which costs about three times what the Node listener's own writing does.
import { SyncError } from '../../base/errors.ts'
import type { HttpAnswer, HttpRequest, StreamSink } from './exchange.ts'

/** Turns a handler of neutral requests into one of web-standard ones. */
export function toFetch(
  handle: (request: HttpRequest) => Promise<HttpAnswer>,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const answer = await handle({
      method: request.method,
      path: new URL(request.url).pathname,
      header: (name) => request.headers.get(name) ?? undefined,
      text: (maxBytes) => readText(request, maxBytes),
    })
    if (!('open' in answer)) return new Response(answer.body, { status: answer.status, headers: answer.headers })
    return new Response(streamOf(answer.open, request.signal), { status: 200, headers: answer.headers })
  }
}

/** Reads the body, but never more than the limit of it. */
async function readText(request: Request, maxBytes: number): Promise<string> {
  // For the operator: the caller has done nothing wrong, and is told nothing but that it failed.
  if (request.bodyUsed)
    throw new Error('The body was read before the authority got the request: hand it over before any parser of bodies')
  const tooLarge = () => new SyncError('too_large', `The body is larger than ${maxBytes} bytes`)
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge()
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const reader = request.body?.getReader()
  let text = ''
  let bytes = 0
  try {
    for (;;) {
      const read = await reader?.read()
      if (read === undefined || read.done) return text + decoder.decode()
      bytes += read.value.byteLength
      if (bytes > maxBytes) {
        await reader?.cancel()
        throw tooLarge()
      }
      text += decoder.decode(read.value, { stream: true })
    }
  } catch (error) {
    if (error instanceof TypeError)
      throw new SyncError('malformed', 'The body is not UTF-8, or was cut off', { cause: error })
    throw error
  }
}

/** A web stream of what is written to the sink; what waits is counted here, since the stream itself counts pieces. */
function streamOf(
  open: (sink: StreamSink) => () => void,
  signal: AbortSignal,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder()
  const waiting: Uint8Array<ArrayBuffer>[] = []
  let waitingBytes = 0
  let isClosed = false
  let wanted: (() => void) | undefined
  let leave: () => void = () => undefined
  const stop = () => {
    isClosed = true
    leave()
    wanted?.()
  }
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    start() {
      leave = open({
        write(text) {
          if (isClosed) return waitingBytes
          const bytes = encoder.encode(text)
          waiting.push(bytes)
          waitingBytes += bytes.byteLength
          wanted?.()
          return waitingBytes
        },
        close() {
          isClosed = true
          wanted?.()
        },
      })
      signal.addEventListener('abort', stop, { once: true })
    },
    async pull(controller) {
      while (waiting.length === 0 && !isClosed) {
        await new Promise<void>((resolve) => {
          wanted = resolve
        })
      }
      const next = waiting.shift()
      if (next === undefined) return controller.close()
      waitingBytes -= next.byteLength
      controller.enqueue(next)
    },
    cancel: stop,
  })
}
