// The writer: one queue for everything that changes the database through the authority. Batches that wait are merged into one commit and
// decided together; where one of them spoils that, the transaction begins again, with each in a savepoint of its own, so that a bad one
// hurts no other. What they changed is adopted at the end of the same transaction, and answers go out only when it is
// durable. Decides no intent (push.ts does).

import { SyncError } from '../../base/errors.ts'
import { createLane } from '../../base/lane.ts'
import { randomHex } from '../../base/random.ts'
import { appendOutcome, type OutcomeRange, outcomeOf } from '../../protocol/outcome.ts'
import { CONFLICTS } from '../../schema/conflict.ts'
import { RowsLocked, type Sql } from '../db/db.ts'
import { together } from '../db/together.ts'
import { type Adopted, adopt } from '../state/adopt.ts'
import { type Authors, createAuthors } from '../state/authors.ts'
import { type OpenLog, openLog } from '../state/change-log.ts'
import { readClient } from '../state/ledger.ts'
import type { World } from '../world.ts'
import { type Batch, type Decided, type Deciding, decideBatches, isRefusal, type Verdict } from './push.ts'
import { CULPRIT_UNKNOWN } from './runs.ts'
import { refuseForked } from './seal.ts'

/** What a commit changed, for those who look on. */
export interface Committed {
  readonly adopted: Adopted
  /** Clients of which something was decided. */
  readonly clients: readonly string[]
}

/** The one who writes. */
export interface Writer {
  /** Decides a batch; settles when what was decided is durable. */
  push(batch: Batch): Promise<Verdict>
  /** Adopts what others wrote. */
  adoptNow(): Promise<void>
  /** Runs `body` in the transaction of an adoption: for reads that must not see anything unadopted. */
  afterAdoption<Result>(body: (sql: Sql) => Promise<Result>): Promise<Result>
  /** How many batches wait. */
  waiting(): number
  /** Refuses what comes from now on; resolves when everything before it is done. */
  close(): Promise<void>
}

interface Job {
  readonly batch: Batch
  readonly resolve: (verdict: Verdict) => void
  readonly reject: (error: unknown) => void
}

/** Decides batches in a transaction that is not adopted yet, and may read the change log ahead for that. */
type Decide = (sql: Sql, batches: readonly Batch[], authors: Authors | undefined, log: OpenLog) => Promise<Deciding>

/** So many failures of functions in aggregates are told of, one for each value of each group. */
const MAX_TOLD = 1_000

/** So many turns a batch waits for others at most, while they arrive. */
const MAX_TURNS = 64

/** So many batches in a commit are a crowd. */
const CROWD = 8

/** So many batches of one commit may wait for rows that somebody keeps locked. */
const LOCKED_BATCHES = 2

/** Makes the writer. `onCommit` hears of each commit before the answers go out. */
export function createWriter(world: World, onCommit: (committed: Committed) => void): Writer {
  const { database, host, layout } = world
  const lane = createLane()
  const queue: Job[] = []
  let isScheduled = false
  let isClosed = false
  /** How many batches the last commit had, if they were many, and how long it took. */
  let crowd = 0
  let crowdMs = 0

  const adoptIn = (sql: Sql, authors: Authors | undefined, log?: OpenLog) =>
    adopt(
      sql,
      layout,
      { mark: randomHex(host.random, 8), at: host.clock.now(), isWatched: world.rights.isWatched, authors },
      log,
    )

  /** Who writes in a transaction is kept for apps whose mutators ask for it. */
  const authorsOf = async (sql: Sql): Promise<Authors | undefined> =>
    world.app.tableNames.includes(CONFLICTS) ? createAuthors(sql) : undefined

  function schedule(): void {
    if (isScheduled || queue.length === 0) return
    isScheduled = true
    if (queue.length >= crowd / 2) gather(queue.length, 1)
    else assemble(queue.length, host.clock.now() + crowdMs / 2)
  }

  /**
   * Those who were answered together come back together, the first of them while the others are still on their way: it waits for them
   * while they arrive, or it would have a commit for itself each time, and they would wait for that.
   */
  function assemble(known: number, until: number): void {
    host.clock.after(1, () => {
      const isOver = queue.length === known || queue.length >= crowd || host.clock.now() >= until
      if (isOver) gather(queue.length, 1)
      else assemble(queue.length, until)
    })
  }

  /** What has arrived in this turn shares the commit; and while each turn brings more, what arrives in the next one does too. */
  function gather(known: number, turns: number): void {
    host.clock.turn(() => {
      if (queue.length > known && turns < MAX_TURNS) return gather(queue.length, turns + 1)
      void lane.run(async () => {
        isScheduled = false
        const jobs = takeJobs()
        const begun = host.clock.now()
        await commit(jobs)
        // Where the writer holds up the process until it is done, the others have all arrived by then.
        if (layout.dialect.isRemote) {
          crowd = jobs.length < CROWD ? 0 : jobs.length
          crowdMs = host.clock.now() - begun
        }
        schedule()
      })
    })
  }

  function takeJobs(): readonly Job[] {
    let intents = 0
    let count = 0
    for (const { batch } of queue) {
      intents += batch.entries.length
      if (count > 0 && intents > world.tuning.mergedIntents) break
      count++
    }
    return queue.splice(0, count)
  }

  /**
   * Decides and commits; when the commit fails as a whole, each batch goes alone, and then each intent. Tells whether it met rows that
   * somebody keeps locked.
   */
  async function commit(jobs: readonly Job[]): Promise<boolean> {
    if (jobs.length === 0) return false
    let results: readonly (() => void)[]
    try {
      results = await transaction(jobs)
    } catch (error) {
      const isLocked = error instanceof RowsLocked
      if (error instanceof SyncError && (!isLocked || jobs.length === 1)) for (const job of jobs) job.reject(error)
      else if (jobs.length > 1) await commitEach(jobs, error)
      else for (const job of jobs) await commitOneByOne(job, error)
      return isLocked
    }
    for (const answer of results) answer()
    return false
  }

  /** Each batch alone. Everybody waits for locked rows with those that want them: after a few, the rest is told to come again. */
  async function commitEach(jobs: readonly Job[], cause: unknown): Promise<void> {
    let locked = 0
    for (const job of jobs) {
      if (locked >= LOCKED_BATCHES) job.reject(cause)
      else if (await commit([job])) locked++
    }
  }

  async function transaction(jobs: readonly Job[]): Promise<readonly (() => void)[]> {
    const batches = jobs.map(({ batch }) => batch)
    const { results, adopted } = await decideAndAdopt(batches, decideTogether).catch((error: unknown) => {
      if (error !== CULPRIT_UNKNOWN && !(isRefusal(error) && jobs.length > 1)) throw error
      return decideAndAdopt(batches, decideApart)
    })
    const clients = batches.flatMap(({ client }, index) => {
      const result = results[index]
      return result instanceof SyncError || result?.isNews !== true ? [] : [client]
    })
    tell({ adopted, clients })
    return jobs.map(({ resolve, reject }, index) => () => {
      const result = results[index] as Decided
      if (result instanceof SyncError) reject(result)
      else resolve(result)
    })
  }

  const decideAndAdopt = (
    batches: readonly Batch[],
    decide: Decide,
  ): Promise<{ readonly results: readonly Decided[]; readonly adopted: Adopted }> =>
    database.write(async (sql) => {
      const authors = await authorsOf(sql)
      const log = openLog(sql)
      const { results, written, record } = await decide(sql, batches, authors, log)
      // Adoption asks first what was marked, behind the rows that are on their way, and looks at it while the outcomes are written.
      const adopting = adoptIn(sql, authors, log)
      const [, adopted] = await together([written, adopting, record()])
      return { results, adopted }
    })

  const decideTogether: Decide = (sql, batches, authors, log) => decideBatches(world, sql, batches, false, authors, log)

  /**
   * Each batch in a savepoint of its own, since one of them spoils what is decided together; at last each intent of it. Reads nothing of
   * the change log ahead: what is read in a savepoint that is undone may be wrong afterwards.
   */
  async function decideApart(sql: Sql, batches: readonly Batch[], authors: Authors | undefined): Promise<Deciding> {
    const results: Decided[] = []
    for (const batch of batches) {
      const decideIt = (oneByOne: boolean) =>
        sql.savepoint(async () => {
          const { results, written, record } = await decideBatches(world, sql, [batch], oneByOne, authors)
          await together([written, record()])
          return results[0] as Decided
        })
      try {
        // Of a batch that was alone it is known that it cannot be decided as a whole.
        const whole = batches.length === 1 ? Promise.reject(CULPRIT_UNKNOWN) : decideIt(false)
        const result = await whole.catch((error: unknown) => {
          if (error !== CULPRIT_UNKNOWN) throw error
          return decideIt(true)
        })
        results.push(result)
      } catch (error) {
        // A batch that is refused as a whole has left nothing behind.
        if (!isRefusal(error)) throw error
        results.push(error)
      }
    }
    return { results, written: Promise.resolve(), record: async () => undefined }
  }

  /** The last resort: each intent in a commit of its own, so that the one that cannot be committed is told from the others. */
  async function commitOneByOne(job: Job, cause: unknown): Promise<void> {
    const { batch } = job
    host.log(
      { level: 'error', message: 'a batch could not be committed', requestId: batch.requestId, actor: batch.actor },
      cause,
    )
    const outcomes: OutcomeRange[] = []
    let last: Verdict
    try {
      // What is decided is what the ledger says, wherever the batch begins.
      const known = await database.read((sql) => readClient(sql, batch.client))
      refuseForked(known, batch.owner, batch.last)
      last = { decided: known?.decided ?? 0, outcomes, isNews: false }
    } catch (error) {
      return job.reject(error)
    }
    for (const [index, entry] of batch.entries.entries()) {
      const after = batch.entries[index - 1]?.id ?? batch.after
      try {
        const { results, adopted } = await decideAndAdopt([{ ...batch, after, entries: [entry] }], decideApart)
        const verdict = results[0] as Decided
        if (verdict instanceof SyncError) throw verdict
        tell({ adopted, clients: verdict.isNews ? [batch.client] : [] })
        for (const range of verdict.outcomes)
          appendOutcome(outcomes, range.from, outcomeOf(range), range.repeated === true)
        last = { ...verdict, outcomes }
        if (verdict.stop !== undefined) break
      } catch (error) {
        if (error instanceof SyncError) return job.reject(error)
        host.log(
          {
            level: 'error',
            message: 'an intent could not be committed',
            requestId: batch.requestId,
            intentId: entry.id,
            actor: batch.actor,
          },
          error,
        )
        last = {
          ...last,
          stop: {
            sequence: entry.sequence,
            code: 'fault',
            detail: 'What the intent changed could not be committed.',
            retryAfterMs: world.tuning.faultRetryMs,
          },
        }
        break
      }
    }
    job.resolve(last)
  }

  /** Values that were told of: each is told of once, as long as there are not too many. */
  const failed = new Set<string>()
  function tellFailures(failures: Adopted['failures']): void {
    for (const { error, ...where } of failures) {
      const key = JSON.stringify(where)
      if (failed.has(key) || failed.size >= MAX_TOLD) continue
      failed.add(key)
      host.log({ level: 'error', message: 'a function of an aggregate failed', ...where }, error)
    }
  }

  function tell(committed: Committed): void {
    tellFailures(committed.adopted.failures)
    for (const where of committed.adopted.unfit)
      host.log({ level: 'warn', message: 'a row does not fit its declaration and reaches no device', ...where })
    if (committed.adopted.scopes.size === 0 && committed.adopted.tables.size === 0 && committed.clients.length === 0)
      return
    try {
      onCommit(committed)
    } catch (error) {
      host.log({ level: 'error', message: 'a listener of commits failed' }, error)
    }
  }

  async function afterAdoption<Result>(body: (sql: Sql) => Promise<Result>): Promise<Result> {
    if (isClosed) throw closed()
    return lane.run(async () => {
      const { result, adopted } = await database.write(async (sql) => {
        const adopted = await adoptIn(sql, await authorsOf(sql))
        return { adopted, result: await body(sql) }
      })
      tell({ adopted, clients: [] })
      return result
    })
  }

  return {
    push(batch) {
      if (isClosed) return Promise.reject(closed())
      if (queue.length >= world.tuning.waitingBatches)
        return Promise.reject(new SyncError('unavailable', 'Too many batches wait', { retryAfterMs: 1_000 }))
      return new Promise<Verdict>((resolve, reject) => {
        queue.push({ batch, resolve, reject })
        schedule()
      })
    },
    adoptNow: () => afterAdoption(async () => undefined),
    afterAdoption,
    waiting: () => queue.length,
    async close() {
      isClosed = true
      for (const job of queue.splice(0)) job.reject(closed())
      await lane.run(async () => undefined)
    },
  }
}

const closed = (): SyncError => new SyncError('unavailable', 'The authority is closing', { retryAfterMs: 1_000 })
