// How long it takes until a burst of 10,000 intents is durable on the device, in a file after fsync. The reach compares what
// keeping costs: from the moment at which the last mutator has run until the last `saved` has resolved. The whole way, from the
// first call on and with all runs, is the figure after it. Beside both: the same bytes appended to a file as one record, and fsync.
import { readdirSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { type Figure, figure, inFolder, inTurns, median, timed } from '../harness.ts'
import { createScript, openDevice } from './device.ts'
import { setArgs, workout } from './rows.ts'

const INTENTS = 10_000
const REPEATS = 11

export async function measure(): Promise<readonly Figure[]> {
  let label = 0
  let bytes = 0

  const engine = (): Promise<{ readonly whole: number; readonly keeping: number }> =>
    inFolder(async (folder) => {
      const client = openDevice(createScript([]), folder)
      await client.ready
      await client.mutate.startWorkout(workout(0)).saved
      const before = bytesIn(folder)
      const run = `burst ${label++}`
      const calls = Array.from({ length: INTENTS }, (_, number) => ({
        ...setArgs(number, 100, run),
        workoutId: workout(0).id,
      }))
      const began = performance.now()
      const saved = calls.map((args) => client.mutate.logSet(args).saved)
      // Runs of mutators are microtasks: when this turn ends, the last of them is over and all intents are handed over.
      await setImmediate()
      const ran = performance.now()
      await Promise.all(saved)
      const ended = performance.now()
      bytes = bytesIn(folder) - before
      await client.close()
      return { whole: ended - began, keeping: ended - ran }
    })

  const byHand = (): Promise<number> =>
    inFolder(async (folder) => {
      const record = Buffer.alloc(bytes, 'x')
      const file = await open(join(folder, 'raw'), 'a')
      const took = await timed(async () => {
        await file.write(record)
        await file.sync()
      })
      await file.close()
      return took
    })

  await engine()
  await inTurns(2, engine, byHand)
  const { a, b } = await inTurns(REPEATS, engine, byHand)
  const raw = median(b)
  return [
    figure({
      name: `${INTENTS} intents of one burst saved, from the last run on`,
      value: median(a.map(({ keeping }) => keeping)),
      unit: 'ms',
      raw,
      reach: { of: 'ratio', is: 'at most', bound: 2.5 },
      note: `${bytes} bytes; the runs of the mutators are not in this figure, making the record and waiting for the disk are; raw: append and fsync of as many bytes in one record`,
    }),
    figure({
      name: `${INTENTS} intents of one burst saved, with the runs of their mutators`,
      value: median(a.map(({ whole }) => whole)),
      unit: 'ms',
      raw,
      note: 'from the first call until all `saved` have resolved',
    }),
  ]
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}
