// One authority under four kinds of server: our own listener over node:http, Hono, Express, and a bare `fetch` handler. Under each of them
// the same is tried: a push, a pull, a live stream, a plain request, and what goes wrong.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import { createClient } from 'holdfast/client'
import { node, serve, toNode } from 'holdfast/node'
import type { Authority } from 'holdfast/server'
import { Hono } from 'hono'
import { describe, expect, onTestFinished, test } from 'vitest'
import { LIMITS } from '../../src/protocol/limits.ts'
import { cafe as app, openCafe } from './http-stage.ts'

type Ask = (path: string, init?: RequestInit) => Promise<Response>
type Mounted = (authority: Pick<Authority, 'handle' | 'fetch'>) => Promise<Ask>

/** Listens with a handler of Node's kind. */
async function listen(handler: RequestListener): Promise<string> {
  const server: Server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    const closed = new Promise<void>((resolve) => void server.close(() => resolve()))
    server.closeAllConnections()
    await closed
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const at =
  (url: string): Ask =>
  (path, init) =>
    fetch(url + path, init)

const servers: { readonly [name: string]: Mounted } = {
  'our listener over node:http': async (authority) => {
    const listener = await serve(authority, { port: 0, closeMs: 50 })
    onTestFinished(() => listener.close())
    return at(listener.url)
  },
  'a server of node:http': async (authority) => at(await listen(toNode(authority))),
  'Express, at a path of its own': async (authority) => {
    const site = express()
    site.get('/', (_request, response) => void response.send('the site'))
    site.use('/sync', toNode(authority))
    site.use(express.json())
    return at(await listen(site))
  },
  'Express, as the last handler': async (authority) => {
    const site = express()
    site.get('/', (_request, response) => void response.send('the site'))
    site.use(toNode(authority))
    return at(await listen(site))
  },
  Hono: async (authority) => {
    const site = new Hono()
    site.get('/', (context) => context.text('the site'))
    site.all('/sync/*', (context) => authority.fetch(context.req.raw))
    return async (path, init) => site.request(path, init)
  },
  'a bare fetch handler': async (authority) => {
    const handler = { fetch: (request: Request) => authority.fetch(request) }
    return (path, init) => handler.fetch(new Request(`http://cafe.example${path}`, init))
  },
}

const id = (n: number) => `0a0b0c0d-0000-4000-8000-${String(n).padStart(12, '0')}`
const caller = { protocol: 1, app: id(999), actor: 'anna', client: id(998), last: 1, stored: 0 }
const post = (body: unknown, more: RequestInit = {}): RequestInit => ({
  method: 'POST',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  ...more,
  headers: { 'content-type': 'application/json', authorization: 'Bearer anna', ...more.headers },
})
const intents = [{ sequence: 1, id: id(1), name: 'buy', version: 1, args: { kind: 'espresso' }, madeAt: 1 }]

describe.each(Object.entries(servers))('under %s', (_name, mount) => {
  test('a batch is pushed and decided, and its rows are pulled with their seal', async () => {
    const { authority } = await openCafe()
    const ask = await mount(authority)
    const pushed = await ask('/sync/push', post({ ...caller, intents }))
    expect([pushed.status, pushed.headers.get('content-type')]).toEqual([200, 'application/json'])
    expect(await pushed.json()).toMatchObject({ decided: 1, outcomes: [{ status: 'applied' }] })
    expect(await (await ask('/sync/push', post({ ...caller, intents }))).json()).toMatchObject({
      outcomes: [{ repeated: true }],
    })
    const pulled = await ask('/sync/pull', post({ ...caller, cursors: [] }))
    expect(await pulled.json()).toMatchObject({
      patches: [{ scope: 'user:anna', rows: { coffees: [{ kind: 'espresso' }] } }],
      seal: { decided: 1 },
    })
    expect((await ask('/sync/health')).status).toBe(200)
  })

  test('a live stream brings what is written elsewhere, and is forgotten when its caller leaves', async () => {
    const { authority } = await openCafe({ tuning: { tickMs: 1 } })
    const ask = await mount(authority)
    const leave = new AbortController()
    const cursors = [{ scope: 'user:anna', version: 0, mark: '' }]
    const live = await ask('/sync/live', post({ ...caller, cursors }, { signal: leave.signal }))
    expect([live.status, live.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
    const reader = (live.body as ReadableStream<Uint8Array>).getReader()
    const decoder = new TextDecoder()
    let heard = ''
    const until = async (what: RegExp) => {
      while (!what.test(heard)) {
        const read = await reader.read()
        if (read.done) throw new Error(`The stream ended after ${heard}`)
        heard += decoder.decode(read.value, { stream: true })
      }
    }
    await until(/event: seal\n/)
    await authority.run('anna', 'buy', { kind: 'ristretto' })
    await until(/event: patch\n.*ristretto.*event: seal\n/s)
    expect(await authority.health()).toMatchObject({ streams: 1 })
    leave.abort()
    await reader.read().catch(() => undefined)
    await expect.poll(async () => (await authority.health()).streams).toBe(0)
  })

  test('a stream ends when the authority is closed', async () => {
    const { authority } = await openCafe()
    const ask = await mount(authority)
    const live = await ask('/sync/live', post({ ...caller, cursors: [{ scope: 'user:anna', version: 0, mark: '' }] }))
    await authority.close()
    expect(await live.text()).toMatch(/^event: seal\n/)
  })

  test('a plain request with a key is decided once', async () => {
    const { authority, coffees } = await openCafe()
    const ask = await mount(authority)
    const plain = () =>
      ask('/sync/intents', post({ name: 'buy', args: { kind: 'latte' } }, { headers: { 'idempotency-key': '"k"' } }))
    expect(await (await plain()).json()).toMatchObject({ status: 'applied' })
    const again = await plain()
    expect(await again.json()).toMatchObject({ status: 'applied', repeated: true })
    expect(again.headers.get('idempotency-window')).toBe('34560000')
    expect(coffees()).toEqual(['latte'])
  })

  test('what goes wrong is a problem with its status, type and delay', async () => {
    const { authority } = await openCafe({ tuning: { rate: { perSecond: 0.1, burst: 3 } } })
    const ask = await mount(authority)
    const problems: readonly (readonly [RequestInit, number, string])[] = [
      [post('{}', { headers: { authorization: '' } }), 401, 'unauthenticated'],
      [post('{}', { headers: { 'content-type': 'text/plain' } }), 415, 'media_type'],
      [post('no JSON'), 400, 'malformed'],
      [post(`"${'x'.repeat(LIMITS.bodyBytes)}"`), 413, 'too_large'],
      [post('{}'), 429, 'rate_limited'],
    ]
    for (const [init, status, code] of problems) {
      const answer = await ask('/sync/push', init)
      expect([answer.status, answer.headers.get('content-type')], code).toEqual([status, 'application/problem+json'])
      expect(await answer.json()).toMatchObject({ status, code, requestId: answer.headers.get('x-request-id') })
      if (status === 429) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    }
    expect((await ask('/sync/push')).status).toBe(405)
  })
})

test.each([
  ['Express', (authority: Authority<typeof app>) => express().use(express.json()).use('/sync', toNode(authority))],
  [
    'a server that reads by itself',
    (authority: Authority<typeof app>): RequestListener =>
      (incoming, outgoing) =>
        void incoming.resume().on('end', () => toNode(authority)(incoming, outgoing)),
  ],
])(
  'a body that %s has read before is told to the operator, and the caller is told nothing but that it failed',
  async (_name, make) => {
    const { authority, logged } = await openCafe()
    const ask = at(await listen(make(authority as never) as RequestListener))
    const answer = await ask('/sync/push', post({ ...caller, intents }))
    expect([answer.status, await answer.json()]).toMatchObject([500, { code: 'internal' }])
    expect(String(logged.at(-1)?.cause)).toMatch(/mount it before any parser of bodies, such as express.json\(\)/)
  },
)

test('a body that Hono has read before is told to the operator', async () => {
  const { authority, logged } = await openCafe()
  const site = new Hono()
  site.use(async (context, next) => {
    await context.req.raw.text()
    await next()
  })
  site.all('/sync/*', (context) => authority.fetch(context.req.raw))
  expect((await site.request('/sync/push', post({ ...caller, intents }))).status).toBe(500)
  expect(String(logged.at(-1)?.cause)).toMatch(/before any parser of bodies/)
})

/** A device on a folder of its own, against what listens there. */
function device(url: string) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-mounted-'))
  const client = createClient({ app, host: node({ folder }), url, session: { actor: 'anna', token: 'anna' } })
  onTestFinished(async () => {
    await client.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return client
}

test('a device syncs through Express as it does through our own listener, live', async () => {
  const { authority } = await openCafe()
  const url = await listen(express().use('/sync', toNode(authority)))
  const [one, two] = [device(`${url}/sync`), device(`${url}/sync`)]
  const kinds: unknown[] = []
  const coffees = two.live(app.query.coffees)
  const hasHeard = new Promise<void>((resolve) => {
    coffees.subscribe((rows) => {
      kinds.splice(0, kinds.length, ...rows.map(({ kind }) => kind))
      if (kinds.includes('flat white')) resolve()
    })
  })
  expect(await one.mutate.buy({ kind: 'flat white' }).decided).toMatchObject({ status: 'applied' })
  await hasHeard
  expect(kinds).toEqual(['flat white'])
})

test('[I4] a device that is told to slow down waits for as long as it is told, keeps its outbox, and delivers all of it', async () => {
  const { authority, coffees } = await openCafe({ tuning: { rate: { perSecond: 20, burst: 2 } } })
  const listener = await serve(authority, { port: 0, closeMs: 50 })
  onTestFinished(() => listener.close())
  const client = device(`${listener.url}/sync`)
  for (let round = 0; round < 8; round++)
    expect(await client.mutate.buy({ kind: `round ${round}` }).decided).toMatchObject({ status: 'applied' })
  expect((await authority.health()).counters.rateLimited).toBeGreaterThan(0)
  expect(coffees()).toHaveLength(8)
})
