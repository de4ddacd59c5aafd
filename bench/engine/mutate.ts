// How long it takes from a call of a mutator until the subscriber of a live query has been called, among 100,000 confirmed rows.
// The query filters, orders and limits; each call changes its answer. Beside it: the least that anyone could do, one Map and one
// sorted array kept by hand. What becomes of the intent on disk afterwards is burst.ts.
import { type Figure, figure, inTurns, median, percentile } from '../harness.ts'
import { createScript, openDevice, scripted } from './device.ts'
import { allSets, pullPages } from './rows.ts'
import { openUpdates, SHOWN } from './update.ts'

const CALLS = 400
const REPEATS = 7

export async function measure(): Promise<readonly Figure[]> {
  const sets = allSets()
  const script = createScript(pullPages(sets))
  const client = openDevice(scripted(script))
  await client.ready
  client.resume()
  await script.listening
  client.pause()
  const updates = openUpdates(client, sets)
  const engine = (): Promise<readonly number[]> => updates.engine(CALLS, 'told')
  const byHand = (): Promise<readonly number[]> => updates.byHand(CALLS)

  // What an app does all day is compiled: so many calls of each until the figures stand still.
  await inTurns(10, engine, byHand)
  const { a, b } = await inTurns(REPEATS, engine, byHand)
  updates.close()
  await client.close()
  const middle = (rounds: readonly (readonly number[])[], share: number): number =>
    median(rounds.map((samples) => percentile(samples, share)))
  return [
    figure({
      name: 'call of a mutator until the subscriber is called, p50',
      value: middle(a, 0.5),
      unit: 'ms',
      raw: middle(b, 0.5),
      reach: { of: 'value', is: 'at most', bound: 0.05 },
      note: `${CALLS} calls a round (inserts and updates by turns), ${sets.length} confirmed rows, where + orderBy + limit ${SHOWN}; raw: a Map and a sorted array by hand`,
    }),
    figure({
      name: 'call of a mutator until the subscriber is called, p99',
      value: middle(a, 0.99),
      unit: 'ms',
      raw: middle(b, 0.99),
      note: 'the same calls',
    }),
  ]
}
