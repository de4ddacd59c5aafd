// The part of verification that goes over rows, page by page: whether each row has exactly one live entry of the log, in the scope
// where it lies; whether each entry has its row; whether positions are given and unique; whether each group's aggregate is what its rows
// come to. Says what it finds and what would mend it; changes nothing.
import { computeGroup } from '../schema/aggregate.ts'
import { makeScope, scopeProblem } from '../schema/scope.ts'
import type { Row } from '../schema/table.ts'
import type { Sql, SqlRow, SqlValue } from './db/db.ts'
import { allIn } from './db/in-list.ts'
import type { AggregateLayout, TableLayout } from './db/layout.ts'
import { allLiveScopes, liveAfter } from './state/audit.ts'
import { openLog } from './state/change-log.ts'
import type { Finding } from './verify.ts'

type Say = (finding: Finding) => void

/** Rows that are looked at in one go. */
const PAGE = 1_000

/** Verifies the rows of a table; gives their number. */
export async function verifyTable(sql: Sql, table: TableLayout, say: Say): Promise<number> {
  let count = 0
  for await (const rows of pagesOf(sql, table)) {
    count += rows.length
    const unders = new Map<string, string>()
    for (const row of rows) {
      const id = String(row['id'])
      const column = table.unfitColumn(row)
      if (column === undefined) unders.set(id, String(row[table.under]))
      else
        say({
          kind: 'row',
          problem: `The row ${id} of ${table.name} holds what is no value of its column ${column}, and reaches no device until that is mended in the database`,
        })
    }
    const scopes = await scopesOf(sql, table, [...unders.values()])
    const ids = rows.map((row) => String(row['id']))
    const logged = await allLiveScopes(sql, table.name, ids)
    for (const id of ids)
      compareEntries(table.name, id, scopes.get(unders.get(id) ?? ''), logged.get(id) ?? [], say, {
        mark: 'row',
        table: table.name,
        id,
      })
  }
  for (const { column, parent } of table.positions) await verifyPositions(sql, table, column, parent, say)
  return count
}

/** All rows, by pages in the order of their ids. */
async function* pagesOf(sql: Sql, table: TableLayout): AsyncGenerator<readonly SqlRow[]> {
  const id = table.value('id')
  let after: readonly SqlValue[] = []
  for (;;) {
    const from = after.length === 0 ? '' : ` WHERE ${id} > ?`
    const rows = await sql.all(`SELECT ${table.columns} FROM ${table.sql}${from} ORDER BY ${id} LIMIT ${PAGE}`, after)
    if (rows.length > 0) yield rows
    if (rows.length < PAGE) return
    after = table.compared('id', [String(rows[rows.length - 1]?.['id'])])
  }
}

/** The scopes of rows by what they stand under. */
async function scopesOf(sql: Sql, table: TableLayout, unders: readonly string[]): Promise<Map<string, string>> {
  const rule = table.table.scopeRule
  const scopes = new Map<string, string>()
  if (table.parent !== undefined) {
    const [log, { name }] = [openLog(sql), table.parent]
    await log.read([...new Set(unders)].map((under) => [name, under]))
    for (const under of unders) {
      const scope = log.scopeOf(name, under)
      if (scope !== undefined) scopes.set(under, scope)
    }
    return scopes
  }
  for (const under of unders) {
    const scope = rule.via === 'column' ? makeScope(rule.kind, under) : under
    if (scopeProblem(scope) === undefined) scopes.set(under, scope)
  }
  return scopes
}

/** One entry in the right scope, or none where there is no scope. */
function compareEntries(
  table: string,
  id: string,
  wanted: string | undefined,
  found: readonly string[],
  say: Say,
  mend: NonNullable<Finding['mend']>,
): void {
  const others = found.filter((scope) => scope !== wanted)
  const lies = `The row ${id} of ${table} lies in ${wanted ?? 'no scope'}, and the change log`
  if (wanted !== undefined && !found.includes(wanted))
    say({ kind: 'log', problem: `${lies} ${others.length === 0 ? 'has it nowhere' : 'has it elsewhere'}`, mend })
  for (const scope of others)
    say({ kind: 'log', problem: `${lies} has it in ${scope}`, mend: { mark: 'entry', table, id, scope } })
}

async function verifyPositions(sql: Sql, table: TableLayout, column: string, parent: string, say: Say): Promise<void> {
  const [under, position, id] = [table.value(parent), table.column(column), table.asText('id')]
  const none = await sql.all(
    `SELECT ${id} AS id FROM ${table.sql} WHERE ${position} IS NULL AND ${under} IS NOT NULL ORDER BY ${id} LIMIT ${PAGE}`,
  )
  for (const row of none)
    say({
      kind: 'position',
      problem: `The row ${row['id']} of ${table.name} has no ${column} under its parent`,
      mend: { mark: 'row', table: table.name, id: String(row['id']) },
    })
  const shared = await sql.all(
    `SELECT ${under} AS parent, ${position} AS position, count(*) AS n, min(${id}) AS first FROM ${table.sql} WHERE ${position} IS NOT NULL GROUP BY ${under}, ${position} HAVING count(*) > 1 ORDER BY ${under}, ${position} LIMIT ${PAGE}`,
  )
  for (const { parent: shareParent, position: place, first } of shared) {
    const text = `SELECT ${id} AS id FROM ${table.sql} WHERE ${position} = ? AND ${under} IN (?*)`
    for (const row of await allIn(sql, text, [place ?? null], table.compared(parent, [String(shareParent)]))) {
      if (row['id'] === first) continue
      say({
        kind: 'position',
        problem: `The row ${row['id']} of ${table.name} has the ${column} ${place}, which ${first} has too under the same parent`,
        mend: { mark: 'position', table: table.name, id: String(row['id']), column },
      })
    }
  }
}

/** Entries of the log of which there is no row. `marked` is the table under whose name the row or group is marked. */
export async function findStrays(
  sql: Sql,
  synced: TableLayout | AggregateLayout,
  marked: string,
  say: Say,
): Promise<void> {
  const id = synced.value('id')
  let after = { id: '', scope: '' }
  for (;;) {
    const entries = await liveAfter(sql, synced.name, after, PAGE)
    const ids = [...new Set(entries.map((entry) => entry.id))]
    const text = `SELECT ${id} AS id FROM ${synced.sql} WHERE ${id} IN (?*)`
    const present = new Set((await allIn(sql, text, [], synced.compared('id', ids))).map((row) => String(row['id'])))
    for (const entry of entries) {
      if (present.has(entry.id)) continue
      say({
        kind: 'log',
        problem: `The change log has the row ${entry.id} of ${synced.name} in ${entry.scope}, and there is no such row`,
        mend: { mark: 'measures' in synced ? 'group' : 'gone', table: marked, id: entry.id },
      })
    }
    const last = entries[entries.length - 1]
    if (entries.length < PAGE || last === undefined) return
    after = last
  }
}

/** Verifies the groups of an aggregate; gives their number. */
export async function verifyAggregate(sql: Sql, aggregate: AggregateLayout, say: Say): Promise<number> {
  const { of, name } = aggregate
  const by = of.value(aggregate.aggregate.by)
  const wrong = (id: string, problem: string) =>
    say({ kind: 'aggregate', problem: `${name} of ${id}: ${problem}`, mend: { mark: 'group', table: of.name, id } })
  const seen = new Set<string>()
  const groups = (await sql.all(`SELECT DISTINCT ${by} AS id FROM ${of.sql} ORDER BY ${by}`)).map((row) =>
    String(row['id']),
  )
  for (let from = 0; from < groups.length; from += PAGE) {
    const ids = groups.slice(from, from + PAGE)
    const rowsById = await rowsByGroup(sql, aggregate, ids)
    const stored = new Map(
      (await allIn(sql, `SELECT ${aggregate.columns} FROM ${aggregate.sql} WHERE id IN (?*)`, [], ids)).map(
        (row) => [String(row['id']), row] as const,
      ),
    )
    const scopes = await scopesOf(sql, of, ids)
    const logged = await allLiveScopes(sql, name, ids)
    for (const id of ids) {
      const computed = computeGroup(aggregate.aggregate, id, rowsById.get(id) ?? [])
      const row = stored.get(id)
      if (computed !== undefined) seen.add(id)
      const [is, wanted] = [
        row === undefined ? 'nothing' : aggregate.encodeRow(row),
        computed === undefined ? 'nothing' : aggregate.encodeRow(asStored(aggregate, computed)),
      ]
      if (is !== wanted) wrong(id, `the table has ${is}, and its rows come to ${wanted}`)
      const scope = computed === undefined ? undefined : scopes.get(id)
      compareEntries(name, id, scope, logged.get(id) ?? [], say, { mark: 'group', table: of.name, id })
    }
  }
  for (const row of await sql.all(`SELECT id FROM ${aggregate.sql} ORDER BY id`))
    if (!seen.has(String(row['id']))) wrong(String(row['id']), 'the table has a row, and the group has none')
  return seen.size
}

/** A computed row as it would stand in SQL: what is compared is what a device would be sent. */
function asStored(aggregate: AggregateLayout, computed: Row): SqlRow {
  const values = aggregate.writeValues(computed)
  return Object.fromEntries(['id', ...aggregate.measures].map((column, at) => [column, values[at] ?? null]))
}

async function rowsByGroup(
  sql: Sql,
  { aggregate, of }: AggregateLayout,
  groups: readonly string[],
): Promise<Map<string, Row[]>> {
  const rows = new Map<string, Row[]>()
  const text = `SELECT ${of.columns} FROM ${of.sql} WHERE ${of.value(aggregate.by)} IN (?*)`
  for (const found of await allIn(sql, text, [], of.compared(aggregate.by, groups))) {
    const row = of.readRow(found)
    if (row === undefined) continue
    const group = String(row[aggregate.by])
    const list = rows.get(group)
    if (list === undefined) rows.set(group, [row])
    else list.push(row)
  }
  return rows
}
