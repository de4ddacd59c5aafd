// How much memory 100,000 confirmed rows take in a device: the live heap after a collection, with the rows and without, in a
// process of its own. Beside it: the same rows parsed into a Map by key, in another such process. With an argument it is that process.
import { type Figure, inTurns } from '../harness.ts'
import { app } from './app.ts'
import { endWithParent, startChild } from './child.ts'
import { createScript, openDevice, scripted } from './device.ts'
import { heapFigure } from './figures.ts'
import { allSets, pullPages } from './rows.ts'

const REPEATS = 3

export async function measure(): Promise<readonly Figure[]> {
  const heapOf = async (side: 'engine' | 'map'): Promise<number> => {
    const child = startChild('memory', [side])
    const bytes = Number(await child.line())
    await child.stop()
    return bytes
  }
  const { a, b } = await inTurns(
    REPEATS,
    () => heapOf('engine'),
    () => heapOf('map'),
  )
  return [heapFigure('device', a, b, 'with a live query open; raw: the same rows parsed into a Map by key')]
}

async function heapAfter(load: () => Promise<unknown>): Promise<number> {
  const before = heapNow()
  const kept = await load()
  const bytes = heapNow() - before
  if (kept === undefined) throw new Error('Nothing was kept')
  return bytes
}

function heapNow(): number {
  for (let pass = 0; pass < 4; pass++) globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

async function loadDevice(): Promise<unknown> {
  const script = createScript(pullPages(allSets()))
  const client = openDevice(scripted(script))
  await client.ready
  client.resume()
  await script.listening
  client.pause()
  const query = client.live(app.query.sets.orderBy('doneAt', 'desc').limit(50))
  if (query.rows.length !== 50) throw new Error('The rows are not there')
  return { client, query }
}

async function loadMap(): Promise<unknown> {
  const byId = new Map<string, { readonly id: string }>()
  for (const page of pullPages(allSets())) {
    const { patches } = JSON.parse(`${page}}`) as {
      patches: [{ rows: { [table: string]: { readonly id: string }[] } }]
    }
    for (const rows of Object.values(patches[0].rows)) for (const row of rows) byId.set(row.id, row)
  }
  return byId
}

const [side] = process.argv.slice(2)
if (process.argv[1]?.endsWith('memory.ts') === true && side !== undefined) {
  console.log(await heapAfter(side === 'engine' ? loadDevice : loadMap))
  endWithParent(async () => undefined)
}
