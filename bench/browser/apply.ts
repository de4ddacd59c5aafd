// How long it takes in a browser from the text of 100,000 rows until they can be read, and until they are stored. Beside it: JSON.parse
// of the same texts and a Map by key; and the same texts put into a raw database as they are.
import { SETS } from '../engine/rows.ts'
import { type Figure, figure, inTurns, median } from '../harness.ts'
import { onStage } from './stage.ts'

const REPEATS = 7

export function measure(): Promise<readonly Figure[]> {
  return onStage(async ({ tab }) => {
    const page = await tab()
    const pages = await page.call('prepareRows')
    const side = (name: 'apply' | 'applyByHand') => async () => {
      await page.collect()
      return page.call(name)
    }
    await inTurns(1, side('apply'), side('applyByHand'), 'asItComes')
    const { a, b } = await inTurns(REPEATS, side('apply'), side('applyByHand'), 'asItComes')
    const perSecond = (ms: readonly number[]): number => (SETS / median(ms)) * 1_000
    return [
      figure({
        name: `${SETS} rows applied until readable`,
        value: median(a.map(({ readable }) => readable)),
        unit: 'ms',
        raw: median(b.map(({ readable }) => readable)),
        reach: { of: 'ratio', is: 'at most', bound: 1.5 },
        note: `${pages} pages of a pull, decoded and applied as one frame; raw: JSON.parse of the same texts and a Map by key`,
      }),
      figure({
        name: `${SETS} rows stored`,
        value: perSecond(a.map(({ stored }) => stored)),
        unit: 'rows/s',
        raw: perSecond(b.map(({ stored }) => stored)),
        reach: { of: 'value', is: 'at least', bound: 100_000 },
        note: 'from the text of the same pages until the transaction of their frame is complete, reading and applying them included; raw: the texts as they are in one relaxed transaction',
      }),
    ]
  })
}
