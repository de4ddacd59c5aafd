// The least that a database must do for the same intents: the app's rows, a ledger and a change log as prepared multi-row inserts, so
// many rows a commit, without any engine. Ids are random to look at, as those of devices are: they cost pages. Each commit is of one
// device, by turns. Loads nothing of Holdfast. `node raw.ts sqlite:PATH|URL ROWS ROWS_A_COMMIT DEVICES` prints milliseconds.
import { performance } from 'node:perf_hooks'
import { uuidOf } from '../engine/uuid.ts'

const [where = '', rowCount = '0', commitSize = '1', deviceCount = '1'] = process.argv.slice(2)
const count = Number(rowCount)
const size = Number(commitSize)
const devices = Number(deviceCount)
const SETS_PER_WORKOUT = 24

/** The rows of one commit: for each table the values of all its rows, one after the other. */
function valuesOf(first: number) {
  const commit = first / size
  const device = commit % devices
  const turn = Math.floor(commit / devices)
  const client = uuidOf(`client ${device}`)
  const rows = Array.from({ length: size }, (_, index) => ({
    id: uuidOf(`set ${first + index}`),
    intent: uuidOf(`intent ${first + index}`),
    place: turn * size + index + 1,
  }))
  return {
    sets: rows.flatMap(({ id, place }) => [
      id,
      uuidOf(`workout ${device} ${Math.floor(place / SETS_PER_WORKOUT)}`),
      (place % SETS_PER_WORKOUT) + 1,
      'Squat (Barbell)',
      5,
      82.5,
      1_700_000_000_000 + place,
    ]),
    ledger: rows.flatMap(({ intent, place }) => [
      client,
      place,
      `runner ${device}`,
      intent,
      `${intent}${intent}`.slice(0, 64),
      'applied',
    ]),
    log: rows.flatMap(({ id }) => [`user:runner ${device}`, turn + 1, 'sets', id]),
  }
}
const widths = { sets: 7, ledger: 6, log: 4 } as const
const tables = (text: string, real: string) => [
  `CREATE TABLE sets (id ${text} PRIMARY KEY, workoutId ${text}, position BIGINT, exercise ${text}, reps BIGINT, kg ${real}, doneAt BIGINT)`,
  'CREATE UNIQUE INDEX sets_position ON sets (workoutId, position)',
  `CREATE TABLE ledger (client ${text}, sequence BIGINT, actor ${text}, intent ${text}, fingerprint ${text}, status ${text}, PRIMARY KEY (client, sequence))`,
  'CREATE UNIQUE INDEX ledger_intent ON ledger (actor, intent)',
  `CREATE TABLE log (scope ${text}, version BIGINT, tbl ${text}, id ${text}, PRIMARY KEY (scope, version, tbl, id))`,
]
const insert = (table: keyof typeof widths, mark: (index: number) => string): string => {
  const width = widths[table]
  const rows = Array.from(
    { length: size },
    (_, row) => `(${Array.from({ length: width }, (_, column) => mark(row * width + column + 1)).join(', ')})`,
  )
  return `INSERT INTO ${table} VALUES ${rows.join(', ')}`
}

console.log(where.startsWith('sqlite:') ? await onSqlite(where.slice('sqlite:'.length)) : await onPostgres())

async function onSqlite(path: string): Promise<number> {
  const { DatabaseSync } = await import('node:sqlite')
  const db = new DatabaseSync(path)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  for (const text of tables('TEXT', 'REAL')) db.exec(text)
  const statements = (['sets', 'ledger', 'log'] as const).map((table) => ({
    table,
    run: db.prepare(insert(table, () => '?')),
  }))
  const began = performance.now()
  for (let first = 0; first < count; first += size) {
    const values = valuesOf(first)
    db.exec('BEGIN IMMEDIATE')
    for (const { table, run } of statements) run.run(...values[table])
    db.exec('COMMIT')
  }
  const took = performance.now() - began
  db.close()
  return took
}

async function onPostgres(): Promise<number> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: where })
  await client.connect()
  await client.query('DROP SCHEMA IF EXISTS raw CASCADE; CREATE SCHEMA raw; SET search_path TO raw')
  for (const text of tables('TEXT COLLATE "C"', 'DOUBLE PRECISION')) await client.query(text)
  const texts = (['sets', 'ledger', 'log'] as const).map((table) => ({
    table,
    text: insert(table, (index) => `$${index}`),
  }))
  const began = performance.now()
  for (let first = 0; first < count; first += size) {
    const values = valuesOf(first)
    await client.query('BEGIN')
    for (const { table, text } of texts) await client.query({ name: table, text, values: values[table] })
    await client.query('COMMIT')
  }
  const took = performance.now() - began
  await client.query('DROP SCHEMA raw CASCADE')
  await client.end()
  return took
}
