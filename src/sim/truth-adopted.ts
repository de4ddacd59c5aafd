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
  checkAggregate(checks, rows, 'workoutTotals', 'sets', 'workoutId', (sets) => ({
    sets: sets.length,
    volume: sumOf(sets.map(({ reps, kg }) => Number(reps) * Number(kg))),
    heaviest: sets.reduce<number | null>(
      (most, { reps, kg }) => (Number(reps) > 0 && (most === null || Number(kg) > most) ? Number(kg) : most),
      null,
    ),
    exercises: sets
      .map(({ exercise }) => String(exercise))
      .filter((exercise, index, all) => all.indexOf(exercise) === index)
      .join(', '),
  }))
  checkAggregate(checks, rows, 'gymTotals', 'visits', 'gymId', (visits) => ({
    visits: visits.length,
    people: visits.filter(({ actorId }, index) => visits.findIndex((other) => other['actorId'] === actorId) === index)
      .length,
  }))
  checkAggregate(checks, rows, 'repairTotals', 'repairs', 'machineId', (repairs) => ({
    repairs: repairs.length,
    cost: sumOf(repairs.map(({ cost }) => Number(cost))),
    cheapest: Math.min(...repairs.map(({ cost }) => Number(cost))),
  }))
  for (const [table, parent] of Object.entries(POSITIONED)) checkPositions(checks, model, rows, table, parent)
  checkLog(checks, model, rows, all)
}

/** In hundredths, so that the order of rows makes no difference. */
function sumOf(terms: readonly number[]): number {
  return terms.reduce((total, term) => total + Math.round(term * 100), 0) / 100
}

/** `valuesOf` says what a group must hold, from its rows in the order of their ids. */
function checkAggregate(
  { check }: Checks,
  rows: AllRows,
  name: string,
  of: string,
  by: string,
  valuesOf: (rows: readonly Row[]) => { readonly [measure: string]: Json },
): void {
  const groups = new Map<string, Row[]>()
  // Ids are UUIDs: the order of their code units is that of their code points.
  const inOrder = [...(rows.get(of)?.values() ?? [])].sort((a, b) => (a.id < b.id ? -1 : 1))
  for (const row of inOrder) groups.set(String(row[by]), [...(groups.get(String(row[by])) ?? []), row])
  const actual = rows.get(name) ?? new Map<string, Row>()
  for (const [key, members] of groups) {
    const row = actual.get(key)
    const values = valuesOf(members)
    check(
      'I11',
      row !== undefined && Object.keys(values).every((measure) => row[measure] === values[measure]),
      () => `${name} ${key} is ${JSON.stringify(row)} and should be ${JSON.stringify(values)}`,
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
