// Provisional positions: what a row that the authority has not yet placed shows in its append index. The highest confirmed position
// under its parent, and then one for each such row in pending order: what the authority will give if nobody else comes between.
// Under the policy `never-reuse` positions that pending intents take away count as given; those that went before this device saw them it
// cannot know, and then shows less than the authority will give.
// A view over the overlay, kept group by group and only for parents under which something is provisional; the common cases (one more
// at the end, the first ones confirmed) cost nothing for the others. Intents never write positions.
import { countBefore, obtain } from '../../base/collections.ts'
import type { Json } from '../../base/json.ts'
import type { Column } from '../column.ts'
import type { Row } from '../table.ts'
import type { PendingWrite, Rows, Staged } from './pending.ts'

/** What shows the rows of a table with their positions. */
export interface Places {
  /** A row that pending runs wrote, the last of them so. The same object as long as nothing in it changes. */
  row(id: string, write: PendingWrite): Row
  /** The columns of a row whose values the authority may still change. */
  provisional(id: string): readonly string[]
  /**
   * To be called after a swap with the rows that it may have changed: those noted, with how they were shown before, and those that a
   * frame changed. Returns others that show another position now, as they were shown before.
   */
  settle(noted: ReadonlyMap<string, Row | undefined>, staged: Staged | undefined): ReadonlyMap<string, Row>
}

/** Makes what shows the rows of a table with these columns. */
export function createPlaces(rows: Rows, columns: { readonly [name: string]: Column }): Places {
  const all = Object.entries(columns).flatMap(([name, { type, target, gaps }]) =>
    type === 'appendIndex' ? [createPositions(rows, name, target, gaps === 'never-reuse')] : [],
  )
  const row = (id: string, write: PendingWrite): Row => {
    const known = write.shown
    const confirmed = rows.confirmed.get(id)
    const numberOf = ({ of, column }: Positions): Json => of(id) ?? confirmed?.[column] ?? null
    if (known !== undefined && all.every((each) => known[each.column] === numberOf(each))) return known
    const made: { [column: string]: Json } = { ...write.row }
    for (const each of all) made[each.column] = numberOf(each)
    write.shown = made as Row
    return write.shown
  }
  return {
    row,
    provisional: (id) => all.filter(({ of }) => of(id) !== undefined).map(({ column }) => column),
    settle(noted, staged) {
      // A chain of writes to one row keeps it as shown once, not once a write.
      for (const id of noted.keys()) {
        const earlier = rows.writes.get(id)?.at(-2)
        if (earlier !== undefined) earlier.shown = undefined
      }
      const others = new Map<string, Row>()
      for (const { column, settle } of all) {
        for (const [id, number] of settle(noted, staged)) {
          const write = rows.writes.get(id)?.at(-1)
          if (write === undefined || noted.has(id)) continue
          others.set(id, { ...(others.get(id) ?? write.shown ?? row(id, write)), [column]: number })
        }
      }
      return others
    },
  }
}

/** The provisional positions of one column. */
interface Positions {
  readonly column: string
  /** The provisional position of a row; undefined when it has a confirmed one or is not there. */
  of(id: string): number | undefined
  /** As that of `Places`, but returns what other rows showed before whose position is another now. */
  settle(noted: ReadonlyMap<string, Row | undefined>, staged: Staged | undefined): ReadonlyMap<string, number>
}

interface Member {
  readonly id: string
  readonly parent: string
  /** The write that put the row under its parent. */
  readonly write: PendingWrite
  number: number
}

/** The rows without a confirmed position under one parent. */
interface Group {
  /** The highest confirmed position. */
  base: number
  members: Member[]
}

interface Turn {
  left: Member[]
  joined: Member[]
  /** The highest confirmed position that came. */
  risen: number
  /** The highest one went, so that the next has to be looked for. */
  isFallen: boolean
}

/** Makes the view of one position column. */
function createPositions(rows: Rows, column: string, parent: string, isNeverReused: boolean): Positions {
  const members = new Map<string, Member>()
  const groups = new Map<string, Group>()

  /** The highest confirmed position under a parent: of rows that are still there, or of all that the authority has there. */
  const findBase = (key: string): number => {
    let base = 0
    for (const id of rows.ids(parent, key)) {
      const row = rows.confirmed.get(id)
      const counts = isNeverReused ? row?.[parent] === key : !members.has(id) && rows.last(id)?.[parent] === key
      const position = counts ? row?.[column] : undefined
      if (typeof position === 'number' && position > base) base = position
    }
    return base
  }

  const settleGroup = (key: string, turn: Turn, shifted: Map<string, number>): void => {
    const known = groups.get(key)
    const group = known ?? { base: findBase(key), members: [] }
    const oldBase = group.base
    if (known !== undefined) group.base = turn.isFallen ? findBase(key) : Math.max(group.base, turn.risen)
    const first = group.members.length
    turn.joined.sort(inPendingOrder)
    const left = new Set(turn.left)
    const isPrefix = group.members.slice(0, left.size).every((member) => left.has(member))
    if (left.size > 0)
      group.members = isPrefix ? group.members.slice(left.size) : group.members.filter((member) => !left.has(member))
    const last = group.members.at(-1)
    const comesLast = last === undefined || turn.joined[0] === undefined || inPendingOrder(last, turn.joined[0]) < 0
    for (const member of turn.joined) {
      if (comesLast) group.members.push(member)
      else
        group.members.splice(
          countBefore(group.members, (other) => inPendingOrder(other, member) < 0),
          0,
          member,
        )
    }
    if (group.members.length === 0) {
      groups.delete(key)
      return
    }
    groups.set(key, group)
    const isSteady = comesLast && isPrefix && group.base - oldBase === left.size
    for (let index = isSteady ? first - left.size : 0; index < group.members.length; index++) {
      const member = group.members[index] as Member
      const number = group.base + index + 1
      if (member.number === number) continue
      if (member.number !== 0) shifted.set(member.id, member.number)
      member.number = number
    }
  }

  return {
    column,
    of: (id) => members.get(id)?.number,
    settle(noted, staged) {
      const turns = new Map<string, Turn>()
      const turnOf = (key: string): Turn =>
        obtain(turns, key, () => ({ left: [], joined: [], risen: 0, isFallen: false }))
      /** A confirmed position came, went or stayed: that matters only where something is provisional. */
      const settleConfirmed = (before: Row | undefined, after: Row | undefined): void => {
        const oldKey = String(before?.[parent])
        const newKey = String(after?.[parent])
        const isSame = oldKey === newKey && before?.[column] === after?.[column]
        if (isSame) return
        const group = before === undefined ? undefined : groups.get(oldKey)
        if (group !== undefined && Number(before?.[column]) >= group.base) turnOf(oldKey).isFallen = true
        if (after !== undefined && groups.has(newKey))
          turnOf(newKey).risen = Math.max(turnOf(newKey).risen, Number(after[column] ?? 0))
      }
      for (const [id, before] of noted) {
        const member = members.get(id)
        const row = rows.last(id)
        const write = row === undefined ? undefined : placingWrite(rows, id, parent)
        const isPlaced = row !== undefined && write === undefined
        if (!isNeverReused)
          settleConfirmed(member === undefined ? before : undefined, isPlaced ? rows.confirmed.get(id) : undefined)
        const stays = member !== undefined && write !== undefined && isSamePlace(member, write, parent)
        if (member !== undefined && !stays) {
          members.delete(id)
          turnOf(member.parent).left.push(member)
        }
        if (write !== undefined && !stays) {
          const joining: Member = { id, parent: String(row?.[parent]), write, number: 0 }
          members.set(id, joining)
          turnOf(joining.parent).joined.push(joining)
        }
      }
      if (groups.size > 0) {
        for (const [id, row] of staged?.after ?? []) {
          const before = staged?.before.get(id)
          const isNear = groups.has(row?.[parent] as string) || groups.has(before?.[parent] as string)
          if (isNear && (isNeverReused || !noted.has(id))) settleConfirmed(before, row)
        }
      }
      const shifted = new Map<string, number>()
      for (const [key, turn] of turns) settleGroup(key, turn, shifted)
      return shifted
    },
  }
}

/** The pending write that put a row under its present parent; undefined when the confirmed row is there. */
function placingWrite(rows: Rows, id: string, parent: string): PendingWrite | undefined {
  const writes = rows.writes.get(id) ?? []
  const key = writes.at(-1)?.row?.[parent]
  let placing: PendingWrite | undefined
  for (let index = writes.length - 1; index >= 0; index--) {
    const write = writes[index] as PendingWrite
    if (write.row?.[parent] !== key) return placing
    placing = write
    if (write.isInsert) return placing
  }
  return placing !== undefined && rows.confirmed.get(id)?.[parent] !== key ? placing : undefined
}

/** Whether a run that ran again put its row where it was. */
function isSamePlace(member: Member, write: PendingWrite, parent: string): boolean {
  return (
    member.write.run === write.run &&
    member.write.ordinal === write.ordinal &&
    member.parent === String(write.row?.[parent])
  )
}

function inPendingOrder(a: Member, b: Member): number {
  return a.write.run.position - b.write.run.position || a.write.ordinal - b.write.ordinal
}
