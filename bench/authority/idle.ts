// What an authority weighs when nothing happens: alone, and with 10,000 live streams from two processes. Beside it a process of Node with
// an open database and a listener, and as many open answers.
import { join } from 'node:path'
import { type Child, startChild } from '../engine/child.ts'
import { type Figure, figure, inFolder } from '../harness.ts'

const EACH = 5_000
const STREAMS = 2 * EACH
const MIB = 1024 * 1024

export function measure(): Promise<readonly Figure[]> {
  return inFolder(async (folder) => {
    const app = startChild('../authority/idle-app.mjs', [join(folder, 'app.db')])
    await app.line()
    const idle = Number(await app.ask('memory')) / MIB
    await app.stop()
    const authority = await withStreams('../authority/authority', `sqlite:${join(folder, 'authority.db')}`)
    const bare = await withStreams('../authority/bare.mjs', join(folder, 'bare.db'))
    const each = ({ alone, full }: Weight): string => `${(((full - alone) * 1024) / STREAMS).toFixed(1)} KiB`
    return [
      figure({
        name: 'an idle authority',
        value: idle,
        unit: 'MiB',
        raw: bare.alone,
        reach: { of: 'value', is: 'at most', bound: 90 },
        note: 'resident memory of the whole process after a collection, listener included, app in JavaScript; raw: a process of Node with a listener and an open SQLite database',
      }),
      figure({
        name: `an authority with ${STREAMS} idle live streams`,
        value: authority.full,
        unit: 'MiB',
        raw: bare.full,
        note: `${each(authority)} a stream, sockets of Node included; from two processes, a hundred devices for each actor; app in TypeScript, whose reading weighs something too; raw: as many answers that Node keeps open, ${each(bare)} each`,
      }),
    ]
  })
}

interface Weight {
  readonly alone: number
  readonly full: number
}

async function withStreams(script: string, where: string): Promise<Weight> {
  const server = startChild(script, [where])
  const listeners: Child[] = []
  try {
    const port = await server.line()
    const alone = Number(await server.ask('memory')) / MIB
    for (const label of ['a', 'b']) listeners.push(startChild('../authority/listener', [port, String(EACH), label]))
    for (const listener of listeners) await listener.line()
    return { alone, full: Number(await server.ask('memory')) / MIB }
  } finally {
    for (const listener of listeners) await listener.stop()
    await server.stop()
  }
}
