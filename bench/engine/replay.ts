// How fast a device gets rid of 10,000 queued intents: real client on real files, HTTP, an authority in a process of its own on
// SQLite with synchronous=FULL. From `resume` until every intent is decided and its effects are in the confirmed rows. The authority
// is warm, as one that runs is: it has decided the intents of another device before.
// Beside it two raw limits: SQLite taking the same rows, ledger and change log by prepared multi-row inserts in as many commits as
// the device sends batches, and the same bodies posted to a listener that does nothing.
import { request } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createClient, type Host, type Network } from 'holdfast/client'
import { node } from 'holdfast/node'
import { type Figure, figure, inFolder, inTurns, median, timed } from '../harness.ts'
import { ACTOR, app, SCOPE, type SetArgs } from './app.ts'
import { startChild } from './child.ts'
import { INTENTS, queue, SETS_PER_WORKOUT } from './queue.ts'
import { setArgs } from './rows.ts'
import { uuidOf } from './uuid.ts'

const BATCH = 1_000
const REPEATS = 5

export function measure(): Promise<readonly Figure[]> {
  return inFolder(async (folder) => {
    const authority = startChild('authority', [join(folder, 'authority.db')])
    try {
      return await measureAgainst(`http://127.0.0.1:${await authority.line()}/sync`)
    } finally {
      await authority.stop()
    }
  })
}

async function measureAgainst(url: string): Promise<readonly Figure[]> {
  let bodies: readonly string[] = []
  let devices = 0

  // Each time another person's new device, so that none begins with the rows of the one before.
  const engine = (): Promise<number> =>
    inFolder(async (folder) => {
      const actor = `${ACTOR} ${++devices}`
      const sent: string[] = []
      const { network, ...world } = node({ folder })
      const noting: Network = {
        stream: network.stream,
        exchange(asked, timeoutMs) {
          if (asked.path === 'push') sent.push(asked.body)
          return network.exchange(asked, timeoutMs)
        },
      }
      const host: Host = { ...world, network: noting }
      const client = createClient({ app, host, url, session: { actor, token: actor }, startPaused: true })
      await client.ready
      await queue(client, actor)
      const took = await timed(() => {
        client.resume()
        return client.quiet()
      })
      const wrong = client.outbox().length
      if (wrong > 0) throw new Error(`${wrong} intents are not synced`)
      const { replica } = client.inspect()
      const rows = replica.confirmedRows('sets').size + replica.confirmedRows('workouts').size
      if (rows !== INTENTS) throw new Error(`${rows} of ${INTENTS} rows came back`)
      await client.close()
      bodies = sent
      return took
    })

  const rows = Array.from({ length: INTENTS }, (_, number) => setArgs(number, SETS_PER_WORKOUT, 'raw'))
  const database = (): Promise<number> => inFolder(async (folder) => insertAll(join(folder, 'raw.db'), rows))

  const listener = async (): Promise<number> => {
    const child = startChild('authority', ['empty'])
    const port = Number(await child.line())
    await post(port, '{}')
    const took = await timed(async () => {
      for (const body of bodies) await post(port, body)
    })
    await child.stop()
    return took
  }

  await engine()
  const { a, b } = await inTurns(REPEATS, engine, async () => ({
    database: await database(),
    listener: await listener(),
  }))
  const perSecond = (ms: number): number => (INTENTS / ms) * 1_000
  const databaseMs = median(b.map((raw) => raw.database))
  const listenerMs = median(b.map((raw) => raw.listener))
  const bytes = bodies.reduce((sum, body) => sum + body.length, 0)
  return [
    figure({
      name: `${INTENTS} queued intents until decided and quiet`,
      value: perSecond(median(a)),
      unit: 'intents/s',
      raw: perSecond(databaseMs),
      reach: { of: 'value', is: 'at least', bound: 8_000 },
      note: `${bodies.length} batches; rows with position and aggregate, grants, ledger, change log; raw: SQLite FULL takes the same rows, ledger and change log in ${INTENTS / BATCH} commits of prepared multi-row inserts`,
    }),
    figure({
      name: 'the same bodies posted to an empty listener',
      value: perSecond(listenerMs),
      unit: 'intents/s',
      note: `${bytes} bytes one after the other over HTTP; a raw limit, not a figure of the engine`,
    }),
  ]
}

/** The least that a database must do for these intents, in milliseconds. */
export async function insertAll(path: string, rows: readonly SetArgs[]): Promise<number> {
  const db = new DatabaseSync(path)
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE sets (id TEXT PRIMARY KEY, workoutId TEXT, position INTEGER, exercise TEXT, reps INTEGER, kg REAL, doneAt INTEGER);
    CREATE UNIQUE INDEX sets_position ON sets (workoutId, position);
    CREATE TABLE ledger (client TEXT, sequence INTEGER, actor TEXT, intent TEXT, fingerprint TEXT, status TEXT, PRIMARY KEY (client, sequence)) WITHOUT ROWID;
    CREATE UNIQUE INDEX ledger_intent ON ledger (actor, intent);
    CREATE TABLE log (scope TEXT, version INTEGER, tableName TEXT, id TEXT, PRIMARY KEY (scope, version, tableName, id)) WITHOUT ROWID;
  `)
  const many = 100
  const insert = (into: string, columns: number) =>
    db.prepare(
      `INSERT INTO ${into} VALUES ${Array(many)
        .fill(`(${Array(columns).fill('?').join(',')})`)
        .join(',')}`,
    )
  const [toSets, toLedger, toLog] = [insert('sets', 7), insert('ledger', 6), insert('log', 4)]
  const client = uuidOf('client')
  const took = await timed(() => {
    for (let first = 0; first < rows.length; first += BATCH) {
      const version = first / BATCH + 1
      db.exec('BEGIN IMMEDIATE')
      for (let from = first; from < first + BATCH; from += many) {
        const part = rows.slice(from, from + many)
        toSets.run(
          ...part.flatMap(({ id, workoutId, exercise, reps, kg, doneAt }, index) => {
            return [id, workoutId, (from + index) % SETS_PER_WORKOUT, exercise, reps, kg, doneAt]
          }),
        )
        toLedger.run(
          ...part.flatMap(({ id }, index) => [
            client,
            from + index + 1,
            ACTOR,
            id,
            `${id}${id}`.slice(0, 64),
            'applied',
          ]),
        )
        toLog.run(...part.flatMap(({ id }) => [SCOPE, version, 'sets', id]))
      }
      db.exec('COMMIT')
    }
  })
  db.close()
  return took
}

function post(port: number, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const posted = request(
      { port, host: '127.0.0.1', method: 'POST', headers: { 'content-type': 'application/json' } },
      (answer) => {
        answer.resume()
        answer.on('end', resolve)
      },
    )
    posted.on('error', reject)
    posted.end(body)
  })
}
