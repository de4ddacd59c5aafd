// From a neutral request to a neutral answer: routes, request ids, decoding, and problems for whatever goes wrong (RFC 9457, I12).
// Decides nothing about intents or frames; knows no framework. Internals never leave: they go to the log under the request id.

import { CODES } from '../../base/codes.ts'
import { type Code, isCode, SyncError } from '../../base/errors.ts'
import { plainText } from '../../base/json.ts'
import { randomUuid } from '../../base/random.ts'
import { utf8Bytes } from '../../base/utf8.ts'
import { type Decoded, type Decoder, decodeText } from '../../protocol/codec.ts'
import { isWithdrawal } from '../../protocol/intent.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { liveRequest } from '../../protocol/live.ts'
import { makeProblem, PROBLEM_TYPE } from '../../protocol/problem.ts'
import { type PullRequest, pullRequest } from '../../protocol/pull.ts'
import { type Caller, type PushRequest, pushRequest } from '../../protocol/push.ts'
import { type Authenticate, authenticated, refuseMismatch } from '../actor.ts'
import type { ServerHost } from '../host.ts'
import type { HttpAnswer, HttpRequest, StreamSink } from './exchange.ts'

/** What stands behind the routes. */
export interface Movements {
  readonly host: ServerHost
  readonly basePath: string
  readonly authenticate: Authenticate
  /** Resolves when the database is ready; rejects when it will never be. */
  readonly ready: Promise<void>
  push(request: PushRequest, requestId: string): Promise<unknown>
  /** The answer as JSON text. */
  pull(request: PullRequest, requestId: string): Promise<string>
  live(request: PullRequest): Promise<(sink: StreamSink) => () => void>
  health(): Promise<{ readonly status: string }>
}

/** Makes the handler. It never rejects. */
export function createHandler(movements: Movements): (request: HttpRequest) => Promise<HttpAnswer> {
  const { host, basePath } = movements
  type Route = (request: HttpRequest, requestId: string) => Promise<HttpAnswer>
  const health: Route = async (_request, requestId) => {
    const answer = await movements.health()
    return json(answer.status === 'ok' ? 200 : 503, JSON.stringify(answer), requestId)
  }
  const routes = new Map<string, { readonly method: 'GET' | 'POST'; readonly run: Route }>([
    ['/health', { method: 'GET', run: health }],
    [`${basePath}/health`, { method: 'GET', run: health }],
    [
      `${basePath}/push`,
      {
        method: 'POST',
        run: async (request, requestId) => {
          const body = await read(request, pushRequest, refuseLargeArguments)
          return json(200, JSON.stringify(await movements.push(body, requestId)), requestId)
        },
      },
    ],
    [
      `${basePath}/pull`,
      {
        method: 'POST',
        run: async (request, requestId) =>
          json(200, await movements.pull(await read(request, pullRequest), requestId), requestId),
      },
    ],
    [
      `${basePath}/live`,
      {
        method: 'POST',
        run: async (request, requestId) => {
          const open = await movements.live(await read(request, liveRequest))
          return {
            status: 200,
            headers: { ...headersOf(requestId), 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' },
            open,
          }
        },
      },
    ],
  ])

  /** Who is asking comes before what is asked: nobody unknown has a large body read and decoded. */
  async function read<Body extends Caller>(
    request: HttpRequest,
    decoder: Decoder<Body>,
    refuse: (body: Body, text: string) => void = () => undefined,
  ): Promise<Body> {
    await movements.ready
    const actor = await authenticated(movements.authenticate, request)
    const type = request.header('content-type') ?? ''
    if (!/^application\/json\s*(;|$)/i.test(type))
      throw new SyncError('media_type', `The body is ${type === '' ? 'of no declared type' : 'of another type'}`)
    const text = await request.text(LIMITS.bodyBytes)
    const decoded: Decoded<Body> = decodeText(decoder, text)
    if (!decoded.ok) {
      if (decoded.field === 'protocol') throw new SyncError('protocol_unsupported', 'The request was refused')
      throw new SyncError(
        'malformed',
        `${decoded.field === '' ? 'The body' : plain(decoded.field)} ${plain(decoded.problem)}`,
      )
    }
    refuse(decoded.value, text)
    refuseMismatch(actor, decoded.value.actor)
    return decoded.value
  }

  function problem(error: unknown, request: HttpRequest, requestId: string): HttpAnswer {
    const isOurs = error instanceof SyncError
    const code: Code = isOurs && isCode(error.code) ? error.code : 'internal'
    const { status } = CODES[code]
    const isFault = status >= 500
    host.log(
      {
        level: isFault ? 'error' : 'info',
        message: 'a request failed',
        requestId,
        code,
        status,
        method: plain(request.method),
        path: plain(request.path),
      },
      isFault || !isOurs ? error : undefined,
    )
    const retryAfterMs = isOurs && error.retryAfterMs > 0 ? error.retryAfterMs : undefined
    const body = makeProblem(
      code,
      requestId,
      isOurs ? error.what : 'The request failed.',
      retryAfterMs === undefined ? {} : { retryAfterMs },
    )
    const headers = { ...headersOf(requestId), 'content-type': PROBLEM_TYPE }
    return {
      status,
      headers:
        retryAfterMs === undefined ? headers : { ...headers, 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) },
      body: JSON.stringify(body),
    }
  }

  return async (request) => {
    const given = request.header('x-request-id')
    const requestId = given !== undefined && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : randomUuid(host.random)
    let answer: HttpAnswer
    try {
      const route = routes.get(request.path)
      if (route === undefined) throw new SyncError('not_found', 'The request was refused')
      if (route.method !== request.method)
        throw new SyncError('method_not_allowed', `This address takes ${route.method}`)
      answer = await route.run(request, requestId)
    } catch (error) {
      answer = problem(error, request, requestId)
      const allowed = routes.get(request.path)?.method
      if (answer.status === 405 && allowed !== undefined)
        answer = { ...answer, headers: { ...answer.headers, allow: allowed } }
    }
    const trace = request.header('traceparent')
    if (trace === undefined || !/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(trace)) return answer
    return { ...answer, headers: { ...answer.headers, traceparent: trace } }
  }
}

const headersOf = (requestId: string) => ({
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-request-id': requestId,
})

const json = (status: number, body: string, requestId: string): HttpAnswer => ({
  status,
  headers: { ...headersOf(requestId), 'content-type': 'application/json' },
  body,
})

/** Text from outside as it may stand in a sentence: no control or formatting characters, not long. */
const plain = (text: string): string => plainText(text, 200).replace(/[\p{Cc}\p{Cf}]/gu, '?')

/** Each intent's arguments have a limit of their own; a body below it cannot hold one above. */
function refuseLargeArguments(request: PushRequest, text: string): void {
  if (text.length <= LIMITS.argsBytes / 3) return
  for (const [index, entry] of request.intents.entries()) {
    if (!isWithdrawal(entry) && utf8Bytes(JSON.stringify(entry.args)) > LIMITS.argsBytes)
      throw new SyncError('malformed', `intents[${index}].args is larger than ${LIMITS.argsBytes} bytes`)
  }
}
