// How fast an authority decides durable intents that come one by one: 64 devices, each sending its next intent when the one before is
// answered. What waits together shares a commit. Beside it the same requests to a listener that does nothing, and a script that
// commits the same rows one intent at a time. SQLite with synchronous=FULL, PostgreSQL with synchronous commit.
import { join } from 'node:path'
import { startPostgres } from '../../scripts/postgres.ts'
import { startChild } from '../engine/child.ts'
import { type Figure, figure, inFolder, inTurns, median, timed } from '../harness.ts'
import { makeDevice, openLine } from './wire.ts'

const DEVICES = 64
const REPEATS = 5

export async function measure(): Promise<readonly Figure[]> {
  const postgres = await startPostgres()
  try {
    return await inFolder(async (folder) => [
      ...(await measureOn(
        'SQLite FULL',
        60,
        `sqlite:${join(folder, 'authority.db')}`,
        (round) => `sqlite:${join(folder, `raw ${round}.db`)}`,
      )),
      ...(await measureOn('PostgreSQL', 20, postgres.url, () => postgres.url)),
    ])
  } finally {
    await postgres.stop()
  }
}

async function measureOn(
  database: string,
  each: number,
  where: string,
  rawWhere: (round: number) => string,
): Promise<readonly Figure[]> {
  const intents = DEVICES * each
  const authority = startChild('../authority/authority', [where])
  const empty = startChild('../authority/bare.mjs')
  try {
    const [port, emptyPort] = [Number(await authority.line()), Number(await empty.line())]
    let rounds = 0
    const commits = async (): Promise<number> => {
      const raw = startChild('../authority/raw', [rawWhere(++rounds), String(intents), '1', String(DEVICES)])
      const took = Number(await raw.line())
      await raw.stop()
      return took
    }
    const engine = () => pushAll(port, each, `round ${++rounds}`)
    const listen = () => pushAll(emptyPort, each, `empty ${++rounds}`)
    // Neither side is measured on code that it runs for the first time.
    await engine()
    await listen()
    const { a, b } = await inTurns(REPEATS, engine, async () => ({ empty: await listen(), commits: await commits() }))
    const perSecond = (ms: number): number => (intents / ms) * 1_000
    const [value, listener, alone] = [
      perSecond(median(a)),
      perSecond(median(b.map((raw) => raw.empty))),
      perSecond(median(b.map((raw) => raw.commits))),
    ]
    const note = `${intents} intents; ${database}`
    return [
      figure({
        name: `${DEVICES} devices sending one durable intent each, again and again, ${database}`,
        value,
        unit: 'intents/s',
        raw: listener,
        reach: { of: 'ratio', is: 'at least', bound: 0.3 },
        note: `${note}; raw: the same requests to a listener of Node with a handler that only reads them`,
      }),
      figure({
        name: `the same, as a rate, ${database}`,
        value,
        unit: 'intents/s',
        reach: { of: 'value', is: 'at least', bound: 2_000 },
        note,
      }),
      figure({
        name: `the same, beside commits of one row each, ${database}`,
        value,
        unit: 'intents/s',
        raw: alone,
        reach: { of: 'ratio', is: 'at least', bound: 1 },
        note: `${note}; raw: the same app, ledger and log rows of one intent a commit, by prepared statements over one connection without HTTP`,
      }),
    ]
  } finally {
    await authority.stop()
    await empty.stop()
  }
}

async function pushAll(port: number, each: number, label: string): Promise<number> {
  const line = openLine(port)
  const devices = Array.from({ length: DEVICES }, (_, number) => {
    const device = makeDevice(`${label} ${number}`, `${label} ${number}`)
    return { device, bodies: Array.from({ length: each }, () => device.push(1)) }
  })
  const took = await timed(() =>
    Promise.all(
      devices.map(async ({ device, bodies }) => {
        for (const body of bodies) await line.post('push', device.actor, body)
      }),
    ),
  )
  line.close()
  return took
}
