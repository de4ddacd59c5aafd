// How long it takes in a browser from a call of a mutator until the subscriber of a live query has been called, and until the intent is
// saved, one at a time, on a device that holds and has stored 100,000 rows. Beside the first: a Map and a sorted array by hand; beside
// the second: strict commits of a record as long in a database that does nothing else.
import { SETS } from '../engine/rows.ts'
import { type Figure, figure, inTurns, median, percentile } from '../harness.ts'
import { onStage } from './stage.ts'

const CALLS = 200
const WARM = 4
const REPEATS = 5
/** Both sides of what waits for the disk take turns after so few, for the disk is shared too. */
const SAVES = 20
const SAVE_REPEATS = 25

export function measure(): Promise<readonly Figure[]> {
  return onStage(async ({ tab }) => {
    const page = await tab()
    await page.call('openFull')
    const update = () => page.call('update', CALLS)
    const updateByHand = () => page.call('updateByHand', CALLS)
    const save = () => page.call('save', SAVES)
    const saveByHand = () => page.call('saveByHand', SAVES)
    // What an app does all day is compiled: so many calls of each until the figures stand still.
    await inTurns(WARM, update, updateByHand, 'asItComes')
    const told = await inTurns(REPEATS, update, updateByHand, 'asItComes')
    await inTurns(WARM, save, saveByHand, 'asItComes')
    const saved = await inTurns(SAVE_REPEATS, save, saveByHand, 'asItComes')
    const middle = (rounds: readonly (readonly number[])[], share: number): number =>
      median(rounds.map((samples) => percentile(samples, share)))
    return [
      figure({
        name: 'call of a mutator until the subscriber is called, p50',
        value: middle(told.a, 0.5),
        unit: 'ms',
        raw: middle(told.b, 0.5),
        reach: { of: 'value', is: 'at most', bound: 0.05 },
        note: `${CALLS} calls a round (inserts and updates by turns), ${SETS} confirmed rows, where + orderBy + limit, a clock of 5 µs; raw: a Map and a sorted array by hand`,
      }),
      figure({
        name: 'call of a mutator until the subscriber is called, p99',
        value: middle(told.a, 0.99),
        unit: 'ms',
        raw: middle(told.b, 0.99),
        note: 'the same calls',
      }),
      figure({
        name: 'saved, one at a time',
        value: middle(saved.a, 0.5),
        unit: 'ms',
        raw: middle(saved.b, 0.5),
        reach: { of: 'ratio', is: 'at most', bound: 1.3 },
        note: `the same kinds of calls, ${SAVES} a round, each from the call until \`saved\` has resolved, before the next; raw: one strict transaction with one record as long, until \`oncomplete\``,
      }),
    ]
  })
}
