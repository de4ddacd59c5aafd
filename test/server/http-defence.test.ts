// What the authority does about hostile requests: bodies that lie or swell, JSON with tricks, floods, pages of other sites. Over the
// neutral form where that is enough, over bare sockets where the listener has a part in it.
import { gzipSync } from 'node:zlib'
import { serve } from 'holdfast/node'
import { expect, onTestFinished, test } from 'vitest'
import { LIMITS } from '../../src/protocol/limits.ts'
import { call } from '../hosts/node/wire.ts'
import { openCafe } from './http-stage.ts'

const espresso = { name: 'buy', args: { kind: 'espresso' } }

/** A café behind a real listener, and the bytes of a plain request. */
async function overSockets() {
  const cafe = await openCafe()
  const listener = await serve(cafe.authority, {
    port: 0,
    closeMs: 50,
    headersMs: 200,
    requestMs: 400,
    report: () => undefined,
  })
  onTestFinished(() => listener.close())
  const request = (body: string | Buffer, headers: string, key = 'k') =>
    Buffer.concat([
      Buffer.from(
        `POST /sync/intents HTTP/1.1\r\nhost: here\r\nauthorization: Bearer anna\r\nidempotency-key: "${key}"\r\ncontent-type: application/json\r\n${headers}\r\n\r\n`,
      ),
      Buffer.from(body),
    ])
  return { cafe, port: listener.port, request }
}

const text = JSON.stringify(espresso)

test.each([
  ['NUL', '"kind":"a\\u0000b"'],
  ['a high half of a surrogate pair', '"kind":"\\ud83d"'],
  ['a low half of a surrogate pair', '"kind":"\\ude00x"'],
  ['NUL in a key', '"kind":"a","k\\u0000":1'],
  ['a number beyond all', '"kind":"a","n":1e309'],
  ['a key that is a prototype', '"kind":"a","__proto__":{"polluted":true}'],
  ['a constructor deep inside', '"kind":"a","b":[{"c":{"constructor":{"prototype":{}}}}]'],
  ['nesting beyond 32', `"kind":"a","b":${'['.repeat(32)}${']'.repeat(32)}`],
])('[I12] arguments with %s are refused, and nothing is kept', async (_title, members) => {
  const cafe = await openCafe()
  const answer = await cafe.plain('anna', '"k"', `{"name":"buy","args":{${members}}}`)
  expect(answer).toMatchObject({ status: 400, body: { code: 'malformed', detail: expect.stringMatching(/^args /) } })
  expect(({} as { readonly polluted?: unknown }).polluted).toBeUndefined()
  expect(cafe.sql('SELECT count(*) AS n FROM holdfast_ledger')).toEqual([{ n: 0 }])
})

test('[I12] names that objects have by birth are names like others, where keys may be anything', async () => {
  const cafe = await openCafe()
  for (const key of ['toString', 'valueOf', 'hasOwnProperty', '__defineGetter__'])
    expect(await cafe.plain('anna', `"${key}"`, { name: 'buy', args: { kind: key, [key]: 1 } })).toMatchObject({
      status: 200,
    })
  expect(cafe.coffees()).toHaveLength(4)
})

test('[I12] of two members of one name the last one counts, for what runs and for what a key stands for', async () => {
  const cafe = await openCafe()
  const twice = '{"name":"steal","name":"buy","args":{"kind":"latte","kind":"espresso"}}'
  expect(await cafe.plain('anna', '"k"', twice)).toMatchObject({ status: 200, body: { status: 'applied' } })
  expect(await cafe.plain('anna', '"k"', espresso)).toMatchObject({ body: { repeated: true } })
  expect(await cafe.plain('anna', '"k"', { name: 'buy', args: { kind: 'latte' } })).toMatchObject({ status: 422 })
  expect(cafe.coffees()).toEqual(['espresso'])
})

test('[I13] arguments with more members than the limit are refused, on a push as an outcome so that the rest goes on', async () => {
  const cafe = await openCafe()
  const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, 1]))
  expect(await cafe.plain('anna', '"k"', { name: 'buy', args: { kind: 'a', many } })).toMatchObject({
    status: 422,
    body: { code: 'arguments_invalid', detail: expect.stringContaining('10000 members') },
  })
  const id = (n: number) => `0a0b0c0d-0000-4000-8000-00000000000${n}`
  const entry = (sequence: number, args: unknown) => ({
    sequence,
    id: id(sequence),
    name: 'buy',
    version: 1,
    args,
    madeAt: 1,
  })
  const pushed = await cafe.send(
    '/sync/push',
    {
      ...{ protocol: 1, app: id(9), actor: 'anna', client: id(8), last: 2, stored: 0 },
      intents: [entry(1, { kind: 'a', many }), entry(2, { kind: 'b' })],
    },
    { authorization: 'Bearer anna' },
  )
  expect(pushed.body['outcomes']).toMatchObject([
    { status: 'rejected', code: 'arguments_invalid' },
    { status: 'applied' },
  ])
})

test('[I13] arguments and bodies over their limits are refused by their size', async () => {
  const cafe = await openCafe()
  const kind = 'x'.repeat(LIMITS.argsBytes)
  expect(await cafe.plain('anna', '"k"', { name: 'buy', args: { kind } })).toMatchObject({
    status: 400,
    body: { detail: expect.stringMatching(/^args is larger than/) },
  })
  const large = (headers: { readonly [name: string]: string }) =>
    cafe.authority.fetch(
      new Request('http://here/sync/intents', {
        method: 'POST',
        body: `"${'x'.repeat(LIMITS.bodyBytes)}"`,
        headers: { 'content-type': 'application/json', authorization: 'Bearer anna', ...headers },
      }),
    )
  for (const headers of [{}, { 'content-length': '3' }, { 'content-length': String(LIMITS.bodyBytes + 2) }])
    expect((await large(headers)).status).toBe(413)
})

test('a body that is compressed is refused whoever listens, by its header and before it is read', async () => {
  const { cafe, port, request } = await overSockets()
  const bomb = gzipSync('x'.repeat(1_000_000))
  const socket = call(port, request(bomb, `content-encoding: gzip\r\ncontent-length: ${bomb.length}`))
  expect(await socket.until('media_type')).toContain('415')
  for (const encoding of ['gzip', 'br', 'deflate', 'identity, gzip', 'x'])
    expect(await cafe.plain('anna', '"k"', espresso, { 'content-encoding': encoding })).toMatchObject({
      status: 415,
      body: { code: 'media_type' },
    })
  expect(await cafe.plain('anna', '"k"', espresso, { 'content-encoding': 'Identity' })).toMatchObject({ status: 200 })
})

test('a body that is not JSON by its type is refused: a form of another site can send no other without asking', async () => {
  const cafe = await openCafe()
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'application/jsonx',
    '',
  ])
    expect(await cafe.plain('anna', '"k"', espresso, { 'content-type': type })).toMatchObject({ status: 415 })
  expect(cafe.coffees()).toEqual([])
})

test('a content-length that is too large is waited for until the time of a request is over, and nothing is run', async () => {
  const { cafe, port, request } = await overSockets()
  const short = call(port, request(text, `content-length: ${text.length + 10}`))
  expect(await short.ended()).toContain('408')
  expect(cafe.coffees()).toEqual([])
})

test('a content-length that is too small cuts the body, which is then refused, and the rest is no request', async () => {
  const { cafe, port, request } = await overSockets()
  const long = call(port, request(text, `content-length: ${text.length - 5}`))
  expect(await long.ended()).toMatch(/^HTTP\/1\.1 400/)
  expect(cafe.coffees()).toEqual([])
})

test.each([
  ['a length and chunks at once', `content-length: ${text.length}\r\ntransfer-encoding: chunked`, `0\r\n\r\n${text}`],
  ['two lengths', `content-length: ${text.length}\r\ncontent-length: 0`, text],
  ['a length that is none', 'content-length: 1e1', text],
  ['an encoding of the transfer that is none', 'transfer-encoding: chunked, identity', `0\r\n\r\n${text}`],
  ['a header folded over two lines', `x-a: b\r\n c\r\ncontent-length: -1`, text],
])(
  'a request with %s is refused as a whole: two readers could see two requests in it',
  async (_title, headers, body) => {
    const { cafe, port, request } = await overSockets()
    expect(await call(port, request(body, headers)).ended()).toMatch(/^HTTP\/1\.1 400/)
    expect(cafe.coffees()).toEqual([])
  },
)

test('who sends headers or a body byte by byte is sent away, and others are served meanwhile', async () => {
  const { cafe, port, request } = await overSockets()
  const slow = Array.from({ length: 20 }, () => call(port, 'POST /sync/intents HTTP/1.1\r\nhost: he'))
  const dripping = call(port, request('{', `content-length: ${text.length}`))
  const served = call(port, request(text, `content-length: ${text.length}`))
  expect(await served.until('"status":"applied"')).toContain('200 OK')
  for (const caller of [...slow, dripping]) expect(await caller.ended()).toContain('408')
  expect(cafe.coffees()).toEqual(['espresso'])
})

test('what came from outside cannot begin a line of the log or a header, and no token is in either', async () => {
  const cafe = await openCafe()
  const secret = 'eyJhbGciOiJub25lIn0.e30.'
  const headers = {
    authorization: `Bearer ${secret}`,
    'x-request-id': 'a\r\nset-cookie: b=1',
    traceparent: '00\r\nx: y',
  }
  await cafe.send('/sync/nowhere\r\nx: y\u001b[31m', {}, headers)
  await cafe.send('/sync/push', { protocol: 1, app: 'x\u001b[0m' }, headers)
  await cafe.send('/sync/push', '{', headers)
  const { headers: answered } = await cafe.send('/sync/intents', espresso, {
    ...headers,
    'idempotency-key': '"a\r\nb"',
  })
  expect(Object.values(answered).join('')).not.toMatch(/[\r\n]/)
  const lines = cafe.logged.map(({ entry }) => entry)
  expect(lines).toHaveLength(4)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  for (const line of lines) expect(Object.values(line).join('|')).not.toMatch(/[\u0000-\u001f]/)
  expect(JSON.stringify(lines)).not.toContain(secret)
})

test('an actor that floods is answered 429 with the time to wait, others are not, and after it the actor is served again', async () => {
  const cafe = await openCafe({ tuning: { rate: { perSecond: 2, burst: 3 } } })
  for (let time = 0; time < 3; time++) expect(await cafe.plain('anna', '"k"', espresso)).toMatchObject({ status: 200 })
  const refused = await cafe.plain('anna', '"k"', espresso)
  expect(refused).toMatchObject({
    status: 429,
    headers: { 'retry-after': '1', link: '</sync/problems/rate_limited>; rel="describedby"; type="text/plain"' },
    body: { code: 'rate_limited', retryable: true, phase: 'send' },
  })
  expect(Number(refused.body['retryAfterMs'])).toBeGreaterThan(0)
  expect(Number(refused.body['retryAfterMs'])).toBeLessThanOrEqual(500)
  expect(await cafe.plain('ben', '"k"', espresso)).toMatchObject({ status: 200 })
  expect((await cafe.authority.health()).counters).toMatchObject({ rateLimited: 1 })
  cafe.pass(501)
  expect(await cafe.plain('anna', '"k"', espresso)).toMatchObject({ status: 200 })
  expect(await cafe.plain('anna', '"k"', espresso)).toMatchObject({ status: 429 })
})

test('who asks for a flood’s worth of intents in one push pays for them with its next requests', async () => {
  const cafe = await openCafe({ tuning: { rate: { perSecond: 1, burst: 2 } } })
  const id = (n: number) => `0a0b0c0d-0000-4000-8000-${String(n).padStart(12, '0')}`
  const intents = Array.from({ length: 400 }, (_, index) => ({
    ...{ sequence: index + 1, id: id(index), name: 'buy', version: 1, args: { kind: 'a' }, madeAt: 1 },
  }))
  const request = { protocol: 1, app: id(999), actor: 'anna', client: id(998), last: 400, stored: 0, intents }
  const push = () => cafe.send('/sync/push', request, { authorization: 'Bearer anna' })
  expect(await push()).toMatchObject({ status: 200, body: { decided: 400 } })
  const refused = await push()
  expect(refused).toMatchObject({ status: 429 })
  expect(Number(refused.body['retryAfterMs'])).toBeGreaterThan(2_000)
  cafe.pass(3_001)
  expect(await push()).toMatchObject({ status: 200 })
})

test('[I13] a flood is refused before its body is read, and unknown callers have no bucket', async () => {
  const cafe = await openCafe({ tuning: { rate: { perSecond: 0.001, burst: 1 } } })
  const request = (actor: string, read: () => void) => ({
    method: 'POST',
    path: '/sync/intents',
    header: (name: string) =>
      ({ 'content-type': 'application/json', authorization: actor, 'idempotency-key': '"k"' })[name],
    text: async () => {
      read()
      return text
    },
  })
  let reads = 0
  for (let time = 0; time < 5; time++) await cafe.authority.handle(request('Bearer anna', () => void reads++))
  expect(reads).toBe(1)
})

test('[I13] one actor has no more live streams than its share, whichever side ended the ones before, and others have theirs', async () => {
  const cafe = await openCafe({ tuning: { actorStreams: 2 } })
  const id = (n: number) => `0a0b0c0d-0000-4000-8000-00000000000${n}`
  const open = async (actor: string, version = 0) => {
    const cursors = [{ scope: `user:${actor}`, version, mark: '' }]
    const request = { protocol: 1, app: id(9), actor, client: id(actor.length), last: 0, stored: 0, cursors }
    return cafe.authority.fetch(
      new Request('http://here/sync/live', {
        method: 'POST',
        body: JSON.stringify(request),
        headers: { 'content-type': 'application/json', authorization: `Bearer ${actor}` },
      }),
    )
  }
  const first = await open('anna')
  expect([first.status, (await open('anna')).status, (await open('benjamin')).status]).toEqual([200, 200, 200])
  const refused = await open('anna')
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '10'])
  await first.body?.cancel()
  // Its place is not known here, so the authority ends this one by itself, at once.
  const ended = await open('anna', 7)
  expect(await ended.text()).toContain('event: pull')
  expect((await open('anna')).status).toBe(200)
  expect((await open('anna')).status).toBe(429)
})

const site = { host: 'cafe.example', cookie: 'session=anna' }
const byCookie = {
  authenticate: (request: { header(name: string): string | undefined }) =>
    /session=(\w+)/.exec(request.header('cookie') ?? '')?.[1] ??
    request.header('authorization')?.replace('Bearer ', ''),
}

test.each([
  ['a page of another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
  ['a page of a sibling site', { 'sec-fetch-site': 'same-site', origin: 'https://blog.cafe.example' }],
  ['a page that calls itself same-site and hides its origin', { 'sec-fetch-site': 'same-site', origin: 'null' }],
  ['an older browser’s page of another site', { origin: 'https://evil.example' }],
  ['an older browser’s page of another port', { origin: 'https://cafe.example:8443' }],
  ['a page without an origin to tell', { origin: 'null' }],
  ['a page whose origin is no origin', { origin: 'cafe.example' }],
  ['a browser that says something new', { 'sec-fetch-site': 'elsewhere', origin: 'https://cafe.example' }],
])('with cookies alone, %s is refused before anybody is authenticated', async (_title, headers) => {
  let asked = 0
  const cafe = await openCafe({
    authenticate: (request) => {
      asked++
      return byCookie.authenticate(request)
    },
  })
  for (const path of ['/sync/intents', '/sync/push', '/sync/pull', '/sync/live'])
    expect(await cafe.send(path, espresso, { ...site, 'idempotency-key': '"k"', ...headers })).toMatchObject({
      status: 403,
      body: { code: 'cross_site', phase: 'authenticate', retryable: false },
    })
  expect(asked).toBe(0)
  expect(cafe.coffees()).toEqual([])
  expect((await cafe.authority.health()).counters).toMatchObject({ crossSite: 4 })
})

test.each([
  ['a page of this site', { 'sec-fetch-site': 'same-origin', origin: 'https://cafe.example' }],
  [
    'a page of this site behind a proxy that has another name',
    { 'sec-fetch-site': 'same-origin', origin: 'https://public.example' },
  ],
  ['an older browser’s page of this site', { origin: 'https://cafe.example' }],
  ['a person who typed the address', { 'sec-fetch-site': 'none' }],
  ['a program that is no browser', {}],
])('with cookies alone, %s is served', async (_title, headers) => {
  const cafe = await openCafe(byCookie)
  expect(await cafe.send('/sync/intents', espresso, { ...site, 'idempotency-key': '"k"', ...headers })).toMatchObject({
    status: 200,
    body: { status: 'applied' },
  })
})

test('a token that a page must hold itself is proof enough, wherever the page is from; but no answer lets it read', async () => {
  const cafe = await openCafe()
  const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://other.example', cookie: 'a=b' }
  const answer = await cafe.plain('anna', '"k"', espresso, headers)
  expect(answer).toMatchObject({ status: 200 })
  expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
  expect(
    await cafe.send('/sync/intents', '', { ...headers, 'access-control-request-method': 'POST' }, 'OPTIONS'),
  ).toMatchObject({
    status: 405,
    headers: { allow: 'POST' },
  })
})

test('pages of a listed origin may ask, send and read, with cookies or without; others not', async () => {
  const cafe = await openCafe({ ...byCookie, browserOrigins: ['https://app.example', 'http://localhost:5173'] })
  const origin = 'https://app.example'
  const asked = await cafe.authority.handle({
    method: 'OPTIONS',
    path: '/sync/push',
    header: (name) => (name === 'origin' ? origin : undefined),
    text: async () => '',
  })
  expect(asked).toMatchObject({
    status: 204,
    headers: {
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': expect.stringContaining('idempotency-key'),
      vary: 'origin',
    },
  })
  const headers = { ...site, 'sec-fetch-site': 'cross-site', 'idempotency-key': '"k"' }
  expect(await cafe.send('/sync/intents', espresso, { ...headers, origin })).toMatchObject({
    status: 200,
    headers: {
      'access-control-allow-origin': origin,
      'access-control-expose-headers': expect.stringContaining('retry-after'),
    },
  })
  // Also what is wrong can be read there.
  expect(await cafe.send('/sync/nowhere', {}, { origin })).toMatchObject({
    status: 404,
    headers: { 'access-control-allow-origin': origin },
  })
  for (const other of ['https://app.example.evil.example', 'https://APP.example', 'http://app.example', 'null']) {
    const answer = await cafe.send('/sync/intents', espresso, { ...headers, origin: other })
    expect(answer, other).toMatchObject({ status: 403, headers: { vary: 'origin' } })
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
  }
})

test.each(['*', 'app.example', 'https://app.example/', 'https://app.example:443', 'https://*.example', 'file:///x'])(
  'the origin %j cannot be listed',
  async (origin) => {
    await expect(openCafe({ browserOrigins: [origin] })).rejects.toThrow('browserOrigins')
  },
)

test('a rate at which nobody could ever send is refused at the start, and no limit is one too', async () => {
  for (const rate of [
    { perSecond: 0, burst: 5 },
    { perSecond: 1, burst: 0 },
    { perSecond: Number.NaN, burst: 5 },
  ])
    await expect(openCafe({ tuning: { rate } })).rejects.toThrow('createAuthority: rate is')
  const cafe = await openCafe({ tuning: { rate: { perSecond: Number.POSITIVE_INFINITY, burst: 1 } } })
  for (let time = 0; time < 10; time++) expect(await cafe.plain('anna', '"k"', espresso)).toMatchObject({ status: 200 })
})
