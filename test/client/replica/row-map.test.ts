// A map of rows that is filled late against a map that is not, whatever it is asked and in whatever order.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLateMap } from '../../../src/client/replica/late-map.ts'
import type { Row } from '../../../src/schema/table.ts'

const row = (id: string, n: number): Row => ({ id, n })
const id = fc.integer({ min: 0, max: 12 }).map((number) => `r${number}`)
const question = fc.oneof(
  fc.record({ ask: fc.constantFrom('get' as const, 'has' as const, 'delete' as const), id }),
  fc.record({ ask: fc.constant('set' as const), id, n: fc.integer({ min: 100, max: 199 }) }),
  fc.record({ ask: fc.constantFrom('size' as const, 'values' as const, 'entries' as const, 'keys' as const) }),
)
const sorted = (values: Iterable<unknown>): string[] => [...values].map((value) => JSON.stringify(value)).sort()

test('a map that is filled late answers as one that is filled at once', () => {
  const lists = fc.array(fc.uniqueArray(id), { maxLength: 3 }).map((all) => {
    const seen = new Set<string>()
    return all.map((ids) => ids.filter((one) => !seen.has(one) && seen.add(one)).map((one, n) => row(one, n)))
  })
  fc.assert(
    fc.property(lists, fc.uniqueArray(id, { maxLength: 4 }), fc.array(question), (listed, later, questions) => {
      const since = new Map(later.map((one, n) => [one, row(one, 50 + n)]))
      const late = createLateMap(listed, since)
      const plain = new Map([...listed.flat(), ...since.values()].map((one) => [one.id, one]))
      for (const asked of questions) {
        if (asked.ask === 'set') expect(late.set(asked.id, row(asked.id, asked.n))).toBe(late)
        else if ('id' in asked) expect(late[asked.ask](asked.id)).toEqual(plain[asked.ask](asked.id))
        else if (asked.ask === 'size') expect(late.size).toBe(plain.size)
        else expect(sorted(late[asked.ask]())).toEqual(sorted(plain[asked.ask]()))
        if (asked.ask === 'set') plain.set(asked.id, row(asked.id, asked.n))
      }
      expect(sorted(late)).toEqual(sorted(plain))
      expect(late).toEqual(plain)
    }),
  )
})

test('[I5] lists in which one id stands twice are not taken for rows', () => {
  const late = createLateMap([[row('a', 1)], [row('a', 2)]], new Map())
  expect(() => late.get('a')).toThrow(/I5/)
})
