// From a neutral request to a neutral answer: routes, request ids, who may ask how often, decoding, and problems for whatever goes wrong
// (RFC 9457, I12). Decides nothing about intents or frames; knows no framework. Internals never leave: they go to the log under the
// request id.

import type { Cancel } from '../../base/clock.ts'
import { CODES } from '../../base/codes.ts'
import { type Code, isCode, SyncError } from '../../base/errors.ts'
import { type Json, plainText } from '../../base/json.ts'
import { randomUuid } from '../../base/random.ts'
import { utf8Bytes } from '../../base/utf8.ts'
import { type Decoded, type Decoder, decode, decodeText } from '../../protocol/codec.ts'
import type { ActorId } from '../../protocol/ids.ts'
import { isWithdrawal } from '../../protocol/intent.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { liveRequest } from '../../protocol/live.ts'
import { keyHeader, type PlainAnswer, type PlainRequest, plainRequest } from '../../protocol/plain.ts'
import { makeProblem, PROBLEM_TYPE } from '../../protocol/problem.ts'
import { type PullRequest, pullRequest } from '../../protocol/pull.ts'
import { type Caller, type PushRequest, pushRequest } from '../../protocol/push.ts'
import { type Authenticate, authenticated, refuseMismatch } from '../actor.ts'
import type { ServerHost } from '../host.ts'
import type { HttpAnswer, HttpRequest, StreamSink } from './exchange.ts'
import { helpOf } from './help.ts'
import { createOrigins } from './origins.ts'
import { createBuckets, type Rate } from './rate.ts'

/** What stands behind the routes. */
export interface Movements {
  readonly host: ServerHost
  readonly basePath: string
  readonly authenticate: Authenticate
  /** Origins whose pages may call besides those of the authority's own. */
  readonly browserOrigins: readonly string[]
  readonly rate: Rate
  /** Live streams that one actor may have open. */
  readonly actorStreams: number
  /** For how long outcomes are kept for plain callers. */
  readonly keptMs: number
  /** Hears of a request that was refused before it was looked at. */
  count(refused: 'rateLimited' | 'crossSite'): void
  /** Resolves when the database is ready; rejects when it will never be. */
  readonly ready: Promise<void>
  push(request: PushRequest, requestId: string): Promise<unknown>
  plain(actor: ActorId, key: string | undefined, request: PlainRequest, requestId: string): Promise<PlainAnswer>
  /** The answer as JSON text. */
  pull(request: PullRequest, requestId: string): Promise<string>
  live(request: PullRequest): Promise<(sink: StreamSink) => () => void>
  health(): Promise<{ readonly status: string }>
}

/** A body, and who sent it. */
interface Read<Body> {
  readonly body: Body
  readonly actor: ActorId
  readonly until: number | undefined
}

/** One token is for so many intents of a push. */
const INTENTS_PER_TOKEN = 100
/** When to ask again for a stream beyond those that one actor may have. */
const STREAMS_MS = 10_000

/** Makes the handler. It never rejects. */
export function createHandler(movements: Movements): (request: HttpRequest) => Promise<HttpAnswer> {
  const { host, basePath } = movements
  const origins = createOrigins(movements.browserOrigins)
  const buckets = createBuckets(host.clock, movements.rate)
  /** How many live streams each actor has open. */
  const streams = new Map<ActorId, number>()
  const keptSeconds = Math.floor(movements.keptMs / 1_000)
  type Route = (request: HttpRequest, requestId: string) => Promise<HttpAnswer>
  const post = (run: Route) => ({ method: 'POST', run }) as const
  const get = (run: Route) => ({ method: 'GET', run }) as const
  const health = get(async (_request, requestId) => {
    const answer = await movements.health()
    return json(answer.status === 'ok' ? 200 : 503, JSON.stringify(answer), requestId)
  })
  const plainPath = `${basePath}/intents`
  const helpPath = `${basePath}/problems/`
  const routes = new Map<string, { readonly method: 'GET' | 'POST'; readonly run: Route }>([
    ['/health', health],
    [`${basePath}/health`, health],
    [
      `${basePath}/push`,
      post(async (request, requestId) => {
        const { body, actor } = await readOwn(request, pushRequest, refuseLargeArguments)
        const more = Math.ceil(body.intents.length / INTENTS_PER_TOKEN) - 1
        if (more > 0) buckets.take(actor, more)
        return json(200, JSON.stringify(await movements.push(body, requestId)), requestId)
      }),
    ],
    [
      `${basePath}/pull`,
      post(async (request, requestId) =>
        json(200, await movements.pull((await readOwn(request, pullRequest)).body, requestId), requestId),
      ),
    ],
    [
      `${basePath}/live`,
      post(async (request, requestId) => {
        const own = await readOwn(request, liveRequest)
        if ((streams.get(own.actor) ?? 0) >= movements.actorStreams)
          throw new SyncError('rate_limited', 'The actor has too many live streams', { retryAfterMs: STREAMS_MS })
        const open = await movements.live(own.body)
        return {
          status: 200,
          headers: { ...headersOf(requestId), 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' },
          open: (sink) => ownStream(own, open, sink),
        }
      }),
    ],
    [
      plainPath,
      post(async (request, requestId) => {
        const { body, actor } = await read(request, plainRequest, ({ args }, text) => refuseLarge(args, text, 'args'))
        const header = request.header('idempotency-key')
        const key = header === undefined ? undefined : taken(decode(keyHeader, header), 'Idempotency-Key')
        if (key !== undefined && body.client_log_id !== undefined && key !== body.client_log_id)
          throw new SyncError('malformed', 'client_log_id is another key than that in Idempotency-Key')
        const answer = await movements.plain(actor, key ?? body.client_log_id, body, requestId)
        return json(200, JSON.stringify(answer), requestId)
      }),
    ],
  ])

  function routeOf(path: string): { readonly method: 'GET' | 'POST'; readonly run: Route } | undefined {
    const help = path.startsWith(helpPath) ? helpOf(path.slice(helpPath.length), keptSeconds) : undefined
    if (help === undefined) return routes.get(path)
    return get(async (_request, requestId) => ({
      status: 200,
      headers: { ...headersOf(requestId), 'content-type': 'text/plain; charset=utf-8' },
      body: help,
    }))
  }

  /** Who is asking, and how often, comes before what is asked: nobody unknown has a large body read and decoded. */
  async function read<Body>(
    request: HttpRequest,
    decoder: Decoder<Body>,
    refuse: (body: Body, text: string) => void = () => undefined,
  ): Promise<Read<Body>> {
    origins.refuseCrossSite(request)
    await movements.ready
    const { actor, until } = await authenticated(movements.authenticate, request)
    const waitMs = buckets.take(actor, 1)
    if (waitMs > 0) throw new SyncError('rate_limited', 'The request was refused', { retryAfterMs: waitMs })
    const type = request.header('content-type') ?? ''
    if (!/^application\/json\s*(;|$)/i.test(type))
      throw new SyncError('media_type', `The body is ${type === '' ? 'of no declared type' : 'of another type'}`)
    // A kilobyte may stand for a gigabyte.
    if (!/^(identity)?$/i.test(request.header('content-encoding') ?? ''))
      throw new SyncError('media_type', 'The body is compressed, which is not taken')
    const text = await request.text(LIMITS.bodyBytes)
    const body = taken(decodeText(decoder, text), 'The body')
    refuse(body, text)
    return { body, actor, until }
  }

  /** Reads a request that says whose device it is of. */
  async function readOwn<Body extends Caller>(
    request: HttpRequest,
    decoder: Decoder<Body>,
    refuse?: (body: Body, text: string) => void,
  ): Promise<Read<Body>> {
    const own = await read(request, decoder, refuse)
    refuseMismatch(own.actor, own.body.actor)
    return own
  }

  function taken<Value>(decoded: Decoded<Value>, whole: string): Value {
    if (!decoded.ok) {
      if (decoded.field === 'protocol') throw new SyncError('protocol_unsupported', 'The request was refused')
      throw new SyncError(
        'malformed',
        `${decoded.field === '' ? whole : plain(decoded.field)} ${plain(decoded.problem)}`,
      )
    }
    return decoded.value
  }

  /** A stream is its actor's, and ends with the credentials that opened it. Whichever side ends it, it is over once. */
  function ownStream(
    { actor, until }: Read<unknown>,
    open: (sink: StreamSink) => () => void,
    sink: StreamSink,
  ): () => void {
    let isOver = false
    let cancel: Cancel = () => undefined
    const over = (): void => {
      if (isOver) return
      isOver = true
      cancel()
      const left = (streams.get(actor) ?? 1) - 1
      if (left > 0) streams.set(actor, left)
      else streams.delete(actor)
    }
    streams.set(actor, (streams.get(actor) ?? 0) + 1)
    const close = (): void => {
      over()
      sink.close()
    }
    const leave = open({ write: (text) => sink.write(text), close })
    if (until !== undefined && !isOver) {
      cancel = host.clock.after(Math.max(0, until - host.clock.now()), () => {
        leave()
        close()
      })
    }
    return () => {
      over()
      leave()
    }
  }

  function problem(error: unknown, request: HttpRequest, requestId: string): HttpAnswer {
    const isOurs = error instanceof SyncError
    const code: Code = isOurs && isCode(error.code) ? error.code : 'internal'
    const { status } = CODES[code]
    const isFault = status >= 500
    if (code === 'rate_limited') movements.count('rateLimited')
    if (code === 'cross_site') movements.count('crossSite')
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
    const intentId = isOurs ? error.details['intentId'] : undefined
    const retryAfterMs = isOurs && error.retryAfterMs > 0 ? error.retryAfterMs : undefined
    const body = makeProblem(code, requestId, isOurs ? plain(error.what, 1_000) : 'The request failed.', {
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(typeof intentId === 'string' ? { intentId } : {}),
    })
    return {
      status,
      headers: {
        ...headersOf(requestId),
        'content-type': PROBLEM_TYPE,
        link: `<${helpPath}${code}>; rel="describedby"; type="text/plain"`,
        ...(retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) }),
        ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      },
      body: JSON.stringify(body),
    }
  }

  return async (request) => {
    const given = request.header('x-request-id')
    const requestId = given !== undefined && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : randomUuid(host.random)
    const route = routeOf(request.path)
    let answer: HttpAnswer
    try {
      if (route === undefined) throw new SyncError('not_found', 'The request was refused')
      const preflight = origins.preflight(request, route.method)
      if (preflight === undefined && route.method !== request.method)
        throw new SyncError('method_not_allowed', `This address takes ${route.method}`)
      answer = preflight ?? (await route.run(request, requestId))
    } catch (error) {
      answer = problem(error, request, requestId)
      if (answer.status === 405 && route !== undefined)
        answer = { ...answer, headers: { ...answer.headers, allow: route.method } }
    }
    if (request.path === plainPath)
      answer = { ...answer, headers: { ...answer.headers, 'idempotency-window': String(keptSeconds) } }
    answer = origins.allow(request, answer)
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
const plain = (text: string, max = 200): string => plainText(text, max).replace(/[\p{Cc}\p{Cf}]/gu, '?')

/** Each intent's arguments have a limit of their own; a body below it cannot hold one above. */
function refuseLargeArguments(request: PushRequest, text: string): void {
  for (const [index, entry] of request.intents.entries())
    if (!isWithdrawal(entry)) refuseLarge(entry.args, text, `intents[${index}].args`)
}

function refuseLarge(args: Json, text: string, field: string): void {
  if (text.length > LIMITS.argsBytes / 3 && utf8Bytes(JSON.stringify(args)) > LIMITS.argsBytes)
    throw new SyncError('malformed', `${field} is larger than ${LIMITS.argsBytes} bytes`)
}
