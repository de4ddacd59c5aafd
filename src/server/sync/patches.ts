// Patches as text: what changed in one scope after a place, read from the change log and the app's rows in one snapshot, and written
// as JSON once. Used by pulls (in pages) and by the live stream (whole or not at all). Knows no clients and no grants.
import { utf8Bytes } from '../../base/utf8.ts'
import { NOWHERE, type Place } from '../../protocol/frame.ts'
import type { Sql } from '../db/db.ts'
import { allIn } from '../db/in-list.ts'
import type { Layout } from '../db/layout.ts'
import { entriesAfter, type LogEntry } from '../state/change-log.ts'
import { markBefore, markOf, oldestOf, placeBehind } from '../state/commits.ts'

/** The log has a live entry and its table has no row: somebody deleted past the triggers. */
export class RowWentUnmarked extends Error {
  readonly table: string
  readonly id: string
  constructor(table: string, id: string) {
    super(`A row of ${table} went without a mark`)
    this.name = 'RowWentUnmarked'
    this.table = table
    this.id = id
  }
}

/** How much a patch may hold. */
export interface Budget {
  readonly entries: number
  readonly bytes: number
}

/** A patch, encoded. */
export interface PatchText {
  readonly text: string
  readonly to: Place
  readonly entries: number
  readonly bytes: number
  /** Whether it leads to where the scope stands. */
  readonly isWhole: boolean
}

/** Rows are read this many entries at a time, so that a page of large rows is not read many times over. */
const SLICE = 500

/** Where a patch begins. */
export interface Start {
  readonly from: Place
  /** What the device holds of the scope cannot be gone on from: its place lies before what is remembered, or in another history. */
  readonly reset?: 'forgotten' | 'unknown'
}

/** Finds where a device that stands at `cursor` goes on: there, or from the beginning when this history does not know the place. */
export async function startFrom(sql: Sql, scope: string, cursor: Place | undefined, current: Place): Promise<Start> {
  if (cursor === undefined || cursor.version === 0) return { from: NOWHERE }
  const { version, mark, within } = cursor
  if (await isOurs(sql, scope, cursor, current))
    return { from: within === undefined ? { version, mark } : { version, mark, within } }
  const oldest = await oldestOf(sql, scope)
  return { from: NOWHERE, reset: oldest !== undefined && version < oldest.version ? 'forgotten' : 'unknown' }
}

/** Whether a place is one of this history, as far as that is remembered. */
async function isOurs(sql: Sql, scope: string, { version, mark, within }: Place, current: Place): Promise<boolean> {
  if (version > current.version) return false
  if (version === current.version) return mark === current.mark
  const behind = within === undefined ? undefined : placeBehind(mark)
  if (behind === undefined) return (await markOf(sql, scope, version)) === mark
  return version < behind.version && (await markOf(sql, scope, behind.version)) === behind.mark
}

/** Encodes what comes after `start` in a scope that stands at `current`, as far as the budget goes; at least one entry. */
export async function encodePatch(
  sql: Sql,
  layout: Layout,
  scope: string,
  start: Start,
  current: Place,
  budget: Budget,
): Promise<PatchText> {
  const found = await entriesAfter(sql, scope, start.from, budget.entries + 1)
  const rows = new Map<string, string[]>()
  const gone = new Map<string, string[]>()
  let bytes = 0
  let count = 0
  while (count < found.length && count < budget.entries && (count === 0 || bytes < budget.bytes)) {
    const slice = found.slice(count, Math.min(count + SLICE, budget.entries))
    const texts = await readTexts(sql, layout, slice)
    for (const { table, id, isGone } of slice) {
      count++
      if (layout.synced(table) === undefined) continue
      const text = isGone ? JSON.stringify(id) : texts.get(table)?.get(id)
      if (text === undefined) throw new RowWentUnmarked(table, id)
      const lists = isGone ? gone : rows
      const list = lists.get(table)
      if (list === undefined) lists.set(table, [text])
      else list.push(text)
      bytes += utf8Bytes(text) + 1
      if (bytes >= budget.bytes) break
    }
  }
  const isWhole = count === found.length
  const last = found[count - 1]
  const to = isWhole || last === undefined ? current : placeAfter(last, current)
  const reset = start.reset !== undefined ? ',"reset":true' : ''
  const text = `{"scope":${JSON.stringify(scope)},"from":${JSON.stringify(start.from)},"to":${JSON.stringify(to)}${reset},"rows":${listsText(rows)},"gone":${listsText(gone)}}`
  return { text, to, entries: count, bytes, isWhole }
}

/**
 * The place after one entry. Rows that stand behind it in this history may stand before it in another one that has this version too: the
 * place counts only where the last version of this history is known.
 */
function placeAfter({ version, table, id }: LogEntry, current: Place): Place {
  return { version, mark: version === current.version ? current.mark : markBefore(current), within: { table, id } }
}

async function readTexts(
  sql: Sql,
  layout: Layout,
  entries: readonly LogEntry[],
): Promise<Map<string, Map<string, string>>> {
  const ids = new Map<string, string[]>()
  for (const { table, id, isGone } of entries) {
    if (isGone) continue
    const list = ids.get(table)
    if (list === undefined) ids.set(table, [id])
    else list.push(id)
  }
  const texts = new Map<string, Map<string, string>>()
  for (const [name, list] of ids) {
    const synced = layout.synced(name)
    if (synced === undefined) continue
    const byId = new Map<string, string>()
    const text = `SELECT ${synced.columns} FROM ${synced.sql} WHERE ${synced.value('id')} IN (?*)`
    for (const row of await allIn(sql, text, [], synced.compared('id', list))) {
      const encoded = synced.encodeRow(row)
      if (encoded !== undefined) byId.set(String(row['id']), encoded)
    }
    texts.set(name, byId)
  }
  return texts
}

function listsText(lists: ReadonlyMap<string, readonly string[]>): string {
  let text = ''
  for (const [table, list] of lists) text += `${text === '' ? '' : ','}${JSON.stringify(table)}:[${list.join(',')}]`
  return `{${text}}`
}
