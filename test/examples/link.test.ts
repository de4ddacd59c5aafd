// The bad network of an import: what each fate does, that every run has its share of each, and that progress stays possible.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { createFates, type Fate, LEAST } from '../../examples/workouts/src/import/fates.ts'
import { createLink, type Exchange, type Link } from '../../examples/workouts/src/import/link.ts'

describe('the fates of requests', () => {
  const seeds = Array.from({ length: 200 }, (_, seed) => seed)
  const fates = (seed: number, count: number): Fate[] => Array.from({ length: count }, createFates(seed))

  it('are the same for the same seed, and differ between seeds', () => {
    expect(fates(7, 100)).toEqual(fates(7, 100))
    expect(new Set(seeds.map((seed) => fates(seed, 40).join())).size).toBe(200)
  })

  it('lose and repeat enough before any whole answer passes, and later never stop progress for more than two requests', () => {
    for (const seed of seeds) {
      const all = fates(seed, 300)
      const before = all.slice(
        0,
        all.findIndex((fate) => fate === 'pass' || fate === 'repeat' || fate === 'repeatAtOnce' || fate === 'replay'),
      )
      expect(before.filter((fate) => fate === 'lose' || fate === 'repeatAndLose').length).toBeGreaterThanOrEqual(LEAST)
      expect(before.filter((fate) => fate.startsWith('repeat')).length).toBeGreaterThanOrEqual(LEAST)
      const later = all.slice(9).map((fate) => (['lose', 'truncate', 'cut'].includes(fate) ? 'x' : '.'))
      expect(later.join('')).not.toContain('xxx')
      expect(later).toContain('x')
    }
  })
})

describe('the link', () => {
  const servers: Server[] = []
  const links: Link[] = []
  afterEach(async () => {
    await Promise.all(links.splice(0).map((link) => link.close()))
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
  })

  async function setUp(seed = 1) {
    const heard: string[] = []
    const shown: Exchange[] = []
    const server = createServer(async (request, response) => {
      heard.push(await text(request))
      response.writeHead(request.url === '/sync/live' ? 200 : 201, {
        'content-type': 'text/plain',
        'x-kept': request.headers['x-sent'] ?? '',
      })
      response.end(`answer to ${heard.at(-1)}`)
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const link = await createLink({
      target: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      seed,
      onAnswer: (exchange) => shown.push(exchange),
    })
    links.push(link)
    const ask = async (body: string, path = '/sync/push') => {
      const response = await fetch(`${link.origin}${path}`, { method: 'POST', body, headers: { 'x-sent': 'yes' } })
      return { status: response.status, kept: response.headers.get('x-kept'), body: await response.text() }
    }
    return { heard, shown, link, ask }
  }

  it('is no network before it is opened', async () => {
    const { heard, link, ask } = await setUp()
    await expect(ask('a')).rejects.toThrow()
    expect(heard).toEqual([])
    link.open()
    await ask('b').catch(() => undefined)
    expect(link.counts().requests).toBe(1)
  })

  it('does what the fates say, shows every answer, and counts', async () => {
    const { heard, shown, link, ask } = await setUp(3)
    link.open()
    const nextFate = createFates(3)
    const expected = { answersLost: 0, requestsRepeated: 0, reached: 0 }
    for (let index = 0; index < 60; index++) {
      const fate = nextFate()
      const before = heard.length
      const answer = await ask(`request ${index}`).catch(() => undefined)
      const isLost = fate === 'cut' || fate === 'lose' || fate === 'truncate' || fate === 'repeatAndLose'
      expect(answer, `${index}: ${fate}`).toEqual(
        isLost ? undefined : { status: 201, kept: 'yes', body: `answer to request ${index}` },
      )
      const copies = fate === 'cut' ? 0 : fate.startsWith('rep') ? 2 : 1
      expect(heard.length - before, fate).toBe(copies)
      if (isLost && fate !== 'cut') expected.answersLost++
      if (copies === 2) expected.requestsRepeated++
      expected.reached += copies
    }
    expect(link.counts()).toMatchObject({
      requests: 60,
      answersLost: expected.answersLost,
      requestsRepeated: expected.requestsRepeated,
    })
    expect(expected.answersLost).toBeGreaterThanOrEqual(LEAST)
    expect(expected.requestsRepeated).toBeGreaterThanOrEqual(LEAST)
    expect(shown).toHaveLength(expected.reached)
    expect(link.counts().bytesUp).toBe(Array.from({ length: 60 }, (_, index) => `request ${index}`).join('').length)
  })

  it('passes streams on', async () => {
    const { link, ask } = await setUp(1)
    link.open()
    expect(await ask('listen', '/sync/live')).toEqual({ status: 200, kept: 'yes', body: 'answer to listen' })
  })
})
