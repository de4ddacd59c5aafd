// What each actor may do, in plain maps: rows, who is a member where, and the rule by which a write is taken or refused. Written from
// what the documents promise, without a line of the engine. Knows nothing of batches' numbers, of SQL or of the wire. I9.
import type { Json } from '../../../../base/json.ts'

/** A row. */
export type ModelRow = { readonly id: string; readonly [column: string]: Json }
/** One deed inside an intent. */
export type Deed =
  | { readonly verb: 'insert'; readonly table: string; readonly row: ModelRow }
  | { readonly verb: 'update' | 'move'; readonly table: string; readonly id: string; readonly patch: Patch }
  | { readonly verb: 'delete'; readonly table: string; readonly id: string }
type Patch = { readonly [column: string]: Json }

/** How rows of a table find their scope. */
interface Placing {
  readonly column: string
  /** A kind of scope, or the table of the parent. */
  readonly kind?: string
  readonly parent?: string
}

/** The tables, parents first. */
export const PLACING: { readonly [table: string]: Placing } = {
  lists: { column: 'ownerId', kind: 'user' },
  tasks: { column: 'listId', parent: 'lists' },
  steps: { column: 'taskId', parent: 'tasks' },
  members: { column: 'teamId', kind: 'team' },
  boards: { column: 'teamId', kind: 'team' },
  cards: { column: 'boardId', parent: 'boards' },
}
const TABLES = Object.keys(PLACING)

/** What an actor may. */
export interface Rights {
  readonly read: ReadonlySet<string>
  readonly write: ReadonlySet<string>
}

/** The model. */
export interface RightsModel {
  readonly tables: ReadonlyMap<string, Map<string, ModelRow>>
  rightsOf(actor: string): Rights
  scopeOf(table: string, row: ModelRow): string | undefined
  /** A batch of one actor begins. */
  beginBatch(): void
  /** Does the deeds of one intent, all or none; gives `applied` or the code by which it is refused. */
  intend(actor: string, deeds: readonly Deed[]): string
  /** Does a deed whoever may; for other programs. */
  force(deed: Deed): void
  /** What a mutator of the actor finds: the ids of a table that it may see. */
  seen(actor: string, table: string): readonly string[]
  /** The end of a commit: where each row lies now is on record. */
  settle(): void
  /** The rows that a device of the actor holds, by `scope table/id`, derived ones among them. */
  replicaOf(actor: string): Map<string, ModelRow>
}

/** Makes an empty model. */
export function createModel(): RightsModel {
  const tables = new Map(TABLES.map((name) => [name, new Map<string, ModelRow>()]))
  /** In which scope each row lay when the last commit had ended: of a row that has no parent since, where it lay last. */
  const homes = new Map<string, string>()
  /** What this commit, and what this batch of it, has inserted. */
  const inserted = new Set<string>()
  const made = new Set<string>()

  const rowsOf = (table: string): Map<string, ModelRow> => tables.get(table) as Map<string, ModelRow>
  const placingOf = (table: string): Placing => PLACING[table] as Placing

  function scopeOf(table: string, row: ModelRow): string | undefined {
    const { column, kind, parent } = placingOf(table)
    const value = String(row[column])
    if (kind !== undefined) return `${kind}:${value}`
    const found = rowsOf(parent ?? '').get(value)
    return found === undefined ? undefined : scopeOf(parent ?? '', found)
  }

  function rightsOf(actor: string): Rights {
    const read = new Set([`user:${actor}`])
    const write = new Set([`user:${actor}`])
    for (const { userId, teamId, role } of rowsOf('members').values()) {
      if (userId !== actor) continue
      read.add(`team:${teamId}`)
      if (role !== 'reader') write.add(`team:${teamId}`)
    }
    return { read, write }
  }

  /** Why a row may not be put where its columns put it, or undefined. What may be written may be seen. */
  function refusedAt(table: string, row: ModelRow, { read, write }: Rights): string | undefined {
    const scope = scopeOf(table, row)
    if (scope === undefined || !(read.has(scope) || write.has(scope)))
      return placingOf(table).parent === undefined ? 'forbidden' : 'row_gone'
    return write.has(scope) ? undefined : 'forbidden'
  }

  /**
   * Rows that were left without a parent belong where they lay last, and those that never lay anywhere to the batch that made them:
   * nobody else gets them by taking the parent's id.
   */
  function leftOthers(table: string, row: ModelRow): boolean {
    const scope = scopeOf(table, row)
    return TABLES.some(
      (child) =>
        placingOf(child).parent === table &&
        [...rowsOf(child).values()].some((each) => {
          const key = `${child}/${each.id}`
          if (each[placingOf(child).column] !== row.id || made.has(key)) return false
          return inserted.has(key) || homes.get(key) !== scope
        }),
    )
  }

  function refusal(deed: Deed, rights: Rights): string | undefined {
    const rows = rowsOf(deed.table)
    if (deed.verb === 'insert') {
      if (rows.has(deed.row.id)) return 'row_exists'
      return refusedAt(deed.table, deed.row, rights) ?? (leftOthers(deed.table, deed.row) ? 'row_exists' : undefined)
    }
    const before = rows.get(deed.id)
    const scope = before === undefined ? undefined : scopeOf(deed.table, before)
    if (before === undefined || scope === undefined || !(rights.read.has(scope) || rights.write.has(scope)))
      return 'row_gone'
    if (!rights.write.has(scope)) return 'forbidden'
    return deed.verb === 'delete' ? undefined : refusedAt(deed.table, { ...before, ...deed.patch }, rights)
  }

  function change(deed: Deed): void {
    const rows = rowsOf(deed.table)
    if (deed.verb === 'insert') rows.set(deed.row.id, deed.row)
    else if (deed.verb === 'delete') rows.delete(deed.id)
    else {
      const before = rows.get(deed.id)
      if (before !== undefined) rows.set(deed.id, { ...before, ...deed.patch })
    }
  }

  function intend(actor: string, deeds: readonly Deed[]): string {
    const rights = rightsOf(actor)
    const undo: (() => void)[] = []
    for (const deed of deeds) {
      const code = refusal(deed, rights)
      if (code !== undefined) {
        for (const back of undo.reverse()) back()
        return code
      }
      const rows = rowsOf(deed.table)
      const id = deed.verb === 'insert' ? deed.row.id : deed.id
      const before = rows.get(id)
      undo.push(() => void (before === undefined ? rows.delete(id) : rows.set(id, before)))
      change(deed)
      const key = `${deed.table}/${id}`
      if (deed.verb !== 'insert') continue
      for (const keys of [made, inserted]) {
        if (keys.has(key)) continue
        keys.add(key)
        undo.push(() => void keys.delete(key))
      }
    }
    return 'applied'
  }

  const add = (
    replica: Map<string, ModelRow>,
    scope: string,
    key: string,
    values: { readonly [name: string]: number },
  ) => {
    const id = key.slice(key.indexOf('/') + 1)
    const row: { [column: string]: Json; id: string } = { id, ...replica.get(`${scope} ${key}`) }
    for (const [name, value] of Object.entries(values)) row[name] = Number(row[name] ?? 0) + value
    replica.set(`${scope} ${key}`, row)
  }

  return {
    tables,
    rightsOf,
    scopeOf,
    intend,
    force: change,
    seen(actor, table) {
      const { read, write } = rightsOf(actor)
      const found: string[] = []
      for (const row of rowsOf(table).values()) {
        const scope = scopeOf(table, row)
        if (scope !== undefined && (read.has(scope) || write.has(scope))) found.push(row.id)
      }
      return found.sort()
    },
    beginBatch: () => made.clear(),
    settle() {
      inserted.clear()
      const keys = new Set<string>()
      for (const table of TABLES) {
        for (const row of rowsOf(table).values()) {
          const key = `${table}/${row.id}`
          keys.add(key)
          const scope = scopeOf(table, row)
          if (scope !== undefined) homes.set(key, scope)
        }
      }
      for (const key of homes.keys()) if (!keys.has(key)) homes.delete(key)
    },
    replicaOf(actor) {
      const { read } = rightsOf(actor)
      const replica = new Map<string, ModelRow>()
      for (const table of TABLES) {
        for (const row of rowsOf(table).values()) {
          const scope = scopeOf(table, row)
          if (scope === undefined || !read.has(scope)) continue
          replica.set(`${scope} ${table}/${row.id}`, row)
          if (table === 'lists') add(replica, scope, `ownerTotals/${row['ownerId']}`, { lists: 1 })
          if (table === 'tasks')
            add(replica, scope, `listTotals/${row['listId']}`, {
              tasks: 1,
              points: Number(row['points']),
              hours: Number(row['hours']),
            })
          if (table === 'cards')
            add(replica, scope, `boardTotals/${row['boardId']}`, { cards: 1, effort: Number(row['effort']) })
        }
      }
      return replica
    },
  }
}
