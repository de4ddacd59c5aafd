// What JSON is taken, what canonical means, and that nothing hostile hangs or throws.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson, hashJson } from '../../src/base/canonical.ts'
import {
  cloneJson,
  cutText,
  type Json,
  jsonEqual,
  jsonProblem,
  MAX_JSON_DEPTH,
  plainText,
} from '../../src/base/json.ts'

/** JSON values as the wire may carry them. */
const json = fc
  .jsonValue({ maxDepth: 4, stringUnit: 'grapheme' })
  .filter((value) => jsonProblem(value) === undefined) as fc.Arbitrary<Json>

const nested = (depth: number): unknown => {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { deeper: value }
  return value
}

describe('jsonProblem', () => {
  const refused: readonly (readonly [what: string, value: unknown, says: string])[] = [
    ['undefined', undefined, 'the value is of type undefined'],
    ['undefined in an object', { a: { b: undefined } }, 'a.b is of type undefined'],
    ['a hole in an array', Object.assign([1], { length: 3 }), '[1] is of type undefined'],
    ['a function', { run: () => 1 }, 'run is of type function'],
    ['a symbol', [Symbol('x')], '[0] is of type symbol'],
    ['a bigint', { n: 1n }, 'n is of type bigint'],
    ['NaN', { n: Number.NaN }, 'n is not a finite number'],
    ['what 1e309 parses to', JSON.parse('{"n":1e309}'), 'n is not a finite number'],
    ['minus infinity', [Number.NEGATIVE_INFINITY], '[0] is not a finite number'],
    ['a date', { at: new Date(0) }, 'at is not a plain object'],
    ['a map', new Map(), 'the value is not a plain object'],
    ['a class instance', { a: new (class Point {})() }, 'a is not a plain object'],
    ['a boxed text', Object('text'), 'the value is not a plain object'],
    ['an object with a strange prototype', Object.create({ inherited: 1 }), 'the value is not a plain object'],
    ['__proto__ as JSON gives it', JSON.parse('{"__proto__":{"admin":true}}'), 'the key __proto__'],
    ['__proto__ at depth', JSON.parse('{"a":[{"b":{"__proto__":1}}]}'), 'a[0].b has the key __proto__'],
    ['constructor', { constructor: 1 }, 'the key constructor'],
    ['prototype', [{ prototype: 1 }], 'the key prototype'],
    ['NUL', { text: 'a\u0000b' }, 'text contains NUL'],
    ['NUL in a key', { 'a\u0000': 1 }, 'contains NUL'],
    ['the first half of a pair', '\ud83d', 'the value contains half of a surrogate pair'],
    ['the second half of a pair', ['x\udc00'], '[0] contains half'],
    ['halves in the wrong order', '\udc00\ud800', 'half of a surrogate pair'],
    ['half of a pair in a key', { '\ud83d': 1 }, 'half of a surrogate pair'],
    ['too much depth', nested(MAX_JSON_DEPTH + 1), `nests deeper than ${MAX_JSON_DEPTH}`],
  ]
  test.each(refused)('refuses %s and says where', (_what, value, says) => {
    expect(jsonProblem(value)).toContain(says)
  })

  test('takes what JSON can carry, to the last permitted level', () => {
    for (const value of [
      null,
      true,
      0,
      -0,
      1e308,
      Number.MIN_VALUE,
      '',
      '𝟘😀',
      [],
      {},
      Object.create(null),
      nested(MAX_JSON_DEPTH),
    ])
      expect(jsonProblem(value)).toBeUndefined()
  })

  test('[I12] ends on a value that contains itself, however often', () => {
    const wide: unknown[] = []
    for (let index = 0; index < 100; index++) wide.push(wide)
    const loop: Record<string, unknown> = {}
    loop['a'] = loop
    loop['b'] = [loop, wide]
    expect(jsonProblem(wide)).toContain('nests deeper')
    expect(jsonProblem(loop)).toContain('nests deeper')
  })

  test('[I12] ends on a million brackets, which would overflow a careless walk', () => {
    const deep: unknown = JSON.parse('['.repeat(1_000_000) + ']'.repeat(1_000_000))
    expect(jsonProblem(deep)).toContain('nests deeper')
  })

  test('names a field in a bounded text, even if a key is as large as the arguments may be', () => {
    expect((jsonProblem({ ['k'.repeat(200_000)]: Number.NaN }) as string).length).toBeLessThan(300)
  })

  test('whatever it takes, JSON.stringify and JSON.parse give back equal', () => {
    fc.assert(
      fc.property(
        fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true }),
        (value) => {
          if (jsonProblem(value) !== undefined) return
          expect(jsonEqual(JSON.parse(JSON.stringify(value)) as Json, value as Json)).toBe(true)
        },
      ),
    )
  })
})

describe('canonical form', () => {
  test('equal values have one form and one hash, whatever the order of their keys', () => {
    fc.assert(
      fc.property(json, (value) => {
        const turned = reversed(value)
        expect(canonicalJson(turned)).toBe(canonicalJson(value))
        expect(hashJson(turned)).toBe(hashJson(value))
        expect(jsonEqual(turned, value)).toBe(true)
        expect(canonicalJson(JSON.parse(canonicalJson(value)) as Json)).toBe(canonicalJson(value))
      }),
    )
  })

  test('values that are not equal have other forms', () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        expect(canonicalJson(a) === canonicalJson(b)).toBe(jsonEqual(a, b))
      }),
    )
  })

  test('minus zero is zero: in the form, in the hash, in equality, and after the wire', () => {
    expect(canonicalJson([-0])).toBe('[0]')
    expect(hashJson({ n: JSON.parse('-0') as number })).toBe(hashJson({ n: 0 }))
    expect(jsonEqual({ n: -0 }, { n: 0 })).toBe(true)
  })

  test('keys are sorted by UTF-16 units, as RFC 8785 wants it, and numbers as ECMAScript writes them', () => {
    expect(canonicalJson({ '\ue000': 1, '😀': 2, b: 1e21, a: 1e-7, '': 0.1 })).toBe(
      '{"":0.1,"a":1e-7,"b":1e+21,"😀":2,"\ue000":1}',
    )
  })

  test('equality looks at members, not at what is inherited or missing', () => {
    expect(jsonEqual({ a: 1 }, { b: 1 })).toBe(false)
    expect(jsonEqual({}, { toString: 'x' })).toBe(false)
    expect(jsonEqual([], {})).toBe(false)
    expect(jsonEqual([1, 2], [2, 1])).toBe(false)
    expect(jsonEqual(undefined, null)).toBe(false)
    expect(jsonEqual('1', 1)).toBe(false)
  })
})

test('a clone equals its source and shares nothing with it', () => {
  fc.assert(
    fc.property(json, (value) => {
      const before = canonicalJson(value)
      const copy = cloneJson(value)
      expect(jsonEqual(copy, value)).toBe(true)
      scribble(copy)
      expect(canonicalJson(value)).toBe(before)
    }),
  )
})

test('a text is never cut in the middle of a pair, nor longer than asked', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '😀', 'é', '\ud83d', '\ude00') }), fc.nat(20), (text, max) => {
      const cut = cutText(text, max)
      expect(text.startsWith(cut)).toBe(true)
      expect(cut.length).toBeLessThanOrEqual(max)
      expect(cut.length).toBeGreaterThanOrEqual(Math.min(text.length, max) - 1)
      if (jsonProblem(text) === undefined) expect(jsonProblem(cut)).toBeUndefined()
    }),
  )
  expect(cutText('a😀', 2)).toBe('a')
})

test('a plain text is one that JSON takes, whatever it was made of', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
      (text) => {
        expect(jsonProblem(plainText(text, 50))).toBeUndefined()
      },
    ),
  )
  expect(plainText('half \ud83d and NUL \u0000', 50)).toBe('half \ufffd and NUL \ufffd')
})

function reversed(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(reversed)
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  )
}

function scribble(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const key of Object.keys(value)) {
    const holder = value as Record<string, unknown>
    scribble(holder[key])
    holder[key] = 'scribbled'
  }
}
