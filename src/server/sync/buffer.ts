// The rows of one batch while its intents run: what was read from SQL, and what was written and not yet flushed, so that each intent
// reads the writes of those before it. An intent's own writes can be taken back, in memory or, once they had to be flushed early,
// by a savepoint. Checks the actor's rights row by row (I9); decides nothing about outcomes (push.ts does).

import { check } from '../../base/assert.ts'
import { createDeferred } from '../../base/deferred.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { App } from '../../schema/app.ts'
import type { QuerySpec } from '../../schema/query.ts'
import type { Row } from '../../schema/table.ts'
import {
  createTx,
  Rejection,
  type SqlRow,
  type SqlValue,
  type Tx,
  type TxContext,
  type TxSource,
} from '../../schema/tx.ts'
import { ConstraintError, type Sql } from '../db/db.ts'
import type { Layout, TableLayout } from '../db/layout.ts'
import type { GrantsSource, Rights } from '../rights/grants.ts'
import { type LoadRow, scopeOf } from '../rights/scopes.ts'
import { selectRows } from '../rights/select.ts'

/** The rows of one batch. */
export interface Buffer {
  /** For the app's function of grants: any row, as it is now. */
  readonly grantsSource: GrantsSource
  /** Begins an intent: its transaction writes here until `keep` or `drop`. */
  begin(app: App, rights: Rights, context: TxContext): Run
  /** Writes what is not yet in SQL. Rejects with a ConstraintError when a constraint refuses it. */
  flush(): Promise<void>
}

/** The run of one intent. Exactly one of `keep` and `drop` ends it. */
export interface Run {
  readonly tx: Tx<App['tables']>
  /** A constraint that refused this intent’s own writes, even where the mutator caught the error. */
  refused(): ConstraintError | undefined
  /** True when an earlier intent of the batch met a constraint as its writes had to be flushed for this one. */
  isUpset(): boolean
  /** Flushes this intent’s writes now, so that a constraint refuses it and no other. */
  settle(): Promise<void>
  /** Keeps the writes; gives the tables written, or undefined when SQL was run that could write anywhere. */
  keep(): Promise<ReadonlySet<string> | undefined>
  /** Takes all writes back. */
  drop(): Promise<void>
}

/** One row as it stands in SQL, and as it is now. */
interface Held {
  readonly table: TableLayout
  readonly id: string
  stored: Row | undefined
  now: Row | undefined
  /** Deleted and inserted again: not the same row, although it has the same id. */
  isReborn: boolean
}

/** What a held row was before a write. */
interface Undo {
  readonly held: Held
  readonly now: Row | undefined
  readonly isReborn: boolean
}

const TAKEN_BACK = Symbol('the writes of this intent are taken back')

/** Makes the buffer of one batch inside a transaction. */
export function createBuffer(sql: Sql, layout: Layout): Buffer {
  const rows = new Map<TableLayout, Map<string, Held>>()
  const dirty = new Set<Held>()

  function lookUp(table: TableLayout, id: string): Held | Promise<Held> {
    let ofTable = rows.get(table)
    if (ofTable === undefined) {
      ofTable = new Map()
      rows.set(table, ofTable)
    }
    return ofTable.get(id) ?? read(table, ofTable, id)
  }

  async function read(table: TableLayout, ofTable: Map<string, Held>, id: string): Promise<Held> {
    const [found] = await sql.all(statementsOf(layout, table).get, [id])
    const stored = found === undefined ? undefined : table.readRow(found)
    // Another read of the same row may have come first: there is one Held for each row.
    const known = ofTable.get(id)
    if (known !== undefined) return known
    const held: Held = { table, id, stored, now: stored, isReborn: false }
    ofTable.set(id, held)
    return held
  }

  const load: LoadRow = (table, id) => {
    const held = lookUp(table, id)
    return held instanceof Promise ? held.then(({ now }) => now) : held.now
  }

  async function flush(): Promise<void> {
    if (dirty.size === 0) return
    const pending = [...dirty]
    // Deletes before updates before inserts, so that a unique value may pass from one row to another.
    for (const { table, id, stored, now, isReborn } of pending) {
      if (stored !== undefined && (now === undefined || isReborn))
        await sql.run(statementsOf(layout, table).delete, [id])
    }
    for (const { table, stored, now, isReborn } of pending) {
      if (stored === undefined || now === undefined || stored === now || isReborn) continue
      await update(table, stored, now)
    }
    const inserts = new Map<TableLayout, SqlValue[][]>()
    for (const { table, stored, now, isReborn } of pending) {
      if (now === undefined || (stored !== undefined && !isReborn)) continue
      const list = inserts.get(table)
      if (list === undefined) inserts.set(table, [table.writeValues(now)])
      else list.push(table.writeValues(now))
    }
    for (const table of layout.tables) await sql.insert(statementsOf(layout, table).insert, inserts.get(table) ?? [])
    for (const held of pending) {
      held.stored = held.now
      held.isReborn = false
    }
    dirty.clear()
  }

  /** Writes the columns that differ. A row that moves to another parent loses its position there; adoption gives it the next. */
  async function update(table: TableLayout, stored: Row, now: Row): Promise<void> {
    const { quote } = layout.dialect
    const before = table.writeValues(stored)
    const values: SqlValue[] = []
    const names: string[] = []
    for (const [index, value] of table.writeValues(now).entries()) {
      if (value === before[index]) continue
      values.push(value)
      names.push(table.written[index] as string)
    }
    if (names.length === 0) return
    const set = names.map((name) => `${quote(name)} = ?`)
    for (const { column, parent } of table.positions) if (names.includes(parent)) set.push(`${quote(column)} = NULL`)
    const changed = await sql.run(`UPDATE ${table.sql} SET ${set.join(', ')} WHERE id = ?`, [...values, now.id])
    check(changed === 1, 'I10', `an update of ${table.name} met ${changed} rows`)
  }

  function begin(app: App, rights: Rights, context: TxContext): Run {
    const undo: Undo[] = []
    const written = new Set<string>()
    let refusal: ConstraintError | undefined
    let isUpset = false
    let ranSql = false
    let isOver = false
    let gate: Gate | undefined
    let settling: Promise<void> = Promise.resolve()

    function write(held: Held, now: Row | undefined): void {
      refuseLate()
      if (undo.length >= LIMITS.runWrites)
        throw new Rejection('too_large', {
          limit: LIMITS.runWrites,
          problem: 'one intent writes more rows than the limit',
        })
      undo.push({ held, now: held.now, isReborn: held.isReborn })
      if (now !== undefined && held.now === undefined) {
        if (held.stored !== undefined) held.isReborn = true
        // Inserts go into SQL in the order in which they were made: positions follow it.
        dirty.delete(held)
      }
      held.now = now
      dirty.add(held)
      written.add(held.table.name)
    }

    function refuseLate(): void {
      if (isOver) throw new TypeError('The mutator is over: await everything that tx returns before it ends')
    }

    /** Flushes, this intent's own writes inside a savepoint of its own; `always` opens it even when there are none yet. */
    function settle(always: boolean): Promise<void> {
      // One at a time: a mutator may start several queries at once.
      settling = settling.then(async () => {
        refuseLate()
        if (gate === undefined) {
          const own = takeOwn()
          try {
            await flush()
          } catch (error) {
            if (error instanceof ConstraintError) isUpset = true
            throw error
          }
          if (own.length === 0 && !always) return
          gate = await openGate(sql)
          for (const { held, now, isReborn } of own) {
            held.now = now
            held.isReborn = isReborn
            dirty.add(held)
          }
        }
        await guarded(flush)
      })
      return settling
    }

    /** Sets the rows that this intent wrote back to what they were before it; gives what it had made of them. */
    function takeOwn(): Undo[] {
      const own = new Map<Held, Undo>()
      for (const { held } of undo) own.set(held, { held, now: held.now, isReborn: held.isReborn })
      takeBack()
      return [...own.values()]
    }

    function takeBack(): void {
      for (let index = undo.length - 1; index >= 0; index--) {
        const { held, now, isReborn } = undo[index] as Undo
        held.now = now
        held.isReborn = isReborn
      }
    }

    async function guarded<Result>(body: () => Promise<Result>): Promise<Result> {
      try {
        return await body()
      } catch (error) {
        if (error instanceof ConstraintError) refusal ??= error
        throw error
      }
    }

    async function visibleScope(table: TableLayout, row: Row | undefined): Promise<string | undefined> {
      if (row === undefined) return undefined
      const scope = await scopeOf(table, row, load)
      return scope !== undefined && rights.visible.has(scope) ? scope : undefined
    }

    /** Refuses a row that the actor may not put where its columns say. */
    async function refuseAfter(table: TableLayout, row: Row): Promise<void> {
      const size = rowBytesBound(row)
      if (size > LIMITS.rowBytes)
        throw new Rejection('row_invalid', {
          table: table.name,
          id: row.id,
          problem: `the row is larger than ${LIMITS.rowBytes} bytes`,
        })
      const scope = await scopeOf(table, row, load)
      if (table.parent !== undefined) {
        // The row lies where its parent lies. A parent that is absent and one that is not visible look the same.
        if (scope === undefined || !rights.visible.has(scope))
          throw new Rejection('row_gone', { table: table.parent.name, id: String(row[table.under]) })
      } else if (scope === undefined) {
        throw new Rejection('row_invalid', { table: table.name, id: row.id, problem: `${table.under} makes no scope` })
      }
      if (!rights.writable.has(scope)) throw new Rejection('forbidden', { table: table.name, id: row.id })
    }

    async function refuseBefore(table: TableLayout, row: Row): Promise<void> {
      const scope = await scopeOf(table, row, load)
      if (scope === undefined || !rights.writable.has(scope))
        throw new Rejection('forbidden', { table: table.name, id: row.id })
    }

    const source: TxSource = {
      async get(name, id) {
        refuseLate()
        const table = layout.table(name)
        if (typeof id !== 'string') return undefined
        const row = await load(table, id)
        return (await visibleScope(table, row)) === undefined ? undefined : row
      },
      async taken(name, id) {
        refuseLate()
        return (await load(layout.table(name), id)) !== undefined
      },
      async find(query: QuerySpec) {
        await settle(false)
        return selectRows(sql, layout, query, rights.visible)
      },
      async insert(name, row) {
        const table = layout.table(name)
        await refuseAfter(table, row)
        await refuseStrayChildren(sql, layout, table, row, load)
        write(await lookUp(table, row.id), row)
      },
      async update(name, before, after) {
        const table = layout.table(name)
        await refuseBefore(table, before)
        await refuseAfter(table, after)
        write(await lookUp(table, before.id), after)
      },
      async delete(name, before) {
        const table = layout.table(name)
        await refuseBefore(table, before)
        write(await lookUp(table, before.id), undefined)
      },
      async sql(text: string, parameters: readonly SqlValue[]): Promise<readonly SqlRow[]> {
        if (/^\s*(begin|commit|end|rollback|savepoint|release|attach|detach|pragma|vacuum)\b/i.test(text))
          throw new TypeError('tx.sql cannot begin, end or change a transaction or a connection')
        await settle(true)
        ranSql = true
        try {
          return await guarded(() => sql.all(text, parameters))
        } finally {
          // The statement may have changed any row.
          rows.clear()
        }
      },
    }

    return {
      tx: createTx(app, source, context),
      refused: () => refusal,
      isUpset: () => isUpset,
      settle: () => (undo.length === 0 ? Promise.resolve() : settle(false)),
      async keep() {
        isOver = true
        if (gate !== undefined) {
          await guarded(flush)
          await gate.release()
        }
        return ranSql ? undefined : written
      },
      async drop() {
        isOver = true
        await settling.catch(() => undefined)
        if (gate === undefined) return takeBack()
        await gate.undo()
        // What was read since the savepoint is no longer so; what came before it was flushed.
        rows.clear()
        dirty.clear()
      },
    }
  }

  return {
    grantsSource: {
      get: (name, id) => load(layout.table(name), id),
      async find(query) {
        await flush()
        return selectRows(sql, layout, query, undefined)
      },
    },
    begin,
    flush,
  }
}

/** A savepoint that is open until it is told what becomes of it. */
interface Gate {
  release(): Promise<void>
  undo(): Promise<void>
}

async function openGate(sql: Sql): Promise<Gate> {
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
      ended.reject(TAKEN_BACK)
      await done.catch((reason: unknown) => {
        if (reason !== TAKEN_BACK) throw reason
      })
    },
  }
}

interface Statements {
  readonly get: string
  readonly insert: string
  readonly delete: string
}

const statements = new WeakMap<TableLayout, Statements>()

function statementsOf({ dialect: { quote } }: Layout, table: TableLayout): Statements {
  const known = statements.get(table)
  if (known !== undefined) return known
  const written = table.written.map(quote)
  const made = {
    get: `SELECT ${written.join(', ')} FROM ${table.sql} WHERE id = ?`,
    insert: `INSERT INTO ${table.sql} (${written.join(', ')})`,
    delete: `DELETE FROM ${table.sql} WHERE id = ?`,
  }
  statements.set(table, made)
  return made
}

/**
 * Rows whose parent was deleted lie in no scope, and nobody has a right to them. A row inserted under the parent's old id would take
 * them into its own scope: allowed only where they came from there. To others the id is taken.
 */
async function refuseStrayChildren(
  sql: Sql,
  layout: Layout,
  table: TableLayout,
  row: Row,
  load: LoadRow,
): Promise<void> {
  for (const child of table.children) {
    const scope = await scopeOf(table, row, load)
    const strays = await sql.all(
      `SELECT 1 AS one FROM ${child.sql} AS c WHERE c.${layout.dialect.quote(child.under)} = ? AND NOT EXISTS (SELECT 1 FROM holdfast_log AS l WHERE l.tbl = ? AND l.id = c.id AND l.scope = ?) AND NOT EXISTS (SELECT 1 FROM holdfast_mark AS m WHERE m.tbl = ? AND m.new_id = c.id) LIMIT 1`,
      [row.id, child.name, scope ?? '', child.name],
    )
    if (strays.length > 0) throw new Rejection('row_exists', { table: table.name, id: row.id })
  }
}

/** At least the bytes of the row as JSON: exact only where it could matter. */
function rowBytesBound(row: Row): number {
  let bound = 2
  for (const name of Object.keys(row)) {
    const value = row[name]
    bound +=
      name.length +
      4 +
      (typeof value === 'string'
        ? 6 * value.length + 2
        : typeof value === 'object' && value !== null
          ? LIMITS.rowBytes
          : 25)
  }
  return bound <= LIMITS.rowBytes ? bound : new TextEncoder().encode(JSON.stringify(row)).length
}
