// An authority's `authenticate` over signed tokens (JWT), checked by jose. Which algorithms may sign is decided here and by the app, never
// by the token; issuer, audience and an end are required. Keeps no sessions: a token is looked at when a request begins, so what a batch
// decided stays decided, and a live stream ends with its token. Whatever is wrong with a token looks the same from outside.
import {
  base64url,
  type CryptoKey,
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWK,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose'
import { SyncError } from '../../base/errors.ts'
import { actorProblem } from '../../protocol/ids.ts'
import type { Authenticate, Credentials } from '../../server/actor.ts'

/**
 * What signatures are checked with: where the issuer publishes its keys (the address of a JWKS), such a set or one of its keys, a public
 * key of Web Crypto, or a secret that is shared with the issuer, as its bytes.
 */
export type Keys = URL | string | JSONWebKeySet | JWK | CryptoKey | Uint8Array

/** What is asked of a token. */
export interface BearerOptions {
  readonly keys: Keys
  /** Who must have issued it: its `iss`. */
  readonly issuer: string | readonly string[]
  /** For whom it must have been issued: one of its `aud`. */
  readonly audience: string | readonly string[]
  /** Who the actor is; `sub` by default. Undefined for nobody. */
  readonly actor?: (claims: JWTPayload) => string | undefined
  /** With what it may be signed: by default all that have a public key, or HS256 with a secret. Never both kinds. */
  readonly algorithms?: readonly string[]
  /** By how much the clocks of issuer and authority may differ, in seconds; default 5. */
  readonly clockToleranceS?: number
  /** Where the token is; by default in `authorization: Bearer …`. */
  readonly token?: (request: Credentials) => string | undefined
  /** The time, in milliseconds since 1970; that of this machine by default. */
  readonly now?: () => number
}

/** Those whose key may be known to all. */
const PUBLIC: readonly string[] = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ')
/** Bytes that the secret of each must have at least (RFC 7518, 3.2). */
const SECRET_BYTES: { readonly [algorithm: string]: number } = { HS256: 32, HS384: 48, HS512: 64 }
/** A token that is longer is none: headers are not that long. */
const MAX_TOKEN = 8_192
/** When to ask again while the issuer's keys cannot be had. */
const RETRY_MS = 5_000

/**
 * Makes the authentication of an authority. A token that is forged, expired, of another issuer or for another audience is nobody's
 * (`unauthenticated`); while the issuer's keys cannot be fetched the authority answers `unavailable`, and devices try again. Throws a
 * TypeError for options under which a token could be forged, or none could be taken.
 *
 * @example
 * const authority = createAuthority({
 *   app,
 *   database,
 *   authenticate: bearer({ keys: 'https://id.example/jwks.json', issuer: 'https://id.example', audience: 'workouts' }),
 *   grants,
 * })
 */
export function bearer(options: BearerOptions): Authenticate {
  const { keys, actor: actorOf = ({ sub }) => sub, clockToleranceS = 5, token: tokenOf = fromHeader, now } = options
  const secret = secretOf(keys)
  const algorithms = algorithmsOf(options.algorithms, secret)
  const expected = {
    issuer: namesOf(options.issuer, 'issuer'),
    audience: namesOf(options.audience, 'audience'),
    algorithms,
    clockTolerance: clockToleranceS,
    requiredClaims: ['exp'],
  }
  if (!(clockToleranceS >= 0)) throw new TypeError(`bearer: clockToleranceS is ${clockToleranceS}`)
  const keyOf = secret === undefined ? publicKeyOf(keys as Exclude<Keys, Uint8Array>) : async () => secret

  return async (request) => {
    const token = tokenOf(request)
    if (token === undefined || token.length > MAX_TOKEN) return undefined
    const claims = await verified(token)
    const actor = claims === undefined ? undefined : actorOf(claims)
    if (claims?.exp === undefined || actorProblem(actor) !== undefined) return undefined
    return { actor: actor as string, until: (claims.exp + clockToleranceS) * 1_000 }
  }

  async function verified(token: string): Promise<JWTPayload | undefined> {
    try {
      const at = now === undefined ? {} : { currentDate: new Date(now()) }
      return (await jwtVerify(token, keyOf, { ...expected, ...at })).payload
    } catch (error) {
      if (error instanceof SyncError) throw error
      // What else can go wrong here lies in the token: its form, its signature, its claims, or an algorithm that does not fit the key.
      return undefined
    }
  }
}

function fromHeader(request: Credentials): string | undefined {
  return /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(request.header('authorization') ?? '')?.[1]
}

function namesOf(given: string | readonly string[], what: string): string[] {
  const names = typeof given === 'string' ? [given] : [...(given ?? [])]
  if (names.length === 0 || names.some((name) => typeof name !== 'string' || name === ''))
    throw new TypeError(`bearer: ${what} is missing: a token of anybody, for anything, would do`)
  return names
}

function secretOf(keys: Keys): Uint8Array | undefined {
  if (keys instanceof Uint8Array) return keys
  const isSecret = typeof keys === 'object' && 'kty' in keys && keys.kty === 'oct' && typeof keys.k === 'string'
  return isSecret ? base64url.decode(keys.k as string) : undefined
}

/** A public key must never be taken for a secret: whoever knows it could sign with it. */
function algorithmsOf(given: readonly string[] | undefined, secret: Uint8Array | undefined): string[] {
  const fitting = secret === undefined ? PUBLIC : Object.keys(SECRET_BYTES)
  const algorithms = [...(given ?? (secret === undefined ? PUBLIC : ['HS256']))]
  const unfit = algorithms.find((algorithm) => !fitting.includes(algorithm))
  if (unfit !== undefined || algorithms.length === 0)
    throw new TypeError(
      `bearer: algorithms has ${unfit ?? 'nothing'}; ${secret === undefined ? 'with public keys' : 'with a secret'} there are ${fitting.join(', ')}`,
    )
  for (const algorithm of secret === undefined ? [] : algorithms) {
    const bytes = SECRET_BYTES[algorithm] ?? 0
    if ((secret?.length ?? 0) < bytes)
      throw new TypeError(`bearer: the secret has ${secret?.length} bytes, ${algorithm} needs ${bytes}`)
  }
  return algorithms
}

function publicKeyOf(keys: Exclude<Keys, Uint8Array>): JWTVerifyGetKey {
  if (typeof keys === 'string' || keys instanceof URL) return remoteKeyOf(new URL(keys))
  if ('algorithm' in keys) {
    if (keys.type !== 'public') throw new TypeError(`bearer: the key is ${keys.type}, a public one is needed`)
    return async () => keys
  }
  const set = 'keys' in keys ? (keys as JSONWebKeySet) : { keys: [keys as JWK] }
  if (!Array.isArray(set.keys) || set.keys.length === 0) throw new TypeError('bearer: keys holds no key')
  for (const key of set.keys) {
    if (typeof key.kty !== 'string' || key.kty === 'oct' || key.d !== undefined)
      throw new TypeError('bearer: keys must hold public keys alone, each with its kty and without d')
  }
  return createLocalJWKSet(set)
}

function remoteKeyOf(address: URL): JWTVerifyGetKey {
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(address.hostname)
  if (address.protocol !== 'https:' && !(address.protocol === 'http:' && isLocal))
    throw new TypeError(
      'bearer: keys are fetched over https, or over http from this machine: who changes them can sign',
    )
  const fetched = createRemoteJWKSet(address)
  return async (header, token) => {
    try {
      return await fetched(header, token)
    } catch (error) {
      const isOfToken =
        error instanceof errors.JWKSNoMatchingKey ||
        error instanceof errors.JWKSMultipleMatchingKeys ||
        error instanceof errors.JOSENotSupported
      if (isOfToken) throw error
      throw new SyncError('unavailable', 'The keys of the issuer of tokens cannot be had', {
        cause: error,
        retryAfterMs: RETRY_MS,
      })
    }
  }
}
