// A snapshot in which nothing waits to be adopted: what a pull or a tick may show. Foreign writes are adopted first, so that a frame
// never holds a part of one, and a row that has left a scope is never read for it (I9, I10).
import type { Sql } from '../db/db.ts'
import { hasMarks, markGone } from '../state/marks.ts'
import type { World } from '../world.ts'
import { RowWentUnmarked } from './patches.ts'
import type { Writer } from './writer.ts'

/** Runs `body` in such a snapshot. */
export type TakeSnapshot = <Result>(body: (sql: Sql) => Promise<Result>) => Promise<Result>

const WAITS = Symbol('marks wait to be adopted')

/** How often a snapshot is tried before it is taken under the write lock, where nobody can come between. */
const TRIES = 3

/** Makes the taker of snapshots. */
export function createSnapshots({ database, host }: World, writer: Writer): TakeSnapshot {
  return async (body) => {
    for (let attempt = 1; ; attempt++) {
      try {
        if (attempt > TRIES) return await writer.afterAdoption(body)
        const result = await database.read(async (sql) => ((await hasMarks(sql)) ? WAITS : body(sql)))
        if (result !== WAITS) return result
        await writer.adoptNow()
      } catch (error) {
        if (!(error instanceof RowWentUnmarked) || attempt > TRIES) throw error
        // Plain SQL can take a row away without its trigger (INSERT OR REPLACE over a unique value does).
        host.log({ level: 'warn', message: 'a row went without a mark', table: error.table })
        await database.write((sql) => markGone(sql, error.table, error.id))
      }
    }
  }
}
