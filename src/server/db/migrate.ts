// Brings the database to what the app declares: its tables, their triggers, and the engine's own tables, in one transaction.
// Adds columns that may be null and positions, and makes aggregates anew that are declared otherwise; changes nothing else that is there. Tables of an existing app come with a later version.
import type { Database, Sql } from './db.ts'
import type { AggregateLayout, Layout, TableLayout } from './layout.ts'

/** Makes what is missing. Throws a TypeError when a table in the database lacks a column that cannot be added. */
export async function migrate(database: Database, layout: Layout, engineTables: readonly string[]): Promise<void> {
  await database.write(async (sql) => {
    for (const statement of engineTables) await sql.run(statement)
    for (const table of layout.tables) await migrateTable(sql, layout, table)
    for (const aggregate of layout.aggregates) await migrateAggregate(sql, layout, aggregate)
  })
}

async function columnsOf(sql: Sql, { dialect }: Layout, table: string): Promise<ReadonlySet<unknown>> {
  return new Set((await sql.all(dialect.columnsOf, [table])).map((column) => column['name']))
}

async function migrateTable(sql: Sql, layout: Layout, { name, table, sql: quoted }: TableLayout): Promise<void> {
  const { dialect } = layout
  const present = await columnsOf(sql, layout, name)
  let needsPositions = false
  for (const [column, { isNullable, type }] of Object.entries(table.columns)) {
    if (present.size === 0 || present.has(column)) continue
    if (type === 'appendIndex') needsPositions = true
    else if (!isNullable)
      throw new TypeError(
        `The table ${name} in the database has no column ${column}: add it there by a migration of the app, or declare it nullable`,
      )
    await sql.run(dialect.addColumn(name, table, column))
  }
  for (const statement of dialect.tableStatements(name, table)) await sql.run(statement)
  if (needsPositions)
    await sql.run(`INSERT INTO holdfast_mark (tbl, old_id, new_id) SELECT ?, id, id FROM ${quoted} ORDER BY id`, [name])
}

/** What an aggregate holds can be computed again: a table that does not fit its declaration is made anew, and every group marked. */
async function migrateAggregate(
  sql: Sql,
  layout: Layout,
  { name, aggregate, sql: quoted, measures, of }: AggregateLayout,
): Promise<void> {
  const { dialect } = layout
  const present = await columnsOf(sql, layout, name)
  if (present.size === measures.length + 1 && measures.every((measure) => present.has(measure))) return
  await sql.run(`DROP TABLE IF EXISTS ${quoted}`)
  for (const statement of dialect.aggregateStatements(name, aggregate)) await sql.run(statement)
  const by = dialect.quote(aggregate.by)
  await sql.run(`INSERT INTO holdfast_mark (tbl, old_under) SELECT DISTINCT ?, ${by} FROM ${of.sql} ORDER BY ${by}`, [
    of.name,
  ])
}
