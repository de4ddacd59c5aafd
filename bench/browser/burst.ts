// How long it takes in a browser until a burst of 10,000 intents is durable. The reach compares what keeping costs: from the moment at
// which they are handed over to the storage, in one call, until the last `saved` has resolved. The whole way, from the first call on
// and with the runs of all mutators, is the figure after it. Beside both: the same bytes as one record of a strict transaction.
import { INTENTS } from '../engine/queue.ts'
import { type Figure, figure, inTurns, median } from '../harness.ts'
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
    const raw = median(b.map(({ took }) => took))
    return [
      figure({
        name: `${INTENTS} intents of one burst saved, once handed over to the storage`,
        value: median(a.map(({ keeping }) => keeping)),
        unit: 'ms',
        raw,
        reach: { of: 'ratio', is: 'at most', bound: 2.5 },
        note: `${b[0]?.length} characters; from the one call that hands them over until all \`saved\` have resolved, without the runs of the mutators; raw: the same characters as one record in one strict transaction, until \`oncomplete\``,
      }),
      figure({
        name: `${INTENTS} intents of one burst durable in the database`,
        value: median(a.map(({ durable }) => durable)),
        unit: 'ms',
        raw,
        note: 'the storage alone: from the same call until it says that they are durable; the rest is telling each of them',
      }),
      figure({
        name: `${INTENTS} intents of one burst saved, with the runs of their mutators`,
        value: median(a.map(({ whole }) => whole)),
        unit: 'ms',
        raw,
        note: 'from the first call until all `saved` have resolved',
      }),
    ]
  })
}
