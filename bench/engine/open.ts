// How long a device with 100,000 stored rows takes to open: from createClient until a live query has its first sorted fifty rows,
// each time in a fresh process, as after a start of the app. Beside it: reading and parsing one file with the same rows, in a
// fresh process too. With an argument it is that process.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Figure, figure, inFolder, inTurns, median } from '../harness.ts'
import { app } from './app.ts'
import { endWithParent, startChild } from './child.ts'
import { createScript, openDevice, scripted } from './device.ts'
import { allSets, pullPages, SETS } from './rows.ts'

const REPEATS = 5
const SHOWN = 50

export function measure(): Promise<readonly Figure[]> {
  return inFolder(async (folder) => {
    const sets = allSets()
    const script = createScript(pullPages(sets))
    const client = openDevice(scripted(script, join(folder, 'device')))
    await client.ready
    client.resume()
    await script.listening
    await client.close()
    writeFileSync(join(folder, 'rows.json'), JSON.stringify(sets))

    const millis = async (side: 'engine' | 'file'): Promise<number> => {
      const child = startChild('open', [side, folder])
      const took = Number(await child.line())
      await child.stop()
      return took
    }
    const { a, b } = await inTurns(
      REPEATS,
      () => millis('engine'),
      () => millis('file'),
    )
    return [
      figure({
        name: `a stored device of ${SETS} rows opened until the first sorted ${SHOWN}`,
        value: median(a),
        unit: 'ms',
        raw: median(b),
        note: 'fresh process, warm disk; raw: readFile and JSON.parse of the same rows in one file, unsorted',
      }),
    ]
  })
}

async function openStored(folder: string): Promise<number> {
  const began = performance.now()
  const client = openDevice(scripted(createScript([]), join(folder, 'device')))
  const query = client.live(app.query.sets.orderBy('doneAt', 'desc').limit(SHOWN))
  await client.ready
  const shown = query.rows.length
  const took = performance.now() - began
  if (shown !== SHOWN) throw new Error(`The device shows ${shown} rows`)
  await client.close()
  return took
}

function readFile(folder: string): number {
  const began = performance.now()
  const rows = JSON.parse(readFileSync(join(folder, 'rows.json'), 'utf8')) as unknown[]
  const took = performance.now() - began
  if (rows.length !== SETS) throw new Error('The file is wrong')
  return took
}

const [side, folder] = process.argv.slice(2)
if (process.argv[1]?.endsWith('open.ts') === true && folder !== undefined) {
  console.log(side === 'engine' ? await openStored(folder) : readFile(folder))
  endWithParent(async () => undefined)
}
