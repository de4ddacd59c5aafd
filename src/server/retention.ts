// Retention: what the authority forgets, and when. Outcomes that their devices have stored, commits of long ago and what left a scope
// before them go from the front, in slices between which others write; each run is noted in the database. What an actor leaves behind is
// erased on request. High-water marks stay for ever, so nothing that was decided is ever run again (I3, I18): below them, `expired`.
// Which rows go is known by the files of state/; when it is done by itself is authority.ts's wiring.
import type { Cancel } from '../base/clock.ts'
import { makeScope, type Scope, scopeProblem } from '../schema/scope.ts'
import { ConstraintError, type Sql } from './db/db.ts'
import { eraseAuthor, pruneAuthors } from './state/authors.ts'
import { liveIn, pruneTombstones } from './state/change-log.ts'
import { prunableScopes, pruneCommits } from './state/commits.ts'
import { eraseDedupe, pruneDedupe } from './state/dedupe.ts'
import { blankOutcomes, clientsOf, forgetClient, prunableClients, pruneClient } from './state/ledger.ts'
import { lastRun, noteRun, type Pruned } from './state/prunings.ts'
import { eraseRecords } from './sync/records.ts'
import type { Writer } from './sync/writer.ts'
import type { World } from './world.ts'

/** What was erased of an actor. */
export interface Erased {
  /** Rows that were deleted. */
  readonly rows: number
  /** Outcomes that were forgotten. */
  readonly outcomes: number
  /** The scopes whose rows were deleted. */
  readonly scopes: readonly string[]
}

/** Forgetting and erasing. */
export interface Retention {
  /** Forgets what need not be kept any more, and gives how much that was. */
  prune(): Promise<Pruned>
  /** The last run, of whichever process. */
  last(): Promise<Pruned | undefined>
  /** Deletes the rows of these scopes and forgets the actor's outcomes. */
  erase(actor: string, scopes: readonly string[]): Promise<Erased>
  /** Prunes by itself from now on. */
  start(): void
  stop(): void
}

/** What one transaction forgets or deletes at most, since all writers wait for it. */
const SLICE = 2_000
/** Clients or scopes that one transaction goes through. */
const LOOK = 50

/** How often it looks in the time between two runs. */
const LOOKS = 24

/** What was forgotten: numbers of clients, or versions of scopes and what had left them. */
interface Forgotten {
  readonly numbers: number
  readonly tombstones: number
}

/** Makes the retention of an authority. */
export function createRetention(world: World, writer: Writer, ready: Promise<void>): Retention {
  const { database, host, layout, tuning } = world
  let cancel: Cancel | undefined
  let isStopped = false

  /** Forgets slice by slice, each in a transaction of its own, and gives how much in all. */
  async function inSlices<Key>(
    find: (sql: Sql, after: string) => Promise<readonly Key[]>,
    nameOf: (key: Key) => string,
    forget: (sql: Sql, key: Key, room: number) => Promise<Forgotten>,
  ): Promise<Forgotten> {
    const total = { numbers: 0, tombstones: 0 }
    for (let after = ''; !isStopped; ) {
      const keys = await database.read((sql) => find(sql, after))
      if (keys.length === 0) break
      const slice = await database.write(async (sql) => {
        const forgotten = { done: after, numbers: 0, tombstones: 0 }
        for (const key of keys) {
          const { numbers, tombstones } = await forget(sql, key, SLICE - forgotten.numbers)
          forgotten.numbers += numbers
          forgotten.tombstones += tombstones
          // There may be more under this key: the next transaction begins with it again.
          if (forgotten.numbers >= SLICE) break
          forgotten.done = nameOf(key)
        }
        return forgotten
      })
      after = slice.done
      total.numbers += slice.numbers
      total.tombstones += slice.tombstones
    }
    return total
  }

  async function pruneOnce(): Promise<Pruned> {
    const startedAt = host.clock.now()
    const bounds = { storedBefore: startedAt - tuning.keepStoredMs, silentBefore: startedAt - tuning.keepSilentMs }
    const outcomes = await inSlices(
      (sql, after) => prunableClients(sql, bounds, after, LOOK),
      (client) => client,
      async (sql, client, room) => ({ numbers: await pruneClient(sql, client, bounds, room), tombstones: 0 }),
    )
    const before = startedAt - tuning.keepHistoryMs
    const history = await inSlices(
      (sql, after) => prunableScopes(sql, before, after, LOOK),
      ({ scope }) => scope,
      async (sql, standing, room) => {
        const { from, end } = await pruneCommits(sql, standing, before, room)
        await pruneAuthors(sql, standing.scope, from, end)
        return { numbers: end - from, tombstones: await pruneTombstones(sql, standing.scope, from, end) }
      },
    )
    const forgetCalls = (sql: Sql) => pruneDedupe(sql, startedAt, SLICE)
    while (!isStopped && (await database.write(forgetCalls)) === SLICE);
    const run: Pruned = {
      outcomes: outcomes.numbers,
      commits: history.numbers,
      tombstones: history.tombstones,
      startedAt,
      endedAt: host.clock.now(),
    }
    await database.write((sql) => noteRun(sql, run))
    return run
  }

  let running: Promise<Pruned> | undefined
  async function prune(): Promise<Pruned> {
    await ready
    running ??= pruneOnce().finally(() => {
      running = undefined
    })
    return running
  }

  const last = async (): Promise<Pruned | undefined> => {
    await ready
    return database.read((sql) => lastRun(sql))
  }

  /** Prunes when the last run, of whichever process, is long enough ago. */
  async function pruneIfDue(): Promise<void> {
    try {
      const before = await last()
      if (before !== undefined && host.clock.now() - before.startedAt < tuning.pruneMs) return
      const { outcomes, commits, tombstones } = await prune()
      host.log({ level: 'info', message: 'pruned', outcomes, commits, tombstones })
    } catch (error) {
      host.log({ level: 'error', message: 'pruning failed' }, error)
    }
  }

  /** Looks more often than it prunes: a process may not live as long as the time between two runs. */
  function start(): void {
    if (isStopped || tuning.pruneMs === Number.POSITIVE_INFINITY) return
    cancel = host.clock.after(tuning.pruneMs / LOOKS, () => void pruneIfDue().finally(start))
  }

  async function erase(actor: string, scopes: readonly string[]): Promise<Erased> {
    for (const scope of scopes) {
      const problem = scopeProblem(scope)
      if (problem !== undefined) throw new TypeError(`erase: the scope ${JSON.stringify(scope)} ${problem}`)
    }
    await ready
    let rows = 0
    for (const scope of scopes) {
      // What waits to be adopted may lie in the scope already.
      await writer.adoptNow()
      for (;;) {
        const deleted = await database.write((sql) => deleteRows(sql, scope))
        if (deleted === 0) break
        rows += deleted
        await writer.adoptNow()
      }
    }
    const outcomes = await database.write(async (sql) => {
      let count = 0
      for (const client of await clientsOf(sql, actor)) count += await forgetClient(sql, client)
      await eraseDedupe(sql, actor)
      await eraseAuthor(sql, actor)
      return count + (await blankOutcomes(sql, actor))
    })
    // Records of conflicts lie in scopes of others too.
    rows += await database.write((sql) => eraseRecords(sql, layout, actor))
    await writer.adoptNow()
    host.log({ level: 'info', message: 'an actor was erased', actor, rows, outcomes })
    return { rows, outcomes, scopes }
  }

  /** Deletes rows of a scope, children before their parents; their aggregates follow at the adoption. */
  async function deleteRows(sql: Sql, scope: string): Promise<number> {
    const live = await liveIn(sql, scope, SLICE)
    let count = 0
    for (const table of [...layout.tables].reverse()) {
      const ids = live.get(table.name) ?? []
      try {
        await sql.delete(table.sql, table.id, table.compared('id', ids))
      } catch (error) {
        if (!(error instanceof ConstraintError)) throw error
        throw new TypeError(
          `erase: a constraint of the database keeps rows of ${table.name}; delete what refers to them first, or let it cascade`,
          { cause: error },
        )
      }
      count += ids.length
    }
    return count
  }

  return {
    prune,
    last,
    erase,
    start,
    stop() {
      isStopped = true
      cancel?.()
    },
  }
}

/** The scope that holds what is an actor's own where an app says nothing else: `user:anna`. */
export const ownScope = (actor: string): Scope => makeScope('user', actor)
