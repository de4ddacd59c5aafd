// The authority by hand: rows as maps, scopes and rights as plain functions, one intent after the other; no device, no network, no
// SQL, and nothing of src/server. The oracle holds the authority's rows and outcomes against it.
// Positions are not modelled, since when they are given is the authority's affair; only the order in which rows came to a parent is.
import { CONFLICTS } from '../schema/conflict.ts'
import { conflictsOf, type Made, overwrites, sameOf, type Writer, type Written } from './model-conflicts.ts'
import { type PlainIntent, type PlainRow, runPlainly } from './model-mutators.ts'

export type { PlainIntent, PlainRow } from './model-mutators.ts'

/** What must become of an intent; details are the authority's affair. */
export type Verdict =
  | { readonly status: 'applied' }
  | { readonly status: 'rejected' | 'conflict' | 'withdrawn'; readonly code: string }

/** What an actor may do. */
export interface PlainGrants {
  readonly read: ReadonlySet<string>
  readonly write: ReadonlySet<string>
}

/** The tables of the app by hand. */
export interface Model {
  /** Runs an intent as the next one. `recorded` is what the authority made of it, for the one case in which it may choose. */
  decide(intent: PlainIntent, recorded?: string, made?: Made): Verdict
  /** Records what was decided without a run: a withdrawal. */
  record(actor: string, id: string, verdict: Verdict): void
  /** What was recorded for an intent. */
  verdict(actor: string, id: string): Verdict | undefined
  /** Somebody else's write: the row with this id is now so, or is gone. */
  put(table: string, id: string, row: PlainRow | undefined): void
  rows(table: string): ReadonlyMap<string, PlainRow>
  scopeOf(table: string, row: PlainRow): string | undefined
  grants(actor: string): PlainGrants
  /** All that was written is adopted: from now on each row counts as having been in its scope. */
  adopted(): void
  /** Rows whose parent is not there, by the parent’s id. */
  strays(table: string, parentId: string): readonly PlainRow[]
  /** A number that rises with every write, by which `Made` tells what a device had seen. */
  writes(): number
  /** A number that rises with every row that comes to a parent by an intent, new or moved; undefined where somebody else put it there. */
  arrival(table: string, id: string): number | undefined
  copy(): Model
}

/** The names of the tables. */
export const TABLES = [
  'workouts',
  'sets',
  'tallies',
  'gyms',
  'members',
  'machines',
  'visits',
  'repairs',
  CONFLICTS,
] as const

/** Tables with a position, and the column of its parent. */
export const POSITIONED: { readonly [table: string]: string } = {
  sets: 'workoutId',
  visits: 'gymId',
  repairs: 'machineId',
}

/** The column by which tables find a parent, and the parent's table. */
const parents: { readonly [table: string]: readonly [column: string, table: string] } = {
  sets: ['workoutId', 'workouts'],
  machines: ['gymId', 'gyms'],
  visits: ['gymId', 'gyms'],
  repairs: ['machineId', 'machines'],
}

/** The mutators with a conflict policy. */
const POLICIES: { readonly [mutator: string]: 'fields' | 'reject' } = {
  nameMachine: 'fields',
  inspectMachine: 'reject',
  restoreConflict: 'fields',
}

class Refused {
  readonly code: string
  constructor(code: string) {
    this.code = code
  }
}

const refuse = (code: string): never => {
  throw new Refused(code)
}

interface State {
  readonly rows: Map<string, Map<string, PlainRow>>
  readonly verdicts: Map<string, Verdict>
  readonly arrivals: Map<string, number>
  arrived: number
  /** The writes to each row, oldest first. */
  readonly written: Map<string, readonly Written[]>
  writes: number
  /** The scopes in which a row has been, by table and id. */
  readonly wasIn: Map<string, ReadonlySet<string>>
  /** What somebody else has written since the last adoption. */
  readonly unadopted: Set<string>
}

/** An empty model. */
export function createModel(): Model {
  return modelOf({
    rows: new Map(TABLES.map((table) => [table, new Map()])),
    verdicts: new Map(),
    arrivals: new Map(),
    arrived: 0,
    written: new Map(),
    writes: 0,
    wasIn: new Map(),
    unadopted: new Set(),
  })
}

function modelOf(state: State): Model {
  const { verdicts, arrivals } = state
  const rows = (table: string): Map<string, PlainRow> => state.rows.get(table) ?? refuse(`no table ${table}`)

  const scopeOf = (table: string, row: PlainRow): string | undefined => {
    if (table === 'workouts' || table === 'tallies') return `user:${String(row['ownerId'])}`
    if (table === CONFLICTS) return String(row['scope'])
    if (table === 'gyms') return `gym:${row.id}`
    if (table === 'members') return `gym:${String(row['gymId'])}`
    const [column, parentTable] = parents[table] as readonly [string, string]
    const parent = rows(parentTable).get(String(row[column]))
    return parent === undefined ? undefined : scopeOf(parentTable, parent)
  }

  const grants = (actor: string): PlainGrants => {
    const read = new Set([`user:${actor}`])
    const write = new Set([`user:${actor}`])
    for (const member of rows('members').values()) {
      if (member['actorId'] !== actor) continue
      read.add(`gym:${String(member['gymId'])}`)
      if (member['role'] === 'member') write.add(`gym:${String(member['gymId'])}`)
    }
    return { read, write }
  }

  /** A row that comes to a parent, or to another one, arrives; who brought it by an intent gives it a number. */
  const put = (table: string, id: string, row: PlainRow | undefined, isIntent: boolean): void => {
    const key = `${table}/${id}`
    const column = POSITIONED[table]
    if (column !== undefined && rows(table).get(id)?.[column] !== row?.[column]) {
      arrivals.delete(key)
      if (row !== undefined && isIntent) arrivals.set(key, ++state.arrived)
    }
    if (row === undefined) rows(table).delete(id)
    else rows(table).set(id, row)
  }

  const strays = (table: string, parentId: string): readonly PlainRow[] => {
    const [column, parentTable] = parents[table] as readonly [string, string]
    if (rows(parentTable).has(parentId)) return []
    return [...rows(table).values()].filter((row) => row[column] === parentId)
  }

  /**
   * Whoever inserts a row takes along whatever is left from an earlier row of its id. That is allowed only where all of it came from
   * the scope into which it goes, or was written by somebody else a moment ago; else the id counts as taken.
   */
  const takesStrangers = (table: string, row: PlainRow, recorded: string | undefined): boolean => {
    const scope = scopeOf(table, row) ?? ''
    const left = Object.keys(parents)
      .filter((child) => parents[child]?.[1] === table)
      .flatMap((child) => strays(child, row.id).map(({ id }) => `${child}/${id}`))
    return (
      left.length > 0 &&
      (recorded === 'rejected row_exists' ||
        left.some((key) => !state.unadopted.has(key) && state.wasIn.get(key)?.has(scope) !== true))
    )
  }

  /** Runs on the rows themselves. Throws Refused after undoing it. */
  const run = (intent: PlainIntent, recorded: string | undefined, made: Made | undefined): void => {
    const undo: (() => void)[] = []
    const { read, write } = grants(intent.actor)
    const isIn = (scopes: ReadonlySet<string>, table: string, row: PlainRow): boolean =>
      scopes.has(scopeOf(table, row) ?? '')
    const get = (table: string, id: string): PlainRow | undefined => {
      const row = rows(table).get(id)
      return row !== undefined && isIn(read, table, row) ? row : undefined
    }
    const change = (table: string, id: string, row: PlainRow | undefined): void => {
      const before = rows(table).get(id)
      const arrival = arrivals.get(`${table}/${id}`)
      if (before !== undefined && !isIn(write, table, before)) refuse('forbidden')
      const earlier = state.written.get(`${table}/${id}`)
      if (JSON.stringify(before) !== JSON.stringify(row)) note(table, id, made?.by)
      undo.push(() => {
        state.written.set(`${table}/${id}`, earlier ?? [])
        put(table, id, before, false)
        if (arrival !== undefined) arrivals.set(`${table}/${id}`, arrival)
      })
      put(table, id, row, true)
      if (row === undefined) return
      // Under a parent that the actor does not see, nothing can be put: absent and forbidden look the same.
      if (Object.hasOwn(parents, table) && !isIn(read, table, row)) refuse('row_gone')
      if (!isIn(write, table, row)) refuse('forbidden')
    }
    try {
      runPlainly(intent, {
        get,
        withValue: (table, column, value) =>
          [...rows(table).values()].filter((row) => row[column] === value && isIn(read, table, row)),
        insert(table, row) {
          if (rows(table).has(row.id)) refuse('row_exists')
          // Before the row is there, while what is left of its id is still without a parent; but refused rights come first.
          const isTaken = takesStrangers(table, row, recorded)
          change(table, row.id, row)
          if (isTaken) refuse('row_exists')
        },
        update(table, id, patch) {
          const row = get(table, id) ?? refuse('row_gone')
          // Under «fields», what is only set to what it was stays as others made it.
          const same = POLICIES[intent.name] === 'fields' ? sameOf(made, table, id) : {}
          const kept = Object.entries(patch).filter(
            ([name, value]) => JSON.stringify(same[name]) !== JSON.stringify(value),
          )
          change(table, id, { ...row, ...Object.fromEntries(kept) } as PlainRow)
        },
        remove: (table, id) => change(table, (get(table, id) ?? refuse('row_gone')).id, undefined),
        refuse,
      })
    } catch (error) {
      for (const step of undo.reverse()) step()
      throw error
    }
  }

  /** Notes a write; what it was before stands with it. */
  const note = (table: string, id: string, by: Writer | undefined): void => {
    const key = `${table}/${id}`
    const before = JSON.stringify(rows(table).get(id) ?? null)
    state.written.set(key, [...(state.written.get(key) ?? []), { order: ++state.writes, by, before }])
  }

  /** Decides under a conflict policy: runs as `run` does, and gives what became of it where others had changed its rows. */
  const runUnder = (
    policy: 'fields' | 'reject',
    intent: PlainIntent,
    recorded: string | undefined,
    made: Made,
  ): Verdict => {
    const met = conflictsOf(made, {
      row: (table, id) => {
        const row = rows(table).get(id)
        return row !== undefined && grants(intent.actor).read.has(scopeOf(table, row) ?? '') ? row : undefined
      },
      written: (table, id) => state.written.get(`${table}/${id}`) ?? [],
    })
    if (policy === 'reject' && met.some(({ isSure }) => isSure || recorded?.startsWith('conflict')))
      return { status: 'conflict', code: 'conflict_rejected' }
    const before = new Map(met.map(({ table, id }) => [`${table}/${id}`, rows(table).get(id)]))
    run(intent, recorded, made)
    const isOver = met.some(
      ({ table, id, was, isSure }) =>
        (isSure || recorded?.startsWith('conflict')) &&
        overwrites(before.get(`${table}/${id}`), rows(table).get(id), was),
    )
    return policy === 'fields' && isOver ? { status: 'conflict', code: 'conflict_merged' } : { status: 'applied' }
  }

  const verdictOf = (intent: PlainIntent, recorded: string | undefined, made: Made | undefined): Verdict => {
    const isMissing = intent.needs.some((id) => {
      const needed = verdicts.get(`${intent.actor}/${id}`) ?? { status: 'applied' }
      return needed.status !== 'applied' && !(needed.status === 'conflict' && needed.code === 'conflict_merged')
    })
    if (isMissing) return { status: 'withdrawn', code: 'dependency' }
    try {
      const policy = POLICIES[intent.name]
      if (made?.base !== undefined && policy !== undefined) return runUnder(policy, intent, recorded, made)
      run(intent, recorded, made)
      return { status: 'applied' }
    } catch (error) {
      if (error instanceof Refused) return { status: 'rejected', code: error.code }
      throw error
    }
  }

  const record = (actor: string, id: string, verdict: Verdict): void => void verdicts.set(`${actor}/${id}`, verdict)
  return {
    decide(intent, recorded, made) {
      const verdict = verdictOf(intent, recorded, made)
      record(intent.actor, intent.id, verdict)
      return verdict
    },
    record,
    verdict: (actor, id) => verdicts.get(`${actor}/${id}`),
    put(table, id, row) {
      note(table, id, undefined)
      put(table, id, row, false)
      state.unadopted.add(`${table}/${id}`)
    },
    adopted() {
      state.unadopted.clear()
      for (const [table, held] of state.rows) {
        for (const row of held.values()) {
          const scope = scopeOf(table, row)
          const key = `${table}/${row.id}`
          const before = state.wasIn.get(key)
          if (scope !== undefined && before?.has(scope) !== true)
            state.wasIn.set(key, new Set([...(before ?? []), scope]))
        }
      }
    },
    strays,
    rows,
    scopeOf,
    grants,
    writes: () => state.writes,
    arrival: (table, id) => arrivals.get(`${table}/${id}`),
    copy: () =>
      modelOf({
        rows: new Map([...state.rows].map(([name, table]) => [name, new Map(table)])),
        verdicts: new Map(verdicts),
        arrivals: new Map(arrivals),
        arrived: state.arrived,
        written: new Map(state.written),
        writes: state.writes,
        wasIn: new Map(state.wasIn),
        unadopted: new Set(state.unadopted),
      }),
  }
}
