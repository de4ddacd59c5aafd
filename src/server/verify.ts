// Verification: whether what the engine derived still is what it should be. Each aggregate against its recomputation, each position
// unique and given, the change log against the rows, versions and ledger numbers without gaps; and whether all tables and triggers are
// there. Reads in one snapshot and changes nothing. Mending marks what is wrong and lets adoption find the truth again, as it does
// after every write; what adoption cannot know (a gap in the numbers of a ledger) is only told. I2, I7, I10, I11.
import { randomHex } from '../base/random.ts'
import type { Database, Sql } from './db/db.ts'
import type { Layout } from './db/layout.ts'
import { planMigration } from './db/migrate.ts'
import type { Migration } from './db/migrations.ts'
import { adopt } from './state/adopt.ts'
import { brokenClients, brokenScopes, clientsWithoutRecord, entriesAhead, mismarkedScopes } from './state/audit.ts'
import { openLog, writeEntries } from './state/change-log.ts'
import { raiseVersions } from './state/commits.ts'
import { hasMarks } from './state/marks.ts'
import { findStrays, verifyAggregate, verifyTable } from './verify-rows.ts'

/** What may be wrong. */
export type FindingKind = 'missing' | 'aggregate' | 'position' | 'log' | 'row' | 'version' | 'ledger'

/** One thing that is not as it should be. */
export interface Finding {
  readonly kind: FindingKind
  /** What was found and what was wanted, as a sentence. */
  readonly problem: string
  /** What to mark so that adoption mends it: a row, or a group of an aggregate's table. Missing where it cannot. */
  readonly mend?:
    | { readonly mark: 'row' | 'group' | 'gone'; readonly table: string; readonly id: string }
    | { readonly mark: 'position'; readonly table: string; readonly id: string; readonly column: string }
    | { readonly mark: 'entry'; readonly table: string; readonly id: string; readonly scope: string }
}

/** What was looked at, and what was found. */
export interface Verification {
  readonly findings: readonly Finding[]
  readonly rows: number
  readonly groups: number
  /** True when there was more to say than `MAX_FINDINGS`. */
  readonly isCut: boolean
}

/** So many findings are told; a database in which more is wrong is hardly mended one by one. */
export const MAX_FINDINGS = 1_000

/** Verifies a database. What foreign writers changed and nobody has adopted yet is no fault: it is judged as adoption would leave it. */
export async function verifyDatabase(
  database: Database,
  layout: Layout,
  migrations: readonly Migration[],
): Promise<Verification> {
  const missing = await database.read((sql) => planMigration(sql, layout, migrations, 0))
  if (missing.steps.length > 0)
    return {
      findings: missing.steps.map(({ what }) => ({ kind: 'missing', problem: `Missing: ${what}` })),
      rows: 0,
      groups: 0,
      isCut: false,
    }
  const verified = await database.read(async (sql) => ((await hasMarks(sql)) ? undefined : look(sql, layout)))
  if (verified !== undefined) return verified
  let adopted: Verification | undefined
  // Adopts and looks in a transaction that is undone: nothing of it stays.
  await database
    .write(async (sql) => {
      await adoptAll(sql, layout, database)
      adopted = await look(sql, layout)
      throw UNDO
    })
    .catch((error: unknown) => {
      if (error !== UNDO) throw error
    })
  return adopted as Verification
}

const UNDO = Symbol('what was tried is undone')

/** Rounds of marking and adopting: what a parent's mending brings to light is mended in the next. */
const ROUNDS = 5

/** Mends what adoption can mend, in one transaction, and gives what is still wrong then. */
export async function mendDatabase(
  database: Database,
  layout: Layout,
  migrations: readonly Migration[],
): Promise<{ readonly mended: number; readonly left: Verification }> {
  const { steps } = await database.read((sql) => planMigration(sql, layout, migrations, 0))
  if (steps.length > 0) return { mended: 0, left: await verifyDatabase(database, layout, migrations) }
  return database.write(async (sql) => {
    await adoptAll(sql, layout, database)
    const first = await look(sql, layout)
    let left = first
    for (let round = 0; round < ROUNDS && left.findings.some(({ mend }) => mend !== undefined); round++) {
      await prepare(
        sql,
        layout,
        database,
        left.findings.flatMap(({ mend }) => (mend === undefined ? [] : [mend])),
      )
      await adoptAll(sql, layout, database)
      left = await look(sql, layout)
    }
    return { mended: first.findings.length - left.findings.length, left }
  })
}

/** Adopts what waits; false when nothing does. After a migration over a full table that is every row of it. */
export async function adoptWaiting(database: Database, layout: Layout): Promise<boolean> {
  if (!(await database.read(hasMarks))) return false
  await database.write((sql) => adoptAll(sql, layout, database))
  return true
}

async function adoptAll(sql: Sql, layout: Layout, { host }: Database): Promise<void> {
  await adopt(sql, layout, { mark: randomHex(host.random, 8), at: host.clock.now(), isWatched: () => true })
}

/** Prepares what adoption then does: marks, and entries of the log that must leave their scopes. */
async function prepare(
  sql: Sql,
  layout: Layout,
  { host }: Database,
  mends: readonly NonNullable<Finding['mend']>[],
): Promise<void> {
  const left = mends.flatMap((mend) => (mend.mark === 'entry' ? [mend] : []))
  const scopes = [...new Set(left.map(({ scope }) => scope))].sort()
  const places = await raiseVersions(sql, scopes, randomHex(host.random, 8), host.clock.now())
  await writeEntries(
    sql,
    openLog(sql),
    left.map(({ table, id, scope }) => ({ table, id, scope, version: places.get(scope)?.version ?? 0, isGone: true })),
  )
  for (const mend of mends) {
    const { table, id } = mend
    if (mend.mark === 'position') {
      const place = layout.table(table)
      await sql.update(place.sql, place.id, [place.column(mend.column)], [[null, id]])
    }
    if (mend.mark === 'group') await sql.run('INSERT INTO holdfast_mark (tbl, old_under) VALUES (?, ?)', [table, id])
    else if (mend.mark !== 'entry')
      await sql.run('INSERT INTO holdfast_mark (tbl, old_id, new_id) VALUES (?, ?, ?)', [table, id, id])
  }
}

async function look(sql: Sql, layout: Layout): Promise<Verification> {
  const findings: Finding[] = []
  let isCut = false
  const say = (finding: Finding): void => {
    if (findings.length < MAX_FINDINGS) findings.push(finding)
    else isCut = true
  }
  let rows = 0
  let groups = 0
  for (const table of layout.tables) {
    rows += await verifyTable(sql, table, say)
    await findStrays(sql, table, table.name, say)
  }
  for (const aggregate of layout.aggregates) {
    groups += await verifyAggregate(sql, aggregate, say)
    await findStrays(sql, aggregate, aggregate.of.name, say)
  }
  await verifyNumbers(sql, say)
  return { findings, rows, groups, isCut }
}

/** Versions of scopes, and numbers of clients. */
async function verifyNumbers(sql: Sql, say: (finding: Finding) => void): Promise<void> {
  for (const { table, id, scope } of await entriesAhead(sql, MAX_FINDINGS))
    say({
      kind: 'version',
      problem: `The log has the row ${id} of ${table} at a version that the scope ${scope} has not reached`,
      mend: { mark: 'row', table, id },
    })
  for (const { scope, version, commits } of await brokenScopes(sql, MAX_FINDINGS))
    say({
      kind: 'version',
      problem: `The scope ${scope} stands at version ${version}, and its commits are ${commits}: wanted are all up to it without a gap`,
    })
  for (const scope of await mismarkedScopes(sql, MAX_FINDINGS))
    say({ kind: 'version', problem: `The scope ${scope} stands under another mark than the commit of its version` })
  for (const { client, wanted, found } of await brokenClients(sql, MAX_FINDINGS))
    say({
      kind: 'ledger',
      problem: `The ledger should have the numbers ${wanted} of the client ${client}, and has ${found}`,
    })
  for (const client of await clientsWithoutRecord(sql, MAX_FINDINGS))
    say({ kind: 'ledger', problem: `The ledger has outcomes of the client ${client}, and no record of how far it is` })
}
