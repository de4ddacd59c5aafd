// Rows by id, some of which may have come as lists whose ids nobody has asked for yet. Until somebody does, nothing is hashed: of a hundred
// thousand stored rows that takes as long as parsing them did, and the first answers of a query that goes through all rows need none of
// it. The first question by id puts the lists into the map, which then answers everything. Knows nothing of what rows mean.
import { check } from '../../base/assert.ts'
import type { Row } from '../../schema/table.ts'

/** Rows by id; to those who read, a map as any other. */
export interface RowMap<Value extends Row | undefined = Row> extends ReadonlyMap<string, Value> {
  set(id: string, value: Value): void
  delete(id: string): boolean
  /** Puts in rows none of which has the id of another one in here. */
  addNew(rows: readonly Row[]): void
  /** The rows as they come, in a list where there is one already: whoever goes through them all may look at some of them first. */
  all(): Iterable<Value>
}

/** Makes an empty one. `Value` may hold more than rows: what is undefined is there, and says so. */
export function createRowMap<Value extends Row | undefined = Row>(): RowMap<Value> {
  const map = new Map<string, Row | Value>() as Map<string, Value>
  let lists: (readonly Row[])[] = []

  const fill = (): Map<string, Value> => {
    const size = countAll()
    for (const list of lists) for (const row of list) map.set(row.id, row as Value)
    lists = []
    check(map.size === size, 'I5', 'two rows of one id were stored as different ones')
    return map
  }
  const countAll = (): number => lists.reduce((sum, { length }) => sum + length, map.size)
  const filled = (): Map<string, Value> => (lists.length === 0 ? map : fill())

  return {
    get size() {
      return countAll()
    },
    get: (id) => filled().get(id),
    has: (id) => filled().has(id),
    set: (id, value) => void filled().set(id, value),
    delete: (id) => filled().delete(id),
    keys: () => filled().keys(),
    values: () => filled().values(),
    entries: () => filled().entries(),
    forEach: (visit) => filled().forEach(visit),
    [Symbol.iterator]: () => filled()[Symbol.iterator](),
    addNew(rows) {
      lists.push(rows)
    },
    all() {
      if (map.size > 0) return filled().values()
      if (lists.length > 1) lists = [joined(lists)]
      return (lists[0] ?? []) as readonly Value[]
    },
  }
}

/** The rows of all lists in one. `flat` takes five times as long; more arguments than a thousand need not fit on a stack. */
function joined(lists: readonly (readonly Row[])[]): readonly Row[] {
  let all: Row[] = []
  for (let at = 0; at < lists.length; at += 1_000) all = all.concat(...lists.slice(at, at + 1_000))
  return all
}
