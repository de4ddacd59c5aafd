// The oracle of the replica's property tests: the same app, intents and frames on plain maps, where every answer is a full replay of
// everything from scratch. Slow, short, and without anything that could be stale. Also says which intents read something else than
// before, which is exactly what a rebase may run again.
import { compute, count, defineApp, max, min, sum, t, table } from 'holdfast'
import * as v from 'valibot'
import type { PendingIntent } from '../../../src/client/replica/replica.ts'
import type { StoredFrame } from '../../../src/client/storage/storage.ts'
import type { Patch } from '../../../src/protocol/frame.ts'
import type { ClientId, IntentId } from '../../../src/protocol/ids.ts'
import { computeGroup } from '../../../src/schema/aggregate.ts'
import { comparatorOf, matches, type QuerySpec } from '../../../src/schema/query.ts'
import type { Scope } from '../../../src/schema/scope.ts'
import type { Row } from '../../../src/schema/table.ts'
import { createTx, type TxSource } from '../../../src/schema/tx.ts'

/** One step of a program: what it reads goes into a running number, and what it writes comes from that number. */
export type Op =
  | { readonly do: 'get'; readonly table: TableName; readonly id: string }
  | {
      readonly do: 'insert'
      readonly table: TableName
      readonly id: string
      readonly under: string
      readonly isTried: boolean
    }
  | {
      readonly do: 'update'
      readonly table: TableName
      readonly id: string
      readonly under: string | null
      readonly n: number | null
      readonly isTried: boolean
    }
  | { readonly do: 'delete'; readonly table: TableName; readonly id: string }
  | {
      readonly do: 'where'
      readonly table: TableName
      readonly under: string | null
      readonly atLeast: number | null
      readonly order: 'asc' | 'desc' | null
      readonly limit: number | null
      readonly then: 'count' | 'change' | 'delete'
    }
  | { readonly do: 'refuse'; readonly ifOdd: boolean }

export type TableName = 'boxes' | 'items'

const fail = (): never => {
  throw new Error('the app is wrong')
}

/** Boxes with items: an app whose one mutator runs any program, so that what it writes depends on all that it reads. */
export const app = defineApp({
  tables: {
    boxes: table({ id: t.id(), owner: t.text(), tag: t.text().nullable(), n: t.integer() }).scope('user', 'owner'),
    items: table({
      id: t.id(),
      boxId: t.ref('boxes'),
      place: t.appendIndex('boxId'),
      seat: t.appendIndex('boxId', { gaps: 'never-reuse' }),
      kind: t.text(),
      n: t.integer(),
    }).scopeVia('boxId'),
  },
  aggregates: ({ aggregate }) => ({
    boxTotals: aggregate('items')
      .by('boxId')
      .values({
        items: count(),
        total: sum((row) => row.n / 8, { decimals: 2 }),
        // Throws for some rows, gives null for others, and no number for a third kind.
        least: min(({ n }) => (n === 3 ? fail() : n === 4 ? null : n === 5 ? Number.NaN : n)),
        most: max(({ kind, n }) => (kind === 'k0' ? n : null)),
        kinds: compute((rows) =>
          rows.length === 3 ? Number.NaN : rows.map(({ id, kind, n }) => `${id}${kind}${n}`).join(),
        ),
      }),
  }),
  mutators: ({ mutator }) => ({
    program: mutator(v.object({ ops: v.array(v.unknown()) }), async (tx, { ops }) =>
      runProgram(tx as never, ops as readonly Op[]),
    ),
  }),
})

export const NAMES = ['boxes', 'items', 'boxTotals'] as const
const parentOf = { boxes: 'owner', items: 'boxId' } as const

interface Verbs {
  get(id: string): Promise<Row | undefined>
  insert(row: unknown): Promise<void>
  update(id: string, patch: unknown): Promise<void>
  delete(id: string): Promise<void>
  where(filter: unknown): {
    orderBy(column: string, direction: string): Verbs['where'] extends (f: unknown) => infer Q ? Q : never
    limit(n: number): ReturnType<Verbs['where']>
    all(): Promise<readonly Row[]>
  }
}

async function runProgram(
  tx: { readonly [T in TableName]: Verbs } & { reject(code: string): never },
  ops: readonly Op[],
): Promise<void> {
  let acc = 7
  const mix = (value: unknown): void => {
    for (const char of JSON.stringify(value) ?? 'none') acc = (acc * 31 + char.charCodeAt(0)) % 997
  }
  const tried = async (isTried: boolean, act: () => Promise<void>): Promise<void> => {
    if (!isTried) return act()
    await act().catch((error: Error) => mix(error.message))
  }
  for (const op of ops) {
    if (op.do === 'refuse') {
      if (acc % 2 === (op.ifOdd ? 1 : 0)) tx.reject('refused_by_program')
      continue
    }
    const verbs = tx[op.table]
    if (op.do === 'get') mix(await verbs.get(op.id))
    else if (op.do === 'insert') {
      const row =
        op.table === 'boxes'
          ? { id: op.id, owner: op.under, tag: acc % 3 === 0 ? null : `t${acc % 3}`, n: acc % 10 }
          : { id: op.id, boxId: op.under, kind: `k${acc % 2}`, n: acc % 10 }
      await tried(op.isTried, () => verbs.insert(row))
    } else if (op.do === 'update') {
      const patch = {
        ...(op.n === null ? { n: acc % 10 } : { n: op.n }),
        ...(op.under === null ? {} : { [parentOf[op.table]]: op.under }),
      }
      await tried(op.isTried, () => verbs.update(op.id, patch))
    } else if (op.do === 'delete') await verbs.delete(op.id)
    else {
      let query = verbs.where({
        ...(op.under === null ? {} : { [parentOf[op.table]]: op.under }),
        ...(op.atLeast === null ? {} : { n: { gte: op.atLeast } }),
      })
      if (op.order !== null) query = query.orderBy('n', op.order)
      if (op.limit !== null) query = query.limit(op.limit)
      const rows = await query.all()
      mix(rows)
      for (const row of rows) {
        if (op.then === 'change') await verbs.update(row.id, { n: acc % 10 })
        if (op.then === 'delete') await verbs.delete(row.id)
      }
    }
  }
}

/** Rows by id, of each table. */
export type Tables = { readonly [name: string]: Map<string, Row> }

interface Replayed {
  readonly rows: Tables
  /** How each row that has no confirmed position came to its parent: later ones come later. */
  readonly placedBy: Map<string, number>
  readonly writers: Map<string, IntentId[]>
  readonly traces: Map<IntentId, string>
  readonly pictures: Map<IntentId, string>
}

/** A device without any cleverness. */
export interface Model {
  readonly confirmed: { readonly [name: string]: Map<string, { readonly row: Row; readonly owner: string }> }
  pending: PendingIntent[]
  isComplete: boolean
  readonly versions: Map<string, number>
  replay(): Promise<Replayed>
  shown(): Promise<Tables>
  /** Whether a first run of this intent would be refused now. */
  refuses(intent: PendingIntent): Promise<boolean>
}

export function createModel(): Model {
  const model: Model = {
    confirmed: { boxes: new Map(), items: new Map(), boxTotals: new Map() },
    pending: [],
    isComplete: false,
    versions: new Map(),
    async replay() {
      const rows: Tables = { boxes: new Map(), items: new Map() }
      for (const name of ['boxes', 'items'] as const)
        for (const [id, { row }] of model.confirmed[name] ?? []) rows[name]?.set(id, withoutPlace(row))
      const replayed: Replayed = {
        rows,
        placedBy: new Map(),
        writers: new Map(),
        traces: new Map(),
        pictures: new Map(),
      }
      let ordinal = 0
      for (const intent of model.pending) {
        const run = await runPlainly(intent, rows, model.isComplete)
        replayed.traces.set(intent.id, run.trace)
        replayed.pictures.set(intent.id, run.picture)
        for (const [key, { name, id, row, isInsert }] of run.writes) {
          const before = rows[name]?.get(id)
          if (before === undefined && row === undefined) continue
          replayed.writers.set(key, [...(replayed.writers.get(key) ?? []), intent.id])
          ordinal++
          if (name === 'items') {
            if (row === undefined) replayed.placedBy.delete(id)
            else if (isInsert || before?.['boxId'] !== row['boxId']) replayed.placedBy.set(id, ordinal)
          }
          if (row === undefined) rows[name]?.delete(id)
          else rows[name]?.set(id, row)
        }
      }
      return replayed
    },
    async shown() {
      const { rows, placedBy, writers } = await model.replay()
      const items = new Map<string, Row>()
      const placed = [...placedBy].sort((a, b) => a[1] - b[1]).map(([id]) => id)
      const confirmed = model.confirmed['items'] ?? new Map<string, { readonly row: Row }>()
      for (const [id, row] of rows['items'] ?? []) {
        const siblings = [...(rows['items'] ?? [])]
          .filter(([, other]) => other['boxId'] === row['boxId'])
          .map(([sibling]) => sibling)
        const there = siblings.filter((sibling) => !placedBy.has(sibling)).map((sibling) => confirmed.get(sibling)?.row)
        // What the authority has there counts under the other policy, whatever pending intents do with it.
        const given = [...confirmed.values()].flatMap((entry) => (entry.row['boxId'] === row['boxId'] ? entry.row : []))
        const rank = placed.filter((other) => siblings.includes(other)).indexOf(id)
        const positionAfter = (rows: readonly (Row | undefined)[], column: string): number =>
          rank < 0
            ? (confirmed.get(id)?.row[column] as number)
            : Math.max(0, ...rows.map((other) => Number(other?.[column]))) + rank + 1
        items.set(id, { ...row, place: positionAfter(there, 'place'), seat: positionAfter(given, 'seat') })
      }
      // A group that pending intents touch is counted; others are as the authority says.
      const totals = new Map([...(model.confirmed['boxTotals'] ?? [])].map(([id, { row }]) => [id, row]))
      const touched = new Set<string>()
      for (const key of writers.keys()) {
        const [name, id = ''] = key.split('/')
        if (name !== 'items') continue
        for (const row of [model.confirmed['items']?.get(id)?.row, rows['items']?.get(id)])
          if (row !== undefined) touched.add(String(row['boxId']))
      }
      for (const key of touched) {
        const row = computeGroup(
          app.aggregates.boxTotals,
          key,
          [...(rows['items']?.values() ?? [])].filter((item) => item['boxId'] === key),
        )
        if (row === undefined) totals.delete(key)
        else totals.set(key, row)
      }
      return { boxes: rows['boxes'] ?? new Map(), items, boxTotals: totals }
    },
    async refuses(intent) {
      const { rows } = await model.replay()
      return (await runPlainly(intent, rows, model.isComplete)).picture === 'in-doubt'
    },
  }
  return model
}

function withoutPlace(row: Row): Row {
  const { place: _, seat: __, ...rest } = row
  return rest as Row
}

interface PlainRun {
  readonly picture: 'shown' | 'blind' | 'in-doubt'
  readonly trace: string
  readonly writes: ReadonlyMap<
    string,
    { readonly name: string; readonly id: string; readonly row: Row | undefined; readonly isInsert: boolean }
  >
}

/** One run over plain maps, with a trace of every row that it was given. */
async function runPlainly(intent: PendingIntent, tables: Tables, isComplete: boolean): Promise<PlainRun> {
  const trace: unknown[] = []
  const own = new Map<string, { name: string; id: string; row: Row | undefined; isInsert: boolean }>()
  let isBlind = false
  const read = (name: string, id: string): Row | undefined => {
    const written = own.get(`${name}/${id}`)
    if (written !== undefined) return written.row
    const row = tables[name]?.get(id)
    trace.push(row ?? null)
    return row
  }
  const notHeld = (): never => {
    isBlind = true
    trace.push('not held')
    throw new Error('not held')
  }
  const write = (name: string, id: string, row: Row | undefined, isInsert: boolean): void => {
    const earlier = own.get(`${name}/${id}`)
    const before = earlier === undefined ? tables[name]?.get(id) : earlier.row
    // A row stands where the write put it that brought it under its parent.
    if (isInsert || before?.['boxId'] !== row?.['boxId']) own.delete(`${name}/${id}`)
    own.set(`${name}/${id}`, { name, id, row, isInsert: row !== undefined && (isInsert || earlier?.isInsert === true) })
  }
  const source: TxSource = {
    get(name, id) {
      const row = read(name, id)
      if (row === undefined && !isComplete && !own.has(`${name}/${id}`)) notHeld()
      return row
    },
    taken: (name, id) => read(name, id) !== undefined,
    find(spec) {
      if (!isComplete) notHeld()
      if (spec.limit === 0) return []
      const rows = answerPlainly(spec, [
        ...[...(tables[spec.table]?.values() ?? [])].filter((row) => !own.has(`${spec.table}/${row.id}`)),
        ...[...own.values()]
          .filter((written) => written.name === spec.table)
          .flatMap((written) => (written.row === undefined ? [] : [written.row])),
      ])
      trace.push(rows.filter((row) => !own.has(`${spec.table}/${row.id}`)))
      return rows
    },
    insert: (name, row) => write(name, row.id, row, true),
    update: (name, _before, after) => write(name, after.id, after, false),
    delete: (name, before) => write(name, before.id, undefined, false),
  }
  const tx = createTx(app, source, { actor: 'ada', madeAt: intent.madeAt, rootId: intent.root ?? intent.id })
  let isThrown = false
  try {
    await app.mutators.program.body(tx as never, intent.args)
  } catch {
    isThrown = true
  }
  const picture = isBlind ? 'blind' : isThrown ? 'in-doubt' : 'shown'
  return { picture, trace: JSON.stringify(trace), writes: picture === 'shown' ? own : new Map() }
}

/** A query over plain rows. */
export function answerPlainly(spec: QuerySpec, rows: readonly Row[]): Row[] {
  return rows
    .filter((row) => matches(spec.where, row))
    .sort(comparatorOf(spec.orderBy))
    .slice(0, spec.limit)
}

/** What a frame changes: rows that are somewhere now, rows that are gone, scopes that begin again or leave. */
export type Edit =
  | { readonly do: 'put'; readonly name: (typeof NAMES)[number]; readonly row: Row; readonly owner: string }
  | { readonly do: 'remove'; readonly name: (typeof NAMES)[number]; readonly id: string }
  | { readonly do: 'restart'; readonly owner: string }
  | { readonly do: 'leave'; readonly owner: string }

/** How the same content is cut into patches. */
export interface Cut {
  /** Each scope's patch in two, the first of which says something older. */
  readonly isChained: boolean
  readonly isReversed: boolean
}

const OWNERS = ['ada', 'bob']

/** Changes the model's confirmed rows and makes the frame that says so. */
export function makeFrame(
  model: Model,
  edits: readonly Edit[],
  decided: number,
  { isChained, isReversed }: Cut,
): StoredFrame {
  const before = new Map<string, string>()
  for (const name of NAMES)
    for (const [id, { owner }] of model.confirmed[name] ?? []) before.set(`${name}/${id}`, owner)
  const restarted = new Set(edits.flatMap((edit) => (edit.do === 'restart' ? [edit.owner] : [])))
  const left = new Set(edits.flatMap((edit) => (edit.do === 'leave' ? [edit.owner] : [])))
  for (const edit of [...edits].sort((a, b) => Number(a.do === 'leave') - Number(b.do === 'leave'))) {
    if (edit.do === 'put') model.confirmed[edit.name]?.set(edit.row.id, { row: edit.row, owner: edit.owner })
    else if (edit.do === 'remove') model.confirmed[edit.name]?.delete(edit.id)
    else
      for (const name of NAMES)
        for (const [id, { owner }] of model.confirmed[name] ?? [])
          if (owner === edit.owner && edit.do === 'leave') model.confirmed[name]?.delete(id)
  }
  // A frame may be made of pages, whose snapshots lie one after the other: the first says something older.
  const pages: [Patch[], Patch[]] = [[], []]
  for (const owner of isReversed ? [...OWNERS].reverse() : OWNERS) {
    const rows: { [name: string]: Row[] } = {}
    const gone: { [name: string]: string[] } = {}
    for (const name of NAMES) {
      const confirmed = model.confirmed[name] ?? new Map<string, { readonly row: Row; readonly owner: string }>()
      const put = new Set(edits.flatMap((edit) => (edit.do === 'put' && edit.name === name ? [edit.row.id] : [])))
      const mine = [...confirmed.values()].filter(
        (entry) => entry.owner === owner && (restarted.has(owner) || put.has(entry.row.id)),
      )
      if (mine.length > 0) rows[name] = mine.map(({ row }) => row)
      const was = [...before]
        .filter(([key, holder]) => key.startsWith(`${name}/`) && holder === owner && !restarted.has(owner))
        .map(([key]) => key.slice(name.length + 1))
      const lost = was.filter((id) => confirmed.get(id)?.owner !== owner)
      if (lost.length > 0) gone[name] = lost
    }
    const isFresh = restarted.has(owner)
    if (Object.keys(rows).length + Object.keys(gone).length === 0 && !isFresh && model.versions.has(owner)) continue
    const scope = `user:${owner}` as Scope
    const from = placeOf(isFresh ? 0 : (model.versions.get(owner) ?? 0))
    const next = (model.versions.get(owner) ?? 0) + 2
    model.versions.set(owner, next)
    const reset = isFresh ? { reset: true as const } : {}
    if (!isChained) {
      pages[1].push({ scope, ...reset, from, to: placeOf(next), rows, gone })
      continue
    }
    const older: { [name: string]: Row[] } = {}
    for (const name of ['boxes', 'items'])
      older[name] = [
        ...(rows[name] ?? []).map((row) => ({ ...row, n: 99 })),
        ...(gone[name] ?? []).map((id) => olderRow(name, id)),
      ]
    pages[0].push({ scope, ...reset, from, to: placeOf(next - 1), rows: older, gone: {} })
    pages[1].push({ scope, from: placeOf(next - 1), to: placeOf(next), rows, gone })
  }
  for (const owner of left) model.versions.delete(owner)
  model.isComplete = true
  return {
    client: '00000000-0000-4000-8000-00000000c11e' as ClientId,
    decided,
    patches: [...pages[0], ...pages[1]],
    scopes: OWNERS.filter((owner) => !left.has(owner)).map((owner) => `user:${owner}`),
    at: 1,
  }
}

function olderRow(name: string, id: string): Row {
  return name === 'boxes'
    ? { id, owner: 'ada', tag: null, n: 98 }
    : { id, boxId: 'b0', place: 1, seat: 1, kind: 'k0', n: 98 }
}

function placeOf(version: number) {
  return { version, mark: version === 0 ? '' : version.toString(16) }
}
