// Brings the database to what the app declares: its tables, their triggers, and the engine's own tables, in one transaction.
// Adds columns that may be null; changes and drops nothing that is there. Tables of an existing app come with a later version.
import type { Database } from './db.ts'
import type { Layout } from './layout.ts'

/** Makes what is missing. Throws a TypeError when a table in the database lacks a column that cannot be added. */
export async function migrate(database: Database, layout: Layout, engineTables: readonly string[]): Promise<void> {
  const { dialect } = database
  await database.write(async (sql) => {
    for (const statement of engineTables) await sql.run(statement)
    for (const { name, table } of layout.tables) {
      const present = new Set((await sql.all(dialect.columnsOf, [name])).map((column) => column['name']))
      for (const [column, { isNullable, type }] of Object.entries(table.columns)) {
        if (present.size === 0 || present.has(column)) continue
        if (!isNullable || type === 'appendIndex')
          throw new TypeError(
            `The table ${name} in the database has no column ${column}: add it there by a migration of the app, or declare it nullable`,
          )
        await sql.run(dialect.addColumn(name, table, column))
      }
      for (const statement of dialect.tableStatements(name, table)) await sql.run(statement)
    }
    for (const { name, aggregate } of layout.aggregates) {
      for (const statement of dialect.aggregateStatements(name, aggregate)) await sql.run(statement)
    }
  })
}
