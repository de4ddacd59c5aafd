// How long it takes until a burst of 10,000 intents is durable on the device, in a file after fsync. The reach compares what keeping
// costs: from the moment at which they are handed over to the storage, in one call, until the last `saved` has resolved. The whole
// way, from the first call on and with the runs of all mutators, is the figure after it. Beside both: as many bytes as the burst
// put into the file, appended to another one as one record, and fsync.
import { readdirSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Host } from 'holdfast/client'
import { type Figure, inFolder, inTurns, timed } from '../harness.ts'
import { createScript, openDevice, scripted } from './device.ts'
import { type Burst, burstFigures } from './figures.ts'
import { INTENTS } from './queue.ts'
import { setArgs, workout } from './rows.ts'

const WORKOUTS = 100
const REPEATS = 31

export async function measure(): Promise<readonly Figure[]> {
  let bursts = 0
  let bytes = 0

  const engine = (): Promise<Burst> =>
    inFolder(async (folder) => {
      let before = 0
      const burst = await burstOn(scripted(createScript([]), folder), `burst ${bursts++}`, () => {
        before = bytesIn(folder)
      })
      bytes = bytesIn(folder) - before
      return burst
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
  await inTurns(2, engine, byHand, 'asItComes')
  const { a, b } = await inTurns(REPEATS, engine, byHand, 'asItComes')
  return burstFigures(a, `${bytes} bytes`, 'file', b, 'append and fsync of as many bytes in one record')
}

/** A burst on a new device of this host; `ready` is called before its first call. */
export async function burstOn(host: Host, label: string, ready: () => void = () => undefined): Promise<Burst> {
  let handedOver = 0
  let durable = 0
  const client = openDevice(
    listening(host, async (count, at, kept) => {
      if (count === 1) return
      handedOver ||= at
      await kept
      durable = performance.now()
    }),
  )
  await client.ready
  for (let number = 0; number < WORKOUTS; number++) await client.mutate.startWorkout(workout(number)).saved
  ready()
  const began = performance.now()
  // Arguments are made as they are needed, as an app makes them: kept in a list they would be a sixth of what is collected.
  const saved = Array.from(
    { length: INTENTS },
    (_, number) => client.mutate.logSet(setArgs(number, INTENTS / WORKOUTS, label)).saved,
  )
  await Promise.all(saved)
  const ended = performance.now()
  await client.close()
  return { whole: ended - began, keeping: ended - handedOver, durable: durable - handedOver }
}

/** The same host, telling how many intents are handed over to its storage, and when they are kept. */
function listening(host: Host, hear: (count: number, at: number, kept: Promise<unknown>) => Promise<void>): Host {
  return {
    ...host,
    async openStorage(actor) {
      const storage = await host.openStorage(actor)
      return {
        ...storage,
        append(intents, draft) {
          const at = performance.now()
          const kept = storage.append(intents, draft)
          void hear(intents.length, at, kept)
          return kept
        },
      }
    },
  }
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}
