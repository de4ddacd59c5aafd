// How long it takes in a page from a call of a mutator until the subscriber is called, on a device that holds 100,000 rows and has a hundred
// lists open, of which a call concerns few. Beside it: a Map and one sorted array by hand.

import { onStage } from '../browser/stage.ts'
import { SETS } from '../engine/rows.ts'
import { type Figure, figure, inTurns, median, percentile } from '../harness.ts'

const LISTS = 100
const CALLS = 200
const WARM = 4
const REPEATS = 5

export function measure(): Promise<readonly Figure[]> {
  return onStage(async ({ tab }) => {
    const page = await tab()
    await page.call('openFull')
    // The list whose subscriber is timed is one of them.
    await page.call('openLists', LISTS - 1)
    const engine = () => page.call('update', CALLS)
    const byHand = () => page.call('updateByHand', CALLS)
    await inTurns(WARM, engine, byHand, 'asItComes')
    const { a, b } = await inTurns(REPEATS, engine, byHand, 'asItComes')
    const at = (rounds: readonly (readonly number[])[], share: number): number =>
      median(rounds.map((samples) => percentile(samples, share)))
    return [0.5, 0.99].map((share) =>
      figure({
        name: `call of a mutator until the subscriber is called with ${LISTS} lists open, p${share * 100}`,
        value: at(a, share),
        unit: 'ms',
        raw: at(b, share),
        note: `${CALLS} calls a round (inserts and updates by turns), ${SETS} confirmed rows, each list with where + orderBy + limit, a clock of 5 µs; raw: a Map and one sorted array by hand`,
      }),
    )
  })
}
