// What an adoption has to say to the change log: rows with the scopes where they were and where they are. Here they become entries, each
// with the version of its scope, and what authors note of them is written before. Which rows these are, adopt.ts finds out. I7.
import { check } from '../../base/assert.ts'
import type { Place } from '../../protocol/frame.ts'
import type { Sql } from '../db/db.ts'
import type { Authors } from './authors.ts'
import { type LogEntry, type OpenLog, writeEntries } from './change-log.ts'
import type { Mark } from './marks.ts'

/** A row for the log: where it was, and where it is. */
export interface Entry {
  readonly table: string
  readonly id: string
  readonly from: string | undefined
  readonly to: string | undefined
  readonly isAlone: boolean
}

/** The scopes of these rows, sorted. */
export function scopesIn(rows: readonly Entry[]): readonly string[] {
  const scopes = new Set<string>()
  for (const { from, to } of rows) {
    if (from !== undefined) scopes.add(from)
    if (to !== undefined) scopes.add(to)
  }
  return [...scopes].sort()
}

/** Writes the log: a row in its scope, and a tombstone in a scope that it left. */
export async function writeLog(
  sql: Sql,
  log: OpenLog,
  rows: readonly Entry[],
  places: ReadonlyMap<string, Place>,
  authors: Authors | undefined,
  { marks, led }: { readonly marks: readonly Mark[]; readonly led: ReadonlyMap<string, string> },
): Promise<void> {
  const entries: (LogEntry & { readonly scope: string; readonly isAlone: boolean })[] = []
  const enter = (table: string, id: string, scope: string, isGone: boolean, isAlone: boolean) => {
    const version = places.get(scope)?.version
    check(version !== undefined, 'I7', `the scope ${scope} was touched and not raised`)
    entries.push({ table, id, scope, version, isGone, isAlone })
  }
  for (const { table, id, from, to, isAlone } of rows) {
    if (from !== undefined && from !== to) enter(table, id, from, true, isAlone)
    if (to !== undefined) enter(table, id, to, false, false)
  }
  await authors?.enter(marks, led, entries)
  await writeEntries(sql, log, entries)
}
