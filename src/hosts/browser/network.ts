// How a client in a browser talks to the authority: `fetch`, for requests and for streams. Redirects are not followed and nothing is
// cached: whatever answers is the caller's to judge. Repeats nothing; that is the sync loop's, which also watches silent streams.
import { SyncError } from '../../base/errors.ts'
import type { Network, NetworkAnswer, NetworkRequest } from '../../client/host.ts'
import { createEventReader } from '../../protocol/event-reader.ts'

/** Times and limits of the network. */
export interface NetworkOptions {
  /** Whether cookies go along: those of the page's own origin (usual), of any, or none. */
  readonly credentials: 'same-origin' | 'include' | 'omit'
  /** How long the authority may take to take or refuse a stream. */
  readonly openStreamMs: number
  /** The longest answer that is read, in characters: several times the largest page of a pull. */
  readonly answerLength: number
  /** The longest event of a stream, in characters. */
  readonly eventLength: number
}

const usual: NetworkOptions = {
  credentials: 'same-origin',
  openStreamMs: 20_000,
  answerLength: 16 * 1024 * 1024,
  eventLength: 8 * 1024 * 1024,
}

/** Makes the network of one host. */
export function createNetwork(report: (error: unknown) => void, options: Partial<NetworkOptions> = {}): Network {
  const limits: NetworkOptions = { ...usual, ...options }
  const send = ({ url, headers, body }: NetworkRequest, signal: AbortSignal): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      headers,
      body,
      signal,
      credentials: limits.credentials,
      redirect: 'manual',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
    })

  return {
    exchange(request, timeoutMs) {
      const abort = new AbortController()
      const answer = (async () => {
        const timer = setTimeout(
          () => abort.abort(new SyncError('timed_out', `No answer from ${place(request)} within ${timeoutMs} ms`)),
          timeoutMs,
        )
        try {
          return await readAnswer(await send(request, abort.signal), limits.answerLength)
        } catch (error) {
          throw abort.signal.aborted ? abort.signal.reason : asFault(request, error)
        } finally {
          clearTimeout(timer)
          abort.abort()
        }
      })()
      return {
        answer,
        cancel: () =>
          abort.abort(new SyncError('unreachable', 'The request was cancelled', { details: { cancelled: true } })),
      }
    },
    stream(request, listener) {
      const abort = new AbortController()
      // Whatever ends it says so once; after that, and after cancelling, nothing is told.
      let isOver = false
      const tell = (say: () => void): void => {
        if (isOver) return
        try {
          say()
        } catch (error) {
          report(error)
        }
      }
      const finish = (say: () => void): void => {
        tell(say)
        isOver = true
        clearTimeout(timer)
        abort.abort()
      }
      const lose = (what: string, cause?: unknown): void =>
        finish(() => listener.ended(new SyncError('stream_lost', what, { cause })))
      const timer = setTimeout(
        () =>
          finish(() =>
            listener.ended(
              new SyncError('timed_out', `No answer from ${place(request)} within ${limits.openStreamMs} ms`),
            ),
          ),
        limits.openStreamMs,
      )
      const take = createEventReader(limits.eventLength, {
        event: (name, data) => tell(() => listener.event(name, data)),
        heartbeat: () => tell(() => listener.event('', '')),
        tooLong: () => lose(`An event of more than ${limits.eventLength} characters came from ${place(request)}`),
      })

      const read = async (body: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> => {
        const reader = body.getReader()
        const decoder = new TextDecoder('utf-8', { fatal: true })
        for (;;) {
          const { done, value } = await reader.read()
          if (isOver) return
          if (done) return lose(`${place(request)} ended the stream`)
          take(decoder.decode(value, { stream: true }))
        }
      }

      void (async () => {
        let response: Response
        try {
          response = await send(request, abort.signal)
          const isStream =
            response.status === 200 && (response.headers.get('content-type') ?? '').startsWith('text/event-stream')
          if (!isStream || response.body === null) {
            const answer = await readAnswer(response, limits.answerLength)
            return finish(() => listener.refused(answer))
          }
        } catch (error) {
          return finish(() => listener.ended(asFault(request, error)))
        }
        clearTimeout(timer)
        tell(() => listener.opened())
        try {
          if (!isOver) await read(response.body)
        } catch (error) {
          lose(`The stream from ${place(request)} broke off`, error)
        }
      })()
      return () => finish(() => {})
    },
  }
}

async function readAnswer(response: Response, maxLength: number): Promise<NetworkAnswer> {
  // A redirect that is not followed has no status and no body: it is no answer of an authority.
  if (response.type === 'opaqueredirect') throw new SyncError('not_ours', 'A redirect came instead of an answer')
  const reader = response.body?.getReader()
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let body = ''
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
    try {
      body += done ? decoder.decode() : decoder.decode(value, { stream: true })
    } catch (cause) {
      throw new SyncError('not_ours', 'The answer is not UTF-8', { cause })
    }
    if (body.length > maxLength) throw new SyncError('not_ours', `The answer is longer than ${maxLength} characters`)
    if (done) break
  }
  return { status: response.status, header: (name) => response.headers.get(name) ?? undefined, body }
}

function asFault(request: NetworkRequest, error: unknown): SyncError {
  if (error instanceof SyncError) return error
  return new SyncError('unreachable', `The request to ${place(request)} failed`, { cause: error })
}

/** Host and port, for messages: an address may hold more than should be in one. */
function place({ url }: NetworkRequest): string {
  return URL.canParse(url, location.href) ? new URL(url, location.href).host : 'an address that is no URL'
}
