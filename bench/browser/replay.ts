// How fast a device in a browser gets rid of 10,000 queued intents: real client on IndexedDB, fetch, an authority in a process of its
// own on SQLite with synchronous=FULL. From `resume` until every intent is decided and its effects are in the confirmed rows.
// Beside it two raw limits, as in ../engine/replay.ts: SQLite alone, and the same bodies fetched from a listener that does nothing.
import { join } from 'node:path'
import { ACTOR } from '../engine/app.ts'
import { INTENTS, SETS_PER_WORKOUT } from '../engine/queue.ts'
import { insertAll } from '../engine/replay.ts'
import { setArgs } from '../engine/rows.ts'
import { type Figure, figure, inFolder, inTurns, median } from '../harness.ts'
import { onStage } from './stage.ts'

const REPEATS = 5

export function measure(): Promise<readonly Figure[]> {
  return onStage(async ({ tab }) => {
    const page = await tab()
    const rows = Array.from({ length: INTENTS }, (_, number) => setArgs(number, SETS_PER_WORKOUT, 'raw'))
    let devices = 0
    // Each time another person's new device, so that none begins with the rows of the one before.
    const engine = async () => {
      const actor = `${ACTOR} ${++devices}`
      await page.call('queue', actor)
      await page.collect()
      return page.call('replay', actor)
    }
    const byHand = async () => ({
      database: await inFolder((folder) => insertAll(join(folder, 'raw.db'), rows)),
      listener: await page.call('post'),
    })
    await engine()
    const { a, b } = await inTurns(REPEATS, engine, byHand, 'asItComes')
    const perSecond = (ms: readonly number[]): number => (INTENTS / median(ms)) * 1_000
    const [posted] = b.map(({ listener }) => listener)
    return [
      figure({
        name: `${INTENTS} queued intents until decided and quiet`,
        value: perSecond(a),
        unit: 'intents/s',
        raw: perSecond(b.map(({ database }) => database)),
        reach: { of: 'value', is: 'at least', bound: 6_000 },
        note: `${posted?.batches} batches; rows with position and aggregate, grants, ledger, change log; raw: SQLite FULL takes the same rows, ledger and change log in 10 commits of prepared multi-row inserts`,
      }),
      figure({
        name: 'the same bodies fetched from an empty listener',
        value: perSecond(b.map(({ listener }) => listener.took)),
        unit: 'intents/s',
        note: `${posted?.length} characters one after the other by fetch; a raw limit, not a figure of the engine`,
      }),
    ]
  })
}
