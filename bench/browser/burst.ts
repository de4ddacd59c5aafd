// How long it takes in a browser until a burst of 10,000 intents is durable. The reach compares what keeping costs: from the moment at
// which they are handed over to the storage, in one call, until the last `saved` has resolved. The whole way, from the first call on
// and with the runs of all mutators, is the figure after it. Beside both: the same bytes as one record of a strict transaction.
import { burstFigures } from '../engine/figures.ts'
import { type Figure, inTurns } from '../harness.ts'
import { onStage } from './stage.ts'

const REPEATS = 11

export function measure(): Promise<readonly Figure[]> {
  return onStage(async ({ tab }) => {
    const page = await tab()
    const engine = async () => {
      await page.collect()
      return page.call('burst')
    }
    const byHand = async () => {
      await page.collect()
      return page.call('burstByHand')
    }
    await inTurns(3, engine, byHand, 'asItComes')
    const { a, b } = await inTurns(REPEATS, engine, byHand, 'asItComes')
    return burstFigures(
      a,
      `${b[0]?.length} characters`,
      'database',
      b.map(({ took }) => took),
      'the same characters as one record in one strict transaction, until `oncomplete`',
    )
  })
}
