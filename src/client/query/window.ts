// The rows of one live query, kept in order by hand: a change costs one binary search and one splice. Of a query with a limit it keeps
// somewhat more than is shown, so that a row that leaves can be followed up without asking again; only when that runs short, or when
// very much changes at once, is the query answered afresh. Always equals the fresh answer (proved by property test).
// Knows nothing of listeners and of sync: that is live.ts.
import { comparatorOf, matches, type QuerySpec } from '../../schema/query.ts'
import type { Row } from '../../schema/table.ts'
import type { Change, Replica } from '../replica/replica.ts'
import { insertionPoint } from '../replica/spec.ts'
import { rowsEqual } from '../replica/tables.ts'
import { answer } from './answer.ts'

/** A row of the window, with whatever its reader has made of it. */
export interface Slot<Made> {
  readonly row: Row
  made: Made | undefined
}

/** The rows of one query. */
export interface Window<Made> {
  /** The rows in order; those from the query's limit on are in reserve. */
  readonly slots: readonly Slot<Made>[]
  /** The slot of a row as it is shown now, if it is in the window. */
  slotOf(row: Row): Slot<Made> | undefined
  /** Takes in what one commit changed; returns whether any of it lies in the window. */
  apply(changes: readonly Change[]): boolean
  /** Answers afresh: after a commit that brought all rows, of which there is no use in looking at each. */
  refill(): void
}

/** Above this many changes at once, answering afresh may be cheaper than so many splices. */
const MANY_CHANGES = 128

/** Opens the window of a query. Throws a TypeError when the query cannot be asked. */
export function createWindow<Made>(replica: Replica, spec: QuerySpec): Window<Made> {
  const compare = comparatorOf(spec.orderBy)
  const compareSlots = (a: Slot<Made>, b: Slot<Made>): number => compare(a.row, b.row)
  const { shownNames } = replica.table(spec.table)
  const limit = spec.limit ?? Number.POSITIVE_INFINITY
  const reserve = Math.min(Math.max(limit, 16), 256)
  let slots: Slot<Made>[] = []
  // Whether the window holds all rows that meet the conditions; otherwise it holds the first ones, without a gap.
  let isWhole = true

  const fill = (): void => {
    const known = new Map(slots.map((slot) => [slot.row.id, slot]))
    const rows = answer(replica, spec.limit === undefined ? spec : { ...spec, limit: limit + reserve })
    isWhole = rows.length < limit + reserve
    slots = rows.map((row) => {
      const slot = known.get(row.id)
      return slot !== undefined && rowsEqual(shownNames, slot.row, row) ? slot : { row, made: undefined }
    })
  }

  const find = (row: Row): number => {
    const index = insertionPoint(slots, { row, made: undefined }, compareSlots)
    return slots[index]?.row.id === row.id ? index : -1
  }

  const put = (row: Row): boolean => {
    const slot = { row, made: undefined }
    const index = insertionPoint(slots, slot, compareSlots)
    if (index === slots.length && !isWhole) return false
    slots.splice(index, 0, slot)
    if (slots.length > limit + 2 * reserve) {
      slots.length = limit + reserve
      isWhole = false
    }
    return true
  }

  const applyOne = ({ before, after }: Change): boolean => {
    const was = before !== undefined && matches(spec.where, before) ? before : undefined
    const is = after !== undefined && matches(spec.where, after) ? after : undefined
    if (was === undefined) return is !== undefined && put(is)
    const index = find(was)
    if (is !== undefined && index >= 0 && compare(was, is) === 0) {
      slots[index] = { row: is, made: undefined }
      return true
    }
    if (index >= 0) slots.splice(index, 1)
    const isPut = is !== undefined && put(is)
    return index >= 0 || isPut
  }

  fill()
  return {
    get slots() {
      return slots
    },
    slotOf: (row) => slots[find(row)],
    refill: fill,
    apply(changes) {
      if (changes.length > MANY_CHANGES && spec.limit === undefined && changes.length * 10 > slots.length) {
        fill()
        return true
      }
      let isTouched = false
      for (const change of changes) if (applyOne(change)) isTouched = true
      if (!isWhole && slots.length < limit) fill()
      return isTouched
    },
  }
}
