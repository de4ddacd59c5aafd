// Adoption: the one way in for changes, whoever made them. It reads the marks of one transaction, finds from which scope each touched
// row came (change log) and where it is now (the row and its parents), lets children follow a parent that moved or went, gives
// missing positions, recomputes the touched groups of aggregates, raises each touched scope by one version, and writes the log.
// Positions are missing where plain SQL put a row: tx.sql, or another process. When it came there only the marks tell, and no mark tells
// whether it was before or after what the intents of this commit brought: it goes behind those, which have positions from the flush.
// It conducts the other files of this folder and owns no table. Runs under the write lock, at the end of the authority's own
// transaction or before a pull or tick. I7, I10, I11.
import { check } from '../../base/assert.ts'
import type { Place } from '../../protocol/frame.ts'
import { type Scope, scopePrefix, scopeProblem } from '../../schema/scope.ts'
import type { Sql } from '../db/db.ts'
import type { Layout, TableLayout } from '../db/layout.ts'
import { together } from '../db/together.ts'
import { unfitRows } from '../db/unfit.ts'
import { type Failure, recomputeGroups } from './aggregates.ts'
import { givePositions, type Unplaced } from './append-index.ts'
import type { Authors } from './authors.ts'
import { forgetAlone, liveIds, type OpenLog, openLog } from './change-log.ts'
import { placesAfter, placesOf, writePlaces } from './commits.ts'
import { type Entry, scopesIn, writeLog } from './entries.ts'
import { arrivalMarks, clearMarks, type Mark, readMarks } from './marks.ts'
import { keyOf } from './turns.ts'
import { raiseWatched } from './watched.ts'

/** What an adoption changed. */
export interface Adopted {
  /** The scopes that have a new version, and where they stand now. */
  readonly scopes: ReadonlyMap<string, Place>
  /** The tables in which rows were touched. */
  readonly tables: ReadonlySet<string>
  /** Rows that are told to nobody, because a column holds what is no value of it: only in tables that were there before. */
  readonly unfit: readonly { readonly table: string; readonly id: string; readonly column: string }[]
  /** Values of aggregates that are null, or without a row, because a function of the app failed. */
  readonly failures: readonly Failure[]
}

/** Nothing was adopted. */
export const NOTHING: Adopted = Object.freeze({
  scopes: new Map<string, Place>(),
  tables: new Set<string>(),
  unfit: [],
  failures: [],
})

/** A touched row: where the log has it, and where it is. */
interface Change {
  readonly id: string
  /** False for a row that was only inserted. */
  wasThere: boolean
  from: string | undefined
  to: string | undefined
  /** What the row has in the column by which it finds its scope; undefined when there is no row, or one that fits no device. */
  under: string | undefined
  /** The column in which such a row holds what is no value of it. */
  unfit?: string
  /** For each position of the table, the parent under which the row has none. */
  unplacedUnder: readonly (string | undefined)[]
  /** Whether it was looked at where it is. */
  isRead: boolean
}

const changeOf = (id: string): Change => ({
  id,
  wasThere: false,
  from: undefined,
  to: undefined,
  under: undefined,
  unplacedUnder: [],
  isRead: false,
})

/** What makes a commit known: its random mark, its time, which tables have readers of their own, and who wrote, where that is kept. */
export interface Commit {
  readonly mark: string
  readonly at: number
  isWatched(table: string): boolean
  readonly authors?: Authors | undefined
}

/** Adopts all marks. `log` is what was read of the change log in this transaction already. */
export async function adopt(sql: Sql, layout: Layout, commit: Commit, log: OpenLog = openLog(sql)): Promise<Adopted> {
  const changes = await touchedRows(sql, layout)
  if (changes.marks.length === 0) return NOTHING
  await lookUp(sql, log, layout.tables, changes.of)
  for (const table of layout.tables) await followRows(sql, log, table, changes)
  const entries: Entry[] = []
  for (const { name } of layout.tables) {
    await forgetAlone(sql, name, backOrGone(changes.of(name)))
    for (const { id, from, to, under } of changes.of(name).values())
      entries.push({ table: name, id, from, to, isAlone: to === undefined && under !== undefined })
  }
  const failures: Failure[] = []
  const touched = layout.aggregates.flatMap((aggregate) => {
    const groups = changes.groups.get(aggregate.of.name) ?? new Set<string>()
    for (const { under } of changes.of(aggregate.of.name).values()) if (under !== undefined) groups.add(under)
    return groups.size === 0 ? [] : [{ aggregate, ids: [...groups] }]
  })
  // What these ask for does not depend on each other.
  const [before, , ...recomputed] = await together([
    placesOf(sql, scopesIn(entries)),
    log.read(touched.flatMap(({ aggregate, ids }) => ids.map((id) => [aggregate.name, id] as const))),
    ...touched.map(async ({ aggregate, ids }) => ({
      aggregate,
      ids,
      ...(await recomputeGroups(sql, layout, aggregate, ids, failures)),
    })),
  ])
  for (const { aggregate, ids, present } of recomputed) {
    const now = await scopesUnder(log, aggregate.of, ids, changes.of)
    for (const id of ids)
      entries.push({
        table: aggregate.name,
        id,
        from: log.scopeOf(aggregate.name, id),
        to: present.has(id) ? now.get(id) : undefined,
        isAlone: false,
      })
  }
  const scopes = scopesIn(entries)
  const others = scopes.filter((scope) => !before.has(scope))
  const places = placesAfter(new Map([...before, ...(await placesOf(sql, others))]), scopes, commit.mark)
  await together([
    ...recomputed.map(({ write }) => write()),
    // Giving positions has marked rows again: what this adoption did itself is adopted with it.
    clearMarks(sql),
    raiseWatched(sql, [...changes.tables].filter(commit.isWatched)),
    writePlaces(sql, places, commit.at),
    writeLog(sql, log, entries, places, commit.authors, changes),
  ])
  return { scopes: places, tables: changes.tables, unfit: unfitIn(layout, changes.of), failures }
}

/** Rows that may have had no parent and now have one again, or are no longer there. */
function backOrGone(changes: ReadonlyMap<string, Change>): readonly string[] {
  const ids: string[] = []
  for (const { id, wasThere, from, to, under, unfit } of changes.values())
    if (wasThere && from === undefined && (to !== undefined || (under === undefined && unfit === undefined)))
      ids.push(id)
  return ids
}

function unfitIn(layout: Layout, changesOf: ChangesOf): Adopted['unfit'] {
  return layout.tables.flatMap(({ name, isExisting }) =>
    isExisting
      ? [...changesOf(name).values()].flatMap(({ id, unfit }) =>
          unfit === undefined ? [] : [{ table: name, id, column: unfit }],
        )
      : [],
  )
}

type ChangesOf = (table: string) => Map<string, Change>

/** What an adoption has to look at. */
interface Touched {
  readonly of: ChangesOf
  /** The groups that marked rows left, by table. */
  readonly groups: ReadonlyMap<string, Set<string>>
  readonly tables: ReadonlySet<string>
  readonly marks: readonly Mark[]
  /** Rows that only follow a parent, by their keys: the key of the marked row that leads them. */
  readonly led: Map<string, string>
}

/** The marked rows by table, and the groups that they left. */
async function touchedRows(sql: Sql, layout: Layout): Promise<Touched> {
  const known = new Set(layout.tables.map(({ name }) => name))
  const byTable = new Map<string, Map<string, Change>>()
  const groups = new Map<string, Set<string>>()
  const of: ChangesOf = (table) => {
    let changes = byTable.get(table)
    if (changes === undefined) {
      changes = new Map()
      byTable.set(table, changes)
    }
    return changes
  }
  const marks = await readMarks(sql)
  for (const { table, oldId, newId, oldUnder } of marks) {
    // A row of an aggregate is missing, of which no trigger tells: whoever took one may have taken others too.
    const aggregate = known.has(table) ? undefined : layout.aggregates.find(({ name }) => name === table)
    if (aggregate !== undefined)
      groups.set(aggregate.of.name, new Set([...(groups.get(aggregate.of.name) ?? []), ...(await liveIds(sql, table))]))
    // A table that a newer app no longer declares: its triggers may still be there.
    if (!known.has(table)) continue
    const changes = of(table)
    for (const id of [oldId, newId]) {
      if (id !== null && !changes.has(id)) changes.set(id, changeOf(id))
    }
    const before = oldId === null ? undefined : changes.get(oldId)
    if (before !== undefined) before.wasThere = true
    if (oldUnder !== null) {
      const left = groups.get(table)
      if (left === undefined) groups.set(table, new Set([oldUnder]))
      else left.add(oldUnder)
    }
  }
  return { of, groups, tables: new Set(byTable.keys()), marks, led: new Map<string, string>() }
}

/** Reads of all rows in these tables of which it is not known yet what the log says of them and what they stand under. */
async function lookUp(sql: Sql, log: OpenLog, tables: readonly TableLayout[], changesOf: ChangesOf): Promise<void> {
  const unread = tables.flatMap((table) => {
    const changes = new Map([...changesOf(table.name)].filter(([, { isRead }]) => !isRead))
    return changes.size === 0 ? [] : [{ table, changes }]
  })
  await together([
    log.read(unread.flatMap(({ table: { name }, changes }) => [...changes.keys()].map((id) => [name, id] as const))),
    ...unread.map(({ table, changes }) => readPlacement(sql, table, changes)),
  ])
}

/** Finds where the touched rows of one table were and are, gives them positions, and takes their children along. */
async function followRows(
  sql: Sql,
  log: OpenLog,
  table: TableLayout,
  { of: changesOf, marks, led }: Pick<Touched, 'of' | 'marks' | 'led'>,
): Promise<void> {
  const changes = changesOf(table.name)
  if (changes.size === 0) return
  // Those that only follow a parent have come in the meantime.
  await lookUp(sql, log, [table], changesOf)
  const unders = new Set<string>()
  for (const { under } of changes.values()) if (under !== undefined) unders.add(under)
  const scopes = await scopesUnder(log, table, [...unders], changesOf)
  const moved: string[] = []
  for (const change of changes.values()) {
    change.from = log.scopeOf(table.name, change.id)
    change.to = change.under === undefined ? undefined : scopes.get(change.under)
    if (change.from !== change.to) moved.push(change.id)
  }
  for (const [index, position] of table.positions.entries()) {
    const unplaced: Unplaced[] = []
    for (const { id, unplacedUnder } of changes.values()) {
      const parent = unplacedUnder[index]
      if (parent !== undefined) unplaced.push({ id, parent })
    }
    await givePositions(sql, table, position, inOrder(marks, table.name, unplaced))
  }
  for (const child of table.children) {
    const followers = changesOf(child.name)
    const under = child.value(child.under)
    const what = { columns: `${child.value('id')} AS id, ${under} AS leader`, table: child.sql, key: [under] }
    const leaders = child.compared(child.under, moved).map((id) => [id])
    for (const row of await sql.allKeyed(what, leaders)) {
      const id = String(row['id'])
      if (followers.has(id)) continue
      followers.set(id, { ...changeOf(id), wasThere: true })
      const leader = keyOf(table.name, String(row['leader']))
      led.set(keyOf(child.name, id), led.get(leader) ?? leader)
    }
  }
}

/** Rows in the order in which they came under their parents, as the marks tell it of parents by which rows find their scopes. */
function inOrder(marks: readonly Mark[], table: string, rows: readonly Unplaced[]): readonly Unplaced[] {
  if (rows.length < 2) return rows
  const cameAt = arrivalMarks(marks, table, new Map(rows.map(({ id, parent }) => [id, parent])))
  return [...rows].sort((a, b) => (cameAt.get(a.id) ?? 0) - (cameAt.get(b.id) ?? 0))
}

/** Reads what rows stand under, and where they have no position under a parent. */
async function readPlacement(sql: Sql, table: TableLayout, changes: ReadonlyMap<string, Change>): Promise<void> {
  const positions = table.positions
    .map(({ column, parent }, index) => `, ${table.column(column)} AS p${index}, ${table.value(parent)} AS u${index}`)
    .join('')
  for (const change of changes.values()) change.isRead = true
  const rows = await sql.allKeyed(
    {
      columns: `${table.value('id')} AS id, ${table.value(table.under)} AS under${positions}`,
      table: table.sql,
      key: [table.value('id')],
    },
    table.compared('id', [...changes.keys()]).map((id) => [id]),
  )
  for (const row of rows) {
    const change = changes.get(String(row['id']))
    if (change === undefined) continue
    change.under = String(row['under'])
    change.unplacedUnder = table.positions.map((_, index) =>
      row[`p${index}`] === null && row[`u${index}`] !== null ? String(row[`u${index}`]) : undefined,
    )
  }
  // What no device could hold reaches none: such a row is in no scope until it is mended.
  if (!table.isExisting) return
  for (const [id, column] of await unfitRows(sql, table, [...changes.keys()])) {
    const change = changes.get(id)
    if (change !== undefined) Object.assign(change, { under: undefined, unfit: column, unplacedUnder: [] })
  }
}

/** The scopes of rows of `table` by what they stand under: made from it, or those of the parents. None where there is no scope. */
async function scopesUnder(
  log: OpenLog,
  table: TableLayout,
  unders: readonly string[],
  changesOf: ChangesOf,
): Promise<Map<string, string>> {
  const scopes = new Map<string, string>()
  const rule = table.table.scopeRule
  if (rule.via !== 'parent') {
    for (const under of unders) {
      const scope = `${scopePrefix(rule)}${under}` as Scope
      if (scopeProblem(scope) === undefined) scopes.set(under, scope)
    }
    return scopes
  }
  check(table.parent !== undefined, 'I10', `${table.name} finds its scope by a parent that is not laid out`)
  const { name } = table.parent
  const moved = changesOf(name)
  await log.read(unders.filter((under) => !moved.has(under)).map((under) => [name, under]))
  for (const under of unders) {
    const change = moved.get(under)
    const scope = change === undefined ? log.scopeOf(name, under) : change.to
    if (scope !== undefined) scopes.set(under, scope)
  }
  return scopes
}
