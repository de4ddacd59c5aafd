// A map of rows that came as lists, filled when somebody first asks it by id. Until then nothing is hashed: of a hundred thousand stored
// rows that takes as long as parsing them did, and the first answers of a query that goes through all rows need none of it.
// It is an ordinary map to whoever holds it, and from the first question by id on it is nothing else. Knows nothing of what rows mean.
import { check } from '../../base/assert.ts'
import type { Row } from '../../schema/table.ts'

const questions = ['get', 'has', 'set', 'delete', 'clear', 'keys', 'entries', 'forEach', Symbol.iterator] as const

/** The rows of these lists, among which no two have one id, but for those of which `since` says something else. */
export function createLateMap<Value extends Row | undefined>(
  lists: readonly (readonly Row[])[],
  since: ReadonlyMap<string, Value>,
): Map<string, Row | Value> {
  const map = new Map<string, Row | Value>()
  const fill = (): void => {
    for (const name of [...questions, 'values', 'size'] as const) Reflect.deleteProperty(map, name)
    for (const list of lists) for (const row of list) map.set(row.id, row)
    check(
      map.size === lists.reduce((sum, list) => sum + list.length, 0),
      'I5',
      'two rows of one id were stored as different ones',
    )
    for (const [id, value] of since) map.set(id, value)
  }
  const own = (name: PropertyKey, property: PropertyDescriptor): void =>
    void Object.defineProperty(map, name, { configurable: true, ...property })

  for (const name of questions)
    own(name, {
      value(...args: unknown[]) {
        fill()
        return (map[name] as (...args: unknown[]) => unknown).apply(map, args)
      },
    })
  own('values', {
    value() {
      const rows: (Row | Value)[] = lists.flat()
      return (
        since.size === 0 ? rows : [...rows.filter((row) => row && !since.has(row.id)), ...since.values()]
      ).values()
    },
  })
  own('size', {
    get() {
      let size = since.size
      for (const list of lists) {
        size += list.length
        if (since.size > 0) for (const row of list) if (since.has(row.id)) size--
      }
      own('size', { value: size })
      return size
    },
  })
  return map
}
