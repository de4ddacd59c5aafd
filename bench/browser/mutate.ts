// How long it takes in a browser from a call of a mutator until the subscriber of a live query has been called, and until the intent is
// saved, one at a time, on a device that holds and has stored 100,000 rows. Beside the first: a Map and a sorted array by hand; beside
// the second: strict commits of a record as long in a database that does nothing else.
import { SETS } from '../engine/rows.ts'
import { type Figure, figure, inTurns, median, percentile } from '../harness.ts'
import { onStage } from './stage.ts'

const CALLS = 200
const WARM = 4
const REPEATS = 5

export function measure(): Promise<readonly Figure[]> {
  return onStage(async ({ tab }) => {
    const page = await tab()
    await page.call('openFull')
    const engine = () => page.call('update', CALLS)
    const byHand = async () => ({
      told: (await page.call('updateByHand', CALLS)).told,
      saved: await page.call('commitByHand', CALLS),
    })
    // What an app does all day is compiled: so many calls of each until the figures stand still.
    await inTurns(WARM, engine, byHand, 'asItComes')
    const { a, b } = await inTurns(REPEATS, engine, byHand, 'asItComes')
    const middle = (rounds: readonly (readonly number[])[], share: number): number =>
      median(rounds.map((samples) => percentile(samples, share)))
    const [told, toldByHand] = [a.map((round) => round.told), b.map((round) => round.told)]
    return [
      figure({
        name: 'call of a mutator until the subscriber is called, p50',
        value: middle(told, 0.5),
        unit: 'ms',
        raw: middle(toldByHand, 0.5),
        reach: { of: 'value', is: 'at most', bound: 0.05 },
        note: `${CALLS} calls a round (inserts and updates by turns), ${SETS} confirmed rows, where + orderBy + limit, a clock of 5 µs; raw: a Map and a sorted array by hand`,
      }),
      figure({
        name: 'call of a mutator until the subscriber is called, p99',
        value: middle(told, 0.99),
        unit: 'ms',
        raw: middle(toldByHand, 0.99),
        note: 'the same calls',
      }),
      figure({
        name: 'saved, one at a time',
        value: middle(
          a.map((round) => round.saved),
          0.5,
        ),
        unit: 'ms',
        raw: middle(
          b.map((round) => round.saved),
          0.5,
        ),
        reach: { of: 'ratio', is: 'at most', bound: 1.3 },
        note: 'the same calls, each from the call until `saved` has resolved, before the next; raw: one strict transaction with one record as long, until `oncomplete`',
      }),
    ]
  })
}
