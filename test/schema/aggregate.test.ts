// Derived rows: the same rows give the same figures in any order, to the last place, on every machine.
import fc from 'fast-check'
import { count, sum } from 'holdfast'
import { expect, test } from 'vitest'
import {
  type Aggregate,
  addToTotals,
  computeGroup,
  createTotals,
  rowOfTotals,
  staysInScope,
} from '../../src/schema/aggregate.ts'
import type { Row } from '../../src/schema/table.ts'
import { app } from './workouts.ts'

const totals = app.aggregates.workoutTotals as Aggregate
const amounts = (decimals: number): Aggregate => ({
  of: 'sets',
  by: 'workoutId',
  measures: { n: count(), total: sum((row: Row) => row['x'] as number, { decimals }) },
})
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
      expect(rowOfTotals(aggregate, 'w', moved)).toEqual(
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

test('a group lies within one scope when it is by the column that decides the scope', () => {
  expect(staysInScope(app.tables.sets, 'workoutId')).toBe(true)
  expect(staysInScope(app.tables.sets, 'exercise')).toBe(false)
})
