// The parts of the React binding that need no React: queries that are shared by what they ask and closed when nobody holds them, and
// the older of two values that say the same.
import * as fc from 'fast-check'
import type { Query } from 'holdfast'
import { countOf, include, many, minOf, one, type QuestionSpec, sumOf } from 'holdfast/client'
import { describe, expect, test } from 'vitest'
import { keepEqual } from '../../src/bindings/react/keep-equal.ts'
import { createQueries, LOADING, meaningOf } from '../../src/bindings/react/queries.ts'
import { notes } from '../client/notes.ts'
import { createWorld } from '../client/world.ts'
import { count } from './count.ts'

const all = notes.query.notes
const meaning = meaningOf(all.spec)

async function createBench() {
  const world = createWorld()
  const counted = count(await world.client())
  const queries = createQueries(counted.client)
  return { world, queries, ...counted }
}

describe('a query', () => {
  test('that is looked at and never held is closed after a second, as of a render that was given up', async () => {
    const { world, queries, open } = await createBench()
    expect(queries.look(meaning, all)).toEqual({ state: 'ready', rows: [], isComplete: true })
    await world.clock.advance(999)
    expect(open()).toBe(1)
    await world.clock.advance(1)
    expect(open()).toBe(0)
  })

  test('that is held stays open, and is told of changes until it is let go', async () => {
    const { world, client, queries, opened, open } = await createBench()
    let told = 0
    queries.look(meaning, all)
    const letGo = queries.hold(meaning, all, () => {
      told += 1
    })
    await world.clock.advance(10_000)
    expect([opened(), open()]).toEqual([1, 1])
    client.mutate.put({ id: 'n1', text: 'a' })
    await world.clock.settle()
    expect(told).toBeGreaterThan(0)
    const before = told
    letGo()
    client.mutate.put({ id: 'n2', text: 'b' })
    await world.clock.settle()
    expect([told, open()]).toEqual([before, 0])
  })

  test('that two hold tells only the one that still does', async () => {
    const { world, client, queries, open } = await createBench()
    const told: string[] = []
    const letGo = queries.hold(meaning, all, () => void told.push('first'))
    queries.hold(meaning, all, () => void told.push('second'))
    letGo()
    letGo()
    client.mutate.put({ id: 'n1', text: 'a' })
    await world.clock.settle()
    expect([new Set(told), open()]).toEqual([new Set(['second']), 1])
  })

  test('that is held has no timer running', async () => {
    const { client } = await createBench()
    let running = 0
    const after = () => {
      running += 1
      return () => void running--
    }
    const queries = createQueries({
      live: client.live,
      host: { ...client.host, clock: { ...client.host.clock, after } },
    })
    queries.look(meaning, all)
    expect(running).toBe(1)
    queries.hold(meaning, all, () => undefined)
    expect(running).toBe(0)
  })

  test('that comes too late to its look is opened again', async () => {
    const { world, queries, opened, open } = await createBench()
    queries.look(meaning, all)
    await world.clock.advance(1_000)
    queries.hold(meaning, all, () => undefined)
    expect([opened(), open()]).toEqual([2, 1])
  })

  test('that is let go and held again in one turn stays open', async () => {
    const { world, queries, opened, open } = await createBench()
    queries.hold(meaning, all, () => undefined)()
    queries.hold(meaning, all, () => undefined)
    await world.clock.settle()
    expect([opened(), open()]).toEqual([1, 1])
  })

  test('gives the same answer as long as it says the same', async () => {
    const { world, client, queries } = await createBench()
    queries.hold(meaning, all, () => undefined)
    const answer = queries.look(meaning, all)
    expect(queries.look(meaning, all)).toBe(answer)
    client.mutate.put({ id: 'n1', text: 'a' })
    await world.clock.settle()
    expect(queries.look(meaning, all)).not.toBe(answer)
  })

  test('answers nothing but that it is loading while storage is being read', () => {
    const host = createWorld().host()
    const live = {
      value: [{ id: 'n1' }],
      isLoaded: false,
      isComplete: false,
      subscribe: () => () => undefined,
      close() {},
    }
    const queries = createQueries({ live: () => live as never, host })
    expect(queries.look(meaning, all)).toBe(LOADING)
  })

  test('that fails leaves nothing open', async () => {
    const { queries, open } = await createBench()
    const wrong: typeof all = { ...all, spec: { ...all.spec, table: 'laps' } }
    expect(() => queries.look(meaningOf(wrong.spec), wrong)).toThrow('laps')
    expect(open()).toBe(0)
  })
})

describe('the meaning of a query', () => {
  const same = (a: Query<never>, b: Query<never>) => meaningOf(a.spec) === meaningOf(b.spec)

  test.each<[string, unknown, unknown]>([
    ['built twice', all.where({ text: 'a' }).limit(3), all.where({ text: 'a' }).limit(3)],
    ['with its conditions in another order', all.where({ text: 'a', count: 1 }), all.where({ count: 1, text: 'a' })],
    ['in one step or two', all.where({ text: 'a', count: 1 }), all.where({ count: 1 }).where({ text: 'a' })],
    ['with an order said or meant', all.orderBy('text'), all.orderBy('text', 'asc')],
  ])('is the same %s', (_title, a, b) => {
    expect(same(a as Query<never>, b as Query<never>)).toBe(true)
  })

  test.each<[string, unknown, unknown]>([
    ['another value', all.where({ text: 'a' }), all.where({ text: 'b' })],
    ['a number for a text', all.where({ text: '1' }), all.where({ text: 1 as never })],
    ['null for a text', all.where({ text: 'null' }), all.where({ text: null as never })],
    ['another column', all.where({ text: 'a' }), all.where({ id: 'a' })],
    ['another comparison', all.where({ count: { lt: 1 } }), all.where({ count: { lte: 1 } })],
    ['another direction', all.orderBy('text'), all.orderBy('text', 'desc')],
    ['another order of the order', all.orderBy('text').orderBy('count'), all.orderBy('count').orderBy('text')],
    ['a limit', all, all.limit(0)],
    ['another table', all, { spec: { ...all.spec, table: 'other' } }],
  ])('is another with %s', (_title, a, b) => {
    expect(same(a as Query<never>, b as Query<never>)).toBe(false)
  })
})

describe('the meaning of a question', () => {
  const meaning = (question: { readonly spec: QuestionSpec }) => meaningOf(question.spec)
  const asked = (text: string) => include(all, { a: many(all.where({ text, count: 1 }), 'text'), b: one(all, 'text') })

  test('is the same for the same relations and the same value, and another for others', () => {
    const swapped = include(all, { b: one(all, 'text'), a: many(all.where({ count: 1, text: 'a' }), 'text') })
    expect(meaning(asked('a'))).toBe(meaning(swapped))
    expect(meaning(countOf(all.limit(2)))).toBe(meaning(countOf(all.limit(2))))
    const others = [
      all,
      asked('a'),
      asked('b'),
      countOf(all),
      sumOf(all, 'count'),
      minOf(all, 'count'),
      minOf(all, 'id'),
    ]
    expect(new Set(others.map(meaning)).size).toBe(others.length)
  })
})

describe('the older of two values', () => {
  test('is kept if both say the same, however deep, and else the new one with all that still holds', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (before, after) => {
        const copy = structuredClone(before)
        expect(keepEqual(before, copy)).toBe(before)
        expect(keepEqual(before, after)).toEqual(after)
        const kept = keepEqual({ before, list: [before] }, { before: copy, list: [copy, after] })
        expect(kept).toEqual({ before, list: [before, after] })
        expect(kept.before).toBe(before)
        expect(kept.list[0]).toBe(before)
      }),
      { examples: [[JSON.parse('{"__proto__":""}'), 0]] },
    )
  })

  test('is found by its id in a list that lost its front', () => {
    const before = [
      { id: 'a', n: 1 },
      { id: 'b', n: 2 },
    ]
    const [b, c] = keepEqual(before, [
      { id: 'b', n: 2 },
      { id: 'a', n: 3 },
    ])
    expect(b).toBe(before[1])
    expect(c).toEqual({ id: 'a', n: 3 })
  })

  test('is not taken for one that has a member more, or one that is undefined', () => {
    expect(keepEqual({ a: 1, b: undefined }, { a: 1 })).toEqual({ a: 1 })
    expect('b' in keepEqual({ a: 1 } as object, { a: 1, b: undefined })).toBe(true)
    expect(Object.keys(keepEqual({ a: 1, b: undefined } as object, { a: 1, c: undefined }))).toEqual(['a', 'c'])
  })
})
