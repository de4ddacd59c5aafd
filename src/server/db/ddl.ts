// What a dialect knows of making tables: what should stand in the database for an app, and how it is seen that it does. Nothing in
// here runs anything: migrate.ts looks, decides what is missing and runs the statements.
import type { Aggregate } from '../../schema/aggregate.ts'
import type { Column } from '../../schema/column.ts'
import type { Table } from '../../schema/table.ts'
import type { ColumnCodec } from './codec.ts'
import type { Sql } from './db.ts'
import type { TableLayout } from './layout.ts'

/** An index or a trigger that the engine adds to a table. */
export interface Addition {
  readonly name: string
  /** What makes it, or makes it anew. */
  readonly statements: readonly string[]
  /** What `additionsTo` gives as its `text` when it is as it should be. Without it, being there is enough. */
  readonly expected?: string
}

/** A column as the database has it. */
export interface FoundColumn {
  readonly name: string
  /** Its type as the database names it, in lower case and without a length: `text`, `integer`, `uuid`. Empty for none. */
  readonly type: string
  readonly isNullable: boolean
  /** Whether an INSERT may leave it out although it is never null. */
  readonly hasDefault: boolean
  /** Computed by the database from other columns. */
  readonly isGenerated: boolean
  /** Texts are ordered by their bytes; where it is not said, the codec sees to that. */
  readonly isBinary?: boolean
  /** Texts of different bytes may count as the same. */
  readonly isLoose?: boolean
}

/** A table as the database has it. */
export interface FoundTable {
  /** The name as the database spells it. */
  readonly name: string
  /** What stands under the name, as a word for people: `table`, `view`. */
  readonly kind: string
  readonly columns: readonly FoundColumn[]
  /** Indexes over all rows and plain columns that compare texts by their bytes, those of keys and constraints among them. */
  readonly indexes: readonly { readonly isUnique: boolean; readonly columns: readonly string[] }[]
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
  /** What stands in the database under an SQL name; undefined for nothing. */
  inspect(sql: Sql, table: string): Promise<FoundTable | undefined>
  /** How a declared column is read from and written to the one that was found; a sentence that says what is wanted when it cannot be. */
  codecOf(column: Column, found: FoundColumn): ColumnCodec | string
}
