// Conflict policies by hand: which rows of an intent's base others have written since, from the model's own list of writes and from what
// each version of a scope held; no version of a row, no author's table. Where the engine may see it either way (a change that others
// took back within one commit, another copy of the same store, a place of a lost history), the finding is not sure.
import type { Json } from '../base/json.ts'
import type { IntentBase } from '../protocol/base.ts'
import type { Cursor } from '../protocol/frame.ts'
import { CONFLICTS } from '../schema/conflict.ts'
import type { PlainRow } from './model-mutators.ts'

/** The client that wrote. */
export interface Writer {
  readonly client: string
}

/** One write to a row; nobody's by name when somebody else made it. */
export interface Written {
  readonly order: number
  readonly by: Writer | undefined
  /** The row before it, as JSON. */
  readonly before: string
}

/** Who made an intent, and on what. */
export interface Made {
  readonly by: Writer
  readonly base: IntentBase | undefined
  /** Whether a client may be an earlier birth of this one, or another copy of it. */
  isKin(client: string): boolean
  /** The number of the last write that a place holds; undefined when it is of another history. */
  orderOf(place: Cursor): number | undefined
}

/** A row that others have written since. */
export interface Met {
  readonly table: string
  readonly id: string
  readonly was: { readonly [column: string]: Json } | undefined
  readonly isSure: boolean
}

/** The rows as they are now for the intent's actor, and what was ever written to them. */
export interface Present {
  row(table: string, id: string): PlainRow | undefined
  written(table: string, id: string): readonly Written[]
}

/** The rows of the base that others have written since. */
export function conflictsOf(made: Made, present: Present): readonly Met[] {
  const met: Met[] = []
  for (const { table, id, at, was } of made.base?.rows ?? []) {
    if (table === CONFLICTS) continue
    const place = made.base?.places[at]
    const now = present.row(table, id)
    const all = present.written(table, id)
    if (place === undefined && now === undefined) continue
    // What was absent began with its last insert.
    const since =
      place === undefined ? (all.findLast(({ before }) => before === 'null')?.order ?? 1) - 1 : made.orderOf(place)
    if (since === undefined) met.push({ table, id, was, isSure: false })
    const writes = since === undefined ? [] : all.filter(({ order }) => order > since)
    const others = writes.filter(({ by }) => by?.client !== made.by.client)
    if (others.length === 0) continue
    const isSure = writes.some((write, index) => {
      const client = write.by?.client
      if (client === made.by.client || (client !== undefined && made.isKin(client))) return false
      // What one writer did at a stretch, from its first write on, and whether anything is left of it: one commit may hold it all.
      if (index > 0 && writes[index - 1]?.by?.client === client) return false
      const end = writes.findIndex(({ by }, later) => later > index && by?.client !== client)
      const after = end < 0 ? JSON.stringify(now ?? null) : writes[end]?.before
      return after !== write.before
    })
    met.push({ table, id, was, isSure })
  }
  return met
}

/** Whether a run has changed a column in which somebody else's value stood. */
export function overwrites(
  before: PlainRow | undefined,
  after: PlainRow | undefined,
  was: { readonly [column: string]: Json } | undefined,
): boolean {
  if (before === undefined) return false
  if (after === undefined) return true
  return Object.keys(was ?? before).some(
    (name) =>
      JSON.stringify(before[name]) !== JSON.stringify(after[name]) &&
      (was === undefined || JSON.stringify(before[name]) !== JSON.stringify(was[name])),
  )
}

/** The columns of a row that an intent only set to what they were. */
export function sameOf(made: Made | undefined, table: string, id: string): { readonly [column: string]: Json } {
  return made?.base?.rows.find((row) => row.table === table && row.id === id)?.same ?? {}
}
