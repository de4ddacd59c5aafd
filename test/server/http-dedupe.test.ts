// Plain callers without a key, where a mutator says what counts as the same: one row decides, in the transaction of the intent.

import { defineApp, t, table } from 'holdfast'
import { expect, test } from 'vitest'
import { openCafe } from './http-stage.ts'
import { anything } from './scenario.ts'

const order = (kind: string, more: object = {}) => ({ name: 'order', args: { kind, ...more } })

test('[I3] the same call again within the window is not run: it is told as deduplicated, with the first one’s id and outcome', async () => {
  const cafe = await openCafe()
  const first = await cafe.plain('anna', undefined, order('espresso'))
  expect(first).toMatchObject({ status: 200, body: { status: 'applied' } })
  expect(first.body).not.toHaveProperty('deduplicated')
  cafe.pass(59_000)
  const second = await cafe.plain('anna', undefined, { args: { kind: 'espresso' }, name: 'order' })
  expect(second).toMatchObject({
    status: 200,
    body: { status: 'applied', deduplicated: true, intentId: first.body['intentId'] },
  })
  expect(cafe.coffees()).toEqual(['espresso'])
  expect(cafe.sql('SELECT count(*) AS n FROM holdfast_ledger')).toEqual([{ n: 1 }])
  expect((await cafe.authority.health()).counters).toMatchObject({ plain: 2, deduplicated: 1, repeated: 0 })
})

test('after the window it is a new one, and a duplicate does not make the window longer', async () => {
  const cafe = await openCafe()
  await cafe.plain('anna', undefined, order('espresso'))
  cafe.pass(40_000)
  await cafe.plain('anna', undefined, order('espresso'))
  cafe.pass(20_001)
  const third = await cafe.plain('anna', undefined, order('espresso'))
  expect(third.body).not.toHaveProperty('deduplicated')
  expect(cafe.coffees()).toEqual(['espresso', 'espresso'])
  expect(await cafe.plain('anna', undefined, order('espresso'))).toMatchObject({
    body: { deduplicated: true, intentId: third.body['intentId'] },
  })
})

test('another actor, other arguments, another parent and another mutator are other calls; the order of members is not', async () => {
  const cafe = await openCafe()
  await cafe.plain('anna', undefined, order('espresso', { table: '1' }))
  const others = [
    ['ben', order('espresso', { table: '1' })],
    ['anna', order('latte', { table: '1' })],
    ['anna', order('espresso', { table: '2' })],
  ] as const
  for (const [actor, body] of others)
    expect((await cafe.plain(actor, undefined, body)).body).not.toHaveProperty('deduplicated')
  expect(await cafe.plain('anna', undefined, '{"args":{"table":"1","kind":"espresso"},"name":"order"}')).toMatchObject({
    body: { deduplicated: true },
  })
  expect(cafe.coffees()).toEqual(['espresso', 'espresso', 'espresso', 'latte'])
})

test('[I3] sixteen at once, over two authorities on one database, are one', async () => {
  const one = await openCafe()
  const two = await openCafe({ path: one.path })
  const answers = await Promise.all(
    Array.from({ length: 16 }, (_, index) => (index % 2 === 0 ? one : two).plain('anna', undefined, order('espresso'))),
  )
  expect(answers.filter(({ body }) => body['deduplicated'] === undefined)).toHaveLength(1)
  expect(new Set(answers.map(({ body }) => body['intentId'])).size).toBe(1)
  expect(one.coffees()).toEqual(['espresso'])
})

test('a rejection counts as the first one’s outcome; a fault does not: the next call runs', async () => {
  const cafe = await openCafe()
  await cafe.plain('anna', undefined, order('decaf'))
  expect(await cafe.plain('anna', undefined, order('decaf'))).toMatchObject({
    body: { status: 'rejected', code: 'not_coffee', deduplicated: true },
  })
  expect(await cafe.plain('anna', undefined, order('poison'))).toMatchObject({ status: 500, body: { code: 'fault' } })
  await cafe.authority.close()
  const mended = await openCafe({ path: cafe.path, mutators: { order: async () => undefined } })
  const next = await mended.plain('anna', undefined, order('poison'))
  expect(next).toMatchObject({ status: 200, body: { status: 'applied' } })
  expect(next.body).not.toHaveProperty('deduplicated')
  expect(await mended.plain('anna', undefined, order('poison'))).toMatchObject({
    body: { deduplicated: true, intentId: next.body['intentId'] },
  })
})

test('what is refused before it runs does not count as a first one', async () => {
  const cafe = await openCafe()
  expect(await cafe.plain('anna', undefined, { name: 'order', args: {} })).toMatchObject({ status: 422 })
  expect(cafe.sql('SELECT count(*) AS n FROM holdfast_dedupe')).toEqual([{ n: 0 }])
})

test('with a key nothing is compared: the same coffee may be bought twice', async () => {
  const cafe = await openCafe()
  for (const key of ['"1"', '"2"'])
    expect(await cafe.plain('anna', key, order('espresso'))).toMatchObject({ status: 200 })
  const without = await cafe.plain('anna', undefined, order('espresso'))
  expect(without.body).not.toHaveProperty('deduplicated')
  expect(cafe.coffees()).toHaveLength(3)
})

test('a clock that was set back does not hold a call for longer than a window', async () => {
  const cafe = await openCafe()
  cafe.pass(10 * 86_400_000)
  await cafe.plain('anna', undefined, order('espresso'))
  cafe.pass(-10 * 86_400_000)
  const next = await cafe.plain('anna', undefined, order('espresso'))
  expect(next).toMatchObject({ status: 200, body: { status: 'applied' } })
  expect(next.body).not.toHaveProperty('deduplicated')
})

test('pruning forgets calls whose window is over, and erasing an actor forgets that actor’s', async () => {
  const cafe = await openCafe()
  await cafe.plain('anna', undefined, order('espresso'))
  cafe.pass(61_000)
  await cafe.plain('ben', undefined, order('espresso'))
  await cafe.authority.prune()
  expect(cafe.sql('SELECT actor FROM holdfast_dedupe')).toEqual([{ actor: 'ben' }])
  await cafe.authority.erase('ben')
  expect(cafe.sql('SELECT actor FROM holdfast_dedupe')).toEqual([])
})

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
  'a window of %s milliseconds is refused at the declaration',
  (withinMs) => {
    const declare = () =>
      defineApp({
        tables: { notes: table({ id: t.id(), ownerId: t.text() }).scope('user', 'ownerId') },
        mutators: ({ mutator }) => ({ add: mutator(anything(), async () => undefined, { dedupe: { withinMs } }) }),
      })
    expect(declare).toThrow(/dedupe.withinMs is .* whole number of milliseconds/)
  },
)
