// The types of a table's columns, asked of the catalog when a table is written in bulk for the first time, and remembered. They say how
// rows that travel as arrays become rows of the table, so that a table which was there before the engine needs nothing else.
import type { SqlRow } from '../db.ts'

/** How one column is taken out of its array. */
export interface ColumnType {
  /** The type of the array's elements. */
  readonly read: string
  /** What turns the column read into the one to be written: nothing, or a cast. */
  readonly cast: string
  /** Whether an index of the app may refuse a value because another row has it. Those of the engine are over positions, which are free. */
  readonly isUnique: boolean
}

/** The columns of one table, by quoted name. */
export type ColumnTypes = ReadonlyMap<string, ColumnType>

/** Remembers the columns of tables. */
export interface Columns {
  /** Those that were asked for before. */
  known(table: string): ColumnTypes | undefined
  of(
    table: string,
    ask: (text: string, parameters: readonly string[]) => Promise<readonly SqlRow[]>,
  ): Promise<ColumnTypes>
  /** Something was declared otherwise. */
  forget(): void
}

const QUERY = `SELECT quote_ident(attname) AS quoted, attname AS name, format_type(atttypid, NULL) AS type, typcategory AS category, EXISTS (SELECT FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE indrelid = attrelid AND (indisunique OR indisexclusion) AND (attnum = ANY (indkey) OR indexprs IS NOT NULL) AND relname NOT LIKE 'holdfast.%') AS uniq FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid WHERE attrelid = to_regclass(?) AND attnum > 0 AND NOT attisdropped`

/** Makes the memory of one database. */
export function createColumns(): Columns {
  const known = new Map<string, ColumnTypes>()
  return {
    known: (table) => known.get(table),
    async of(table, ask) {
      const before = known.get(table)
      if (before !== undefined) return before
      const types = new Map<string, ColumnType>()
      for (const { name, quoted, type, category, uniq } of await ask(QUERY, [table])) {
        const found = { ...typeOf(String(type), String(category)), isUnique: uniq === true }
        types.set(`"${String(name).replaceAll('"', '""')}"`, found)
        types.set(String(quoted), found)
      }
      if (types.size > 0) known.set(table, types)
      return types
    },
    forget: () => known.clear(),
  }
}

/** JSON and bytes come as texts. A text without its length: what is too long is refused where it is written, and not cut off before. */
function typeOf(type: string, category: string): Omit<ColumnType, 'isUnique'> {
  if (type === 'json' || type === 'jsonb' || type === 'bytea') return { read: 'text', cast: `::${type}` }
  return { read: category === 'S' ? 'text' : type, cast: '' }
}

/** The table and the columns of `INSERT INTO table (columns)`. */
export function partsOfHead(head: string): { readonly table: string; readonly columns: readonly string[] } {
  const parts = /^INSERT INTO ((?:"(?:[^"]|"")*"|[^\s"(])+) \(([\s\S]*)\)$/.exec(head)
  if (parts === null) throw new TypeError(`An insert begins with INSERT INTO table (columns), and not with ${head}`)
  return { table: parts[1] ?? '', columns: (parts[2] ?? '').match(/"(?:[^"]|"")*"|[^\s,"]+/g) ?? [] }
}
