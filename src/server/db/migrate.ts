// Brings the database to what the app declares: the engine's own tables (migrations.ts), the app's tables with their indexes and
// triggers, and its aggregates. First it looks, and says in steps what is missing; only when something is, it takes the write lock,
// looks again, and makes it in one transaction: of two processes that start at once, one does it. Adds columns that may be null and
// positions, and makes aggregates anew that are declared otherwise; changes nothing else that is there.
import type { Database, Sql } from './db.ts'
import type { Addition } from './ddl.ts'
import { missingDerived } from './declared.ts'
import { fitExisting } from './existing.ts'
import type { Layout, TableLayout } from './layout.ts'
import { type Migration, missingMigrations, type Step } from './migrations.ts'

/** What a database needs for an app. */
export interface Plan {
  /** What is missing and can be made; none when all is there. */
  readonly steps: readonly Step[]
  /** What is there and slow, in sentences. */
  readonly warnings: readonly string[]
}

/** Whether a start makes what is missing, or only says so. */
export type MigrateMode = 'apply' | 'check'

/** What is missing, found by reading alone. Throws a TypeError that names everything which does not fit and cannot be made. */
export async function planMigration(
  sql: Sql,
  layout: Layout,
  migrations: readonly Migration[],
  at: number,
): Promise<Plan> {
  const engine = await missingMigrations(sql, layout.dialect, migrations, at)
  // Of a database that another version made nothing can be said but that.
  refuse(engine.problems)
  const fit = await fitExisting(sql, layout)
  const problems = [...fit.problems]
  const steps = [...engine.steps]
  for (const table of layout.tables) steps.push(...(await missingOf(sql, layout, table, problems)))
  steps.push(...(await missingDerived(sql, layout)))
  refuse(problems)
  return { steps, warnings: fit.warnings }
}

/** Runs the steps of a plan, in the transaction in which it was made. */
export async function runPlan(sql: Sql, { steps }: Plan): Promise<void> {
  for (const { statements } of steps)
    for (const { text, parameters = [] } of statements) await sql.run(text, parameters)
}

/** Makes what is missing, or only says so in a TypeError; another names what does not fit. Nothing is left half done. */
export async function migrate(
  database: Database,
  layout: Layout,
  migrations: readonly Migration[],
  at: number,
  mode: MigrateMode,
  warn: (warning: string) => void = () => undefined,
): Promise<void> {
  const look = (sql: Sql) => planMigration(sql, layout, migrations, at)
  const { steps, warnings } = await database.read(look)
  for (const warning of warnings) warn(warning)
  if (steps.length === 0) return
  if (mode === 'check') {
    const missing = steps.map(({ what }) => `\n  - ${what}`).join('')
    throw new TypeError(
      `The database lacks what this app needs, and the authority was told to change nothing (migrate: 'check'). Missing:${missing}\nRun \`npx holdfast migrate --app <module> --database <address> --apply\`, or start with migrate: 'apply'`,
    )
  }
  await database.write(async (sql) => runPlan(sql, await look(sql)))
}

function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return
  throw new TypeError(
    `The database does not fit the app, and nothing was changed:${problems.map((problem) => `\n  - ${problem}`).join('')}`,
  )
}

async function columnsOf(sql: Sql, { dialect }: Layout, table: string): Promise<ReadonlySet<unknown>> {
  return new Set((await sql.all(dialect.columnsOf, [table])).map((column) => column['name']))
}

/** What is missing of one table of the app. */
async function missingOf(sql: Sql, layout: Layout, table: TableLayout, problems: string[]): Promise<Step[]> {
  const { dialect } = layout
  const { name, storedAs, isExisting } = table
  const present = await columnsOf(sql, layout, storedAs)
  const isThere = present.size > 0
  // What a table that was there before lacks has been told already (existing.ts).
  if (isExisting && !isThere) return []
  const added = isExisting || !isThere ? [] : addedColumns(table, present, problems)
  const steps: Step[] = []
  const step = (what: string, ...texts: readonly string[]) =>
    steps.push({ what, statements: texts.map((text) => ({ text })) })
  if (!isThere) step(`the table ${name}`, dialect.createTable(name, table.table))
  for (const column of added)
    step(`the column ${column} of the table ${name}`, dialect.addColumn(name, table.table, column))
  const there = await additionsAt(sql, layout, storedAs)
  if (!isExisting)
    for (const index of lacking(there, dialect.indexes(name, table.table)))
      step(`the index ${index.name} of the table ${name}`, ...index.statements)
  const triggers = lacking(there, dialect.triggers(table))
  if (triggers.length > 0)
    step(
      `${triggers.length === 1 ? 'the trigger' : 'the triggers'} ${triggers.map((trigger) => trigger.name).join(', ')} of the table ${storedAs}`,
      ...triggers.flatMap(({ statements }) => statements),
    )
  // Where a trigger was not there at all, rows were written of which no mark tells; and a new position is given to all rows.
  const hasUnseen = triggers.some((trigger) => !there.has(trigger.name))
  const hasNewPosition = added.some((column) => table.table.columns[column]?.type === 'appendIndex')
  if (isThere && (hasUnseen || hasNewPosition)) steps.push(markAll(table))
  return steps
}

/** Columns that the engine may add to a table of its own; one that may not be null is a problem. */
function addedColumns({ name, table }: TableLayout, present: ReadonlySet<unknown>, problems: string[]): string[] {
  const added: string[] = []
  for (const [column, { isNullable, type }] of Object.entries(table.columns)) {
    if (present.has(column)) continue
    if (type !== 'appendIndex' && !isNullable)
      problems.push(
        `The table ${name} in the database has no column ${column}, which is never null. Add it there by a migration of the app, or declare it nullable`,
      )
    added.push(column)
  }
  return added
}

async function additionsAt(sql: Sql, { dialect }: Layout, table: string): Promise<ReadonlyMap<string, unknown>> {
  return new Map((await sql.all(dialect.additionsTo, [table])).map((row) => [String(row['name']), row['text']]))
}

/** Those that are not there, or not as they should be. */
function lacking(there: ReadonlyMap<string, unknown>, wanted: readonly Addition[]): readonly Addition[] {
  return wanted.filter(
    ({ name, expected }) => !there.has(name) || (expected !== undefined && there.get(name) !== expected),
  )
}

/** Marks every row of a table, every row of which the log still tells, and every group of its aggregates: all are adopted anew. */
function markAll({ name, sql: quoted, aggregates, asText }: TableLayout): Step {
  const id = asText('id')
  return {
    what: `marks for all rows of the table ${name}, of which some may have changed without`,
    statements: [
      {
        text: `INSERT INTO holdfast_mark (tbl, old_id, new_id) SELECT ?, ${id}, ${id} FROM ${quoted} ORDER BY ${id}`,
        parameters: [name],
      },
      {
        text: `INSERT INTO holdfast_mark (tbl, old_id) SELECT ?, id FROM holdfast_log WHERE tbl = ? AND gone = 0 AND id NOT IN (SELECT ${id} FROM ${quoted})`,
        parameters: [name, name],
      },
      ...aggregates.map((aggregate) => ({
        text: 'INSERT INTO holdfast_mark (tbl, old_under) SELECT ?, id FROM holdfast_log WHERE tbl = ? AND gone = 0',
        parameters: [name, aggregate.name],
      })),
    ],
  }
}
