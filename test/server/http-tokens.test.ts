// Bearer tokens by the helper over jose: what is taken, what is nobody's, and what becomes of a batch and of a stream when a token ends.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type BearerOptions, bearer } from 'holdfast/jose'
import { base64url, type CryptoKey, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { openCafe } from './http-stage.ts'

const ISSUER = 'https://id.example'
const AUDIENCE = 'cafe'
const espresso = { name: 'buy', args: { kind: 'espresso' } }

let keys: Awaited<ReturnType<typeof generateKeyPair>>
let others: Awaited<ReturnType<typeof generateKeyPair>>
beforeAll(async () => {
  keys = await generateKeyPair('ES256', { extractable: true })
  others = await generateKeyPair('ES256', { extractable: true })
})

const now = (): number => Math.floor(Date.now() / 1_000)

/** A token that is right but for what a test changes. */
async function token(
  claims: { readonly [name: string]: unknown } = {},
  {
    alg = 'ES256',
    key = keys.privateKey as CryptoKey | Uint8Array,
    header = {} as { readonly [name: string]: unknown },
  } = {},
): Promise<string> {
  const payload = { iss: ISSUER, aud: AUDIENCE, sub: 'anna', exp: now() + 60, ...claims }
  return new SignJWT(payload).setProtectedHeader({ alg, ...header }).sign(key)
}

async function asked(options: Partial<BearerOptions>, given: string | undefined) {
  const authenticate = bearer({ keys: keys.publicKey, issuer: ISSUER, audience: AUDIENCE, ...options })
  return authenticate({ header: (name) => (name === 'authorization' ? given : undefined) })
}

test('a token of the issuer for this audience is its subject’s, until it ends', async () => {
  const exp = now() + 60
  expect(await asked({}, `Bearer ${await token({ exp })}`)).toEqual({ actor: 'anna', until: (exp + 5) * 1_000 })
  expect(await asked({}, `bearer ${await token({ aud: ['other', AUDIENCE] })}`)).toMatchObject({ actor: 'anna' })
  const org = { actor: (claims: { readonly [name: string]: unknown }) => `${claims['org']}/${claims['sub']}` }
  expect(await asked(org, `Bearer ${await token({ org: 'acme' })}`)).toMatchObject({ actor: 'acme/anna' })
})

test.each([
  ['of another issuer', { iss: 'https://evil.example' }],
  ['of no issuer', { iss: undefined }],
  ['for another audience', { aud: 'bar' }],
  ['for no audience', { aud: undefined }],
  ['that has ended', { exp: now() - 6 }],
  ['that never ends', { exp: undefined }],
  ['whose end is no number', { exp: 'never' }],
  ['that is not yet begun', { nbf: now() + 600 }],
  ['of no subject', { sub: undefined }],
  ['of an empty subject', { sub: '' }],
  ['of a subject that is no actor', { sub: 'x'.repeat(129) }],
])('a token %s is nobody’s', async (_title, claims) => {
  // A claim of a wrong type cannot be signed by the helper of tests in the usual way.
  const made = await token(claims).catch(() => 'a.b.c')
  expect(await asked({}, `Bearer ${made}`)).toBeUndefined()
})

test('a token signed by another key, changed after it was signed, or of no signature is nobody’s', async () => {
  const good = await token()
  const [header = '', payload = '', signature = ''] = good.split('.')
  const claims = JSON.parse(new TextDecoder().decode(base64url.decode(payload)))
  const changed = base64url.encode(JSON.stringify({ ...claims, sub: 'ben' }))
  const none = base64url.encode(JSON.stringify({ alg: 'none' }))
  const forged = [
    await token({}, { key: others.privateKey }),
    `${header}.${changed}.${signature}`,
    `${header}.${payload}.`,
    `${none}.${payload}.`,
    `${none}.${payload}.${signature}`,
    new UnsecuredJWT(claims).encode(),
    `${header}.${payload}`,
    `${good}.${signature}`,
    `${good}\n`,
    'x'.repeat(10_000),
    '',
  ]
  for (const each of forged) expect(await asked({}, `Bearer ${each}`), each.slice(0, 60)).toBeUndefined()
  for (const each of [undefined, '', good, `Basic ${good}`, `Bearer${good}`, `Bearer ${good} ${good}`])
    expect(await asked({}, each)).toBeUndefined()
})

test('[I9] a public key is never taken for a secret: a token that is signed with it as one is nobody’s', async () => {
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k1' }
  const bytes = new TextEncoder().encode(JSON.stringify(jwk))
  for (const alg of ['HS256', 'HS384', 'HS512']) {
    const forged = await token({}, { alg, key: bytes, header: { kid: 'k1' } })
    for (const given of [keys.publicKey, jwk, { keys: [jwk] }])
      expect(await asked({ keys: given }, `Bearer ${forged}`)).toBeUndefined()
  }
  const embedded = await token({}, { key: others.privateKey, header: { jwk: await exportJWK(others.publicKey) } })
  expect(await asked({}, `Bearer ${embedded}`)).toBeUndefined()
})

test('a secret that is shared signs with HS256 alone, unless more is allowed', async () => {
  const secret = new Uint8Array(64).fill(7)
  const jwk = { kty: 'oct', k: base64url.encode(secret) }
  for (const given of [secret, jwk]) {
    expect(await asked({ keys: given }, `Bearer ${await token({}, { alg: 'HS256', key: secret })}`)).toMatchObject({
      actor: 'anna',
    })
    expect(await asked({ keys: given }, `Bearer ${await token({}, { alg: 'HS512', key: secret })}`)).toBeUndefined()
    expect(await asked({ keys: given }, `Bearer ${await token()}`)).toBeUndefined()
  }
  const both = { keys: secret, algorithms: ['HS256', 'HS512'] }
  expect(await asked(both, `Bearer ${await token({}, { alg: 'HS512', key: secret })}`)).toMatchObject({ actor: 'anna' })
})

test('clocks may differ by the tolerance and by no more', async () => {
  const late = `Bearer ${await token({ exp: now() - 20 })}`
  expect(await asked({}, late)).toBeUndefined()
  expect(await asked({ clockToleranceS: 60 }, late)).toMatchObject({ actor: 'anna' })
  expect(await asked({ clockToleranceS: 10 }, late)).toBeUndefined()
})

test.each<[string, Partial<BearerOptions>]>([
  ['no issuer', { issuer: '' }],
  ['no audience', { audience: [] }],
  ['no signature at all', { algorithms: ['none'] }],
  ['no algorithm', { algorithms: [] }],
  ['secrets among public keys', { algorithms: ['ES256', 'HS256'] }],
  ['public keys among secrets', { keys: new Uint8Array(32), algorithms: ['HS256', 'RS256'] }],
  ['a secret that can be guessed', { keys: new TextEncoder().encode('secret') }],
  ['a private key', { keys: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'd' } }],
  ['a set without keys', { keys: { keys: [] } }],
  ['a set with a secret in it', { keys: { keys: [{ kty: 'oct', k: 'x' }] } }],
  ['keys over plain http', { keys: 'http://id.example/jwks.json' }],
  ['a tolerance that is none', { clockToleranceS: -1 }],
])('options with %s are refused at the start', (_title, options) => {
  expect(() => bearer({ keys: keys.publicKey, issuer: ISSUER, audience: AUDIENCE, ...options })).toThrow(TypeError)
})

test('a private key of Web Crypto is refused at the start', () => {
  expect(() => bearer({ keys: keys.privateKey, issuer: ISSUER, audience: AUDIENCE })).toThrow('public')
})

/** A place where an issuer publishes its keys, or does not. */
async function publish(answer: () => { readonly status: number; readonly body: unknown }) {
  let count = 0
  const server: Server = createServer((_incoming, outgoing) => {
    count++
    const { status, body } = answer()
    outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`, count: () => count }
}

test('keys are fetched once where the issuer publishes them; a token with a key that is not among them is nobody’s', async () => {
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'ES256' }
  const { url, count } = await publish(() => ({ status: 200, body: { keys: [jwk] } }))
  const authenticate = bearer({ keys: url, issuer: ISSUER, audience: AUDIENCE })
  const ask = async (kid: string) => {
    const made = await token({}, { header: { kid } })
    return authenticate({ header: () => `Bearer ${made}` })
  }
  for (let time = 0; time < 3; time++) expect(await ask('k1')).toMatchObject({ actor: 'anna' })
  expect(count()).toBe(1)
  for (let time = 0; time < 3; time++) expect(await ask('k2')).toBeUndefined()
  // Asked for again at most once in a while, whoever sends tokens with unknown keys.
  expect(count()).toBeLessThanOrEqual(2)
})

test('while the issuer’s keys cannot be had the authority is unavailable: nobody is signed out for that', async () => {
  let isUp = false
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'ES256' }
  const { url } = await publish(() => (isUp ? { status: 200, body: { keys: [jwk] } } : { status: 503, body: {} }))
  const cafe = await openCafe({ authenticate: bearer({ keys: url, issuer: ISSUER, audience: AUDIENCE }) })
  const headers = { authorization: `Bearer ${await token({}, { header: { kid: 'k1' } })}`, 'idempotency-key': '"k"' }
  expect(await cafe.send('/sync/intents', espresso, headers)).toMatchObject({
    status: 503,
    headers: { 'retry-after': '5' },
    body: { code: 'unavailable', retryable: true },
  })
  isUp = true
  expect(await cafe.send('/sync/intents', espresso, headers)).toMatchObject({ status: 200 })
})

/** A café that is entered with tokens, and a batch of intents for it, in the middle of which two minutes pass. */
async function withTokens() {
  let passedMs = 0
  const cafe = await openCafe({
    authenticate: bearer({
      keys: keys.publicKey,
      issuer: ISSUER,
      audience: AUDIENCE,
      clockToleranceS: 0,
      now: () => Date.now() + passedMs,
    }),
    mutators: {
      buy: async (tx, { kind }) => {
        await tx.coffees.insert({ id: tx.newId('coffee'), ownerId: tx.actor, kind })
        if (kind === 'slow') passedMs += 120_000
      },
    },
  })
  const id = (n: number) => `0a0b0c0d-0000-4000-8000-${String(n).padStart(12, '0')}`
  const caller = { protocol: 1, app: id(999), actor: 'anna', client: id(998), last: 20, stored: 0 }
  const intents = Array.from({ length: 20 }, (_, index) => ({
    ...{ sequence: index + 1, id: id(index + 1), name: 'buy', version: 1, madeAt: 1 },
    args: { kind: index === 10 ? 'slow' : 'espresso' },
  }))
  const push = (made: string) => cafe.send('/sync/push', { ...caller, intents }, { authorization: `Bearer ${made}` })
  return { cafe, caller, push }
}

test('[I3] a batch with an ended token records nothing; sent again with a fresh one it is decided, and again only repeated', async () => {
  const { cafe, push } = await withTokens()
  expect(await push(await token({ exp: now() - 1 }))).toMatchObject({
    status: 401,
    headers: { 'www-authenticate': 'Bearer' },
    body: { code: 'unauthenticated', retryable: false },
  })
  expect(cafe.sql('SELECT count(*) AS n FROM holdfast_ledger')).toEqual([{ n: 0 }])
  const fresh = await token({ exp: now() + 600 })
  expect(await push(fresh)).toMatchObject({ status: 200, body: { decided: 20 } })
  expect(await push(fresh)).toMatchObject({
    body: { outcomes: [{ from: 1, to: 20, status: 'applied', repeated: true }] },
  })
  expect(cafe.coffees()).toHaveLength(20)
})

test('[I3] a token that ends in the middle of a batch takes nothing back: what was decided stays, and is repeated after', async () => {
  const { cafe, push } = await withTokens()
  const short = await token({ exp: now() + 60 })
  expect(await push(short)).toMatchObject({ status: 200, body: { decided: 20 } })
  expect(await push(short)).toMatchObject({ status: 401 })
  expect(await push(await token({ exp: now() + 600 }))).toMatchObject({
    body: { outcomes: [{ from: 1, to: 20, repeated: true }] },
  })
  expect(cafe.coffees()).toHaveLength(20)
})

test('[I9] a token of another actor sends nobody else’s outbox', async () => {
  const { cafe, push } = await withTokens()
  expect(await push(await token({ sub: 'ben' }))).toMatchObject({ status: 403, body: { code: 'actor_mismatch' } })
  expect(cafe.coffees()).toEqual([])
})

test('[I9] a live stream ends with the token that opened it, and lives until then', async () => {
  const { cafe, caller } = await withTokens()
  const open = async (exp: number) => {
    const headers = { authorization: `Bearer ${await token({ exp })}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ ...caller, cursors: [{ scope: 'user:anna', version: 0, mark: '' }] })
    const answer = await cafe.authority.handle({
      method: 'POST',
      path: '/sync/live',
      header: (name) => (headers as { readonly [name: string]: string })[name],
      text: async () => body,
    })
    if (!('open' in answer)) throw new Error(JSON.stringify(answer))
    const { open } = answer
    return new Promise<number>((resolve) => onTestFinished(open({ write: () => 0, close: () => resolve(exp) })))
  }
  const exp = now() + 60
  cafe.pass(exp * 1_000 - Date.now() - 20)
  expect(await Promise.race([open(exp + 600), open(exp)])).toBe(exp)
  expect(await cafe.authority.health()).toMatchObject({ streams: 1 })
})

test('a stream that the authority ends leaves no timer for its token behind', async () => {
  const timers = new Set<number>()
  const cafe = await openCafe({
    authenticate: () => ({ actor: 'anna', until: Date.now() + 3_600_000 }),
    watchTimers: timers,
  })
  const live = await cafe.authority.fetch(
    new Request('http://here/sync/live', {
      method: 'POST',
      body: JSON.stringify({
        ...{ protocol: 1, app: '0a0b0c0d-0000-4000-8000-000000000001', actor: 'anna', last: 0, stored: 0 },
        client: '0a0b0c0d-0000-4000-8000-000000000002',
        cursors: [{ scope: 'user:anna', version: 0, mark: '' }],
      }),
      headers: { 'content-type': 'application/json' },
    }),
  )
  expect([...timers]).toContainEqual(expect.closeTo(3_600_000, -5))
  await cafe.authority.close()
  expect(await live.text()).toMatch(/^event: seal/)
  expect([...timers]).not.toContainEqual(expect.closeTo(3_600_000, -5))
})

test('no token and no secret is in an answer or in the log, whatever is wrong', async () => {
  const cafe = await openCafe({ authenticate: bearer({ keys: keys.publicKey, issuer: ISSUER, audience: AUDIENCE }) })
  const tokens = [await token({ exp: 1 }), await token({ aud: 'bar' }), await token({}, { key: others.privateKey })]
  for (const made of [...tokens, await token()]) {
    const seen = await cafe.send('/sync/push', { protocol: 1, actor: 'x' }, { authorization: `Bearer ${made}` })
    expect(seen.status).toBeGreaterThanOrEqual(400)
    for (const part of made.split('.')) {
      expect(JSON.stringify(seen)).not.toContain(part)
      expect(JSON.stringify(cafe.logged.map(({ entry, cause }) => [entry, String(cause)]))).not.toContain(part)
    }
  }
  expect(await cafe.send(`/sync/push?access_token=${await token()}`, {})).toMatchObject({ status: 404 })
})
