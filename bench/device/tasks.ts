// What a page's main thread does in one piece on a device at its busiest: the longest task of the engine in each step, by the browser's
// own trace, from a first sync of 100,000 rows to a frame on which 10,000 intents that wait are built. While a task runs the page answers
// nobody: what is over 50 ms is felt.
import { onStage } from '../browser/stage.ts'
import { type Figure, figure, median } from '../harness.ts'

const REPEATS = 3

const steps = [
  ['firstSync', 'a first sync of 100000 rows', 'until all rows are shown, stored and folded'],
  ['manyCalls', '10000 calls', '50 in each task of the app, until all are saved'],
  ['manyFrames', 'frames of 100 to 5000 rows', '10000 intents wait, a list is open'],
  ['rebaseMany', 'a frame of 5000 rows that 5000 of these intents have changed', 'each of them runs again'],
] as const

export async function measure(): Promise<readonly Figure[]> {
  const longest = steps.map((): { cpu: number; wall: number; long: number }[] => [])
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    await onStage(async ({ tab }) => {
      const page = await tab()
      await page.call('startBusy')
      for (const [at, [step]] of steps.entries()) {
        await page.collect()
        const seen = await page.watch(() => page.call(step))
        longest[at]?.push({ cpu: seen.longestMs, wall: seen.longestWallMs, long: seen.long })
      }
    })
  }
  return steps.map(([, what, how], at) => {
    const samples = longest[at] ?? []
    return figure({
      name: `the longest task of ${what}`,
      value: median(samples.map(({ cpu }) => cpu)),
      unit: 'ms',
      reach: { of: 'value', is: 'at most', bound: 50 },
      note: `${how}; time on the processor, ${Math.round(median(samples.map(({ wall }) => wall)))} ms by the clock, ${Math.max(...samples.map(({ long }) => long))} tasks over 50 ms`,
    })
  })
}
