// How long a device with 100,000 rows takes to open in each storage mode that holds rows: in IndexedDB in a page, in files, and in a
// memory that lives as long as its process. The mode `localstorage` holds no rows: on it they come anew by a first sync.
import { measure as inBrowser } from '../browser/open.ts'
import { app } from '../engine/app.ts'
import { createScript, openDevice, scripted } from '../engine/device.ts'
import { measure as inFiles } from '../engine/open.ts'
import { allSets, pullPages, SETS } from '../engine/rows.ts'
import { type Figure, figure, inTurns, median, timed } from '../harness.ts'
import { inMode } from './modes.ts'

const REPEATS = 9
const SHOWN = 50

export async function measure(): Promise<readonly Figure[]> {
  return [
    ...inMode('indexeddb', await inBrowser()),
    ...inMode('file', await inFiles()),
    ...inMode('memory', await inMemory()),
  ]
}

async function inMemory(): Promise<readonly Figure[]> {
  const sets = allSets()
  const script = createScript(pullPages(sets))
  const host = scripted(script)
  const first = openDevice(host)
  await first.ready
  first.resume()
  await script.listening
  await first.close()
  const engine = async (): Promise<number> => {
    const began = performance.now()
    const client = openDevice(host)
    const query = client.live(app.query.sets.orderBy('doneAt', 'desc').limit(SHOWN))
    await client.ready
    const shown = query.rows.length
    const took = performance.now() - began
    if (shown !== SHOWN) throw new Error(`The device shows ${shown} rows`)
    await client.close()
    return took
  }
  const byHand = (): Promise<number> =>
    timed(() => {
      const byId = new Map(sets.map((row) => [row.id, row]))
      if ([...byId.values()].sort((a, b) => b.doneAt - a.doneAt).slice(0, SHOWN).length !== SHOWN)
        throw new Error('The list by hand is wrong')
    })
  await inTurns(1, engine, byHand)
  const { a, b } = await inTurns(REPEATS, engine, byHand)
  return [
    figure({
      name: `a stored device of ${SETS} rows opened until the first sorted ${SHOWN}`,
      value: median(a),
      unit: 'ms',
      raw: median(b),
      note: 'in the same process, kept as the pages in which they came; raw: the same rows put into a Map by key and sorted',
    }),
  ]
}
