// Records of conflicts: for each row whose values were lost what both sides made of it, who and when, as a row of the engine's own
// table in the scope of that row, written with the batch. One is left only in a scope that the actor may write (I9), and it stays
// within the limit of a row: what does not fit in is left out, the winner's values first, because they stand in the row.
import { jsonEqual, jsonProblem } from '../../base/json.ts'
import { derivedUuid } from '../../base/random.ts'
import { utf8Bytes } from '../../base/utf8.ts'
import type { NumberedIntent } from '../../protocol/intent.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { Outcome } from '../../protocol/outcome.ts'
import { CONFLICTS, type ConflictRecord, type ConflictValues } from '../../schema/conflict.ts'
import type { Row } from '../../schema/table.ts'
import type { Sql } from '../db/db.ts'
import type { Layout, TableLayout } from '../db/layout.ts'
import type { Rights } from '../rights/grants.ts'
import { scopeOf } from '../rights/scopes.ts'
import { keyOf } from '../state/turns.ts'
import type { Buffer } from './buffer.ts'
import type { Change, Conflict, Conflicts } from './conflicts.ts'

/** What an intent made of one row. */
export interface RowWrite {
  readonly table: TableLayout
  readonly id: string
  readonly before: Row | undefined
  readonly after: Row | undefined
}

/** More rows of one intent are not recorded. */
const MAX_RECORDS = 100
/** More ids of records are not named in an outcome. */
const MAX_NAMED = 64
/** What a record needs besides its values, with room for the words of restoring. */
const ENVELOPE_BYTES = 4_096

/** What both sides made of one row. */
interface Sides {
  readonly table: string
  readonly id: string
  readonly scope: string | undefined
  readonly mine: ConflictValues | null
  readonly theirs: ConflictValues | null
  readonly base: ConflictValues
  readonly change: Change
}

/** Whose intent it is, and where its records go. */
export interface RecordParts {
  readonly sql: Sql
  readonly layout: Layout
  readonly buffer: Buffer
  readonly rights: Rights
  readonly intent: NumberedIntent
  readonly actor: string
  readonly client: string
  /** The authority's clock. */
  readonly at: number
}

/** What becomes of an intent that is refused for its conflicts: `writes` are what it would have written now. */
export async function recordRefusal(parts: RecordParts, met: Conflicts, writes: readonly RowWrite[]): Promise<Outcome> {
  const [first] = met.values()
  const sides: Sides[] = []
  for (const write of writes) {
    const { table, id, before, after } = write
    const conflict = met.get(keyOf(table.name, id))
    const columns = changedColumns(write)
    if (columns.length === 0) continue
    sides.push({
      table: table.name,
      id,
      scope: await scopeOf(table, (before ?? after) as Row, parts.buffer.load),
      mine: pick(after, columns),
      theirs: pick(before, columns),
      base: pickBase(conflict, columns),
      change: (conflict ?? first) as Change,
    })
  }
  // The mutator no longer runs on what is true now: what it would have written is not known.
  if (sides.length === 0) {
    for (const conflict of met.values()) {
      const columns = Object.keys({ ...conflict.base.was, ...conflict.base.same })
      sides.push({
        table: conflict.table.name,
        id: conflict.base.id,
        scope: conflict.scope,
        mine: {},
        theirs: pick(conflict.now, columns),
        base: pickBase(conflict, columns),
        change: conflict,
      })
    }
  }
  return conflicted('conflict_rejected', 'reject', await leave(parts, 'reject', sides))
}

/** What became of an intent that was applied: what it overwrote is recorded. */
export async function recordMerge(
  parts: RecordParts,
  met: Conflicts,
  writes: readonly RowWrite[],
): Promise<Outcome | undefined> {
  const sides: Sides[] = []
  for (const write of writes) {
    const { table, id, before, after } = write
    const conflict = met.get(keyOf(table.name, id))
    if (conflict === undefined || before === undefined) continue
    const columns = changedColumns(write).filter((name) => isOverwritten(conflict, name, before, after))
    if (columns.length === 0) continue
    sides.push({
      table: table.name,
      id,
      scope: await scopeOf(table, before, parts.buffer.load),
      mine: pick(after, columns),
      theirs: pick(before, columns),
      base: pickBase(conflict, columns),
      change: conflict,
    })
  }
  if (sides.length === 0) return undefined
  return conflicted('conflict_merged', 'fields', await leave(parts, 'fields', sides))
}

/** Whether a column that the intent changes holds what somebody else put there since its base. */
function isOverwritten({ base }: Conflict, name: string, before: Row, after: Row | undefined): boolean {
  if (after === undefined || (base.was === undefined && base.same === undefined)) return true
  // What its first run left alone, it changes now on purpose, because of what is true now.
  if (!Object.hasOwn(base.was ?? {}, name)) return false
  return !jsonEqual(base.was?.[name], before[name] ?? null)
}

function changedColumns({ table, before, after }: RowWrite): readonly string[] {
  if (before === undefined && after === undefined) return []
  return table.written.filter(
    (name) =>
      name !== 'id' &&
      (before === undefined || after === undefined || !jsonEqual(before[name] ?? null, after[name] ?? null)),
  )
}

function pick(row: Row | undefined, columns: readonly string[]): ConflictValues | null {
  return row === undefined ? null : Object.fromEntries(columns.map((name) => [name, row[name] ?? null]))
}

function pickBase(conflict: Conflict | undefined, columns: readonly string[]): ConflictValues {
  const known = { ...conflict?.base.was, ...conflict?.base.same }
  return Object.fromEntries(
    columns.flatMap((name) => (Object.hasOwn(known, name) ? [[name, known[name] ?? null]] : [])),
  )
}

function conflicted(
  code: 'conflict_rejected' | 'conflict_merged',
  policy: string,
  records: readonly string[],
): Outcome {
  return { status: 'conflict', code, details: { policy, records: records.slice(0, MAX_NAMED) } }
}

/** Writes the records; gives their ids. */
async function leave(parts: RecordParts, policy: 'reject' | 'fields', sides: readonly Sides[]): Promise<string[]> {
  const { layout, buffer, rights, intent, actor, client } = parts
  const lost = policy === 'reject' ? 'mine' : 'theirs'
  const written: string[] = []
  for (const { table, id, scope, change, ...values } of sides.slice(0, MAX_RECORDS)) {
    if (scope === undefined || !rights.writable.has(scope)) continue
    const key = derivedUuid(intent.id, `${actor} ${table} ${id}`)
    const record: ConflictRecord = {
      id: key,
      scope,
      intentId: intent.id,
      mutator: intent.name,
      policy,
      tableName: table,
      rowId: id,
      ...fitting(values, lost),
      mineBy: actor,
      mineClient: client,
      mineAt: intent.madeAt,
      theirsBy: change.by?.actor ?? null,
      theirsClient: change.by?.client ?? null,
      theirsAt: await timeOf(parts, change),
      lost,
      loser: lost === 'mine' ? client : (change.by?.client ?? null),
      at: parts.at,
      restored: null,
      restoredBy: null,
      restoredAt: null,
    }
    const held = await buffer.lookUp(layout.table(CONFLICTS), key)
    if (held.now === undefined) buffer.write(held, record as unknown as Row)
    written.push(key)
  }
  return written
}

/** When a change was committed; one of this transaction is being committed now. */
async function timeOf({ sql, at }: RecordParts, { by, place }: Change): Promise<number | null> {
  if (place === undefined) return by === undefined ? null : at
  const [row] = await sql.all('SELECT at FROM holdfast_commit WHERE scope = ? AND version = ?', [
    place.scope,
    place.version,
  ])
  return row === undefined ? null : Number(row['at'])
}

type Values = Pick<ConflictRecord, 'mine' | 'theirs' | 'base'>

/** The values as they fit into a row: without those that nest too deep, and, where they are too large, without those that can be spared. */
function fitting(values: Values, lost: 'mine' | 'theirs'): Values {
  const { mine, theirs, base } = values
  let fit: Values = { mine: shallow(mine), theirs: shallow(theirs), base: shallow(base) ?? {} }
  const isLarge = () => utf8Bytes(JSON.stringify(fit)) > LIMITS.rowBytes - ENVELOPE_BYTES
  if (isLarge()) fit = { ...fit, base: {} }
  const won = lost === 'mine' ? 'theirs' : 'mine'
  if (isLarge()) fit = { ...fit, [won]: fit[won] === null ? null : {} }
  while (isLarge()) {
    const left = Object.entries(fit[lost] ?? {}).sort(
      ([, a], [, b]) => JSON.stringify(a).length - JSON.stringify(b).length,
    )
    fit = { ...fit, [lost]: Object.fromEntries(left.slice(0, -1)) }
  }
  return fit
}

/** A value may nest as deep as a JSON column allows, and here it stands one deeper. */
function shallow(values: ConflictValues | null): ConflictValues | null {
  if (values === null || jsonProblem(values) === undefined) return values
  return Object.fromEntries(
    Object.entries(values).filter(([name, value]) => jsonProblem({ [name]: value }) === undefined),
  )
}

/** Deletes the records that name an actor or hold an actor's values, in whatever scope; gives how many there were. */
export async function eraseRecords(sql: Sql, layout: Layout, actor: string): Promise<number> {
  const table = layout.tables.find(({ name }) => name === CONFLICTS)
  if (table === undefined) return 0
  const names = ['mineBy', 'theirsBy', 'restoredBy'].map((name) => `${table.column(name)} = ?`)
  return sql.run(`DELETE FROM ${table.sql} WHERE ${names.join(' OR ')}`, [actor, actor, actor])
}
