// Conflicts: whether others have changed what an intent was based on. Each row of its base is held against the change log, the authors
// of its entries, and what is marked in this transaction by those who were decided before. What the intent's own device wrote is none.
// A row that the actor may not see counts as gone, so that nothing is told of it. What is left of a conflict is records.ts; which
// policy does what, runs.ts. Reads only.
import { jsonEqual } from '../../base/json.ts'
import type { BaseRow, IntentBase } from '../../protocol/base.ts'
import type { Place } from '../../protocol/frame.ts'
import { type Entry, isWithdrawal } from '../../protocol/intent.ts'
import { CONFLICTS } from '../../schema/conflict.ts'
import type { Row } from '../../schema/table.ts'
import type { Sql } from '../db/db.ts'
import type { Layout, TableLayout } from '../db/layout.ts'
import type { Rights } from '../rights/grants.ts'
import { scopeOf } from '../rights/scopes.ts'
import { type Authors, type Marks, readAuthored } from '../state/authors.ts'
import { markOf, oldestOf } from '../state/commits.ts'
import {
  type Author,
  type Authored,
  bornAt,
  isSameLine,
  keyOf,
  type Line,
  lastByOthers,
  turnOf,
} from '../state/turns.ts'
import type { Buffer } from './buffer.ts'

/** Somebody else's change of a row. */
export interface Change {
  /** Who made it; undefined for a stranger. */
  readonly by: Pick<Author, 'client' | 'actor'> | undefined
  /** Where it was committed; undefined for one of this transaction. */
  readonly place: { readonly scope: string; readonly version: number } | undefined
}

/** A row of a base that others have changed since. */
export interface Conflict extends Change {
  readonly table: TableLayout
  readonly base: BaseRow
  /** The row as it is now; undefined when it is gone, or no longer to be seen. */
  readonly now: Row | undefined
  /** The scope that it lies in, or lay in when the intent was made. */
  readonly scope: string
}

/** The conflicts of one intent, by the keys of the rows. */
export type Conflicts = ReadonlyMap<string, Conflict>

/** Looks for conflicts in one batch. */
export interface Comparison {
  /** Whose batch it is. */
  readonly line: Line
  look(base: IntentBase, rights: Rights): Promise<Conflicts>
}

/** The numbers that the client of a batch had in earlier births. */
export function lineOf(client: string, entries: readonly Entry[]): Line {
  const births = new Map<string, number>()
  for (const entry of entries) {
    if (isWithdrawal(entry)) continue
    for (const [birth, sequence] of entry.births ?? []) births.set(birth, Math.max(births.get(birth) ?? 0, sequence))
  }
  return { client, births: [...births] }
}

/** Makes the comparison of one batch, before anything of it is decided. */
export async function createComparison(
  sql: Sql,
  layout: Layout,
  buffer: Buffer,
  authors: Authors,
  batch: { readonly client: string; readonly entries: readonly Entry[] },
): Promise<Comparison> {
  const line = lineOf(batch.client, batch.entries)
  const hasBase = batch.entries.some((entry) => !isWithdrawal(entry) && entry.base !== undefined)
  const marked = hasBase ? await authors.written() : new Map<string, Marks>()
  const isOwn = (author: Author | undefined): boolean => author !== undefined && isSameLine(line, author)
  const places = new Map<string, Promise<boolean>>()
  let logged: Map<string, readonly Authored[]> | undefined

  /** What the log says of all rows of all bases of the batch: it stays so until the adoption. */
  async function readLog(): Promise<Map<string, readonly Authored[]>> {
    const ids = new Map<string, Set<string>>()
    for (const entry of batch.entries) {
      if (isWithdrawal(entry)) continue
      for (const { table, id } of entry.base?.rows ?? []) ids.set(table, (ids.get(table) ?? new Set()).add(id))
    }
    const found = new Map<string, readonly Authored[]>()
    for (const [table, wanted] of ids)
      for (const [id, entries] of await readAuthored(sql, table, [...wanted])) found.set(keyOf(table, id), entries)
    return found
  }

  function isKnown(scope: string, place: Place): Promise<boolean> {
    const key = `${scope} ${place.version} ${place.mark}`
    const known = places.get(key) ?? isOfThisHistory(sql, scope, place)
    places.set(key, known)
    return known
  }

  /** The last change by others among the marks of a row in this transaction, from one of them on. */
  function markedChange({ by }: Marks, from: number): Change | undefined {
    const others = by.slice(from).filter((author) => !isOwn(author))
    return others.length === 0 ? undefined : { by: others.at(-1), place: undefined }
  }

  /** The last change by others that a place in the scope of an entry has not seen, as far as the entry tells of it. */
  function changeAfter(entry: Authored, version: number): Change | undefined {
    if (entry.version <= version) return undefined
    if (isOwn(entry.by)) return entry.unseen > version ? entry.others : undefined
    return { by: entry.by, place: { scope: entry.scope, version: entry.version } }
  }

  /** What others did to a row since the device saw it at `place` in `scope`, or saw that it was absent. */
  async function changeOf(
    base: BaseRow,
    seen: (Place & { readonly scope: string }) | undefined,
    now: Row | undefined,
    log: readonly Authored[],
  ): Promise<Change | undefined> {
    const marks = marked.get(keyOf(base.table, base.id)) ?? UNMARKED
    const live = log.find(({ isGone }) => !isGone)
    const last = lastByOthers(log, isOwn)
    if (seen === undefined) {
      // What was absent is compared with the row since it began.
      if (now === undefined) return undefined
      if (marks.born !== undefined) return markedChange(marks, marks.born)
      const hasChanged = live !== undefined && last !== undefined && last.turn >= bornAt(live, log)
      return markedChange(marks, 0) ?? (hasChanged ? last : undefined)
    }
    const pending = markedChange(marks, 0)
    const entry = log.find(({ scope }) => scope === seen.scope)
    if (!(await isKnown(seen.scope, seen))) {
      // Another history: only the values can tell.
      if (now !== undefined && !differs(base, now)) return undefined
      if (now !== undefined && base.was === undefined && base.same === undefined) return pending
      return pending ?? (live === undefined ? STRANGER : last)
    }
    if (pending !== undefined) return pending
    if (entry === undefined) return STRANGER
    const there = changeAfter(entry, seen.version)
    if (there !== undefined || !entry.isGone) return there
    // It left the scope, and others changed it after that, wherever it was then.
    return last !== undefined && last.turn > turnOf(entry, log) ? last : undefined
  }

  return {
    line,
    async look(base, rights) {
      logged ??= await readLog()
      const met = new Map<string, Conflict>()
      for (const row of base.rows) {
        const table = layout.tables.find(({ name }) => name === row.table)
        if (table === undefined || table.name === CONFLICTS) continue
        const key = keyOf(row.table, row.id)
        const log = logged.get(key) ?? []
        const seen = row.at < 0 ? undefined : base.places[row.at]
        const held = await buffer.load(table, row.id)
        const scope = held === undefined ? undefined : await scopeOf(table, held, buffer.load)
        const isVisible = scope !== undefined && rights.visible.has(scope)
        const now = isVisible ? held : undefined
        const change = await changeOf(row, seen, now, log)
        if (change === undefined) continue
        // The device says where a row lay that is gone: that counts where the log has it too.
        const lay = log.some((entry) => entry.scope === seen?.scope) ? (seen?.scope ?? '') : ''
        met.set(key, { ...change, table, base: row, now, scope: isVisible ? scope : lay })
      }
      return met
    },
  }
}

const UNMARKED: Marks = Object.freeze({ by: [], born: undefined })
const STRANGER: Change = Object.freeze({ by: undefined, place: undefined })

/** Whether a place is one of this history. Of one that lies before all that is remembered it is taken for granted. */
async function isOfThisHistory(sql: Sql, scope: string, { version, mark }: Place): Promise<boolean> {
  const known = await markOf(sql, scope, version)
  if (known !== undefined) return known === mark
  const oldest = await oldestOf(sql, scope)
  return oldest !== undefined && version < oldest.version
}

/** Whether a row has other values than those that the device saw, as far as it named them. */
function differs({ was, same }: BaseRow, now: Row): boolean {
  return Object.entries({ ...was, ...same }).some(([name, value]) => !jsonEqual(value, now[name] ?? null))
}
