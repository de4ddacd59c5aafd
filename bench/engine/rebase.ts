// What a frame of 100 foreign rows costs a device with 10,000 pending intents: from its text until the screen is right again, and
// how many pending intents were run again for it. Only ten of the foreign rows were read by pending intents; a device that replays
// its queue runs all 10,000. Beside it: running 10,000 small functions again, each on a draft of one row.
import { type Figure, figure, inTurns, median, timed } from '../harness.ts'
import { SCOPE } from './app.ts'
import { createScript, openDevice, scripted } from './device.ts'
import { allSets, pullPages, type SetRow } from './rows.ts'

const PENDING = 10_000
const FOREIGN = 100
const TOUCHED = 10
const REPEATS = 9

export async function measure(): Promise<readonly Figure[]> {
  const sets = allSets()
  const script = createScript(pullPages(sets))
  const client = openDevice(scripted(script))
  await client.ready
  client.resume()
  await script.listening
  // The stream stays open, and what is pushed is never answered: the intents stay pending.
  await Promise.all(sets.slice(0, PENDING).map(({ id, kg }) => client.mutate.changeWeight({ id, kg: kg + 1 }).saved))

  const { replica } = client.inspect()
  let version = 1
  let mark = 'aa'
  const replays: number[] = []

  const engine = async (): Promise<number> => {
    const to = { version: version + 1, mark: version % 2 === 0 ? 'aa' : 'ab' }
    const rows = sets
      .slice(PENDING - TOUCHED, PENDING - TOUCHED + FOREIGN)
      .map((row) => ({ ...row, reps: row.reps + version }))
    const patch = JSON.stringify({ scope: SCOPE, from: { version, mark }, to, rows: { sets: rows }, gone: {} })
    const before = replica.counters.replays
    const took = await timed(async () => {
      const shown = new Promise<void>((resolve) => {
        const cancel = replica.onCommit(() => {
          cancel()
          resolve()
        })
      })
      script.frame(patch)
      await shown
    })
    replays.push(replica.counters.replays - before)
    version = to.version
    mark = to.mark
    return took
  }

  const byId = new Map<string, SetRow>(sets.map((row) => [row.id, row]))
  const byHand = (): Promise<number> =>
    timed(() => {
      const draft = new Map<string, SetRow>()
      for (const { id, kg } of sets.slice(0, PENDING)) draft.set(id, { ...(byId.get(id) as SetRow), kg: kg + 1 })
    })

  await inTurns(2, engine, byHand)
  const { a, b } = await inTurns(REPEATS, engine, byHand)
  await client.close()
  return [
    figure({
      name: `rebase of ${PENDING} pending intents over a frame of ${FOREIGN} foreign rows`,
      value: median(a),
      unit: 'ms',
      raw: median(b),
      note: `text of the frame until the overlay stands; ${sets.length} confirmed rows; raw: a full replay at its least, one copied row for each pending intent`,
    }),
    figure({
      name: 'pending intents run again for that frame',
      value: median(replays),
      unit: 'runs',
      reach: { of: 'value', is: 'at most', bound: TOUCHED },
      note: `${TOUCHED} of the foreign rows were read by pending intents`,
    }),
  ]
}
