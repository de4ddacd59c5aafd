// The authority's database, watched: between any two statements something may happen (a pause in which the world goes on, a failure,
// the death of the process), and every commit is told before the next transaction begins. Changes nothing of what is read or
// written. The database beneath is the real adapter over a real file.
import { createLane } from '../base/lane.ts'
import type { Database, Sql, SqlValue } from '../server/db/db.ts'

/** What hears of the statements. */
export interface DatabaseWatch {
  /** Before each statement, and after the last one of a transaction; may wait, and may throw, which is a failure of the statement. */
  between(kind: 'read' | 'write'): Promise<void> | undefined
  /** Rows are about to be inserted. */
  inserting(head: string, rows: readonly (readonly SqlValue[])[]): void
  /** A transaction begins or is over. */
  writing(isWriting: boolean): void
  /** A transaction was committed; nothing has been written since. */
  committed(): void
}

/** The same database, watched. */
export function watchDatabase(inner: Database, watch: DatabaseWatch): Database {
  const writes = createLane()

  /** As with a real database, nothing can be done in a transaction in which it has failed. */
  const watched = (sql: Sql, kind: 'read' | 'write'): { readonly sql: Sql; between(): Promise<void> } => {
    let failure: unknown
    const between = async (): Promise<void> => {
      if (failure !== undefined) throw failure
      try {
        await watch.between(kind)
      } catch (error) {
        failure = error
        throw error
      }
    }
    // Something may take its time between two statements: they stay in their order.
    const turns = createLane()
    const inTurn = <Result>(run: () => Promise<Result>): Promise<Result> =>
      turns.run(async () => {
        await between()
        return run()
      })
    const watchedSql: Sql = {
      all: (text, parameters) => inTurn(() => sql.all(text, parameters)),
      attempt: (text, parameters) => inTurn(() => sql.attempt(text, parameters)),
      run: (text, parameters) => inTurn(() => sql.run(text, parameters)),
      insert: (head, rows, tail) =>
        inTurn(() => {
          watch.inserting(head, rows)
          return sql.insert(head, rows, tail)
        }),
      allIn: (text, before, values) => inTurn(() => sql.allIn(text, before, values)),
      allKeyed: (what, keys) => inTurn(() => sql.allKeyed(what, keys)),
      highest: (table, column, key, values) => inTurn(() => sql.highest(table, column, key, values)),
      update: (table, key, columns, rows) => inTurn(() => sql.update(table, key, columns, rows)),
      delete: (table, key, values) => inTurn(() => sql.delete(table, key, values)),
      savepoint: (body) => sql.savepoint(body),
    }
    return { sql: watchedSql, between }
  }

  return {
    dialect: inner.dialect,
    host: inner.host,
    // One at a time here already, so that a commit is told before the next transaction can begin.
    write: (body) =>
      writes.run(async () => {
        watch.writing(true)
        try {
          const result = await inner.write(async (sql) => {
            const transaction = watched(sql, 'write')
            const done = await body(transaction.sql)
            await transaction.between()
            return done
          })
          watch.committed()
          await watch.between('write')
          return result
        } finally {
          watch.writing(false)
        }
      }),
    read: (body) =>
      inner.read(async (sql) => {
        const snapshot = watched(sql, 'read')
        const result = await body(snapshot.sql)
        await snapshot.between()
        return result
      }),
    writes: () => inner.writes(),
    close: () => inner.close(),
  }
}
