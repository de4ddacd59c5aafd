// What fits a column and a row, what a scope looks like, and that nothing else gets in.
import fc from 'fast-check'
import { t, table } from 'holdfast'
import { describe, expect, test } from 'vitest'
import { type Column, MAX_ID_LENGTH, valueProblem } from '../../src/schema/column.ts'
import { makeScope, parseScope, scopeProblem, scopeStep } from '../../src/schema/scope.ts'
import { type Row, rowProblem } from '../../src/schema/table.ts'
import { app } from './workouts.ts'

const { columns } = app.tables.sets
const set = { id: 's1', workoutId: 'w1', exercise: 'Squat', reps: 5, kg: 102.5 }

describe('a value', () => {
  const good: readonly (readonly [Column, readonly unknown[]])[] = [
    [t.id(), ['x', '😀', 'a'.repeat(MAX_ID_LENGTH)]],
    [t.ref('workouts'), ['x']],
    [t.text(), ['', 'tab\tand\nline', '\u{1f600}', '\uffff']],
    [t.integer(), [0, -0, -5, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]],
    [t.timestamp(), [0, -1, 1_772_323_200_000]],
    [t.real(), [0, -0, 0.1, 1e308, 5e-324, Number.MAX_VALUE]],
    [t.boolean(), [true, false]],
    [t.json(), [{ a: [1, null] }, 'text', 0, false, []]],
    [t.text().nullable(), [null, 'x']],
    [t.json().nullable(), [null]],
  ]
  const bad: readonly (readonly [Column, readonly unknown[]])[] = [
    [t.id(), ['', 'a'.repeat(MAX_ID_LENGTH + 1), null, 5, 'a\u0000', '\ud83d', undefined]],
    [t.ref('workouts'), ['', null, {}]],
    [t.text(), [null, 5, 'a\u0000b', 'half \udc00', ['x'], undefined]],
    [t.integer(), [0.5, 2 ** 53, -(2 ** 53), Number.NaN, Number.POSITIVE_INFINITY, '5', 5n, true, null]],
    [t.timestamp(), [1.5, new Date(0), '2026-01-01', null]],
    [t.real(), [Number.NaN, Number.NEGATIVE_INFINITY, '1', null, true]],
    [t.boolean(), [0, 1, 'true', null]],
    [t.json(), [null, undefined, Number.NaN, new Date(0), { constructor: 1 }, '\ud83d']],
    [t.text().nullable(), [undefined, 5]],
  ]
  test.each(good)('of $type is taken', (column, values) => {
    for (const value of values) expect(valueProblem(column, value), String(value)).toBeUndefined()
  })
  test.each(bad)('that is none of $type is refused', (column, values) => {
    for (const value of values) expect(valueProblem(column, value), String(value)).toBeTypeOf('string')
  })

  test('whatever it is, is taken or refused with a sentence, and never throws', () => {
    const types = [t.id(), t.text(), t.integer(), t.timestamp(), t.real(), t.boolean(), t.json(), t.text().nullable()]
    fc.assert(
      fc.property(
        fc.constantFrom<Column>(...types),
        fc.anything({ withBigInt: true, withNullPrototype: true }),
        (column, value) => {
          const problem = valueProblem(column, value)
          expect(problem === undefined || problem.length > 0).toBe(true)
          // What is taken survives the wire.
          if (problem === undefined) expect(valueProblem(column, JSON.parse(JSON.stringify(value)))).toBeUndefined()
        },
      ),
    )
  })
})

describe('a row', () => {
  test('is whole with every column but the nullable ones and positions', () => {
    expect(rowProblem(columns, set, 'whole')).toBeUndefined()
    expect(rowProblem(columns, { ...set, rpe: null }, 'whole')).toBeUndefined()
    expect(rowProblem(columns, { ...set, rpe: 8.5 }, 'whole')).toBeUndefined()
    for (const name of Object.keys(set)) {
      const { [name as keyof typeof set]: _, ...rest } = set
      expect(rowProblem(columns, rest, 'whole')).toBe(`${name} is missing`)
    }
  })

  test('a column whose value is undefined counts as left out', () => {
    expect(rowProblem(columns, { ...set, rpe: undefined }, 'whole')).toBeUndefined()
    expect(rowProblem(columns, { ...set, kg: undefined }, 'whole')).toBe('kg is missing')
    expect(rowProblem(columns, { kg: undefined, reps: 3 }, 'patch')).toBeUndefined()
  })

  test('a patch may leave out anything, but touches neither the id nor a position', () => {
    expect(rowProblem(columns, {}, 'patch')).toBeUndefined()
    expect(rowProblem(columns, { reps: 6 }, 'patch')).toBeUndefined()
    expect(rowProblem(columns, { id: 's2' }, 'patch')).toMatch(
      /id cannot be changed: delete the row and insert another/,
    )
    expect(rowProblem(columns, { position: 1 }, 'patch')).toMatch(/given by the authority/)
    expect(rowProblem(columns, { ...set, position: 1 }, 'whole')).toMatch(/given by the authority/)
  })

  test('names the column that is wrong, also one that it does not have', () => {
    expect(rowProblem(columns, { ...set, reps: 1.5 }, 'whole')).toMatch(/^reps must be a whole number/)
    expect(rowProblem(columns, { ...set, weight: 5 }, 'whole')).toBe('weight is not a column of this table')
    for (const name of ['toString', '__proto__', 'constructor'])
      expect(rowProblem(columns, JSON.parse(`{"${name}":1}`) as Row, 'patch')).toBe(
        `${name} is not a column of this table`,
      )
  })

  test('as stored, it may have columns of a later app and must have its position', () => {
    expect(rowProblem(columns, { ...set, position: 1, later: 'x' }, 'stored')).toBeUndefined()
    expect(rowProblem(columns, set, 'stored')).toBe('position is missing')
  })

  test('that is whole stays whole after any patch that is taken', () => {
    const patch = fc.record(
      {
        reps: fc.oneof(fc.integer(), fc.double()),
        kg: fc.double(),
        exercise: fc.string({ unit: fc.constantFrom('a', 'é', '😀', '\ud83d', '\u0000') }),
        rpe: fc.option(fc.double()),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(patch, (values) => {
        if (rowProblem(columns, values, 'patch') !== undefined) return
        expect(rowProblem(columns, { ...set, ...values }, 'whole')).toBeUndefined()
      }),
    )
  })
})

describe('a scope', () => {
  test('is kind:value', () => {
    for (const good of ['user:42', 'gym:7', 'a:😀', 'team-1:a:b', `user:${'x'.repeat(195)}`])
      expect(scopeProblem(good)).toBeUndefined()
    for (const bad of [
      '',
      'user',
      'user:',
      'user: x',
      ':x',
      '1a:x',
      'a b:x',
      `user:${'x'.repeat(196)}`,
      'user:a\u0000',
      'user:\ud83d',
      5,
      null,
    ])
      expect(scopeProblem(bad), String(bad)).toBeTypeOf('string')
    expect(() => parseScope('user')).toThrow(/"user" must look like kind:value/)
    expect(parseScope('user:42')).toBe(makeScope('user', '42'))
  })

  test('is found in one step, or by the row that a column refers to', () => {
    expect(scopeStep(app.tables.workouts, { id: 'w1', ownerId: '42' })).toEqual({ scope: 'user:42' })
    expect(scopeStep(app.tables.sets, { id: 's1', workoutId: 'w1' })).toEqual({ table: 'workouts', id: 'w1' })
  })
})

test('a table and its columns are frozen: declared once, for both sides', () => {
  const made = table({ id: t.id(), a: t.text() }).scope('user', 'a')
  for (const part of [made, made.columns, made.scopeRule, made.columns.a]) expect(Object.isFrozen(part)).toBe(true)
})
