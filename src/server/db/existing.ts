// Whether a table that was there before can hold what an app declares: names, types, keys, nullability and indexes, all of them told
// at once, each as what was found, what is wanted, and what to do. Asks the dialect what stands there and how columns hold values;
// changes nothing. The triggers that the engine adds are migrate.ts's business.
import type { Column } from '../../schema/column.ts'
import type { ColumnCodec } from './codec.ts'
import type { Sql } from './db.ts'
import type { FoundColumn, FoundTable } from './ddl.ts'
import type { Layout, TableLayout } from './layout.ts'

/** What was found out about the tables that were there before. */
export interface Fit {
  /** Why they do not fit, in sentences. */
  readonly problems: readonly string[]
  /** What would do without, but slowly, in sentences. */
  readonly warnings: readonly string[]
}

/** Looks at all tables that were there before, and settles in the layout how their columns hold values. */
export async function fitExisting(sql: Sql, layout: Layout): Promise<Fit> {
  const problems: string[] = []
  const warnings: string[] = []
  const existing = layout.tables.filter(({ isExisting }) => isExisting)
  problems.push(...nameProblems(layout))
  for (const table of existing) {
    const found = await layout.dialect.inspect(sql, table.storedAs)
    if (found === undefined) {
      problems.push(
        `${table.storedAs} (table ${table.name}): there is no such table in the database. Create it by a migration of the app, or leave out .existing and let the engine make one`,
      )
      continue
    }
    if (found.kind !== 'table') {
      problems.push(
        `${table.storedAs} (table ${table.name}): this is a ${found.kind}, and only a table can have the triggers by which changes are noticed. Name the table behind it`,
      )
      continue
    }
    const codecs = new Map<string, ColumnCodec>()
    for (const [name, column] of Object.entries(table.table.columns)) {
      const codec = fitColumn(layout, table, found, name, column, problems)
      if (codec !== undefined) codecs.set(name, codec)
    }
    problems.push(...strangers(table, found), ...keyProblems(table, found))
    const under = sqlNameOf(table, table.under)
    if (table.under !== 'id' && !isIndexed(found, [under]))
      warnings.push(
        `${table.storedAs} has no index that begins with ${under}, by which its rows find their scope: create one (CREATE INDEX ON ${table.storedAs} (${under}))`,
      )
    layout.settle(table.name, codecs)
  }
  return { problems, warnings }
}

const sqlNameOf = ({ table }: TableLayout, column: string): string => table.storedAs?.columns[column] ?? column
const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

/** Names that two tables or two columns share, and names of columns that are not declared: types refuse the latter. */
function nameProblems(layout: Layout): readonly string[] {
  const problems: string[] = []
  const takenBy = new Map<string, string>()
  for (const { name } of layout.aggregates) takenBy.set(name.toLowerCase(), `the aggregate ${name}`)
  for (const table of layout.tables) {
    const { name, storedAs } = table
    const other = takenBy.get(storedAs.toLowerCase())
    if (other !== undefined)
      problems.push(`${storedAs} (table ${name}): ${other} stands there too. Each needs an SQL table of its own`)
    takenBy.set(storedAs.toLowerCase(), `the table ${name}`)
    if (!table.isExisting) continue
    if (/^holdfast/i.test(storedAs))
      problems.push(`${storedAs} (table ${name}): names that begin with holdfast are kept for the engine's own tables`)
    for (const column of Object.keys(table.table.storedAs?.columns ?? {}))
      if (!Object.hasOwn(table.table.columns, column))
        problems.push(
          `${storedAs} (table ${name}): .existing names a column ${column}, which the table does not declare`,
        )
    const columns = new Map<string, string>()
    for (const column of Object.keys(table.table.columns)) {
      const sqlName = sqlNameOf(table, column)
      const twin = columns.get(sqlName.toLowerCase())
      if (twin !== undefined)
        problems.push(`${storedAs}.${sqlName}: the columns ${twin} and ${column} of the table ${name} both stand there`)
      columns.set(sqlName.toLowerCase(), column)
    }
  }
  return problems
}

/** The codec of one column, or undefined and a sentence in the list. */
function fitColumn(
  { dialect }: Layout,
  table: TableLayout,
  found: FoundTable,
  name: string,
  column: Column,
  problems: string[],
): ColumnCodec | undefined {
  const sqlName = sqlNameOf(table, name)
  const where = `${table.storedAs}.${sqlName} (column ${name} of ${table.name})`
  const say = (problem: string): undefined => void problems.push(`${where}: ${problem}`)
  const there = found.columns.find((each) => same(each.name, sqlName))
  if (there === undefined)
    return say(
      `there is no such column; the table has ${found.columns.map((each) => each.name).join(', ')}. Name the right one in .existing, or add it by a migration of the app`,
    )
  const codec = dialect.codecOf(column, there)
  if (typeof codec === 'string')
    return say(
      `it is declared ${column.type} and is ${there.type || 'without a type'} in the database. Wanted is ${codec}`,
    )
  if (there.isGenerated)
    return say('the database computes it, so that no mutator can write it. Leave it out of the app')
  const problem = nullProblem(column, there)
  if (problem !== undefined) return say(problem)
  return codec
}

function nullProblem(column: Column, { isNullable }: FoundColumn): string | undefined {
  if (column.type === 'appendIndex')
    return isNullable
      ? undefined
      : 'it is NOT NULL, and a row that plain SQL inserts or moves has no position until it is adopted. Let it be null in the database'
  if (column.isNullable && !isNullable)
    return 'it is declared nullable and is NOT NULL in the database, so that writes of null would be refused. Declare it without .nullable(), or let it be null'
  if (!column.isNullable && isNullable)
    return 'it may be null in the database and is not declared so. Declare it .nullable(), or make it NOT NULL'
  return undefined
}

/** Columns that the app does not know and an insert of a mutator would have to give. */
function strangers(table: TableLayout, found: FoundTable): readonly string[] {
  const known = Object.keys(table.table.columns).map((column) => sqlNameOf(table, column))
  return found.columns
    .filter(
      ({ name, isNullable, hasDefault, isGenerated }) =>
        !isNullable && !hasDefault && !isGenerated && !known.some((each) => same(each, name)),
    )
    .map(
      ({ name }) =>
        `${table.storedAs}.${name}: the app does not declare this column, and it is NOT NULL without a default, so that no mutator could insert a row. Declare it, give it a default, or let it be null`,
    )
}

/** What must be unique. */
function keyProblems(table: TableLayout, found: FoundTable): readonly string[] {
  const problems: string[] = []
  const id = sqlNameOf(table, 'id')
  if (
    !found.indexes.some(
      ({ isUnique, columns: [first, ...more] }) => isUnique && more.length === 0 && same(first ?? '', id),
    )
  )
    problems.push(
      `${table.storedAs}.${id} (column id of ${table.name}): nothing makes it unique by its exact text. Make it the PRIMARY KEY, or create a UNIQUE index on it alone`,
    )
  for (const { column, parent } of table.positions) {
    const pair = [sqlNameOf(table, parent), sqlNameOf(table, column)]
    const isUnique = found.indexes.some(
      (index) =>
        index.isUnique &&
        index.columns.length === 2 &&
        pair.every((name) => index.columns.some((each) => same(each, name))),
    )
    if (!isUnique)
      problems.push(
        `${table.storedAs}.${pair[1]} (column ${column} of ${table.name}): a position is unique under its parent, and no index says so. CREATE UNIQUE INDEX ON ${table.storedAs} (${pair.join(', ')}), after giving rows that share one others, or NULL`,
      )
  }
  return problems
}

function isIndexed(found: FoundTable, columns: readonly string[]): boolean {
  return found.indexes.some((index) => columns.every((name, at) => same(index.columns[at] ?? '', name)))
}
