// What a device should show, found the slow way: its confirmed rows copied, all its pending intents run on top in order, aggregates
// and positions computed from what then is there. Uses the app's own mutators and nothing of the replica that is being judged (I5).
import type { Json } from '../base/json.ts'
import { computeGroup } from '../schema/aggregate.ts'
import type { Mutator } from '../schema/mutator.ts'
import { comparatorOf, matches } from '../schema/query.ts'
import type { Row } from '../schema/table.ts'
import { createTx, type TxSource } from '../schema/tx.ts'
import { upgradeArguments } from '../schema/upgrade.ts'
import { app, type SimApp } from './app.ts'
import { POSITIONED } from './model.ts'
import { SYNCED } from './rows.ts'

/** A pending intent. */
export interface Pending {
  readonly id: string
  readonly root: string
  readonly actor: string
  readonly name: string
  readonly version: number
  readonly args: Json
  readonly madeAt: number
}

type Tables = Map<string, Map<string, Row>>

/**
 * The rows that should be shown, by table and aggregate. `isComplete`: what is absent is absent, not only unknown; `running`: the
 * app in the version that the device has.
 */
export async function replay(
  confirmed: (table: string) => ReadonlyMap<string, Row>,
  pending: readonly Pending[],
  isComplete: boolean,
  running: SimApp = app,
): Promise<Tables> {
  const tables: Tables = new Map(SYNCED.map((table) => [table, new Map(confirmed(table))]))
  const placed = new Map<string, { readonly parent: Json; readonly order: number }>()
  let order = 0
  for (const intent of pending) {
    const written = new Map<string, Row | undefined>()
    const inserted = new Set<string>()
    const rowOf = (table: string, id: string): Row | undefined => {
      const key = `${table}/${id}`
      const row = written.has(key) ? written.get(key) : tables.get(table)?.get(id)
      return row === undefined ? undefined : withoutPosition(table, row)
    }
    const source: TxSource = {
      get: (table, id) => known(rowOf(table, id), isComplete),
      find(query) {
        if (!isComplete) throw new Error('unknown')
        const ids = new Set([
          ...(tables.get(query.table)?.keys() ?? []),
          ...[...written.keys()]
            .filter((key) => key.startsWith(`${query.table}/`))
            .map((key) => key.slice(query.table.length + 1)),
        ])
        const rows = [...ids].flatMap((id) => rowOf(query.table, id) ?? []).filter((row) => matches(query.where, row))
        return rows.sort(comparatorOf(query.orderBy)).slice(0, query.limit)
      },
      taken: (table, id) => rowOf(table, id) !== undefined,
      insert(table, row) {
        written.set(`${table}/${row.id}`, row)
        inserted.add(`${table}/${row.id}`)
      },
      update: (table, _before, after) => void written.set(`${table}/${after.id}`, after),
      delete: (table, before) => void written.set(`${table}/${before.id}`, undefined),
    }
    try {
      const mutator = running.mutators[intent.name as keyof SimApp['mutators']] as unknown as Mutator
      const upgraded = upgradeArguments(intent.name, mutator, intent.version, intent.args)
      if (upgraded.kind !== 'ready') continue
      await mutator.body(
        createTx(app, source, { actor: intent.actor, madeAt: intent.madeAt, rootId: intent.root }) as never,
        upgraded.input as never,
      )
    } catch {
      // Rejected, or in doubt: it shows nothing.
      continue
    }
    for (const [key, row] of written) {
      const [table = '', id = ''] = key.split(/\/(.*)/s)
      const parent = POSITIONED[table]
      const before = tables.get(table)?.get(id)
      if (parent !== undefined && row !== undefined && (inserted.has(key) || before?.[parent] !== row[parent]))
        placed.set(key, { parent: row[parent] ?? null, order: ++order })
      if (row === undefined) {
        placed.delete(key)
        tables.get(table)?.delete(id)
      } else tables.get(table)?.set(id, parent === undefined ? row : { ...row, position: before?.['position'] ?? null })
    }
  }
  for (const table of Object.keys(POSITIONED)) placeRows(tables, table, confirmed(table), placed)
  return withAggregates(tables, pending.length > 0)
}

function known(row: Row | undefined, isComplete: boolean): Row | undefined {
  if (row === undefined && !isComplete) throw new Error('unknown')
  return row
}

function withoutPosition(table: string, row: Row): Row {
  if (!Object.hasOwn(POSITIONED, table)) return row
  const { position: _, ...rest } = row as { readonly [column: string]: Json }
  return rest as Row
}

/** Rows that pending intents brought to their parent come after those that are confirmed there. */
function placeRows(
  tables: Tables,
  table: string,
  confirmed: ReadonlyMap<string, Row>,
  placed: ReadonlyMap<string, { readonly parent: Json; readonly order: number }>,
): void {
  const parentColumn = POSITIONED[table] ?? ''
  const rows = tables.get(table) ?? new Map<string, Row>()
  const isPending = (row: Row): boolean => placed.get(`${table}/${row.id}`)?.parent === row[parentColumn]
  const last = new Map<Json, number>()
  for (const row of rows.values()) {
    const parent = row[parentColumn] ?? null
    if (!isPending(row))
      last.set(parent, Math.max(last.get(parent) ?? 0, Number(confirmed.get(row.id)?.['position'] ?? 0)))
  }
  const orderOf = (row: Row): number => placed.get(`${table}/${row.id}`)?.order ?? 0
  for (const row of [...rows.values()].sort((a, b) => orderOf(a) - orderOf(b))) {
    const parent = row[parentColumn] ?? null
    if (!isPending(row)) {
      rows.set(row.id, { ...row, position: confirmed.get(row.id)?.['position'] ?? null })
      continue
    }
    const next = (last.get(parent) ?? 0) + 1
    last.set(parent, next)
    rows.set(row.id, { ...row, position: next })
  }
}

/** Aggregates of all groups of which a row is here, computed anew. */
function withAggregates(tables: Tables, isChanged: boolean): Tables {
  if (!isChanged) return tables
  for (const [name, aggregate] of Object.entries(app.aggregates)) {
    const groups = new Map<string, Row[]>()
    for (const row of tables.get(aggregate.of)?.values() ?? []) {
      const key = String(row[aggregate.by])
      groups.set(key, [...(groups.get(key) ?? []), row])
    }
    const rows = new Map<string, Row>()
    for (const [key, members] of groups) {
      const row = computeGroup(aggregate as Parameters<typeof computeGroup>[0], key, members)
      if (row !== undefined) rows.set(key, row)
    }
    tables.set(name, rows)
  }
  return tables
}
