// What the database holds that can be found again from rows: the tables of aggregates, and the highest positions under parents. Each was
// made for a declaration, which is kept beside it; where it is missing, or the app declares it otherwise now, it is made anew. Here is
// only how that is seen, and what has to be run; who runs it is migrate.ts at a start, and mend.ts when a table went meanwhile (I11).
import { describeAggregate } from '../../schema/fingerprint.ts'
import type { Dialect, Sql } from './db.ts'
import type { AggregateLayout, Layout, TableLayout } from './layout.ts'
import type { Step } from './migrations.ts'

/** The table of declarations: of an aggregate by its name, of a position by table and column. What is not there was never made. */
export const declaredTables = (dialect: Dialect): readonly string[] => [
  `CREATE TABLE holdfast_declared (name ${dialect.text} NOT NULL, declaration ${dialect.text} NOT NULL, PRIMARY KEY (name))${dialect.keyOrdered}`,
]

/** An aggregate whose table is not as it is declared, and what makes it anew. */
export interface Outdated {
  readonly aggregate: AggregateLayout
  readonly step: Step
}

/** What has to be made anew. */
export async function missingDerived(sql: Sql, layout: Layout): Promise<readonly Step[]> {
  const declared = await readDeclared(sql, layout.dialect)
  const steps = (await outdated(sql, layout, declared)).map(({ step }) => step)
  for (const table of layout.tables)
    for (const { column, parent } of table.positions) {
      const gaps = table.table.columns[column]?.gaps ?? 'keep'
      const name = `${table.name}.${column}`
      if ((declared.get(name) ?? 'keep') !== gaps) steps.push(positionStep(table, column, parent, name, gaps))
    }
  return steps
}

/** The aggregates whose tables are missing, lack a column, or were made for another declaration. */
export async function outdatedAggregates(sql: Sql, layout: Layout): Promise<readonly Outdated[]> {
  return outdated(sql, layout, await readDeclared(sql, layout.dialect))
}

async function outdated(
  sql: Sql,
  { dialect, declaredAggregates }: Layout,
  declared: ReadonlyMap<string, string>,
): Promise<Outdated[]> {
  const found: Outdated[] = []
  for (const aggregate of declaredAggregates) {
    const { name, measures } = aggregate
    const columns = await columnsOf(sql, dialect, name)
    const isWhole = columns.size === measures.length + 1 && measures.every((measure) => columns.has(measure))
    if (isWhole && declared.get(name) === declarationOf(aggregate)) continue
    const what = columns.size === 0 ? `the aggregate ${name}` : `the aggregate ${name}, which is declared otherwise now`
    found.push({ aggregate, step: aggregateStep(dialect, aggregate, what) })
  }
  return found
}

const declarationOf = ({ aggregate }: AggregateLayout): string => JSON.stringify(describeAggregate(aggregate))

async function columnsOf(sql: Sql, { columnsOf }: Dialect, table: string): Promise<ReadonlySet<unknown>> {
  return new Set((await sql.all(columnsOf, [table])).map((column) => column['name']))
}

/** Before the first start there is no such table. */
async function readDeclared(sql: Sql, dialect: Dialect): Promise<ReadonlyMap<string, string>> {
  if ((await columnsOf(sql, dialect, 'holdfast_declared')).size === 0) return new Map()
  const rows = await sql.all('SELECT name, declaration FROM holdfast_declared')
  return new Map(rows.map((row) => [String(row['name']), String(row['declaration'])]))
}

const declare = (name: string, declaration: string) => ({
  text: 'INSERT INTO holdfast_declared (name, declaration) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET declaration = excluded.declaration',
  parameters: [name, declaration],
})

function aggregateStep(dialect: Dialect, aggregate: AggregateLayout, what: string): Step {
  return {
    what,
    statements: [
      { text: `DROP TABLE IF EXISTS ${aggregate.sql}` },
      { text: dialect.createAggregate(aggregate.name, aggregate.aggregate) },
      declare(aggregate.name, declarationOf(aggregate)),
      ...markGroups(aggregate),
    ],
  }
}

/** Marks every group that has rows, and every one of which the log still tells: all are computed at the next adoption. */
export function markGroups({ name, aggregate, of }: AggregateLayout): Step['statements'] {
  const by = of.asText(aggregate.by)
  return [
    {
      text: `INSERT INTO holdfast_mark (tbl, old_under) SELECT DISTINCT ?, ${by} FROM ${of.sql} ORDER BY ${by}`,
      parameters: [of.name],
    },
    {
      text: 'INSERT INTO holdfast_mark (tbl, old_under) SELECT ?, id FROM holdfast_log WHERE tbl = ? AND gone = 0',
      parameters: [of.name, name],
    },
  ]
}

/** From now on the highest position under each parent is remembered, beginning with what is there; or it need not be any longer. */
function positionStep(table: TableLayout, column: string, parent: string, name: string, gaps: string): Step {
  const what = `the highest positions of ${name}, whose gaps are declared otherwise now`
  if (gaps === 'keep')
    return { what, statements: [{ text: 'DELETE FROM holdfast_declared WHERE name = ?', parameters: [name] }] }
  const position = table.column(column)
  return {
    what,
    statements: [
      {
        text: `INSERT INTO holdfast_position (tbl, col, parent, last) SELECT ?, ?, ${table.asText(parent)}, max(${position}) FROM ${table.sql} WHERE ${position} IS NOT NULL GROUP BY ${table.column(parent)} ON CONFLICT (tbl, col, parent) DO UPDATE SET last = excluded.last WHERE excluded.last > holdfast_position.last`,
        parameters: [table.name, column],
      },
      declare(name, gaps),
    ],
  }
}
