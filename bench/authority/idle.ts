// What an authority weighs when nothing happens: alone, and with 10,000 live streams from two processes.
import { join } from 'node:path'
import { ACTOR } from '../engine/app.ts'
import { startChild } from '../engine/child.ts'
import { type Figure, figure, inFolder } from '../harness.ts'
import { makeDevice, openLine } from './wire.ts'

const EACH = 5_000
const MIB = 1024 * 1024

export function measure(): Promise<readonly Figure[]> {
  return inFolder(async (folder) => {
    const authority = startChild('../authority/authority', [`sqlite:${join(folder, 'authority.db')}`])
    try {
      const app = startChild('../authority/idle-app.mjs', [join(folder, 'app.db')])
      await app.line()
      const small = Number(await app.ask('memory')) / MIB
      await app.stop()
      const port = await authority.line()
      const alone = Number(await authority.ask('memory')) / MIB
      const line = openLine(Number(port))
      await line.post('push', ACTOR, makeDevice(ACTOR, 'writer').push(2))
      line.close()
      const listeners = [
        startChild('../authority/listener', [port, String(EACH), 'a']),
        startChild('../authority/listener', [port, String(EACH), 'b']),
      ]
      for (const listener of listeners) await listener.line()
      const full = Number(await authority.ask('memory')) / MIB
      for (const listener of listeners) await listener.stop()
      return [
        figure({
          name: 'an idle authority',
          value: small,
          unit: 'MiB',
          reach: { of: 'value', is: 'at most', bound: 90 },
          note: 'resident memory of the whole process after a collection, listener included, app in JavaScript',
        }),
        figure({
          name: `an authority with ${2 * EACH} idle live streams`,
          value: full,
          unit: 'MiB',
          note: `${(((full - alone) * 1024) / (2 * EACH)).toFixed(1)} KiB a stream, sockets of Node included; from two processes`,
        }),
      ]
    } finally {
      await authority.stop()
    }
  })
}
