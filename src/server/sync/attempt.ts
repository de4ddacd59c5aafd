// One run of one intent: a transaction over the batch's buffer, under the actor's rights, row by row (I9). Its writes can be taken
// back: in memory, or by a savepoint once they had to be flushed before its end. Says what happened; push.ts makes outcomes of it.
import { utf8Bytes } from '../../base/utf8.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { App } from '../../schema/app.ts'
import type { QuerySpec } from '../../schema/query.ts'
import type { Row } from '../../schema/table.ts'
import { createTx, Rejection, type SqlValue, type Tx, type TxContext, type TxSource } from '../../schema/tx.ts'
import { ConstraintError, type Sql } from '../db/db.ts'
import type { Layout, TableLayout } from '../db/layout.ts'
import type { Rights } from '../rights/grants.ts'
import { scopeOf } from '../rights/scopes.ts'
import { selectRows } from '../rights/select.ts'
import { type Buffer, type Held, type Moment, momentOf } from './buffer.ts'
import { type Gate, openGate } from './gate.ts'
import type { RowWrite } from './records.ts'

/** The run of one intent. Exactly one of `keep` and `drop` ends it. */
export interface Attempt {
  readonly tx: Tx<App['tables']>
  /** Resolves when every verb that the mutator began is done, also those that it did not await. */
  drained(): Promise<void>
  /** The constraint that refused this intent’s own writes, even where the mutator caught the error. */
  refused(): ConstraintError | undefined
  /** True when an earlier intent of the batch met a constraint as its writes had to be flushed for this one. */
  isUpset(): boolean
  /** Flushes this intent’s writes now, so that a constraint refuses it and no other. */
  settle(): Promise<void>
  /** What it has made of each row so far. */
  writes(): readonly RowWrite[]
  /** Keeps the writes; gives the tables written, or undefined when SQL was run that may have written anywhere. */
  keep(): Promise<ReadonlySet<string> | undefined>
  /** Takes all writes back. */
  drop(): Promise<void>
}

/** How a run differs from a plain one. */
export interface RunRules {
  /** What an update makes of a row. */
  merge?(table: string, from: Row, to: Row): Row
  /** Whether an insert may find a row in its place; only where all is taken back afterwards. */
  overwrites?(table: string, id: string): boolean
}

/** Statements that would reach past the intent, behind whatever comments. */
const CONTROL =
  /^(\s|--.*\n|\/\*[\s\S]*?\*\/)*(begin|start|commit|end|rollback|abort|prepare|savepoint|release|attach|detach|pragma|vacuum|set|reset|discard|deallocate|listen|unlisten)\b/i

/** Begins the run of one intent. */
export function beginAttempt(
  app: App,
  layout: Layout,
  sql: Sql,
  buffer: Buffer,
  rights: Rights,
  context: TxContext,
  rules: RunRules = {},
): Attempt {
  /** What each row written by this intent was before it. */
  const before = new Map<Held, Moment>()
  const written = new Set<string>()
  let writes = 0
  let open = 0
  let wake: () => void = () => undefined
  let refusal: ConstraintError | undefined
  let isUpset = false
  let ranSql = false
  let isOver = false
  let gate: Gate | undefined
  let settling: Promise<void> = Promise.resolve()

  function refuseLate(): void {
    if (isOver) throw new TypeError('The mutator is over: await everything that tx returns before it ends')
  }

  function write(held: Held, now: Row | undefined): void {
    refuseLate()
    if (++writes > LIMITS.runWrites)
      throw new Rejection('too_large', {
        limit: LIMITS.runWrites,
        problem: 'one intent writes more rows than the limit',
      })
    if (!before.has(held)) before.set(held, momentOf(held))
    buffer.write(held, now)
    written.add(held.table.name)
  }

  /** Flushes, this intent's own writes inside a savepoint of its own; `always` opens it even when there are none yet. */
  function settle(always: boolean): Promise<void> {
    // One at a time: a mutator may start several queries at once.
    settling = settling.then(async () => {
      refuseLate()
      if (gate === undefined) {
        try {
          await buffer.flush(before)
        } catch (error) {
          isUpset = error instanceof ConstraintError
          throw error
        }
        if (before.size === 0 && !always) return
        gate = await openGate(sql)
      }
      await guarded(() => buffer.flush())
    })
    return settling
  }

  async function guarded<Result>(body: () => Promise<Result>): Promise<Result> {
    try {
      return await body()
    } catch (error) {
      if (error instanceof ConstraintError) refusal ??= error
      throw error
    }
  }

  /** The row, if the actor may know of it. */
  async function visible(table: TableLayout, row: Row | undefined): Promise<Row | undefined> {
    if (row === undefined) return undefined
    const scope = await scopeOf(table, row, buffer.load)
    return scope !== undefined && rights.visible.has(scope) ? row : undefined
  }

  /** Refuses to touch a row where the actor may not write. */
  async function refuseBefore(table: TableLayout, row: Row): Promise<void> {
    const scope = await scopeOf(table, row, buffer.load)
    if (scope === undefined || !rights.writable.has(scope))
      throw new Rejection('forbidden', { table: table.name, id: row.id })
  }

  /** Refuses a row that is too large, or that its columns put where the actor may not write. */
  async function refuseAfter(table: TableLayout, row: Row): Promise<void> {
    const invalid = (problem: string) => new Rejection('row_invalid', { table: table.name, id: row.id, problem })
    if (isLargerThan(row, LIMITS.rowBytes)) throw invalid(`the row is larger than ${LIMITS.rowBytes} bytes`)
    const scope = await scopeOf(table, row, buffer.load)
    // The row lies where its parent lies. A parent that is absent and one that is not visible look the same.
    const isLost = scope === undefined || !rights.visible.has(scope)
    if (isLost && table.parent !== undefined)
      throw new Rejection('row_gone', { table: table.parent.name, id: String(row[table.under]) })
    if (scope === undefined) throw invalid(`${table.under} makes no scope`)
    if (!rights.writable.has(scope)) throw new Rejection('forbidden', { table: table.name, id: row.id })
  }

  /**
   * Rows whose parent was deleted lie in no scope, and nobody has a right to them. A row inserted under the parent's old id would
   * take them into its own scope: allowed only where they lay last, as the last adoption saw it, and to the batch that inserted them
   * itself. What another batch of this commit inserted lay nowhere yet. To others the id is taken.
   */
  async function refuseStrayChildren(table: TableLayout, row: Row): Promise<void> {
    if (table.children.length === 0) return
    const scope = await scopeOf(table, row, buffer.load)
    for (const child of table.children) {
      if (buffer.isChildless(child, row.id)) continue
      // No child can refer to an id that its column cannot hold.
      const [under] = child.compared(child.under, [row.id])
      if (under === undefined) continue
      const id = child.asText('id', 'c')
      const isNew = `EXISTS (SELECT 1 FROM holdfast_mark AS m WHERE m.tbl = ? AND m.new_id = ${id} AND m.old_id IS NULL)`
      const isHome = `EXISTS (SELECT 1 FROM holdfast_log AS l WHERE l.tbl = ? AND l.id = ${id} AND l.scope = ? AND l.gone <> 1)`
      const strays = await sql.all(
        `SELECT ${id} AS id, CASE WHEN ${isNew} THEN 1 ELSE 0 END AS fresh FROM ${child.sql} AS c WHERE ${child.value(child.under, 'c')} = ? AND (${isNew} OR NOT ${isHome})`,
        [child.name, under, child.name, child.name, scope ?? ''],
      )
      for (const stray of strays) {
        const { now, goneAt, writtenAt } = await buffer.lookUp(child, String(stray['id']))
        const isOwn = buffer.isOwn(goneAt) || (buffer.isOwn(writtenAt) && Number(stray['fresh']) === 1)
        if (!isOwn && now?.[child.under] === row.id)
          throw new Rejection('row_exists', { table: table.name, id: row.id })
      }
    }
  }

  const ended = (): void => {
    open--
    if (open === 0) wake()
  }

  const source: TxSource = {
    began(verb) {
      open++
      verb.then(ended, ended)
    },
    async get(name, id) {
      refuseLate()
      const table = layout.table(name)
      return typeof id === 'string' ? visible(table, await buffer.load(table, id)) : undefined
    },
    async taken(name, id) {
      refuseLate()
      if (rules.overwrites?.(name, id) === true) return false
      return (await buffer.load(layout.table(name), id)) !== undefined
    },
    async find(query: QuerySpec) {
      await settle(false)
      return selectRows(sql, layout, query, rights.visible)
    },
    async insert(name, row) {
      const table = layout.table(name)
      await refuseAfter(table, row)
      await refuseStrayChildren(table, row)
      const held = await buffer.lookUp(table, row.id)
      // Asked again, since two inserts may have been started at once.
      if (held.now !== undefined && rules.overwrites?.(name, row.id) !== true)
        throw new Rejection('row_exists', { table: name, id: row.id })
      write(held, row)
    },
    async update(name, from, patched) {
      const table = layout.table(name)
      const to = rules.merge?.(name, from, patched) ?? patched
      await refuseBefore(table, from)
      await refuseAfter(table, to)
      const held = await buffer.lookUp(table, from.id)
      if (held.now === undefined) throw new Rejection('row_gone', { table: name, id: from.id })
      write(held, to)
    },
    async delete(name, from) {
      const table = layout.table(name)
      await refuseBefore(table, from)
      write(await buffer.lookUp(table, from.id), undefined)
    },
    // The app's own statement, under no rights but those of its author.
    async sql(text: string, parameters: readonly SqlValue[]) {
      if (CONTROL.test(text)) throw new TypeError('tx.sql cannot begin or end a transaction or change the connection')
      await settle(true)
      ranSql = true
      try {
        return await guarded(() => sql.attempt(text, parameters))
      } finally {
        // It may have changed any row.
        buffer.forget()
      }
    },
  }

  return {
    tx: createTx(app, source, context),
    async drained() {
      while (open > 0) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        // What was chained to the last verb begins only now.
        await undefined
        await undefined
      }
    },
    refused: () => refusal,
    isUpset: () => isUpset,
    settle: () => (writes === 0 ? Promise.resolve() : settle(false)),
    writes() {
      // Of a row that was read anew on the way (after SQL) the first reading says what it was, and the last what it is.
      const byRow = new Map<string, RowWrite>()
      for (const [{ table, id, now }, moment] of before) {
        const key = `${table.name}/${id}`
        byRow.set(key, { table, id, before: byRow.has(key) ? byRow.get(key)?.before : moment.now, after: now })
      }
      return [...byRow.values()]
    },
    async keep() {
      isOver = true
      if (gate !== undefined) {
        await guarded(() => buffer.flush())
        await gate.release()
      }
      return ranSql ? undefined : written
    },
    async drop() {
      isOver = true
      await settling.catch(() => undefined)
      if (gate === undefined) {
        for (const [held, moment] of before) Object.assign(held, moment)
        return
      }
      await gate.undo()
      // What was read since the savepoint is no longer so; what was written before it is flushed.
      buffer.discard()
    },
  }
}

/** Whether the row as JSON takes more bytes; measured only where it could. */
function isLargerThan(row: Row, limit: number): boolean {
  let bound = 2
  for (const name of Object.keys(row)) {
    const value = row[name]
    // A character takes six bytes at most, as an escape; a number 25.
    bound +=
      name.length +
      4 +
      (typeof value === 'string' ? 6 * value.length + 2 : typeof value === 'object' && value !== null ? limit : 25)
  }
  return bound > limit && utf8Bytes(JSON.stringify(row)) > limit
}
