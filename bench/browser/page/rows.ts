// Rows that come from an authority or from the disk: applied, stored, opened, held. Each side once for each call; who takes turns is
// the bench in Node. Runs in a page.
import { app } from '../../engine/app.ts'
import { allSets, pullPages, SETS, type SetRow } from '../../engine/rows.ts'
import { type BenchClient, createScript, openDevice } from '../../engine/script.ts'
import { deleteDatabase, openRaw } from './raw.ts'
import { databaseOf, world } from './world.ts'

const SHOWN = 50
/** So many rows are in one record of the raw database: with more, or fewer, they take longer to be read. */
const RAW_RECORD_ROWS = 5_000

let texts: { readonly sets: readonly SetRow[]; readonly pages: readonly string[] } | undefined
let kept: unknown
let runs = 0

const made = (): { readonly sets: readonly SetRow[]; readonly pages: readonly string[] } => {
  if (texts === undefined) {
    const sets = allSets()
    texts = { sets, pages: pullPages(sets) }
  }
  return texts
}

/** A device whose store holds all rows, and has folded them, as that of an app does that is used. It may write more. */
export async function fullDevice(name: string): Promise<{ client: BenchClient; sets: readonly SetRow[] }> {
  const { sets, pages } = made()
  const script = createScript(pages)
  const stored = keptFrames()
  const client = openDevice(world(name, script.network, { folded: stored.hear }))
  await client.ready
  client.resume()
  await script.listening
  await stored.all()
  client.pause()
  return { client, sets }
}

function keptFrames(): { hear(kept: Promise<unknown>): void; all(): Promise<void> } {
  let heard: () => void = () => undefined
  const first = new Promise<void>((resolve) => {
    heard = resolve
  })
  const frames: Promise<unknown>[] = []
  return {
    hear(frame) {
      frames.push(frame)
      heard()
    },
    async all() {
      await first
      await Promise.all(frames)
    },
  }
}

export const rowPage = {
  /** Makes the rows, before anything is timed. */
  prepareRows(): number {
    return made().pages.length
  },
  /** From the text of all rows until one can be read, and until all are stored. */
  async apply(): Promise<{ readonly readable: number; readonly stored: number }> {
    const { sets, pages } = made()
    const wanted = sets[sets.length >> 1] as SetRow
    const name = `apply-${runs++}`
    const script = createScript(pages)
    const frames = keptFrames()
    const client = openDevice(world(name, script.network, { keptFrame: frames.hear }))
    await client.ready
    const began = performance.now()
    client.resume()
    await script.listening
    const found = client.live(app.query.sets.where({ id: wanted.id }))
    if (found.rows[0]?.kg !== wanted.kg) throw new Error('The row cannot be read')
    const readable = performance.now() - began
    found.close()
    await frames.all()
    const stored = performance.now() - began
    if (client.inspect().replica.confirmedRows('sets').size !== sets.length) throw new Error('Rows are missing')
    await client.close()
    await deleteDatabase(databaseOf(name))
    return { readable, stored }
  },
  /** JSON.parse of the same texts and a Map by key; then the texts as they are, put into a raw database. */
  async applyByHand(): Promise<{ readonly readable: number; readonly stored: number }> {
    const { sets, pages } = made()
    const wanted = sets[sets.length >> 1] as SetRow
    const name = `raw-apply-${runs++}`
    const raw = await openRaw(name)
    const began = performance.now()
    const byId = new Map<string, SetRow>()
    for (const page of pages) {
      const { patches } = JSON.parse(`${page}}`) as { patches: [{ rows: { sets?: SetRow[] } }] }
      for (const row of patches[0].rows.sets ?? []) byId.set(row.id, row)
    }
    if (byId.get(wanted.id)?.kg !== wanted.kg) throw new Error('The row cannot be read')
    const readable = performance.now() - began
    const beganToStore = performance.now()
    await raw.add(pages, 'relaxed')
    const stored = performance.now() - beganToStore
    raw.close()
    await deleteDatabase(name)
    return { readable, stored }
  },
  /** Fills the stores that `open` reads. */
  async fill(): Promise<number> {
    const { client, sets } = await fullDevice('open')
    await client.close()
    const raw = await openRaw('raw open')
    const records: string[] = []
    for (let first = 0; first < sets.length; first += RAW_RECORD_ROWS)
      records.push(JSON.stringify(sets.slice(first, first + RAW_RECORD_ROWS)))
    await raw.add(records, 'relaxed')
    raw.close()
    return records.reduce((sum, { length }) => sum + length, 0)
  },
  /** From createClient until the first sorted rows. */
  async open(stays: boolean): Promise<number> {
    const began = performance.now()
    const client = openDevice(world('open', createScript([]).network))
    const query = client.live(app.query.sets.orderBy('doneAt', 'desc').limit(SHOWN))
    await client.ready
    const shown = query.rows.length
    const took = performance.now() - began
    if (shown !== SHOWN) throw new Error(`The device shows ${shown} rows`)
    if (stays) kept = { client, query }
    else await client.close()
    return took
  },
  /** Opening the database, reading and parsing. */
  async openByHand(stays: boolean): Promise<number> {
    const began = performance.now()
    const raw = await openRaw('raw open')
    const parsed = (await raw.readAll()).map((text) => JSON.parse(text) as SetRow[])
    const took = performance.now() - began
    raw.close()
    if (parsed.reduce((sum, { length }) => sum + length, 0) !== SETS) throw new Error('Rows are missing')
    if (stays) kept = new Map(parsed.flat().map((row) => [row.id, row]))
    return took
  },
  /** Whether anything is held for a look at the heap. */
  holds: () => kept !== undefined,
}
