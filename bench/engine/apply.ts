// How long it takes from the text of 100,000 rows until they can be read: decoded page by page, staged, applied as one frame, and
// one of them got. Beside it: JSON.parse of the same texts and a Map by key. Storage is memory: what a disk costs is open.ts.
import { type Figure, figure, inTurns, median, timed } from '../harness.ts'
import { app } from './app.ts'
import { createScript, openDevice, scripted } from './device.ts'
import { allSets, pullPages, type SetRow } from './rows.ts'

const REPEATS = 9

export async function measure(): Promise<readonly Figure[]> {
  const sets = allSets()
  const pages = pullPages(sets)
  const wanted = sets[sets.length >> 1] as SetRow

  const engine = async (): Promise<number> => {
    const script = createScript(pages)
    const client = openDevice(scripted(script))
    await client.ready
    const took = await timed(async () => {
      client.resume()
      await script.listening
      const found = client.live(app.query.sets.where({ id: wanted.id }))
      if (found.rows[0]?.kg !== wanted.kg) throw new Error('The row cannot be read')
      found.close()
    })
    if (client.inspect().replica.confirmedRows('sets').size !== sets.length) throw new Error('Rows are missing')
    await client.close()
    return took
  }

  const byHand = (): Promise<number> =>
    timed(() => {
      const byId = new Map<string, SetRow>()
      for (const page of pages) {
        const { patches } = JSON.parse(`${page}}`) as { patches: [{ rows: { sets?: SetRow[] } }] }
        for (const row of patches[0].rows.sets ?? []) byId.set(row.id, row)
      }
      if (byId.get(wanted.id)?.kg !== wanted.kg) throw new Error('The row cannot be read')
    })

  await inTurns(1, engine, byHand)
  const { a, b } = await inTurns(REPEATS, engine, byHand)
  return [
    figure({
      name: `${sets.length} rows applied until readable`,
      value: median(a),
      unit: 'ms',
      raw: median(b),
      reach: { of: 'ratio', is: 'at most', bound: 1.5 },
      note: `${pages.length} pages of a pull, decoded and applied as one frame; raw: JSON.parse of the same texts and a Map by key`,
    }),
  ]
}
