// How long a burst of 10,000 intents takes in each storage mode: in IndexedDB in a page, in a file, and in memory, where nothing is waited
// for and what remains is the engine's own part.
import { measure as inBrowser } from '../browser/burst.ts'
import { burstOn, measure as inFiles } from '../engine/burst.ts'
import { createScript, scripted } from '../engine/device.ts'
import { burstFigures } from '../engine/figures.ts'
import { INTENTS } from '../engine/queue.ts'
import { setArgs } from '../engine/rows.ts'
import { type Figure, inTurns, timed } from '../harness.ts'
import { inMode } from './modes.ts'

const REPEATS = 11

export async function measure(): Promise<readonly Figure[]> {
  return [
    ...inMode('indexeddb', await inBrowser()),
    ...inMode('file', await inFiles()),
    ...inMode('memory', await inMemory()),
  ]
}

async function inMemory(): Promise<readonly Figure[]> {
  let bursts = 0
  const engine = () => burstOn(scripted(createScript([])), `burst ${bursts++}`)
  const intents = Array.from({ length: INTENTS }, (_, number) => setArgs(number))
  const byHand = (): Promise<number> =>
    timed(() => {
      const byId = new Map<string, unknown>()
      for (const intent of intents) byId.set(intent.id, structuredClone(intent))
      if (byId.size !== INTENTS) throw new Error('The map by hand is wrong')
    })
  await inTurns(2, engine, byHand)
  const { a, b } = await inTurns(REPEATS, engine, byHand)
  // The reach of a burst is a promise about disks.
  return burstFigures(a, 'nothing is durable', 'memory', b, 'a copy of the arguments of each, in a Map by key').map(
    (figure) => ({ ...figure, reach: null, met: null }),
  )
}
