// How fast an authority decides intents that come in batches of 100 over HTTP: eight devices, each sending its next batch when the one
// before is answered, to an authority in a process of its own. Beside it the same rows, ledger and log written without any engine, 100
// rows a commit, by a script that loads nothing of Holdfast. On SQLite with synchronous=FULL and on PostgreSQL with synchronous commit.
import { join } from 'node:path'
import { startPostgres } from '../../scripts/postgres.ts'
import { type Child, startChild } from '../engine/child.ts'
import { type Figure, figure, inFolder, inTurns, median, timed } from '../harness.ts'
import { makeDevice, openLine } from './wire.ts'

const DEVICES = 8
const BATCHES = 15
const BATCH = 100
const INTENTS = DEVICES * BATCHES * BATCH
const REPEATS = 5

export async function measure(): Promise<readonly Figure[]> {
  const postgres = await startPostgres()
  try {
    return await inFolder(async (folder) => [
      ...(await measureOn(
        'SQLite FULL',
        `sqlite:${join(folder, 'authority.db')}`,
        (round) => `sqlite:${join(folder, `raw ${round}.db`)}`,
        0.35,
      )),
      ...(await measureOn('PostgreSQL', postgres.url, () => postgres.url, 0.6)),
    ])
  } finally {
    await postgres.stop()
  }
}

async function measureOn(
  name: string,
  where: string,
  rawWhere: (round: number) => string,
  bound: number,
): Promise<readonly Figure[]> {
  const authority = startChild('../authority/authority', [where])
  try {
    const port = Number(await authority.line())
    let rounds = 0
    const engine = () => pushAll(port, `${name} ${++rounds}`)
    const raw = async (): Promise<number> => {
      const child: Child = startChild('../authority/raw', [
        rawWhere(++rounds),
        String(INTENTS),
        String(BATCH),
        String(DEVICES),
      ])
      const took = Number(await child.line())
      await child.stop()
      return took
    }
    await engine()
    const { a, b } = await inTurns(REPEATS, engine, raw)
    const perSecond = (ms: number): number => (INTENTS / ms) * 1_000
    return [
      figure({
        name: `batches of ${BATCH} intents over HTTP, ${name}`,
        value: perSecond(median(a)),
        unit: 'intents/s',
        raw: perSecond(median(b)),
        reach: { of: 'ratio', is: 'at least', bound },
        note: `${DEVICES} devices of ${DEVICES} actors at once, ${INTENTS} intents; rows with position and aggregate, grants, ledger, change log; raw: the same app, ledger and log rows by prepared multi-row inserts, ${BATCH} a commit, one connection, no HTTP`,
      }),
    ]
  } finally {
    await authority.stop()
  }
}

/** All batches of all devices; the bodies are made before the clock starts. */
async function pushAll(port: number, label: string): Promise<number> {
  const line = openLine(port)
  const devices = Array.from({ length: DEVICES }, (_, number) => {
    const device = makeDevice(`${label} ${number}`, `${label} ${number}`)
    return { device, bodies: Array.from({ length: BATCHES }, () => device.push(BATCH)) }
  })
  const took = await timed(() =>
    Promise.all(
      devices.map(async ({ device, bodies }) => {
        for (const body of bodies) {
          const { outcomes } = JSON.parse(await line.post('push', device.actor, body)) as {
            readonly outcomes: readonly { readonly status: string }[]
          }
          if (outcomes.some(({ status }) => status !== 'applied')) throw new Error('an intent was not applied')
        }
      }),
    ),
  )
  line.close()
  return took
}
