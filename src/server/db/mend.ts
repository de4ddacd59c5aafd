// A database that mends the tables of aggregates: where a transaction or a snapshot fails because somebody dropped such a table, or
// another process made it for another declaration, the table is made anew and the work is done once more. What can be computed again
// keeps nobody from reading or writing anything else. Where it cannot be made (the authority may not), the aggregate is withheld: it has
// no rows for anybody, nothing of it is written, and it is tried again after a while.
// Looks only after a failure, so that it costs nothing while all is well. Which tables these are is declared.ts.
import { SyncError } from '../../base/errors.ts'
import type { ServerHost } from '../host.ts'
import type { Database, Sql } from './db.ts'
import { markGroups, outdatedAggregates } from './declared.ts'
import type { Layout } from './layout.ts'

/** How long an aggregate that could not be made is withheld before that is tried again. */
const RETRY_MS = 60_000

/**
 * The same database, mended where it fails for want of an aggregate's table. An authority that was told to make nothing (`mayMake` is
 * false) withholds the aggregate until somebody else has made its table.
 */
export function mending(inner: Database, layout: Layout, { clock, log }: ServerHost, mayMake: boolean): Database {
  let retryAt = 0

  /** Says whether it is worth a second try: what was missing is there now, or is withheld. */
  async function mend(): Promise<boolean> {
    const isMissing = (await inner.read((sql) => outdatedAggregates(sql, layout))).length > 0
    if (!isMissing && layout.withheld.size === 0) return false
    const before = new Set(layout.withheld)
    let missing: readonly string[] = []
    try {
      await inner.write(async (sql) => {
        const outdated = await outdatedAggregates(sql, layout)
        missing = outdated.map(({ aggregate }) => aggregate.name)
        const back = layout.declaredAggregates.filter(({ name }) => before.has(name) && !missing.includes(name))
        const made = mayMake ? outdated.flatMap(({ step }) => step.statements) : []
        for (const { text, parameters = [] } of [...made, ...back.flatMap(markGroups)]) await sql.run(text, parameters)
      })
    } catch (error) {
      // That the database does not answer says nothing about its tables.
      if (error instanceof SyncError) throw error
      return withhold(missing, before, error)
    }
    layout.withheld.clear()
    if (!mayMake) return withhold(missing, before, undefined) || before.size > missing.length
    for (const aggregate of missing)
      log({ level: 'warn', message: 'the table of an aggregate was not as declared, and was made anew', aggregate })
    return true
  }

  function withhold(names: readonly string[], before: ReadonlySet<string>, cause: unknown): boolean {
    const message = 'the table of an aggregate is not as declared and cannot be made: the aggregate is withheld'
    retryAt = clock.now() + RETRY_MS
    for (const aggregate of names) {
      layout.withheld.add(aggregate)
      if (!before.has(aggregate)) log({ level: 'error', message, aggregate }, cause)
    }
    return names.some((name) => !before.has(name))
  }

  async function tried<Result>(run: () => Promise<Result>): Promise<Result> {
    if (layout.withheld.size > 0 && clock.now() >= retryAt) await mend()
    try {
      return await run()
    } catch (error) {
      if (error instanceof SyncError) throw error
      const isMended = await mend().catch((failure: unknown) => {
        throw failure instanceof SyncError ? failure : error
      })
      if (!isMended) throw error
      return run()
    }
  }

  return {
    ...inner,
    write: <Result>(body: (sql: Sql) => Promise<Result>) => tried(() => inner.write(body)),
    read: <Result>(body: (sql: Sql) => Promise<Result>) => tried(() => inner.read(body)),
  }
}
