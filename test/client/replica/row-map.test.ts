// Rows of which some came as lists, against a map that has them all, whatever it is asked and in whatever order.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRowMap } from '../../../src/client/replica/row-map.ts'
import type { Row } from '../../../src/schema/table.ts'

const row = (id: string, n: number): Row => ({ id, n })
const id = fc.integer({ min: 0, max: 12 }).map((number) => `r${number}`)
const question = fc.oneof(
  fc.record({ ask: fc.constantFrom('get' as const, 'has' as const, 'delete' as const), id }),
  fc.record({ ask: fc.constant('set' as const), id, n: fc.integer({ min: 100, max: 199 }) }),
  fc.record({
    ask: fc.constantFrom('size' as const, 'values' as const, 'entries' as const, 'keys' as const, 'all' as const),
  }),
)
const sorted = (values: Iterable<unknown>): string[] => [...values].map((value) => JSON.stringify(value)).sort()

test('rows that came as lists answer as a map of them does', () => {
  const lists = fc.array(fc.uniqueArray(id), { maxLength: 3 }).map((all) => {
    const seen = new Set<string>()
    return all.map((ids) => ids.filter((one) => !seen.has(one) && seen.add(one)).map((one, n) => row(one, n)))
  })
  fc.assert(
    fc.property(lists, fc.array(question), (listed, questions) => {
      const late = createRowMap()
      for (const list of listed) late.addNew(list)
      const plain = new Map(listed.flat().map((one) => [one.id, one]))
      for (const asked of questions) {
        if (asked.ask === 'set') late.set(asked.id, row(asked.id, asked.n))
        else if ('id' in asked) expect(late[asked.ask](asked.id)).toEqual(plain[asked.ask](asked.id))
        else if (asked.ask === 'size') expect(late.size).toBe(plain.size)
        else if (asked.ask === 'all') expect(sorted(late.all())).toEqual(sorted(plain.values()))
        else expect(sorted(late[asked.ask]())).toEqual(sorted(plain[asked.ask]()))
        if (asked.ask === 'set') plain.set(asked.id, row(asked.id, asked.n))
      }
      expect(sorted(late)).toEqual(sorted(plain))
      const visited: unknown[] = []
      late.forEach((value, key) => void visited.push([key, value]))
      expect(sorted(visited)).toEqual(sorted(plain))
    }),
  )
})

test('[I5] lists in which one id stands twice are not taken for rows', () => {
  const late = createRowMap()
  late.addNew([row('a', 1)])
  late.addNew([row('a', 2)])
  expect(() => late.get('a')).toThrow(/I5/)
})
