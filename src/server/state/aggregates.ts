// Aggregates as rows of tables of their own: one for each group that has rows, always computed from all rows of the group, never
// counted up or down (I11). Which groups were touched, and in which scope a group lies, is adopt.ts's business. A function of the app
// that fails spoils a value and no commit: what failed is handed back, for the log.
import { computeGroup, type OnFailure } from '../../schema/aggregate.ts'
import type { Row } from '../../schema/table.ts'
import type { Sql, SqlValue } from '../db/db.ts'
import type { AggregateLayout, Layout } from '../db/layout.ts'
import { together } from '../db/together.ts'

/** A function of the app that failed for a group, or gave what no row can hold. */
export interface Failure {
  readonly aggregate: string
  readonly measure: string
  readonly group: string
  readonly error: unknown
}

/** Groups are computed so many at a time: a table that is made anew has all of them at once. */
const SLICE = 500

/** Groups that were computed. */
export interface Recomputed {
  /** Those that have a row now. */
  readonly present: ReadonlySet<string>
  /** Writes or deletes the rows that are not written yet. */
  write(): Promise<void>
}

/** Computes these groups again and notes what failed. Of many groups the rows are written meanwhile, all but the last slice. */
export async function recomputeGroups(
  sql: Sql,
  layout: Layout,
  aggregate: AggregateLayout,
  groups: readonly string[],
  failures: Failure[],
): Promise<Recomputed> {
  const { sql: table, columns, measures } = aggregate
  const set = measures
    .map((measure) => `${layout.dialect.quote(measure)} = excluded.${layout.dialect.quote(measure)}`)
    .join(', ')
  const present = new Set<string>()
  let write = async (): Promise<void> => undefined
  for (let at = 0; at < groups.length; at += SLICE) {
    await write()
    const slice = groups.slice(at, at + SLICE)
    const rowsByGroup = await readGroups(sql, aggregate, slice)
    const computed: SqlValue[][] = []
    for (const group of slice) {
      const onFailure: OnFailure = (measure, error) =>
        failures.push({ aggregate: aggregate.name, measure, group, error })
      const row = computeGroup(aggregate.aggregate, group, rowsByGroup.get(group) ?? [], onFailure)
      if (row === undefined) continue
      present.add(group)
      computed.push(aggregate.writeValues(row))
    }
    const gone = slice.filter((group) => !present.has(group))
    write = async () => {
      await together([
        sql.delete(table, 'id', gone),
        sql.insert(`INSERT INTO ${table} (${columns})`, computed, ` ON CONFLICT (id) DO UPDATE SET ${set}`),
      ])
    }
  }
  return { present, write: () => write() }
}

async function readGroups(
  sql: Sql,
  { aggregate: { by }, of }: AggregateLayout,
  groups: readonly string[],
): Promise<ReadonlyMap<string, Row[]>> {
  const rowsByGroup = new Map<string, Row[]>()
  const what = { columns: of.columns, table: of.sql, key: [of.value(by)] }
  const keys = of.compared(by, groups).map((group) => [group])
  for (const found of await sql.allKeyed(what, keys)) {
    const row = of.readRow(found)
    if (row === undefined) continue
    const group = String(row[by])
    const rows = rowsByGroup.get(group)
    if (rows === undefined) rowsByGroup.set(group, [row])
    else rows.push(row)
  }
  return rowsByGroup
}
