// How much memory 100,000 confirmed rows take in a page: its live heap after a collection, with the rows and without, each time in a
// fresh page. Beside it: the same rows read from IndexedDB and parsed into a Map by key.
import { heapFigure } from '../engine/figures.ts'
import { type Figure, inTurns } from '../harness.ts'
import { onStage } from './stage.ts'

const REPEATS = 3

export function measure(): Promise<readonly Figure[]> {
  return onStage(async ({ tab }) => {
    const first = await tab()
    await first.call('fill')
    await first.close()
    const heapOf = (name: 'open' | 'openByHand') => async () => {
      const page = await tab()
      const before = await page.heap()
      await page.call(name, true)
      const bytes = (await page.heap()) - before
      if (!(await page.call('holds'))) throw new Error('Nothing was kept')
      await page.close()
      return bytes
    }
    const { a, b } = await inTurns(REPEATS, heapOf('open'), heapOf('openByHand'), 'asItComes')
    return [
      heapFigure(
        'page',
        a,
        b,
        'opened from the store, with a live query open; raw: the same rows read and parsed into a Map by key',
      ),
    ]
  })
}
