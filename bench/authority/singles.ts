// How fast an authority decides durable intents that come one by one: 64 devices, each sending its next intent when the one before is
// answered. What waits together shares a commit. Beside it the same requests to a listener that does nothing, and a script that
// commits the same rows one intent at a time. SQLite with synchronous=FULL.
import { join } from 'node:path'
import { startChild } from '../engine/child.ts'
import { type Figure, figure, inFolder, inTurns, median, timed } from '../harness.ts'
import { makeDevice, openLine } from './wire.ts'

const DEVICES = 64
const EACH = 60
const INTENTS = DEVICES * EACH
const REPEATS = 5

export function measure(): Promise<readonly Figure[]> {
  return inFolder(async (folder) => {
    const authority = startChild('../authority/authority', [`sqlite:${join(folder, 'authority.db')}`])
    const empty = startChild('../authority/authority', ['empty'])
    try {
      const [port, emptyPort] = [Number(await authority.line()), Number(await empty.line())]
      let rounds = 0
      const commits = async (): Promise<number> => {
        const raw = startChild('../authority/raw', [
          `sqlite:${join(folder, `raw ${++rounds}.db`)}`,
          String(INTENTS),
          '1',
          String(DEVICES),
        ])
        const took = Number(await raw.line())
        await raw.stop()
        return took
      }
      const engine = () => pushAll(port, `round ${++rounds}`)
      await engine()
      const { a, b } = await inTurns(REPEATS, engine, async () => ({
        empty: await pushAll(emptyPort, `empty ${++rounds}`),
        commits: await commits(),
      }))
      const perSecond = (ms: number): number => (INTENTS / ms) * 1_000
      const [value, listener, alone] = [
        perSecond(median(a)),
        perSecond(median(b.map((raw) => raw.empty))),
        perSecond(median(b.map((raw) => raw.commits))),
      ]
      const name = `${DEVICES} devices sending one durable intent each, again and again`
      const note = `${INTENTS} intents; SQLite FULL`
      return [
        figure({
          name,
          value,
          unit: 'intents/s',
          raw: listener,
          reach: { of: 'ratio', is: 'at least', bound: 0.3 },
          note: `${note}; raw: the same requests to the same listener of Node with a handler that only reads them`,
        }),
        figure({
          name: 'the same, as a rate',
          value,
          unit: 'intents/s',
          reach: { of: 'value', is: 'at least', bound: 2_000 },
          note,
        }),
        figure({
          name: 'the same, beside commits of one row each',
          value,
          unit: 'intents/s',
          raw: alone,
          reach: { of: 'ratio', is: 'at least', bound: 1 },
          note: `${note}; raw: the same app, ledger and log rows of one intent a commit, by prepared statements without HTTP`,
        }),
      ]
    } finally {
      await authority.stop()
      await empty.stop()
    }
  })
}

async function pushAll(port: number, label: string): Promise<number> {
  const line = openLine(port)
  const devices = Array.from({ length: DEVICES }, (_, number) => {
    const device = makeDevice(`${label} ${number}`, `${label} ${number}`)
    return { device, bodies: Array.from({ length: EACH }, () => device.push(1)) }
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
