// What must hold of the database whenever no mark waits to be adopted: aggregates equal their recomputation, positions are unique
// and in the order in which rows came (I11), and the change log knows exactly the rows that are there, each in its scope (I10).
import type { Json } from '../base/json.ts'
import type { Row } from '../schema/table.ts'
import type { Checks } from './checks.ts'
import { type Model, POSITIONED, TABLES } from './model.ts'
import { type AllRows, GROUP_OF, scopeOfAny } from './rows.ts'

/** A query by its text. */
type All = (text: string) => readonly { readonly [column: string]: Json }[]

/** Checks rows of one snapshot, which the model is known to equal. */
export function checkAdopted(checks: Checks, model: Model, rows: AllRows, all: All): void {
  checkAggregate(checks, rows, 'workoutTotals', 'sets', 'workoutId', {
    sets: () => 1,
    volume: (set) => Math.round(Number(set['reps']) * Number(set['kg']) * 100) / 100,
  })
  checkAggregate(checks, rows, 'gymTotals', 'visits', 'gymId', { visits: () => 1 })
  checkAggregate(checks, rows, 'repairTotals', 'repairs', 'machineId', {
    repairs: () => 1,
    cost: (repair) => Math.round(Number(repair['cost']) * 100) / 100,
  })
  for (const [table, parent] of Object.entries(POSITIONED)) checkPositions(checks, model, rows, table, parent)
  checkLog(checks, model, rows, all)
}

function checkAggregate(
  { check }: Checks,
  rows: AllRows,
  name: string,
  of: string,
  by: string,
  measures: { readonly [name: string]: (row: Row) => number },
): void {
  const groups = new Map<string, { [measure: string]: number }>()
  for (const row of rows.get(of)?.values() ?? []) {
    const key = String(row[by])
    const group = groups.get(key) ?? {}
    groups.set(key, group)
    // In hundredths, so that the order of rows makes no difference.
    for (const [measure, term] of Object.entries(measures))
      group[measure] = (group[measure] ?? 0) + Math.round(term(row) * 100)
  }
  const actual = rows.get(name) ?? new Map<string, Row>()
  for (const [key, group] of groups) {
    const row = actual.get(key)
    const isEqual =
      row !== undefined &&
      Object.keys(measures).every((measure) => Math.round(Number(row[measure]) * 100) === group[measure])
    check(
      'I11',
      isEqual,
      () => `${name} ${key} is ${JSON.stringify(row)} and should be, in hundredths, ${JSON.stringify(group)}`,
    )
  }
  check(
    'I11',
    actual.size === groups.size,
    () => `${name} has the groups ${[...actual.keys()].join(', ')} and should have ${[...groups.keys()].join(', ')}`,
  )
}

function checkPositions({ check }: Checks, model: Model, rows: AllRows, table: string, parent: string): void {
  const byParent = new Map<string, Row[]>()
  for (const row of rows.get(table)?.values() ?? []) {
    const key = String(row[parent])
    const siblings = byParent.get(key)
    if (siblings === undefined) byParent.set(key, [row])
    else siblings.push(row)
  }
  for (const [key, siblings] of byParent) {
    const positions = siblings.map((row) => row['position'])
    check(
      'I11',
      positions.every((position) => Number.isSafeInteger(position)) && new Set(positions).size === positions.length,
      () => `${table} under ${key} have the positions ${positions.join(', ')}`,
    )
    const arrived = siblings.flatMap((row) => {
      const order = model.arrival(table, row.id)
      return order === undefined ? [] : [{ order, position: Number(row['position']), id: row.id }]
    })
    arrived.sort((a, b) => a.order - b.order)
    check(
      'I11',
      arrived.every(({ position }, index) => index === 0 || position > (arrived[index - 1]?.position ?? 0)),
      () =>
        `${table} under ${key} came in the order ${arrived.map(({ id, position }) => `${id} (${position})`).join(', ')}`,
    )
  }
}

function checkLog({ check }: Checks, model: Model, rows: AllRows, all: All): void {
  const logged = new Map<string, string>()
  for (const entry of all('SELECT tbl, id, scope FROM holdfast_log WHERE gone = 0')) {
    const key = `${String(entry['tbl'])}/${String(entry['id'])}`
    check(
      'I10',
      !logged.has(key),
      () => `the change log has ${key} live in two scopes: ${logged.get(key)} and ${String(entry['scope'])}`,
    )
    logged.set(key, String(entry['scope']))
  }
  let expected = 0
  for (const table of [...TABLES, ...Object.keys(GROUP_OF)]) {
    for (const id of rows.get(table)?.keys() ?? []) {
      const scope = scopeOfAny(model, table, id)
      if (scope !== undefined) expected++
      check(
        'I10',
        logged.get(`${table}/${id}`) === scope,
        () => `the change log has ${table} ${id} in ${logged.get(`${table}/${id}`)}, and it is in ${scope}`,
      )
    }
  }
  check(
    'I10',
    logged.size === expected,
    () => `the change log has ${logged.size} live rows, the tables have ${expected}`,
  )
}
