// How long a device with 100,000 stored rows takes to open in a browser: from createClient until a live query has its first sorted
// fifty rows, each time in a fresh page, as after a start of the app. Beside it: opening IndexedDB, reading all rows as texts and
// parsing them, in a fresh page too.
import { SETS } from '../engine/rows.ts'
import { type Figure, figure, inTurns, median } from '../harness.ts'
import { onStage } from './stage.ts'

const REPEATS = 15

export function measure(): Promise<readonly Figure[]> {
  return onStage(async ({ tab }) => {
    const first = await tab()
    const length = await first.call('fill')
    await first.close()
    const fresh = (name: 'open' | 'openByHand') => async () => {
      const page = await tab()
      const took = await page.call(name, false)
      await page.close()
      return took
    }
    await inTurns(1, fresh('open'), fresh('openByHand'), 'asItComes')
    const { a, b } = await inTurns(REPEATS, fresh('open'), fresh('openByHand'), 'asItComes')
    return [
      figure({
        name: `a stored device of ${SETS} rows opened until the first sorted 50`,
        value: median(a),
        unit: 'ms',
        raw: median(b),
        reach: { of: 'ratio', is: 'at most', bound: 1.2 },
        note: `fresh page, warm disk; raw: opening IndexedDB, getAll and JSON.parse of the same rows (${length} characters, 5,000 rows a record), unsorted`,
      }),
    ]
  })
}
