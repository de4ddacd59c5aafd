// Conflicts as rows: what somebody lost when an intent met rows that others had changed. The table that holds them, which an app has
// as soon as one of its mutators declares a policy, and the two mutators by which people settle them: ordinary ones, on the device and
// at the authority alike. What is a conflict, and what goes into a record, the authority finds (server/sync/conflicts.ts).
import type { Json } from '../base/json.ts'
import { type ConflictPolicy, generateMutators, type Mutator, makeMutator, rowSchema } from './mutator.ts'
import type { Query } from './query.ts'
import * as t from './t.ts'
import { type Row, type RowOf, rowProblem, type Table } from './table.ts'
import type { TxBase } from './tx.ts'

/** The table's name, in the database and in frames. No table of an app can be called so. */
export const CONFLICTS = 'holdfastConflicts'

/** Values of a row's columns by name. */
export type ConflictValues = { readonly [column: string]: Json }

const columns = {
  id: t.id(),
  /** The scope of the row: who may read that sees the record. */
  scope: t.text(),
  intentId: t.text(),
  mutator: t.text(),
  policy: t.text(),
  tableName: t.text(),
  rowId: t.text(),
  /** What the intent wanted the columns to be; null when it wanted to delete the row, empty where that could not be found out. */
  mine: t.json<ConflictValues | null>().nullable(),
  /** What the others had made of them; null when the row is gone. */
  theirs: t.json<ConflictValues | null>().nullable(),
  /** What they were when the intent was made, as far as its device said so. */
  base: t.json<ConflictValues>(),
  mineBy: t.text(),
  mineClient: t.text(),
  /** When the intent was made, by its device's clock. */
  mineAt: t.timestamp(),
  /** Who had changed the row last; null for a writer that the authority does not know, such as plain SQL. */
  theirsBy: t.text().nullable(),
  theirsClient: t.text().nullable(),
  /** When that was committed, by the authority's clock. */
  theirsAt: t.timestamp().nullable(),
  /** Which side is not in the row now: `mine` (policy `reject`) or `theirs` (policy `fields`). */
  lost: t.text(),
  /** The client whose values were lost; null when the authority does not know it. */
  loser: t.text().nullable(),
  /** When the intent was decided, by the authority's clock. */
  at: t.timestamp(),
  /** Which side was last put into the row by `restoreConflict`, by whom and when; null while nobody did. */
  restored: t.text().nullable(),
  restoredBy: t.text().nullable(),
  restoredAt: t.timestamp().nullable(),
}

/** The table. Its rows lie in the scope that a column of theirs names. */
export const conflictTable: Table<typeof columns> = { columns, scopeRule: { via: 'value', column: 'scope' } }

/** One record of a conflict, as queries show it. */
export type ConflictRecord = RowOf<typeof conflictTable>

/** A query over the records of an app: `app.conflicts.where({ restoredAt: null }).orderBy('at', 'desc')`. */
export type ConflictQuery = Query<ConflictRecord>

/** What `restoreConflict` takes. */
export interface RestoreInput {
  /** The id of the record. */
  readonly id: string
  /** Which side to put into the row; left out, the one that was lost. */
  readonly values?: 'mine' | 'theirs'
}

/** The mutators that come with the records. */
export type ConflictMutators = {
  /** Puts the values that were lost into the row, and notes that in the record. */
  readonly restoreConflict: Mutator<RestoreInput, RestoreInput, 'fields'>
  /** Deletes the record: what the row holds is right. */
  readonly dismissConflict: Mutator<{ readonly id: string }, { readonly id: string }, 'rerun'>
}

/** The mutators of an app: with those for conflicts as soon as one of them has a policy. */
export type WithConflicts<M> =
  Exclude<M[keyof M] extends infer Each ? PolicyOf<Each> : never, 'rerun'> extends never ? M : M & ConflictMutators
type PolicyOf<M> = M extends { readonly conflict: infer Policy extends ConflictPolicy } ? Policy : never

/** A row of any table inside a transaction; what the public types say of the app's own tables is not known here. */
interface AnyTable {
  get(id: string): Promise<Row | undefined>
  insert(row: object): Promise<void>
  update(id: string, patch: object): Promise<void>
  delete(id: string): Promise<void>
}
type AnyTx = Pick<TxBase, 'actor' | 'now' | 'reject'> & { readonly [table: string]: unknown }

/** Makes the mutators for conflicts of an app with these tables. */
export function conflictMutators(tables: { readonly [name: string]: Table }): ConflictMutators {
  const restore = async (tx: AnyTx, { id, values }: RestoreInput): Promise<void> => {
    const records = tx[CONFLICTS] as AnyTable
    const { tableName = '', rowId = '', ...record } = ((await records.get(id)) ?? {}) as Partial<ConflictRecord>
    const { columns } = tables[tableName] ?? tx.reject('row_gone', { table: tableName || CONFLICTS, id: rowId || id })
    const restored = (values ?? record.lost) as 'mine' | 'theirs'
    const side = record[restored]
    const row = { ...side, id: rowId }
    const table = tx[tableName] as AnyTable
    const isThere = (await table.get(rowId)) !== undefined
    // Changed, there again, or gone. Where it is gone and the record does not hold all of it, the update says so.
    if (!side) isThere && (await table.delete(rowId))
    else if (isThere || rowProblem(columns, row, 'whole')) await table.update(rowId, side)
    else await table.insert(row)
    await records.update(id, { restored, restoredBy: tx.actor, restoredAt: tx.now })
  }
  return {
    restoreConflict: makeMutator(rowSchema({ values: t.text() }, 'patch'), restore as never, { conflict: 'fields' }),
    dismissConflict: generateMutators(CONFLICTS, conflictTable)['deleteHoldfastConflicts'],
  } as ConflictMutators
}
