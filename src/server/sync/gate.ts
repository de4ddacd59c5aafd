// A savepoint that stays open until it is told what becomes of it: for an intent of which nobody knows at its beginning whether it
// will need one.
import { createDeferred } from '../../base/deferred.ts'
import type { Sql } from '../db/db.ts'

/** An open savepoint. Exactly one of its functions is called, once. */
export interface Gate {
  /** Keeps what was done since it was opened. */
  release(): Promise<void>
  /** Undoes what was done since it was opened. */
  undo(): Promise<void>
}

const UNDONE = Symbol('what was done since the savepoint is undone')

/** Opens a savepoint. */
export async function openGate(sql: Sql): Promise<Gate> {
  const opened = createDeferred<void>()
  const ended = createDeferred<void>()
  const done = sql.savepoint(() => {
    opened.resolve()
    return ended.promise
  })
  await Promise.race([opened.promise, done])
  return {
    async release() {
      ended.resolve()
      await done
    },
    async undo() {
      ended.reject(UNDONE)
      await done.catch((reason: unknown) => {
        if (reason !== UNDONE) throw reason
      })
    },
  }
}
