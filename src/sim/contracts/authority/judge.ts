// What must be so whenever the authority rests, found from the tables by plain SQL and computed without the engine: each row is in the
// log under the scope in which its parents put it, each aggregate is what its rows add up to, each position is unique, versions and
// numbers have no gaps. And what a device must hold: exactly the rows of its scopes. Judges the app of app.ts. I7, I9, I10, I11.
import { expectSame, expectThat } from '../contract.ts'
import { app as suiteApp } from './app.ts'
import type { Device, WireRow } from './device.ts'
import type { Stage } from './stage.ts'

/** All rows by scope, as `table/id`, aggregates among them; rows without a scope are left out. */
export async function rowsByScope(stage: Stage): Promise<Map<string, Map<string, WireRow>>> {
  const { app } = stage
  const byTable = new Map<string, Map<string, WireRow>>()
  for (const name of app.tableNames)
    byTable.set(name, new Map((await stage.rows(name)).map((row) => [row.id, row] as const)))
  const scopeOf = (name: string, row: WireRow): string | undefined => {
    const { scopeRule, columns } = app.table(name)
    const value = String(row[scopeRule.column])
    if (scopeRule.via === 'value') return value
    if (scopeRule.via === 'column') return value === '' || value.length > 190 ? undefined : `${scopeRule.kind}:${value}`
    const parent = columns[scopeRule.column]?.target ?? ''
    const found = byTable.get(parent)?.get(value)
    return found === undefined ? undefined : scopeOf(parent, found)
  }
  const scopes = new Map<string, Map<string, WireRow>>()
  const put = (scope: string | undefined, key: string, row: WireRow): void => {
    if (scope === undefined) return
    const rows = scopes.get(scope) ?? new Map<string, WireRow>()
    scopes.set(scope, rows.set(key, row))
  }
  for (const [name, rows] of byTable) for (const row of rows.values()) put(scopeOf(name, row), `${name}/${row.id}`, row)
  for (const [name, { of, by }] of Object.entries(app.aggregates)) {
    const groups = new Map<string, WireRow>()
    for (const row of byTable.get(of)?.values() ?? []) groups.set(String(row[by]), row)
    for (const row of await stage.rows(name)) {
      const one = groups.get(row.id)
      if (one !== undefined) put(scopeOf(of, one), `${name}/${row.id}`, row)
    }
  }
  return scopes
}

/** Judges the whole database, after what others wrote has been adopted. */
export async function expectWhole(stage: Stage): Promise<void> {
  // Any pull adopts what waits.
  await stage.device('judge').page()
  const scopes = await rowsByScope(stage)
  const names = new Set([...stage.app.tableNames, ...Object.keys(stage.app.aggregates)])
  const log = await stage.sql('SELECT tbl, id, scope FROM holdfast_log WHERE gone = 0')
  expectSame(
    log
      .filter(({ tbl }) => names.has(String(tbl)))
      .map(({ tbl, id, scope }) => `${scope} ${tbl}/${id}`)
      .sort(),
    [...scopes].flatMap(([scope, rows]) => [...rows.keys()].map((key) => `${scope} ${key}`)).sort(),
    'the rows that the log says are there, by scope (I10)',
  )
  await expectPositions(stage)
  if (stage.app === suiteApp) await expectTotals(stage)
  expectSame(await stage.sql('SELECT tbl FROM holdfast_mark'), [], 'the marks that nobody adopted (I10)')
  await expectNumbers(stage)
}

/** Positions are there and unique under each parent. */
async function expectPositions(stage: Stage): Promise<void> {
  for (const name of stage.app.tableNames) {
    for (const [column, { type, target }] of Object.entries(stage.app.table(name).columns)) {
      if (type !== 'appendIndex') continue
      const places = (await stage.rows(name)).map((row) => `${row[target]} ${row[column]}`)
      expectThat(!places.some((place) => place.endsWith(' null')), `each row of ${name} has a ${column} (I11)`)
      expectSame(new Set(places).size, places.length, `how many places rows of ${name} have (I11)`)
    }
  }
}

/** The aggregates of the app, added up here. */
async function expectTotals(stage: Stage): Promise<void> {
  const add = (
    rows: readonly WireRow[],
    by: string,
    valuesOf: (row: WireRow) => { readonly [value: string]: number },
  ) => {
    const groups = new Map<string, { [value: string]: number | string; id: string }>()
    for (const row of rows) {
      const id = String(row[by])
      const group = groups.get(id) ?? { id }
      for (const [name, value] of Object.entries(valuesOf(row))) group[name] = Number(group[name] ?? 0) + value
      groups.set(id, group)
    }
    return [...groups.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  }
  const lists = add(await stage.rows('tasks'), 'listId', ({ points, hours }) => ({
    tasks: 1,
    points: Number(points),
    hours: Math.round(Number(hours) * 100),
  })).map((group) => ({ ...group, hours: Number(group['hours']) / 100 }))
  expectSame(await stage.rows('listTotals'), lists, 'the totals of lists (I11)')
  const owners = add(await stage.rows('lists'), 'ownerId', () => ({ lists: 1 }))
  expectSame(await stage.rows('ownerTotals'), owners, 'the totals of owners (I11)')
  const boards = add(await stage.rows('cards'), 'boardId', ({ effort }) => ({ cards: 1, effort: Number(effort) }))
  expectSame(await stage.rows('boardTotals'), boards, 'the totals of boards (I11)')
}

/** Versions and numbers rise by one. */
async function expectNumbers(stage: Stage): Promise<void> {
  const current = await stage.sql('SELECT scope, version, mark FROM holdfast_scope')
  const last = new Map<string, string>()
  const commits = await stage.sql('SELECT scope, version, mark FROM holdfast_commit ORDER BY scope, version')
  for (const { scope, version, mark } of commits) last.set(String(scope), `${version} ${mark}`)
  for (const { scope, version, mark } of current)
    expectSame(last.get(String(scope)), `${version} ${mark}`, `the last commit of ${scope} (I7)`)
  const logged = await stage.sql('SELECT scope, max(version) AS version FROM holdfast_log GROUP BY scope')
  const versions = new Map(current.map(({ scope, version }) => [String(scope), Number(version)]))
  for (const { scope, version } of logged)
    expectThat(
      Number(version) <= (versions.get(String(scope)) ?? 0),
      `the log of ${scope} is not ahead of its version (I7)`,
    )
  const clients = await stage.sql('SELECT client, decided FROM holdfast_client')
  const highest = await stage.sql('SELECT client, max(sequence) AS last FROM holdfast_ledger GROUP BY client')
  const decided = new Map(clients.map(({ client, decided }) => [String(client), Number(decided)]))
  for (const { client, last } of highest)
    expectSame(decided.get(String(client)), Number(last), `how far client ${client} is decided (I2)`)
}

/** A device holds exactly the rows of the scopes that it holds. */
export async function expectReplica(stage: Stage, device: Device): Promise<void> {
  await device.pull()
  const scopes = await rowsByScope(stage)
  for (const [scope, rows] of device.held) {
    const held = [...rows].sort(([a], [b]) => (a < b ? -1 : 1))
    const there = [...(scopes.get(scope) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))
    expectSame(held, there, `what ${device.actor} holds of ${scope} (I17)`)
  }
}
