// Queries as data: what they match, how they order, and that SQLite answers the same data with the same rows.
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../src/base/json.ts'
import {
  type Comparison,
  type Condition,
  comparatorOf,
  compareText,
  compareValues,
  conditionsOf,
  createQuery,
  matches,
  type Query,
  type QuerySpec,
} from '../../src/schema/query.ts'
import type { Row } from '../../src/schema/table.ts'
import { app } from './workouts.ts'

const utf8 = new TextEncoder()
const unicode = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      'a',
      'B',
      'é',
      '\u0301',
      '\ud7ff',
      '\ue000',
      '\uffff',
      '😀',
      '\u{10ffff}',
      '\u{10000}',
      ' ',
      "'",
      '%',
    ),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 4,
})

describe('text order', () => {
  test('is that of the UTF-8 bytes, above U+D7FF too', () => {
    fc.assert(
      fc.property(unicode, unicode, (a, b) => {
        expect(Math.sign(compareText(a, b))).toBe(Math.sign(Buffer.compare(utf8.encode(a), utf8.encode(b))))
      }),
      { numRuns: 2_000 },
    )
    expect(compareText('\uffff', '😀')).toBeLessThan(0)
    expect('\uffff' < '😀').toBe(false)
  })
})

describe('the comparator', () => {
  test('is a total order over values of one type and null: antisymmetric, transitive, and zero only for equals', () => {
    const three = (kind: fc.Arbitrary<Json>) => fc.tuple(fc.option(kind), fc.option(kind), fc.option(kind))
    const kinds: fc.Arbitrary<Json>[] = [
      unicode,
      fc.boolean(),
      fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true })),
    ]
    const triple = fc.oneof(...kinds.map(three))
    fc.assert(
      fc.property(triple, ([a, b, c]) => {
        expect(Math.sign(compareValues(a, b))).toBe(-Math.sign(compareValues(b, a)) + 0)
        expect(compareValues(a, b) === 0).toBe(a === b)
        if (compareValues(a, b) <= 0 && compareValues(b, c) <= 0) expect(compareValues(a, c)).toBeLessThanOrEqual(0)
      }),
    )
  })

  test('of rows never calls two rows equal that have different ids', () => {
    const row = fc.record({ id: fc.constantFrom('a', 'b', 'c'), x: fc.option(fc.integer({ min: 0, max: 2 })) })
    const compare = comparatorOf([{ column: 'x', direction: 'desc' }])
    fc.assert(
      fc.property(row, row, (a, b) => {
        if (a.id === b.id) return
        expect(compare(a, b)).not.toBe(0)
        expect(Math.sign(compare(a, b))).toBe(-Math.sign(compare(b, a)))
      }),
    )
  })

  test('reads a column that is missing as null, which comes first', () => {
    const compare = comparatorOf([{ column: 'later', direction: 'asc' }])
    expect([{ id: 'a', later: 1 }, { id: 'b' }].sort(compare).map(({ id }) => id)).toEqual(['b', 'a'])
  })
})

describe('a filter', () => {
  test('states one condition for each comparison', () => {
    expect(conditionsOf({ a: 1, b: null, c: { gte: 1, lt: 5 }, d: { in: ['x', null] }, f: { gt: undefined } })).toEqual(
      [
        { column: 'a', is: 'eq', value: 1 },
        { column: 'b', is: 'eq', value: null },
        { column: 'c', is: 'gte', value: 1 },
        { column: 'c', is: 'lt', value: 5 },
        { column: 'd', is: 'in', value: ['x', null] },
      ],
    )
  })

  test('that compares with what no column holds is refused in a sentence, never read as «every row»', () => {
    const refused: readonly (readonly [filter: Record<string, unknown>, what: string])[] = [
      [{ a: undefined }, 'undefined'],
      [{ a: { eq: undefined } }, 'undefined'],
      [{ a: { in: undefined } }, 'undefined'],
      [{ a: { in: ['x', undefined] } }, 'undefined'],
      [{ a: [] }, 'an object or array'],
      [{ a: [1, 2] }, 'an object or array'],
      [{ a: new Date(0) }, 'an object or array'],
      [{ a: { eq: { x: 1 } } }, 'an object or array'],
      [{ a: { in: [{ x: 1 }] } }, 'an object or array'],
      [{ a: Number.NaN }, 'NaN'],
      [{ a: { lt: Number.POSITIVE_INFINITY } }, 'Infinity'],
      [{ a: () => 1 }, '() => 1'],
      [{ a: 1n }, '1'],
    ]
    for (const [filter, what] of refused)
      expect(() => conditionsOf(filter), what).toThrow(`where: a is compared with ${what}; leave it out, or say a text`)
  })

  test('null is smaller or greater than nothing, but equals null', () => {
    const holds = (is: Comparison, wanted: Json, actual: Json) =>
      matches([{ column: 'x', is, value: wanted }], { id: 'r', x: actual })
    for (const is of ['lt', 'lte', 'gt', 'gte'] as const) {
      expect(holds(is, 1, null)).toBe(false)
      expect(holds(is, null, 1)).toBe(false)
      expect(holds(is, null, null)).toBe(false)
    }
    expect(holds('eq', null, null)).toBe(true)
    expect(holds('ne', 1, null)).toBe(true)
    expect(holds('ne', null, null)).toBe(false)
    expect(holds('in', [null], null)).toBe(true)
  })
})

describe('a query', () => {
  test('is immutable: each step gives a new one', () => {
    const all = app.query.sets
    const heavy = all
      .where({ kg: { gt: 100 } })
      .orderBy('kg', 'desc')
      .limit(3)
    expect(all.spec).toEqual({ table: 'sets', where: [], orderBy: [], limit: undefined })
    expect(heavy.spec).toEqual({
      table: 'sets',
      where: [{ column: 'kg', is: 'gt', value: 100 }],
      orderBy: [{ column: 'kg', direction: 'desc' }],
      limit: 3,
    })
    expect(heavy.where({ reps: 5 }).spec.where).toHaveLength(2)
    expect(Object.isFrozen(heavy)).toBe(true)
    expect(Object.isFrozen(heavy.spec)).toBe(true)
  })

  test('refuses a limit that is no number of rows and an order that is neither of the two', () => {
    for (const limit of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => app.query.sets.limit(limit)).toThrow(/whole number of rows/)
    expect(app.query.sets.limit(0).spec.limit).toBe(0)
  })

  test('over an app that looks for mistakes is refused in the step that makes it', () => {
    const sets = app.query.sets as unknown as Query<{ readonly [column: string]: string | number }>
    const refused: readonly (readonly [step: () => unknown, says: string])[] = [
      [() => sets.where({ colour: 'red' }), 'where: sets has no column "colour"; it has id, workoutId'],
      [() => sets.where({ constructor: 'red' } as never), 'sets has no column "constructor"'],
      [() => sets.orderBy('colour'), 'orderBy: sets has no column "colour"'],
      [() => sets.orderBy('kg', 'DESC' as never), 'ordered "DESC"; there are asc and desc'],
      [() => sets.where({ kg: { like: 'x' } as never }), 'the comparison like; there are eq, ne, lt'],
      [() => sets.where({ kg: { in: 'abc' } as never }), 'by in, which needs an array'],
      [() => app.query.workoutTotals.orderBy('laps' as never), 'workoutTotals has no column "laps"; it has id, sets'],
    ]
    for (const [step, says] of refused) expect(step, says).toThrow(says)
  })

  test('over an app that looks for nothing takes what it is given', () => {
    expect(createQuery('sets').orderBy('colour' as never).spec.orderBy).toEqual([
      { column: 'colour', direction: 'asc' },
    ])
  })
})

// The oracle of another house: the same rows in SQLite, the same spec as SQL.
const kinds = { t: 'TEXT', n: 'INTEGER', r: 'REAL', b: 'INTEGER' } as const
const bind = (item: Json) => (typeof item === 'boolean' ? Number(item) : (item as string | number | null))
const operators = { eq: 'IS', ne: 'IS NOT', lt: '<', lte: '<=', gt: '>', gte: '>=' } as const

function answerInSql(rows: readonly Row[], { where, orderBy, limit }: QuerySpec): string[] {
  const database = new DatabaseSync(':memory:')
  try {
    const columns = Object.entries(kinds)
    database.exec(
      `CREATE TABLE x (id TEXT PRIMARY KEY, ${columns.map(([name, type]) => `${name} ${type}`).join(', ')}) STRICT`,
    )
    const insert = database.prepare('INSERT INTO x VALUES (?, ?, ?, ?, ?)')
    for (const row of rows) insert.run(row.id, ...columns.map(([name]) => bind(row[name] ?? null)))
    const parameters: (string | number | null)[] = []
    const clause = ({ column, is, value: wanted }: Condition): string => {
      if (is !== 'in') {
        parameters.push(bind(wanted))
        return `${column} ${operators[is]} ?`
      }
      const items = wanted as readonly Json[]
      parameters.push(...items.map(bind))
      return `(${['0', ...items.map(() => `${column} IS ?`)].join(' OR ')})`
    }
    const conditions = ['1', ...where.map(clause)].join(' AND ')
    const order = [...orderBy.map(({ column, direction }) => `${column} ${direction}`), 'id'].join(', ')
    const found = database
      .prepare(`SELECT id FROM x WHERE ${conditions} ORDER BY ${order} LIMIT ${limit ?? -1}`)
      .all(...parameters)
    return found.map((row) => row['id'] as string)
  } finally {
    database.close()
  }
}

function answerHere(rows: readonly Row[], { where, orderBy, limit }: QuerySpec): string[] {
  return rows
    .filter((row) => matches(where, row))
    .sort(comparatorOf(orderBy))
    .slice(0, limit)
    .map(({ id }) => id)
}

test('[I17] the same spec gives the same rows in the same order here and in SQLite', () => {
  const numbers = fc.oneof(fc.integer({ min: -2, max: 2 }), fc.constantFrom(-0, 2 ** 53 - 1, -(2 ** 53 - 1)))
  const reals = fc.oneof(fc.integer({ min: -2, max: 2 }), fc.constantFrom(-0, 0.1, -0.5, 1e300, 5e-324))
  const values = { t: fc.option(unicode), n: fc.option(numbers), r: fc.option(reals), b: fc.option(fc.boolean()) }
  const row = fc.record({ id: unicode.filter((id) => id.length > 0), ...values }) as fc.Arbitrary<Row>
  const condition = fc.constantFrom('t', 'n', 'r', 'b').chain((column) => {
    const kind = values[column as keyof typeof values] as fc.Arbitrary<Json>
    const single = fc.constantFrom<Comparison>('eq', 'ne', 'lt', 'lte', 'gt', 'gte')
    return fc.oneof(
      fc.tuple(single, kind).map(([is, wanted]): Condition => ({ column, is, value: wanted })),
      fc.array(kind, { maxLength: 3 }).map((wanted): Condition => ({ column, is: 'in', value: wanted })),
    )
  })
  const spec: fc.Arbitrary<QuerySpec> = fc.record({
    table: fc.constant('x'),
    where: fc.array(condition, { maxLength: 2 }),
    orderBy: fc.array(
      fc.record({
        column: fc.constantFrom('t', 'n', 'r', 'b', 'id'),
        direction: fc.constantFrom('asc' as const, 'desc' as const),
      }),
      { maxLength: 3 },
    ),
    limit: fc.option(fc.nat(5), { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.uniqueArray(row, { selector: ({ id }) => id, maxLength: 12 }), spec, (rows, asked) => {
      expect(answerHere(rows, asked)).toEqual(answerInSql(rows, asked))
    }),
    { numRuns: 400 },
  )
})

test('the oracle is no echo: JavaScript’s own text order gives other rows', () => {
  const rows: Row[] = [{ id: '😀' }, { id: '\uffff' }]
  const asked: QuerySpec = { table: 'x', where: [], orderBy: [], limit: 1 }
  expect(answerInSql(rows, asked)).toEqual(['\uffff'])
  expect([...rows].sort((a, b) => (a.id < b.id ? -1 : 1))[0]?.id).toBe('😀')
})
