// Plain HTTP callers with a key: what is run, what is repeated, what is refused, and what their answers say. Titles are the contract.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createDeferred } from '../../src/base/deferred.ts'
import { decode } from '../../src/protocol/codec.ts'
import { keyHeader, keyTime } from '../../src/protocol/plain.ts'
import { KEY, openCafe } from './http-stage.ts'

const DAY_MS = 24 * 60 * 60 * 1_000
const WINDOW_S = String((400 * DAY_MS) / 1_000)
const espresso = { name: 'buy', args: { kind: 'espresso' } }

test('[I3] a request that is repeated with its key gets the stored answer, and nothing runs twice', async () => {
  const cafe = await openCafe()
  const first = await cafe.plain('anna', KEY, espresso)
  expect(first).toMatchObject({
    status: 200,
    headers: { 'content-type': 'application/json', 'idempotency-window': WINDOW_S },
    body: { status: 'applied', intentId: expect.any(String), requestId: expect.any(String) },
  })
  expect(first.body).not.toHaveProperty('repeated')
  cafe.pass(DAY_MS)
  const again = await cafe.plain('anna', KEY, espresso)
  expect(again).toMatchObject({
    status: 200,
    body: { status: 'applied', repeated: true, intentId: first.body['intentId'] },
  })
  expect(cafe.coffees()).toEqual(['espresso'])
})

test('[I3] a rejection is stored like a success: repeated, it is given again', async () => {
  const cafe = await openCafe()
  const decaf = { name: 'buy', args: { kind: 'decaf' } }
  const outcome = { status: 'rejected', code: 'not_coffee', details: { kind: 'decaf' } }
  expect(await cafe.plain('anna', '"k"', decaf)).toMatchObject({ status: 200, body: outcome })
  expect(await cafe.plain('anna', '"k"', decaf)).toMatchObject({ status: 200, body: { ...outcome, repeated: true } })
  expect(cafe.coffees()).toEqual([])
})

test('[I3] a repeat finds its outcome after a restart, and without another row in the ledger', async () => {
  const first = await openCafe()
  await first.plain('anna', '"k"', espresso)
  await first.authority.close()
  const second = await openCafe({ path: first.path })
  for (let time = 0; time < 3; time++)
    expect(await second.plain('anna', '"k"', espresso)).toMatchObject({ body: { status: 'applied', repeated: true } })
  expect(second.sql('SELECT count(*) AS n FROM holdfast_ledger')).toEqual([{ n: 1 }])
})

test('the same key with another name, version or other arguments is answered 422, and nothing is run', async () => {
  const cafe = await openCafe()
  await cafe.plain('anna', '"k"', espresso)
  for (const other of [
    { name: 'buy', args: { kind: 'latte' } },
    { name: 'order', args: { kind: 'espresso' } },
    { ...espresso, version: 7 },
  ]) {
    expect(await cafe.plain('anna', '"k"', other)).toMatchObject({
      status: 422,
      headers: { 'content-type': 'application/problem+json', 'idempotency-window': WINDOW_S },
      body: { code: 'key_reused', retryable: false, intentId: expect.any(String) },
    })
  }
  expect(await cafe.plain('anna', '"k"', { args: { kind: 'espresso' }, name: 'buy', version: 1 })).toMatchObject({
    body: { repeated: true },
  })
  expect(cafe.coffees()).toEqual(['espresso'])
})

test('while the first is still running its key is answered 409 with a delay, and another request under it 422', async () => {
  let go: () => void = () => undefined
  const began = createDeferred<void>()
  const cafe = await openCafe({
    mutators: {
      buy: async (tx, { kind }) => {
        await tx.coffees.insert({ id: tx.newId('coffee'), ownerId: tx.actor, kind })
        began.resolve()
        await new Promise<void>((resolve) => {
          go = resolve
        })
      },
    },
  })
  const first = cafe.plain('anna', '"k"', espresso)
  await began.promise
  expect(await cafe.plain('anna', '"k"', espresso)).toMatchObject({
    status: 409,
    headers: { 'retry-after': '1' },
    body: { code: 'in_progress', retryable: true, retryAfterMs: 1_000 },
  })
  expect(await cafe.plain('anna', '"k"', { name: 'buy', args: { kind: 'latte' } })).toMatchObject({
    status: 422,
    body: { code: 'key_reused' },
  })
  go()
  expect(await first).toMatchObject({ body: { status: 'applied' } })
  expect(await cafe.plain('anna', '"k"', espresso)).toMatchObject({ body: { status: 'applied', repeated: true } })
  expect(cafe.coffees()).toEqual(['espresso'])
})

test('[I3] two authorities on one database decide one key once: the second waits and gets the outcome of the first', async () => {
  const one = await openCafe()
  const two = await openCafe({ path: one.path })
  for (let round = 0; round < 20; round++) {
    const answers = await Promise.all([one, two].map((cafe) => cafe.plain('anna', `"round-${round}"`, espresso)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(answers.filter(({ body }) => body['repeated'] === true)).toHaveLength(1)
  }
  const other = { name: 'buy', args: { kind: 'latte' } }
  const answers = await Promise.all([one.plain('anna', '"both"', espresso), two.plain('anna', '"both"', other)])
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 422])
  expect(one.coffees()).toHaveLength(21)
})

test('[I3] sixteen requests at once under one key run once: each is answered with the outcome, or that it is still running', async () => {
  const cafe = await openCafe()
  const answers = await Promise.all(Array.from({ length: 16 }, () => cafe.plain('anna', '"k"', espresso)))
  expect(answers.filter(({ status, body }) => status === 200 && body['repeated'] === undefined)).toHaveLength(1)
  for (const { status, body } of answers)
    expect(status === 409 ? body['code'] : body['status']).toMatch(/in_progress|applied/)
  expect(cafe.coffees()).toEqual(['espresso'])
})

test('[I3] a key belongs to its actor: another one under the same key runs its own, and is told nothing of the first', async () => {
  const cafe = await openCafe()
  await cafe.plain('anna', KEY, espresso)
  await cafe.plain('anna', '"order-7"', { name: 'buy', args: { kind: 'decaf' } })
  for (const key of [KEY, '"order-7"']) {
    const bens = await cafe.plain('ben', key, { name: 'buy', args: { kind: 'latte' } })
    expect(bens).toMatchObject({ status: 200, body: { status: 'applied' } })
    expect(bens.body).not.toHaveProperty('repeated')
  }
  expect(cafe.coffees()).toEqual(['espresso', 'latte', 'latte'])
})

test('the key may stand in the body as client_log_id, and is the same key; two that differ are answered 400', async () => {
  const cafe = await openCafe()
  expect(await cafe.plain('anna', undefined, { ...espresso, client_log_id: 'log-1' })).toMatchObject({ status: 200 })
  expect(await cafe.plain('anna', '"log-1"', espresso)).toMatchObject({ body: { repeated: true } })
  expect(await cafe.plain('anna', '"log-1"', { ...espresso, client_log_id: 'log-1' })).toMatchObject({
    body: { repeated: true },
  })
  expect(await cafe.plain('anna', '"log-1"', { ...espresso, client_log_id: 'log-2' })).toMatchObject({
    status: 400,
    body: { code: 'malformed', detail: expect.stringContaining('client_log_id') },
  })
})

test('a request without a key is answered 400 where the mutator does not say what counts as the same', async () => {
  const cafe = await openCafe()
  expect(await cafe.plain('anna', undefined, espresso)).toMatchObject({
    status: 400,
    body: { code: 'key_missing', type: 'urn:holdfast:problem:key_missing', phase: 'decode', retryable: false },
  })
  expect(cafe.coffees()).toEqual([])
})

test.each([
  'unquoted',
  '""',
  '"two words"',
  '"tab\tbed"',
  '"ümlaut"',
  '"a", "b"',
  '"a";q=1',
  '"open',
  '"a"b"',
  '"back\\slash"',
  `"${'x'.repeat(256)}"`,
  '?1',
  '',
])('[I12] the key %j is refused by its form, before anything is looked up', async (key) => {
  const cafe = await openCafe()
  expect(await cafe.plain('anna', key, espresso)).toMatchObject({
    status: 400,
    body: { code: 'malformed', detail: expect.stringMatching(/^Idempotency-Key must be/) },
  })
  expect(cafe.sql('SELECT count(*) AS n FROM holdfast_ledger')).toEqual([{ n: 0 }])
})

test('[I12] a key of 255 visible characters is taken, with quotes and backslashes escaped as RFC 8941 has it', async () => {
  const cafe = await openCafe()
  const key = `a"\\${'~'.repeat(252)}`
  const quoted = `"${key.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
  expect(await cafe.plain('anna', ` ${quoted} `, espresso)).toMatchObject({ status: 200 })
  expect(await cafe.plain('anna', undefined, { ...espresso, client_log_id: key })).toMatchObject({
    body: { repeated: true },
  })
  expect(await cafe.plain('anna', undefined, { ...espresso, client_log_id: `${key}x` })).toMatchObject({ status: 400 })
  expect(await cafe.plain('anna', undefined, { ...espresso, client_log_id: 7 })).toMatchObject({
    status: 400,
    body: { detail: expect.stringContaining('client_log_id must be a text') },
  })
})

test('what is refused before it runs is not stored: mended, it may come under the same key', async () => {
  const cafe = await openCafe()
  const refused: readonly (readonly [unknown, number, string])[] = [
    [{ args: {} }, 400, 'malformed'],
    [{ ...espresso, version: 0 }, 400, 'malformed'],
    [{ ...espresso, madeAt: 'now' }, 400, 'malformed'],
    [{ name: 'buy', args: { kind: '\u0000' } }, 400, 'malformed'],
    [{ name: 'buy', args: { constructor: 1 } }, 400, 'malformed'],
    [{ name: 'steal', args: {} }, 422, 'version_unknown'],
    [{ name: 'toString', args: {} }, 422, 'version_unknown'],
    [{ ...espresso, version: 2 }, 422, 'version_unknown'],
    [{ name: 'buy', args: { kind: 7 } }, 422, 'arguments_invalid'],
    [{ name: 'buy' }, 422, 'arguments_invalid'],
  ]
  for (const [body, status, code] of refused)
    expect(await cafe.plain('anna', '"k"', body), JSON.stringify(body)).toMatchObject({ status, body: { code } })
  expect(cafe.sql('SELECT count(*) AS n FROM holdfast_ledger')).toEqual([{ n: 0 }])
  expect(await cafe.plain('anna', '"k"', espresso)).toMatchObject({ status: 200, body: { status: 'applied' } })
})

test('a mutator that fails is a fault: nothing is stored, nothing leaks, and the same key runs once it is mended', async () => {
  const cafe = await openCafe()
  const poison = { name: 'buy', args: { kind: 'poison' } }
  const answer = await cafe.plain('anna', '"k"', poison)
  expect(answer).toMatchObject({
    status: 500,
    headers: { 'retry-after': '5' },
    body: { code: 'fault', retryable: true, retryAfterMs: 5_000, intentId: expect.any(String) },
  })
  expect(JSON.stringify(answer.body)).not.toContain('ingredient')
  expect(cafe.coffees()).toEqual([])
  await cafe.authority.close()
  const mended = await openCafe({ path: cafe.path, mutators: { buy: async () => undefined } })
  const after = await mended.plain('anna', '"k"', poison)
  expect(after).toMatchObject({ status: 200, body: { status: 'applied' } })
  expect(after.body).not.toHaveProperty('repeated')
})

test('[I9] a plain caller writes under the grants of its actor, and absent and forbidden look the same', async () => {
  const cafe = await openCafe()
  await cafe.plain('anna', '"k"', espresso)
  const [{ id } = { id: '' }] = cafe.sql('SELECT id FROM coffees') as readonly { readonly id: string }[]
  const update = (id: string) => ({ name: 'updateCoffees', args: { id, kind: 'mine' } })
  const theirs = await cafe.plain('ben', '"1"', update(id))
  const nobodys = await cafe.plain('ben', '"2"', update('no-such-row'))
  expect(theirs.body).toMatchObject({ status: 'rejected', code: 'row_gone', details: { table: 'coffees' } })
  expect(nobodys.body).toMatchObject({ status: 'rejected', code: 'row_gone', details: { table: 'coffees' } })
  const insert = { name: 'insertCoffees', args: { id: 'c', ownerId: 'anna', kind: 'forged' } }
  expect((await cafe.plain('ben', '"3"', insert)).body).toMatchObject({ status: 'rejected', code: 'forbidden' })
  expect(cafe.coffees()).toEqual(['espresso'])
})

test('who is asking comes first: without credentials nothing is said of any key', async () => {
  const cafe = await openCafe()
  await cafe.plain('anna', '"k"', espresso)
  const nobody = await cafe.send('/sync/intents', espresso, { 'idempotency-key': '"k"' })
  expect(nobody).toMatchObject({
    status: 401,
    headers: { 'www-authenticate': 'Bearer', 'idempotency-window': WINDOW_S },
    body: { code: 'unauthenticated' },
  })
})

test('a caller that names no version is known again after the mutator has got a new one', async () => {
  const cafe = await openCafe()
  const old = { name: 'renamed', version: 1, args: { name: 'mocha' } }
  expect(await cafe.plain('anna', '"k"', old)).toMatchObject({ body: { status: 'applied' } })
  expect(await cafe.plain('anna', '"k"', { name: 'renamed', args: { name: 'mocha' } })).toMatchObject({
    status: 200,
    body: { repeated: true },
  })
  expect(await cafe.plain('anna', '"k"', { name: 'renamed', version: 2, args: { name: 'mocha' } })).toMatchObject({
    status: 422,
    body: { code: 'key_reused' },
  })
  expect(cafe.coffees()).toEqual(['mocha'])
})

test('what is older than the window has an answer of its own: 410, whether the ledger still has it or not', async () => {
  const cafe = await openCafe()
  const first = await cafe.plain('anna', '"k"', espresso)
  const keptUntil = Number(first.body['keptUntil'])
  cafe.pass(399 * DAY_MS)
  expect(await cafe.plain('anna', '"k"', espresso)).toMatchObject({ body: { repeated: true } })
  cafe.pass(2 * DAY_MS)
  const expired = { status: 410, body: { code: 'expired', retryable: false } }
  expect(await cafe.plain('anna', '"k"', espresso)).toMatchObject(expired)
  await cafe.authority.prune()
  expect(cafe.sql('SELECT count(*) AS n FROM holdfast_ledger')).toEqual([{ n: 0 }])
  // Forgotten: only a time tells, that of the body or that of a key which has one.
  expect(await cafe.plain('anna', '"k"', { ...espresso, madeAt: keptUntil - 400 * DAY_MS })).toMatchObject(expired)
  const seventh = '017f22e2-79b0-7cc3-98c4-dc0c0c07398f'
  expect(keyTime(seventh)).toBe(Date.parse('2022-02-22T19:22:22.000Z'))
  expect(await cafe.plain('anna', `"${seventh}"`, espresso)).toMatchObject(expired)
  expect(cafe.coffees()).toEqual(['espresso'])
})

test('the window is what the authority is tuned to, and is published in every answer', async () => {
  const cafe = await openCafe({ tuning: { keepSilentMs: 3_600_000 } })
  const before = Date.now()
  const { headers, body } = await cafe.plain('anna', '"k"', espresso)
  expect(headers['idempotency-window']).toBe('3600')
  expect(Number(body['keptUntil'])).toBeGreaterThanOrEqual(before + 3_600_000)
  expect(Number(body['keptUntil'])).toBeLessThanOrEqual(Date.now() + 3_600_000)
  expect((await cafe.plain('anna', undefined, espresso)).headers['idempotency-window']).toBe('3600')
})

test('every problem links to a page that says what its code means and how keys work', async () => {
  const cafe = await openCafe()
  const { headers } = await cafe.plain('anna', undefined, espresso)
  const [, path = ''] = /^<(.*)>; rel="describedby"; type="text\/plain"$/.exec(headers['link'] ?? '') ?? []
  expect(path).toBe('/sync/problems/key_missing')
  const page = await cafe.send(path, '', {}, 'GET')
  expect(page).toMatchObject({ status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' } })
  expect(page.body['text']).toMatch(/key_missing:.*Idempotency-Key: "8e03.*400 days/s)
  expect(await cafe.send('/sync/problems/gap', '', {}, 'GET')).toMatchObject({ status: 200 })
  expect(await cafe.send('/sync/problems/toString', '', {}, 'GET')).toMatchObject({ status: 404 })
  expect(await cafe.send(path, '', {}, 'POST')).toMatchObject({ status: 405, headers: { allow: 'GET' } })
})

test('counters tell operators what was repeated, and only the authority’s own process', async () => {
  const cafe = await openCafe()
  await cafe.plain('anna', '"k"', espresso)
  await cafe.plain('anna', '"k"', espresso)
  await cafe.plain('anna', undefined, espresso)
  expect((await cafe.authority.health()).counters).toMatchObject({ plain: 2, repeated: 1, deduplicated: 0 })
  expect((await cafe.send('/health', '', {}, 'GET')).body).not.toHaveProperty('counters')
})

test('[I12] any header is taken as a key or refused, never thrown, and what is taken is one key in one form', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.stringMatching(/^[ \t]*"[ -~]{0,300}"[ \t]*$/))
  fc.assert(
    fc.property(text, (header) => {
      const read = decode(keyHeader, header)
      if (!read.ok) return
      expect(read.value).toMatch(/^[!-~]{1,255}$/)
      const again = decode(keyHeader, `"${read.value.replace(/["\\]/g, '\\$&')}"`)
      expect(again).toEqual(read)
    }),
    { numRuns: 1_000 },
  )
})

test('[I3] whatever is sent in whatever order over two authorities, each key of each actor has the outcome of what first ran under it', async () => {
  const one = await openCafe()
  const two = await openCafe({ path: one.path })
  const kinds = ['espresso', 'latte', 'decaf', 'poison']
  const step = fc.record({
    actor: fc.constantFrom('anna', 'ben'),
    key: fc.constantFrom('a', 'b', 'c'),
    kind: fc.constantFrom(...kinds),
    cafe: fc.constantFrom(one, two),
  })
  let run = 0
  let bought = 0
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { maxLength: 12 }), async (rounds) => {
      run++
      const decided = new Map<string, { readonly kind: string; readonly status: unknown }>()
      for (const round of rounds) {
        const answered = await Promise.all(
          round.map(async ({ actor, key, kind, cafe }) => {
            const seen = await cafe.plain(actor, `"${run}-${key}"`, { name: 'buy', args: { kind } })
            return { ...seen, place: `${actor} ${key}`, kind }
          }),
        )
        for (const { status, body, place, kind } of answered) {
          if (status !== 200 || body['repeated'] === true) continue
          expect(decided.has(place)).toBe(false)
          decided.set(place, { kind, status: body['status'] })
          if (body['status'] === 'applied') bought++
        }
        for (const { status, body, place, kind } of answered) {
          const first = decided.get(place)
          if (status === 200) expect([first?.kind, first?.status]).toEqual([kind, body['status']])
          else if (status === 500) expect(kind).toBe('poison')
          else expect([409, 422]).toContain(status)
          if (status === 422 && round.length === 1) expect(first?.kind).not.toBe(kind)
          if (status === 409) expect(round.length).toBeGreaterThan(1)
        }
      }
    }),
    { numRuns: 60 },
  )
  expect(one.coffees()).toHaveLength(bought)
})
