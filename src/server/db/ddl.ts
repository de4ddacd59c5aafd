// What a dialect knows of making tables: what should stand in the database for an app, and how it is seen that it does. Nothing in
// here runs anything: migrate.ts looks, decides what is missing and runs the statements.
import type { Aggregate } from '../../schema/aggregate.ts'
import type { Table } from '../../schema/table.ts'
import type { TableLayout } from './layout.ts'

/** An index or a trigger that the engine adds to a table. */
export interface Addition {
  readonly name: string
  /** What makes it, or makes it anew. */
  readonly statements: readonly string[]
  /** What `additionsTo` gives as its `text` when it is as it should be. Without it, being there is enough. */
  readonly expected?: string
}

/** What the engine must know of a dialect to make tables and to find its way in those that are there. */
export interface Ddl {
  /** Makes the table of an app that is not there yet. */
  createTable(name: string, table: Table): string
  /** The indexes of a table that the engine makes. */
  indexes(name: string, table: Table): readonly Addition[]
  /** The triggers that mark touched rows, under the declared name of their table. */
  triggers(table: TableLayout): readonly Addition[]
  /** A query for the indexes and triggers at a table, as `name` and `text`. Takes the SQL name of the table. */
  readonly additionsTo: string
  /** Makes the table of an aggregate that is not there yet. */
  createAggregate(name: string, aggregate: Aggregate): string
  /** A query for the columns (`name`) that a table has in the database; none when the table is missing. Takes the table's name. */
  readonly columnsOf: string
  /** Adds a column to a table that is there already. */
  addColumn(name: string, table: Table, column: string): string
}
