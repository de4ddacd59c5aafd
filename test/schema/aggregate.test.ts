// Derived rows: the same rows give the same figures in any order, to the last place, on every machine.
import fc from 'fast-check'
import { compute, count, defineApp, max, min, type Scalar, sum, t, table } from 'holdfast'
import { expect, test } from 'vitest'
import { type Aggregate, addToTotals, computeGroup, createTotals, rowOfTotals } from '../../src/schema/aggregate.ts'
import type { Row } from '../../src/schema/table.ts'
import { app } from './workouts.ts'

const totals = app.aggregates.workoutTotals as Aggregate
const over = (measures: Aggregate['measures']): Aggregate => ({ of: 'sets', by: 'workoutId', version: 1, measures })
const amounts = (decimals: number): Aggregate =>
  over({ n: count(), total: sum((row: Row) => row['x'] as number, { decimals }) })
const row = (id: number, x: number): Row => ({ id: String(id), workoutId: 'w', x })

test('an empty group has no row', () => {
  expect(computeGroup(totals, 'w', [])).toBeUndefined()
})

test('a group counts its rows and adds its terms, rounded one by one', () => {
  const sets = [
    { id: 'a', reps: 3, kg: 100.25 },
    { id: 'b', reps: 5, kg: 0.001 },
  ]
  expect(computeGroup(totals, 'w', sets)).toEqual({ id: 'w', sets: 2, volume: 300.76 })
  expect(computeGroup(amounts(1), 'w', [row(1, 0.1), row(2, 0.2)])).toMatchObject({ total: 0.3 })
  expect(computeGroup(amounts(0), 'w', [row(1, 0.4), row(2, 0.4)])).toMatchObject({ total: 0 })
})

test('[I11] a sum that no number can hold is the largest number, on either side', () => {
  const rows = [row(0, 1e300), row(1, 1e300)]
  expect(computeGroup(amounts(8), 'w', rows)?.['total']).toBe(Number.MAX_VALUE / 1e8)
  expect(
    computeGroup(
      amounts(8),
      'w',
      rows.map((each) => ({ ...each, x: -1e300 })),
    )?.['total'],
  ).toBe(-Number.MAX_VALUE / 1e8)
})

test('[I11] the order of the rows does not matter, however large or small the terms', () => {
  const term = fc.oneof(
    fc.double({ noNaN: false }),
    fc.double({ min: -1e7, max: 1e7, noNaN: true }),
    fc.constantFrom(2 ** 53, -(2 ** 53), 2 ** 53 - 1, 1, -1, 0.5, 1e300, -1e300),
  )
  fc.assert(
    fc.property(
      fc.array(term, { minLength: 1, maxLength: 8 }),
      fc.nat(9),
      fc.infiniteStream(fc.nat()),
      (terms, decimals, dice) => {
        const rows = terms.map((x, index) => row(index, x))
        const shuffled = rows
          .map((each) => ({ each, key: dice.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ each }) => each)
        const here = computeGroup(amounts(decimals), 'w', rows)
        expect(here).toEqual(computeGroup(amounts(decimals), 'w', shuffled))
        expect(here).toEqual(computeGroup(amounts(decimals), 'w', rows.toReversed()))
        expect(Number.isFinite(here?.['total'])).toBe(true)
      },
    ),
  )
})

test('[I11] rows taken out again leave what was there before', () => {
  const terms = fc.array(fc.double({ min: -1e15, max: 1e15, noNaN: true }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(terms, terms, (kept, passing) => {
      const aggregate = amounts(2)
      const moved = createTotals(aggregate)
      for (const x of kept) addToTotals(aggregate, moved, row(0, x), 1)
      for (const x of passing) addToTotals(aggregate, moved, row(0, x), 1)
      for (const x of passing) addToTotals(aggregate, moved, row(0, x), -1)
      expect(rowOfTotals(aggregate, 'w', moved, () => [])).toEqual(
        computeGroup(
          aggregate,
          'w',
          kept.map((x, index) => row(index, x)),
        ),
      )
    }),
  )
})

test('a term that is no number adds nothing: one bad row does not make the figure unreadable for every device', () => {
  const aggregate = amounts(2)
  expect(
    computeGroup(aggregate, 'w', [row(1, 1.5), { id: '2' }, row(3, Number.NaN), row(4, Number.POSITIVE_INFINITY)]),
  ).toEqual({ id: 'w', n: 4, total: 1.5 })
})

const all = over({
  n: count(),
  least: min((row: Row) => row['x'] as number | null),
  most: max((row: Row) => row['x'] as number | null),
  list: compute((rows: readonly Row[]) => rows.map(({ id, x }) => `${id}:${x}`).join(' ')),
})

test('the least and the greatest are those of the rows that have a value, and null where none has', () => {
  expect(computeGroup(all, 'w', [row(1, 5), row(2, -3), { id: '3', x: null }])).toMatchObject({ least: -3, most: 5 })
  expect(computeGroup(all, 'w', [{ id: '1', x: null }])).toMatchObject({ n: 1, least: null, most: null })
})

test('[I11] a function of all rows gets them in the order of their ids by code point', () => {
  const rows = ['b', 'a\u{10000}', 'a\uffff', 'A'].map((id, x) => ({ id, x }))
  expect(computeGroup(all, 'w', rows)?.['list']).toBe('A:3 a\uffff:2 a\u{10000}:1 b:0')
  expect(rows.map(({ x }) => x)).toEqual([0, 1, 2, 3])
})

test('[I11] rows that come and go one by one leave what a recomputation gives, whatever the functions do', () => {
  const x = fc.constantFrom(0, -0, 1, 2, 3, -1, null, Number.NaN, Number.POSITIVE_INFINITY, 'no number', 'throws')
  const strict = (each: Row) => {
    if (each['x'] === 'throws') throw new Error('the app is wrong')
    return each['x'] as number
  }
  const aggregate = over({
    n: count(),
    total: sum(strict),
    least: min(strict),
    most: max(strict),
    median: compute((rows: readonly Row[]) => strict(rows[rows.length >> 1] as Row)),
  })
  const step = fc.tuple(fc.integer({ min: 0, max: 5 }), fc.option(x, { nil: undefined }))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const rows = new Map<string, Row>()
      const totals = createTotals(aggregate)
      for (const [number, value] of steps) {
        const id = String(number)
        const before = rows.get(id)
        if (before !== undefined) addToTotals(aggregate, totals, before, -1)
        rows.delete(id)
        if (value !== undefined) rows.set(id, { id, x: value })
        const after = rows.get(id)
        if (after !== undefined) addToTotals(aggregate, totals, after, 1)
        const listed = [...rows.values()]
        // A row is looked at now and then, as screens do.
        if (number % 2 === 0)
          expect(rowOfTotals(aggregate, 'w', totals, () => listed)).toEqual(computeGroup(aggregate, 'w', listed))
      }
    }),
  )
})

test.each<[what: string, given: unknown, shown: Scalar]>([
  ['a text', 'a', 'a'],
  ['a number', 1.5, 1.5],
  ['a number beyond whole ones', 1e300, 1e300],
  ['false', false, false],
  ['null', null, null],
  ['NaN', Number.NaN, null],
  ['infinity', Number.NEGATIVE_INFINITY, null],
  ['nothing', undefined, null],
  ['an object', {}, null],
  ['a promise', Promise.resolve(1), null],
  ['a bigint', 1n, null],
  ['a text with NUL', 'a\u0000', null],
  ['a text with half of a surrogate pair', '\ud800', null],
])('a function that gives %s', (_what, given, shown) => {
  const failures: unknown[] = []
  const aggregate = over({
    it: compute(() => given as Scalar),
    least: min(() => given as number),
    most: max(() => given as number),
    total: sum(() => given as number),
  })
  const made = computeGroup(aggregate, 'w', [row(1, 1)], (measure) => failures.push(measure))
  const amount = typeof shown === 'number' ? shown : null
  expect(made).toMatchObject({ id: 'w', it: shown, least: amount, most: amount })
  expect(Number.isFinite(made?.['total'])).toBe(true)
  // Whoever runs the authority hears of each value that is no value; null says that there is none.
  const bad = typeof given === 'number' ? !Number.isFinite(given) : given !== null
  const failing = [...(bad ? ['least', 'most', 'total'] : given === null ? ['total'] : [])]
  expect(failures).toEqual([...failing, ...(shown === null && given !== null ? ['it'] : [])])
})

test('minus zero is zero: JSON knows one only', () => {
  const made = computeGroup(over({ a: min(() => -0), b: compute(() => -0), c: sum(() => -0) }), 'w', [row(1, 1)])
  expect(Object.values(made ?? {}).filter((value) => Object.is(value, -0))).toEqual([])
})

test('what an aggregate says is part of the fingerprint: kinds, names and version, and no function', () => {
  const entries = table({ id: t.id(), owner: t.text(), x: t.real() }).scope('user', 'owner')
  const declare = (measure: typeof min, name: string, version?: number) =>
    defineApp({
      tables: { entries },
      aggregates: ({ aggregate }) => ({
        sums: aggregate('entries')
          .by('owner')
          .values({ [name]: measure(({ x }) => x) }, version === undefined ? {} : { version }),
      }),
    }).fingerprint
  const first = declare(min, 'x')
  expect(declare(min, 'x', 1)).toBe(first)
  expect(new Set([first, declare(max, 'x'), declare(min, 'y'), declare(min, 'x', 2)]).size).toBe(4)
})

test.each([
  ['a version that is none', count(), { version: 0 }, /version is 0/],
  ['what is no measure', 5, {}, /x is not made with count, sum, min, max or compute/],
  ['a function where a measure is wanted', () => 1, {}, /x is not made with/],
  ['nothing', undefined, {}, /x is not made with/],
])('defineApp refuses %s', (_what, measure, options, message) => {
  const entries = table({ id: t.id(), owner: t.text() }).scope('user', 'owner')
  const declare = () =>
    defineApp({
      tables: { entries },
      aggregates: ({ aggregate }) => ({
        sums: aggregate('entries')
          .by('owner')
          .values({ x: measure as ReturnType<typeof count> }, options),
      }),
    })
  expect(declare).toThrow(message)
})

test('a position says what becomes of gaps, which is part of the fingerprint, or is refused', () => {
  const declare = (gaps: 'keep' | 'never-reuse' | undefined) => {
    const lists = table({ id: t.id(), owner: t.text() }).scope('user', 'owner')
    const place = gaps === undefined ? t.appendIndex('listId') : t.appendIndex('listId', { gaps })
    return defineApp({
      tables: { lists, entries: table({ id: t.id(), listId: t.ref('lists'), place }).scopeVia('listId') },
    }).fingerprint
  }
  expect(declare('keep')).toBe(declare(undefined))
  expect(declare('never-reuse')).not.toBe(declare(undefined))
  expect(() => declare('renumber' as 'keep')).toThrow('it must be keep or never-reuse')
})
