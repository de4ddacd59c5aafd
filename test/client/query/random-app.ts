// Random apps, random questions about them and random histories of a device that has them, for the property that what is kept up to date
// is what is found by asking afresh (recomputed.test.ts). The oracle is here too: it knows rows as they are shown, and nothing of how
// an answer is kept.
import fc from 'fast-check'
import { type App, count, defineApp, max, sum, type Table, t, table } from 'holdfast'
import * as v from 'valibot'
import type { Json } from '../../../src/base/json.ts'
import type { PendingIntent, Replica } from '../../../src/client/replica/replica.ts'
import type { StoredFrame } from '../../../src/client/storage/storage.ts'
import type { Patch } from '../../../src/protocol/frame.ts'
import type { ClientId, IntentId } from '../../../src/protocol/ids.ts'
import { comparatorOf, compareValues, matches, type QuerySpec } from '../../../src/schema/query.ts'
import type { Scope } from '../../../src/schema/scope.ts'
import type { Row } from '../../../src/schema/table.ts'

/** A table of a random app: its references by name, the plain columns that it has, and whether its rows have positions. */
export interface TablePlan {
  readonly refs: readonly { readonly name: string; readonly target: number; readonly isNullable: boolean }[]
  /** Whether its rows belong to the scope of the row that its first reference names. */
  readonly isChild: boolean
  readonly hasPlaces: boolean
  readonly hasTotals: boolean
  readonly columns: readonly PlainColumn[]
}
type PlainColumn = 'n' | 'x' | 's' | 'b'

/** An app, as numbers. */
export type Plan = readonly TablePlan[]

const plainColumns: { readonly [Name in PlainColumn]: fc.Arbitrary<Json> } = {
  n: fc.integer({ min: -2, max: 3 }),
  x: fc.option(fc.constantFrom(0, 0.1, 0.2, -0.3, 2.5, 1e16, -1e16, 1e308, 5e-324)),
  s: fc.option(fc.constantFrom('', 'a', 'b', '\u{10000}', '\uffff')),
  b: fc.boolean(),
}

const tablePlan = (at: number, tables: number): fc.Arbitrary<TablePlan> =>
  fc
    .record({
      refs: fc
        .array(fc.record({ target: fc.nat(tables - 1), isNullable: fc.boolean() }), { maxLength: 2 })
        .map((refs) => refs.map((ref, index) => ({ ...ref, name: `r${index}` }))),
      isChild: fc.boolean(),
      hasPlaces: fc.boolean(),
      hasTotals: fc.boolean(),
      columns: fc.subarray<PlainColumn>(['n', 'x', 's', 'b']),
    })
    .map((plan) => {
      // A scope must end somewhere: it goes by way of tables before this one.
      const [first] = plan.refs
      return { ...plan, isChild: plan.isChild && first !== undefined && !first.isNullable && first.target < at }
    })

/** Two or three tables with references this way and that. */
export const plan: fc.Arbitrary<Plan> = fc
  .integer({ min: 2, max: 3 })
  .chain((tables) => fc.tuple(...Array.from({ length: tables }, (_, at) => tablePlan(at, tables))))

const nameOf = (at: number): string => `t${at}`
const totalsOf = (at: number): string => `totals${at}`

/** The app of a plan. Its one mutator does what it is told. */
export function appOf(plan: Plan): App {
  const made = plan.map(({ refs, isChild, hasPlaces, columns }): Table => {
    const place = refs.find(({ isNullable }) => !isNullable)
    const all = {
      id: t.id(),
      owner: t.text(),
      ...Object.fromEntries(
        refs.map(({ name, target, isNullable }) => [
          name,
          isNullable ? t.ref(nameOf(target)).nullable() : t.ref(nameOf(target)),
        ]),
      ),
      ...(columns.includes('n') && { n: t.integer() }),
      ...(columns.includes('x') && { x: t.real().nullable() }),
      ...(columns.includes('s') && { s: t.text().nullable() }),
      ...(columns.includes('b') && { b: t.boolean() }),
      ...(hasPlaces && place !== undefined && { place: t.appendIndex(place.name) }),
    }
    const bare = table(all as never)
    return (isChild ? bare.scopeVia('r0' as never) : bare.scope('user', 'owner' as never)) as unknown as Table
  })
  return defineApp({
    tables: Object.fromEntries(made.map((one, at) => [nameOf(at), one])),
    aggregates: ({ aggregate }) =>
      Object.fromEntries(
        plan.flatMap(({ hasTotals, isChild, columns }, at) => {
          if (!hasTotals) return []
          const by = aggregate(nameOf(at)).by((isChild ? 'r0' : 'owner') as never)
          const values = {
            rows: count(),
            ...(columns.includes('n') && {
              n: sum((row: Row) => Number(row['n'])),
              most: max((row: Row) => Number(row['n'])),
            }),
          }
          return [[totalsOf(at), by.values(values as never)]]
        }),
      ),
    mutators: ({ mutator }) => ({
      program: mutator(v.object({ ops: v.array(v.unknown()) }), async (tx, { ops }) => {
        const verbs = tx as unknown as {
          readonly [name: string]: {
            get(id: string): Promise<Row | undefined>
            insert(row: Row): Promise<void>
            update(id: string, values: object): Promise<void>
            delete(id: string): Promise<void>
          }
        }
        for (const { table, row, how } of ops as readonly Op[]) {
          const of = verbs[table]
          if (of === undefined) continue
          const { id, place: _, ...values } = row
          // Without a look first, a row shows before the authority was ever heard.
          const isThere = how !== 'insert' && (await of.get(id)) !== undefined
          // What was thought to be there may be gone when it runs again: then it throws, and is in doubt.
          if (how === 'delete') await of.delete(id)
          else if (how === 'put' && isThere) await of.update(id, values)
          else if (how === 'put' || how === 'insert') await of.insert({ id, ...values })
          else await of.update(id, values)
        }
      }),
    }),
  }) as unknown as App
}

/** One write of an intent. */
export interface Op {
  readonly table: string
  readonly row: Row
  readonly how: 'put' | 'insert' | 'patch' | 'delete'
}

/** Something that happens to the device. */
export type Step =
  | { readonly do: 'call'; readonly ops: readonly Op[] }
  | {
      readonly do: 'frame'
      readonly puts: readonly { readonly table: string; readonly row: Row; readonly scope: string }[]
      readonly gone: readonly { readonly table: string; readonly id: string }[]
      /** Scopes that are not granted any more, or whose history is another. */
      readonly lost: string | null
      readonly reset: string | null
      /** How many of the pending intents it decides. */
      readonly decided: number
    }
  /** Pending intents that were rejected, withdrawn or refused by the disk leave. */
  | { readonly do: 'drop'; readonly every: number }
  | { readonly do: 'turn'; readonly by: number }

const scopes = ['user:ada', 'user:bob'] as const
const ids = fc.nat(3)

/** A row of a table of the plan. */
const rowOf = (plan: Plan, at: number): fc.Arbitrary<Row> => {
  const { refs, hasPlaces, columns } = plan[at] as TablePlan
  const hasPlace = hasPlaces && refs.some(({ isNullable }) => !isNullable)
  return fc.record({
    id: ids.map((id) => `${at}-${id}`),
    owner: fc.constantFrom('ada', 'bob'),
    ...Object.fromEntries(
      refs.map(({ name, target, isNullable }) => {
        const id = ids.map((id) => `${target}-${id}`)
        return [name, isNullable ? fc.option(id) : id]
      }),
    ),
    ...Object.fromEntries(columns.map((column) => [column, plainColumns[column]])),
    ...(hasPlace && { place: fc.integer({ min: 1, max: 5 }) }),
  }) as fc.Arbitrary<Row>
}

const inTable = <Value>(plan: Plan, make: (at: number) => fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  fc.oneof(...plan.map((_, at) => make(at)))

/** A history of the device. */
export const historyOf = (plan: Plan): fc.Arbitrary<readonly Step[]> => {
  const op = inTable(plan, (at) =>
    fc.record({
      table: fc.constant(nameOf(at)),
      row: rowOf(plan, at),
      how: fc.constantFrom<Op['how']>('put', 'put', 'insert', 'insert', 'patch', 'delete'),
    }),
  )
  const put = inTable(plan, (at) =>
    fc.record({ table: fc.constant(nameOf(at)), row: rowOf(plan, at), scope: fc.constantFrom(...scopes) }),
  )
  const frame = (most: number): fc.Arbitrary<Step> =>
    fc.record({
      do: fc.constant('frame' as const),
      puts: fc.array(put, { maxLength: most, size: 'max' }),
      gone: fc.array(
        inTable(plan, (at) => ids.map((id) => ({ table: nameOf(at), id: `${at}-${id}` }))),
        { maxLength: 3 },
      ),
      lost: fc.option(fc.constantFrom(...scopes), { freq: 1, nil: null }).map((scope) => scope),
      reset: fc.option(fc.constantFrom(...scopes), { freq: 1, nil: null }),
      decided: fc.nat(3),
    })
  const quiet = (step: fc.Arbitrary<Step>): fc.Arbitrary<Step> =>
    step.map((step) => (step.do === 'frame' ? { ...step, lost: null, reset: null } : step))
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant('call' as const), ops: fc.array(op, { minLength: 1, maxLength: 3 }) }),
    },
    { weight: 4, arbitrary: quiet(frame(5)) },
    { weight: 1, arbitrary: frame(5) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), every: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('turn' as const), by: fc.nat(4) }) },
  )
  return fc
    .tuple(fc.option(quiet(frame(12)), { freq: 2 }), fc.array(step, { minLength: 1, maxLength: 14, size: 'max' }))
    .map(([first, rest]) => (first === null ? rest : [first, ...rest]))
}

/** A device to which steps happen, beside the authority that says what is confirmed. */
export function createLife(replica: Replica) {
  const confirmed = new Map<string, { readonly table: string; readonly id: string; scope: string }>()
  const versions = new Map<string, number>()
  let pending: PendingIntent[] = []
  let made = 0

  const confirm = async (step: Step & { readonly do: 'frame' }): Promise<void> => {
    const patches: Patch[] = []
    const before = new Map([...confirmed].map(([key, { scope }]) => [key, scope]))
    for (const { table, id } of step.gone) confirmed.delete(`${table}/${id}`)
    for (const { table, row, scope } of step.puts) confirmed.set(`${table}/${row.id}`, { table, id: row.id, scope })
    for (const [key, { scope }] of confirmed) {
      const isStated = step.puts.some(({ table, row }) => `${table}/${row.id}` === key)
      // What is of another history and not stated again is not there.
      if (scope === step.lost || (scope === step.reset && !isStated)) confirmed.delete(key)
    }
    for (const scope of scopes) {
      const rows: { [table: string]: Row[] } = {}
      const gone: { [table: string]: string[] } = {}
      for (const { table, row } of step.puts) {
        if (confirmed.get(`${table}/${row.id}`)?.scope !== scope) continue
        rows[table] = [...(rows[table] ?? []).filter(({ id }) => id !== row.id), row]
      }
      for (const [key, holder] of before) {
        const [table = '', id = ''] = key.split('/')
        if (holder === scope && confirmed.get(key)?.scope !== scope && scope !== step.reset)
          gone[table] = [...(gone[table] ?? []), id]
      }
      if (scope === step.lost) {
        versions.delete(scope)
        continue
      }
      const isReset = scope === step.reset
      const from = isReset ? 0 : (versions.get(scope) ?? 0)
      const to = (versions.get(scope) ?? 0) + 1
      versions.set(scope, to)
      patches.push({
        scope: scope as Scope,
        from: placeOf(from),
        to: placeOf(to),
        rows,
        gone,
        ...(isReset && { reset: true as const }),
      })
    }
    const frame: StoredFrame = {
      client: '00000000-0000-4000-8000-00000000c11e' as ClientId,
      decided: 0,
      patches,
      scopes: scopes.filter((scope) => scope !== step.lost),
      at: 1,
    }
    const decided = new Set(pending.slice(0, step.decided).map(({ id }) => id))
    pending = pending.slice(step.decided)
    await replica.confirm(frame, decided)
  }

  return async (step: Step): Promise<void> => {
    switch (step.do) {
      case 'call': {
        made++
        const id = `00000000-0000-4000-8000-${made.toString(16).padStart(12, '0')}` as IntentId
        const args = { ops: JSON.parse(JSON.stringify(step.ops)) }
        const intent: PendingIntent = { id, name: 'program', version: 1, args, madeAt: made }
        const { kept } = await replica.run(intent, 'call')
        if (kept) pending.push(intent)
        return
      }
      case 'frame':
        return confirm(step)
      case 'drop': {
        const gone = new Set(pending.filter((_, at) => at % step.every === 0).map(({ id }) => id))
        pending = pending.filter(({ id }) => !gone.has(id))
        return replica.drop(gone)
      }
      case 'turn': {
        const at = pending.length === 0 ? 0 : step.by % pending.length
        pending = [...pending.slice(at), ...pending.slice(0, at)]
        return replica.reorder(pending)
      }
    }
  }
}

function placeOf(version: number) {
  return { version, mark: version === 0 ? '' : version.toString(16) }
}

/** What is asked, as data; recomputed.test.ts makes the question of it. */
export interface Asking {
  readonly spec: QuerySpec
  readonly relations: readonly {
    readonly kind: 'many' | 'one'
    readonly column: string
    readonly spec: QuerySpec
  }[]
  readonly value: { readonly kind: 'count' | 'sum' | 'min' | 'max'; readonly column: string } | undefined
}

/** A query of one table of the plan. */
const specOf = (plan: Plan, at: number): fc.Arbitrary<QuerySpec> => {
  const { refs, columns } = plan[at] as TablePlan
  const equals = [
    fc.constantFrom('ada', 'bob').map((value) => ({ column: 'owner', is: 'eq' as const, value })),
    ids.map((id) => ({ column: 'id', is: 'ne' as const, value: `${at}-${id}` })),
    ...refs.map(({ name, target }) => ids.map((id) => ({ column: name, is: 'eq' as const, value: `${target}-${id}` }))),
    ...columns.map((column) =>
      fc
        .tuple(fc.constantFrom('eq' as const, 'ne' as const, 'lt' as const, 'gte' as const), plainColumns[column])
        .map(([is, value]) => ({ column, is, value })),
    ),
  ]
  return fc.record({
    table: fc.constant(nameOf(at)),
    where: fc.array(fc.oneof(...equals), { maxLength: 2 }),
    orderBy: fc.array(
      fc.record({
        column: fc.constantFrom('id', 'owner', ...refs.map(({ name }) => name), ...columns),
        direction: fc.constantFrom('asc' as const, 'desc' as const),
      }),
      { maxLength: 2 },
    ),
    limit: fc.constantFrom(undefined, undefined, 0, 1, 2),
  })
}

/** A question about an app: rows, rows with relations, or a value. */
export const askingOf = (plan: Plan): fc.Arbitrary<Asking> =>
  inTable(plan, (at) => {
    const { refs, columns } = plan[at] as TablePlan
    const many = plan.flatMap((other, index) =>
      other.refs
        .filter(({ target }) => target === at)
        .map(({ name }) => specOf(plan, index).map((spec) => ({ kind: 'many' as const, column: name, spec }))),
    )
    const bare = (spec: QuerySpec): QuerySpec => ({ ...spec, orderBy: [], limit: undefined })
    const one = refs.map(({ name, target }) =>
      specOf(plan, target).map((spec) => ({ kind: 'one' as const, column: name, spec: bare(spec) })),
    )
    const totals = plan.flatMap(({ hasTotals, isChild, refs: [first] }, index) => {
      if (!hasTotals || !isChild || first?.target !== at) return []
      const spec: QuerySpec = { table: totalsOf(index), where: [], orderBy: [], limit: undefined }
      return [fc.constant({ kind: 'one' as const, column: 'id', spec })]
    })
    const relation = [...many, ...one, ...totals]
    const numbers = columns.filter((column) => column === 'n' || column === 'x')
    const value = fc.oneof(
      fc.constant({ kind: 'count' as const, column: '' }),
      ...numbers.map((column) => fc.constant({ kind: 'sum' as const, column })),
      fc.record({ kind: fc.constantFrom('min' as const, 'max' as const), column: fc.constantFrom('id', ...columns) }),
    )
    return fc.oneof(
      {
        weight: 1,
        arbitrary: fc.record({ spec: specOf(plan, at), relations: fc.constant([]), value: fc.constant(undefined) }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          spec: specOf(plan, at),
          relations:
            relation.length === 0 ? fc.constant([]) : fc.array(fc.oneof(...relation), { minLength: 1, maxLength: 2 }),
          value: fc.constant(undefined),
        }),
      },
      { weight: 2, arbitrary: fc.record({ spec: specOf(plan, at), relations: fc.constant([]), value }) },
    )
  })

/** What is known of a row's way to the authority. */
export type SyncOf = (table: string, id: string) => unknown

/** The answer, found afresh from rows as they are shown. */
export function recompute(
  { spec, relations, value }: Asking,
  rowsOf: (table: string) => readonly Row[],
  syncOf: SyncOf,
) {
  const plainly = (asked: QuerySpec): Row[] =>
    rowsOf(asked.table)
      .filter((row) => matches(asked.where, row))
      .sort(comparatorOf(asked.orderBy))
      .slice(0, asked.limit)
  const synced = (table: string, row: Row) => ({ ...row, sync: syncOf(table, row.id) })
  const rows = plainly(spec)
  if (value !== undefined) {
    const values = rows.map((row) => row[value.column] ?? null).filter((each) => each !== null)
    if (value.kind === 'count') return rows.length
    if (value.kind === 'sum') return exactSumOf(values as readonly number[])
    values.sort(compareValues)
    return (value.kind === 'min' ? values[0] : values.at(-1)) ?? null
  }
  return rows.map((row) => ({
    ...synced(spec.table, row),
    ...Object.fromEntries(
      relations.map(({ kind, column, spec: of }, at) => {
        if (kind === 'many') {
          const own = { ...of, where: [...of.where, { column, is: 'eq' as const, value: row.id }] }
          return [`with${at}`, plainly(own).map((each) => synced(of.table, each))]
        }
        const other = plainly({
          ...of,
          where: [...of.where, { column: 'id', is: 'eq', value: row[column] ?? null }],
        })[0]
        return [`with${at}`, other && synced(of.table, other)]
      }),
    ),
  }))
}

/** The sum of numbers without any rounding but the last one, by whole numbers of the smallest number that there is. */
export function exactSumOf(values: readonly number[]): number {
  const total = values.reduce((sum, value) => sum + wholeOf(value), 0n)
  const size = total < 0n ? -total : total
  const shift = Math.max(0, size.toString(2).length - 64)
  const cut = size >> BigInt(shift)
  // A last bit that says whether anything was cut off: it decides which of two numbers is the nearer one.
  const top = cut << BigInt(shift) === size ? cut : cut | 1n
  let value = Number(top)
  let exponent = shift - 1074
  for (; exponent > 900; exponent -= 900) value *= 2 ** 900
  for (; exponent < -500; exponent += 500) value *= 2 ** -500
  value = Math.min(value * 2 ** exponent, Number.MAX_VALUE)
  return total < 0n ? -value : value
}

/** How many times the smallest number fits into this one. */
function wholeOf(value: number): bigint {
  const bits = new DataView(new ArrayBuffer(8))
  bits.setFloat64(0, Math.abs(value))
  const raw = bits.getBigUint64(0)
  const exponent = Number(raw >> 52n)
  const fraction = raw & ((1n << 52n) - 1n)
  const whole = exponent === 0 ? fraction : (fraction | (1n << 52n)) << BigInt(exponent - 1)
  return value < 0 ? -whole : whole
}
