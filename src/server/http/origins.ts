// Which pages may call. A browser sends cookies along with whatever a page of another site asks it to: a request that is known by its
// cookies alone is taken only from a page of this site or of a listed origin. Listed origins, and no others, are answered as CORS wants
// it. Programs that are no browsers send neither Origin nor Sec-Fetch-Site, and nobody can make them send a cookie.
import { SyncError } from '../../base/errors.ts'
import type { HttpAnswer, HttpRequest } from './exchange.ts'

/** The rules of one authority. */
export interface Origins {
  /** Throws a SyncError `cross_site` when a page of another site sent this with the cookies of this one. */
  refuseCrossSite(request: HttpRequest): void
  /** The answer to a listed origin that asks whether it may send this; undefined for all else. */
  preflight(request: HttpRequest, method: string): HttpAnswer | undefined
  /** The answer as the page of a listed origin may read it. */
  allow(request: HttpRequest, answer: HttpAnswer): HttpAnswer
}

/** What a page may send, and read, besides what every page may. */
const MAY_SEND = 'authorization, content-type, idempotency-key, traceparent, x-request-id'
const MAY_READ = 'idempotency-window, link, retry-after, traceparent, x-request-id'
/** How long a browser need not ask again, in seconds. */
const ASKED_FOR = '600'

/** Makes the rules. Throws a TypeError for what is no origin. */
export function createOrigins(listed: readonly string[]): Origins {
  for (const origin of listed) {
    // A list of patterns is too easily one that fits more than was meant.
    if (originOf(origin) !== origin || origin.includes('*'))
      throw new TypeError(
        `createAuthority: browserOrigins has ${JSON.stringify(origin)}, an origin looks like https://app.example`,
      )
  }
  const trusted: ReadonlySet<string> = new Set(listed)
  const isTrusted = (request: HttpRequest): boolean => trusted.has(request.header('origin') ?? '')

  return {
    refuseCrossSite(request) {
      if (request.header('cookie') === undefined || request.header('authorization') !== undefined) return
      if (isTrusted(request)) return
      const site = request.header('sec-fetch-site')
      const origin = request.header('origin')
      // The first says what the browser itself thinks, whatever proxies made of the host; browsers without it send the second.
      const isOwn =
        site === undefined
          ? origin === undefined || hostOf(origin) === request.header('host')?.toLowerCase()
          : site === 'same-origin' || site === 'none'
      if (!isOwn) throw new SyncError('cross_site', 'The request was refused')
    },
    preflight(request, method) {
      if (request.method !== 'OPTIONS' || !isTrusted(request)) return undefined
      return {
        status: 204,
        headers: {
          'access-control-allow-methods': method,
          'access-control-allow-headers': MAY_SEND,
          'access-control-max-age': ASKED_FOR,
        },
        body: '',
      }
    },
    allow(request, answer) {
      if (trusted.size === 0) return answer
      const headers = { ...answer.headers, vary: 'origin' }
      const origin = request.header('origin')
      if (origin === undefined || !isTrusted(request)) return { ...answer, headers }
      return {
        ...answer,
        headers: {
          ...headers,
          'access-control-allow-origin': origin,
          'access-control-allow-credentials': 'true',
          'access-control-expose-headers': MAY_READ,
        },
      }
    },
  }
}

const parsed = (text: string): URL | undefined => {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}

const originOf = (text: string): string | undefined => {
  const url = parsed(text)
  return url !== undefined && /^https?:$/.test(url.protocol) ? url.origin : undefined
}

/** The host of an origin as a request names it: without the port that goes without saying. */
const hostOf = (origin: string): string | undefined => parsed(origin)?.host
