// Aggregates as rows of tables of their own: one for each group that has rows, always computed from all rows of the group, never
// counted up or down (I11). Which groups were touched, and in which scope a group lies, is adopt.ts's business.
import { computeGroup } from '../../schema/aggregate.ts'
import type { Row } from '../../schema/table.ts'
import type { Sql } from '../db/db.ts'
import { allIn } from '../db/in-list.ts'
import type { AggregateLayout, Layout } from '../db/layout.ts'

/** Computes these groups again and writes or deletes their rows. Gives the groups that have a row now. */
export async function recomputeGroups(
  sql: Sql,
  layout: Layout,
  { aggregate, sql: table, columns, measures, of }: AggregateLayout,
  groups: readonly string[],
): Promise<Set<string>> {
  const by = of.value(aggregate.by)
  const rowsByGroup = new Map<string, Row[]>()
  for (const found of await allIn(
    sql,
    `SELECT ${of.columns} FROM ${of.sql} WHERE ${by} IN (?*)`,
    [],
    of.compared(aggregate.by, groups),
  )) {
    const row = of.readRow(found)
    if (row === undefined) continue
    const group = String(row[aggregate.by])
    const rows = rowsByGroup.get(group)
    if (rows === undefined) rowsByGroup.set(group, [row])
    else rows.push(row)
  }
  const present = new Set<string>()
  const empty: string[] = []
  const computed: (string | number)[][] = []
  for (const group of groups) {
    const row = computeGroup(aggregate, group, rowsByGroup.get(group) ?? [])
    if (row === undefined) {
      empty.push(group)
      continue
    }
    present.add(group)
    computed.push([group, ...measures.map((measure) => Number(row[measure]))])
  }
  await sql.delete(table, 'id', empty)
  const set = measures
    .map((measure) => `${layout.dialect.quote(measure)} = excluded.${layout.dialect.quote(measure)}`)
    .join(', ')
  await sql.insert(`INSERT INTO ${table} (${columns})`, computed, ` ON CONFLICT (id) DO UPDATE SET ${set}`)
  return present
}
