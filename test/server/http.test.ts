// The wire’s outside: routes, problems, request ids, hostile bodies, and the web-standard face.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SyncError } from '../../src/base/errors.ts'
import { decode } from '../../src/protocol/codec.ts'
import { LIMITS } from '../../src/protocol/limits.ts'
import { problem } from '../../src/protocol/problem.ts'
import { app, post, stage, uuid } from './scenario.ts'

const token = { authorization: 'Bearer anna' }
const workout = (id: string) => ['insertWorkouts', { id, ownerId: 'anna', name: 'Legs', done: false }] as const

test('every problem has code, phase, status, title, detail and request id, and says nothing of the inside', async () => {
  const on = await stage({
    authenticate: (request) => {
      if (request.header('authorization') === 'Bearer broken') throw new Error('/secret/path SELECT password')
      return request.header('authorization')?.replace('Bearer ', '')
    },
  })
  const anna = on.device('anna')
  const body = { ...anna.caller(), intents: [] }
  const cases: [string, unknown, { readonly [name: string]: string }, number, string, string][] = [
    ['/sync/push', body, {}, 401, 'unauthenticated', 'authenticate'],
    ['/sync/push', body, { authorization: 'Bearer ben' }, 403, 'actor_mismatch', 'authenticate'],
    ['/sync/push', body, { authorization: 'Bearer broken' }, 500, 'internal', 'commit'],
    ['/sync/push', body, { authorization: `Bearer ${'x'.repeat(200)}` }, 500, 'internal', 'commit'],
    ['/sync/push', 'no JSON', token, 400, 'malformed', 'decode'],
    ['/sync/push', { ...body, protocol: 2 }, token, 426, 'protocol_unsupported', 'decode'],
    ['/sync/push', { ...body, client: 'x' }, token, 400, 'malformed', 'decode'],
    ['/sync/pull', { ...anna.caller(), cursors: [{}] }, token, 400, 'malformed', 'decode'],
    ['/sync/live', { ...anna.caller(), cursors: {} }, token, 400, 'malformed', 'decode'],
    ['/sync/push', body, { ...token, 'content-type': 'text/plain' }, 415, 'media_type', 'decode'],
    ['/sync/elsewhere', body, token, 404, 'not_found', 'decode'],
    ['/sync/health', body, token, 405, 'method_not_allowed', 'decode'],
  ]
  for (const [path, sent, headers, status, code, phase] of cases) {
    const answer = await on.send(path, sent, { 'x-request-id': 'r-1', ...headers })
    expect(answer, `${path} ${code}`).toMatchObject({
      status,
      body: {
        status,
        code,
        phase,
        requestId: 'r-1',
        type: `urn:holdfast:problem:${code}`,
        title: expect.any(String),
        detail: expect.any(String),
      },
    })
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'x-request-id': 'r-1',
    })
    expect(decode(problem, answer.body).ok).toBe(true)
    expect(JSON.stringify(answer.body)).not.toMatch(/secret|SELECT|password|stack|node:|\.ts/)
    expect(on.logged.at(-1)).toMatchObject({ message: 'a request failed', requestId: 'r-1', code, status })
  }
})

test('[I12] a refused body names the field', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const [entry] = anna.make(workout(uuid()))
  const fields: [object, RegExp][] = [
    [{ intents: [{ ...entry, id: 'x' }] }, /^intents\[0\]\.id must be a UUID/],
    [{ intents: [{ ...entry, sequence: 0 }] }, /^intents\[0\]\.sequence must be/],
    [{ intents: [{ ...entry, args: { ['__proto__x']: 1, constructor: 2 } }] }, /^intents\[0\]\.args/],
    [{ intents: [entry, entry] }, /^intents\[1\]\.sequence/],
    [{ last: -1 }, /^last must be/],
    [{ app: 'mine' }, /^app must be/],
    [{ intents: [{ ...entry, args: 'x'.repeat(LIMITS.argsBytes + 1) }] }, /^intents\[0\]\.args is larger than/],
  ]
  for (const [change, expected] of fields) {
    const answer = await on.send('/sync/push', { ...anna.caller(), intents: [], ...change }, token)
    expect(answer).toMatchObject({ status: 400, body: { code: 'malformed', detail: expect.stringMatching(expected) } })
  }
})

test('[I12] hostile bodies are answered, never thrown, and change nothing', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const base = { ...anna.caller(), last: 1, intents: anna.make(workout(uuid())) }
  const text = JSON.stringify(base)
  const bodies = [
    '',
    'null',
    '[]',
    '"x"',
    '1e999',
    '{"protocol":1}',
    '['.repeat(1_000_000),
    `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    text.slice(0, -5),
    text.replace('"args":{', `"args":{"__proto__":{"polluted":true},`),
    text.replace('"args":{', '"args":{"constructor":{"prototype":1},'),
    text.replace('"Legs"', '"\\u0000"'),
    text.replace('"Legs"', '"\\ud800"'),
    text.replace('"sequence":1', '"sequence":9007199254740993'),
    text.replace('"sequence":1', '"sequence":1.5'),
    text.replace('"sequence":1', '"sequence":-0'),
    text.replace('"insertWorkouts"', '"__proto__"'),
    text.replace('"insertWorkouts"', '"toString"'),
    text.replace('"version":1', '"version":1e9'),
    text.replace('"madeAt":1700000000000', '"madeAt":1e99'),
    JSON.stringify({ ...base, intents: Array(1_001).fill(base.intents[0]) }),
    JSON.stringify({ ...base, intents: { length: 1 } }),
    JSON.stringify({ ...base, intents: [{ ...base.intents[0], needs: Array(65).fill(uuid()) }] }),
  ]
  for (const body of bodies) {
    const answer = await on.send('/sync/push', body, token)
    const isStop = answer.status === 200 && answer.body['decided'] === 0
    expect(isStop || (answer.status >= 400 && answer.status < 500), `${answer.status} for ${body.slice(0, 60)}`).toBe(
      true,
    )
  }
  expect(({} as { readonly polluted?: unknown }).polluted).toBeUndefined()
  expect(on.foreign('SELECT count(*) AS n FROM workouts')).toEqual([{ n: 0 }])
  expect(on.foreign('SELECT count(*) AS n FROM holdfast_ledger')).toEqual([{ n: 0 }])
})

test('[I12] any JSON, and any small change to a good request, is answered with a status below 500', async () => {
  const on = await stage()
  const good = on.device('anna')
  const request = {
    ...good.caller(),
    last: 3,
    intents: good.make(workout(uuid()), ['deleteWorkouts', { id: 'x' }]),
    cursors: [{ scope: 'user:anna', version: 0, mark: '' }],
  }
  const paths = Object.keys(request).flatMap((key) => [
    [key],
    [key, 0],
    [key, 0, 'id'],
    [key, 0, 'args'],
    [key, 0, 'sequence'],
    [key, 0, 'scope'],
    [key, 0, 'version'],
    [key, 0, 'mark'],
    [key, 0, 'within'],
  ])
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('push', 'pull'),
      fc.constantFrom(...paths),
      fc.jsonValue(),
      fc.boolean(),
      async (route, path, value, isWhole) => {
        const body = isWhole ? value : replaced(request, path, value)
        const answer = await on.send(`/sync/${route}`, JSON.stringify(body) ?? '', token)
        expect(answer.status).toBeLessThan(500)
      },
    ),
    { numRuns: 500 },
  )
  expect(app.tableNames).toHaveLength(5)
})

function replaced(value: unknown, [key, ...rest]: readonly (string | number)[], by: unknown): unknown {
  if (key === undefined) return by
  if (typeof value !== 'object' || value === null) return value
  const copy: { [key: string]: unknown } = Array.isArray(value) ? ([...value] as never) : { ...value }
  copy[key] = replaced(copy[key], rest, by)
  return copy
}

test('request ids are taken when they are harmless, and made when they are not', async () => {
  const on = await stage()
  const given = async (id: string) => (await on.send('/nowhere', {}, { 'x-request-id': id })).headers['x-request-id']
  expect(await given('abc-123_X.y')).toBe('abc-123_X.y')
  for (const bad of ['', 'a b', 'a\nb', '<script>', 'x'.repeat(65), 'ü'])
    expect(await given(bad)).toMatch(/^[0-9a-f-]{36}$/)
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  expect((await on.send('/nowhere', {}, { traceparent: trace })).headers['traceparent']).toBe(trace)
  expect((await on.send('/nowhere', {}, { traceparent: 'x\r\ny' })).headers['traceparent']).toBeUndefined()
})

test('[I13] a body over the limit is refused with 413, and what reading it threw is told', async () => {
  const on = await stage()
  const request = (error: unknown) => ({ ...post('/sync/push', '', token), text: () => Promise.reject(error) })
  expect(
    await on.authority.handle(request(new SyncError('too_large', 'The body is larger than the limit'))),
  ).toMatchObject({ status: 413 })
  expect(await on.authority.handle(request(new SyncError('malformed', 'The body is not UTF-8')))).toMatchObject({
    status: 400,
  })
  expect(await on.authority.handle(request(new Error('connection reset')))).toMatchObject({ status: 500 })
})

test('health says ok, and failing once the database is gone', async () => {
  const on = await stage()
  const get = (path: string) => on.authority.handle({ ...post(path, ''), method: 'GET' })
  for (const path of ['/health', '/sync/health']) {
    const answer = await get(path)
    expect(answer).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } })
    if ('body' in answer)
      expect(JSON.parse(answer.body)).toEqual({
        status: 'ok',
        protocol: 1,
        app: app.fingerprint,
        waiting: 0,
        streams: 0,
      })
  }
  await on.authority.close()
  expect(await get('/health')).toMatchObject({ status: 503 })
  expect(await on.device('anna').page()).toMatchObject({ status: 503, body: { code: 'unavailable', retryable: true } })
})

test('a database that does not fit the app fails every request and says so only to the operator', async () => {
  const first = await stage()
  await first.authority.close()
  first.foreign('DROP TABLE notes')
  first.foreign('CREATE TABLE notes (id TEXT PRIMARY KEY, gymId TEXT NOT NULL)')
  await expect(stage({ path: first.path })).rejects.toThrow('The table notes in the database has no column text')
})

test('a column that may be null is added to a table that lacks it', async () => {
  const first = await stage()
  await first.authority.close()
  first.foreign('ALTER TABLE workouts DROP COLUMN note')
  const second = await stage({ path: first.path })
  const anna = second.device('anna')
  expect(
    await anna.call(['insertWorkouts', { id: uuid(), ownerId: 'anna', name: '', note: 'kept', done: false }]),
  ).toMatchObject({ decided: 1 })
  await anna.pull()
  expect(anna.rows('workouts')).toMatchObject([{ note: 'kept' }])
})

test('fetch answers web-standard requests, with a stream where there is one', async () => {
  const on = await stage({ tuning: { tickMs: 1 } })
  const anna = on.device('anna')
  const request = (path: string, body: unknown, more: RequestInit = {}) =>
    new Request(`http://localhost:1234${path}?x=1`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json; charset=utf-8', ...token },
      ...more,
    })
  const pushed = await on.authority.fetch(
    request('/sync/push', { ...anna.caller(), last: 1, intents: anna.make(workout(uuid())) }),
  )
  expect(pushed.status).toBe(200)
  expect(await pushed.json()).toMatchObject({ decided: 1 })
  const large = await on.authority.fetch(request('/sync/push', 'x'.repeat(LIMITS.bodyBytes)))
  expect([large.status, large.headers.get('content-type')]).toEqual([413, 'application/problem+json'])
  const torn = await on.authority.fetch(
    new Request('http://localhost/sync/push', {
      method: 'POST',
      body: new Uint8Array([0x22, 0xff, 0x22]),
      headers: { 'content-type': 'application/json', ...token },
    }),
  )
  expect(torn.status).toBe(400)
  expect((await on.authority.fetch(new Request('http://localhost/health'))).status).toBe(200)

  await anna.pull()
  const abort = new AbortController()
  const cursors = [...anna.cursors].map(([scope, place]) => ({ scope, ...place }))
  const live = await on.authority.fetch(request('/sync/live', { ...anna.caller(), cursors }, { signal: abort.signal }))
  expect(live.headers.get('content-type')).toBe('text/event-stream')
  const reader = (live.body as ReadableStream<Uint8Array>).getReader()
  const read = async () => new TextDecoder().decode((await reader.read()).value)
  expect(await read()).toMatch(/^event: seal\n/)
  await on.authority.run('anna', 'insertWorkouts', {
    id: uuid(),
    ownerId: 'anna',
    name: 'Arms',
    note: null,
    done: false,
    extra: null,
  })
  expect(await read()).toMatch(/^event: patch\n.*Arms/s)
  expect(await read()).toMatch(/^event: seal\n/)
  expect(await on.authority.health()).toMatchObject({ streams: 1 })
  abort.abort()
  expect(await on.authority.health()).toMatchObject({ streams: 0 })
})
