// Random lives of a replica beside its oracle: what may happen to it, and a world in which it happens to both. The tests say what must
// be true after each step.
import fc from 'fast-check'
import {
  type Change,
  createReplica,
  type PendingIntent,
  type Replica,
  type ReplicaCommit,
} from '../../../src/client/replica/replica.ts'
import type { IntentId } from '../../../src/protocol/ids.ts'
import type { Row } from '../../../src/schema/table.ts'
import { app, type Cut, createModel, type Edit, type Model, makeFrame, NAMES, type Op, type Tables } from './model.ts'

/** Something that happens. Numbers choose among what is there at that time. */
export type Step =
  | { readonly do: 'call'; readonly ops: readonly Op[]; readonly mode: 'call' | 'stored' }
  | {
      readonly do: 'frame'
      readonly edits: readonly Edit[]
      readonly retire: readonly boolean[]
      readonly isPrefix: boolean
      readonly cut: Cut
      readonly reorder: number | null
    }
  /** The authority decides the first ones just as the device foresaw. */
  | { readonly do: 'confirm'; readonly share: number; readonly cut: Cut }
  | { readonly do: 'drop'; readonly chosen: readonly boolean[] }
  | { readonly do: 'reorder'; readonly turn: number; readonly ops: readonly Op[] | null }

const boxId = fc.constantFrom('b0', 'b1', 'b2')
const itemId = fc.constantFrom('i0', 'i1', 'i2', 'i3', 'i4')
const owner = fc.constantFrom('ada', 'bob')
const mostly = fc.constantFrom(true, true, true, false)
const small = fc.integer({ min: 0, max: 9 })

/** Rows of one table: their ids, and what they may stand under. */
const places = fc.oneof(
  fc.record({ table: fc.constant('boxes' as const), id: boxId, under: owner }),
  fc.record({ table: fc.constant('items' as const), id: itemId, under: boxId }),
)

const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 2, arbitrary: places.map(({ table, id }): Op => ({ do: 'get', table, id })) },
  {
    weight: 3,
    arbitrary: fc.tuple(places, mostly).map(([place, isTried]): Op => ({ do: 'insert', ...place, isTried })),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(places, fc.boolean(), fc.option(small), mostly).map(
      ([{ table, id, under }, moves, n, isTried]): Op => ({
        do: 'update',
        table,
        id,
        under: moves ? under : null,
        n,
        isTried,
      }),
    ),
  },
  { weight: 1, arbitrary: places.map(({ table, id }): Op => ({ do: 'delete', table, id })) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        places,
        fc.boolean(),
        fc.option(small),
        fc.constantFrom('asc' as const, 'desc' as const, null),
        fc.constantFrom(null, null, 0, 1, 2),
        fc.constantFrom('count' as const, 'change' as const, 'delete' as const),
      )
      .map(
        ([{ table, under }, isUnder, atLeast, order, limit, then]): Op => ({
          do: 'where',
          table,
          under: isUnder ? under : null,
          atLeast,
          order,
          limit,
          then,
        }),
      ),
  },
  { weight: 1, arbitrary: fc.boolean().map((ifOdd): Op => ({ do: 'refuse', ifOdd })) },
)

const ops = fc.array(op, { minLength: 1, maxLength: 4 })
const cut: fc.Arbitrary<Cut> = fc.record({ isChained: fc.boolean(), isReversed: fc.boolean() })
const boxRow = fc.record({ id: boxId, owner, tag: fc.constantFrom(null, 't1', 't2'), n: small })
const itemRow = fc.record({
  id: itemId,
  boxId,
  place: fc.integer({ min: 1, max: 6 }),
  seat: fc.integer({ min: 1, max: 6 }),
  kind: fc.constantFrom('k0', 'k1'),
  n: small,
})
const totalRow = fc.record({
  id: boxId,
  items: small,
  total: small,
  least: fc.option(small),
  most: fc.option(small),
  kinds: fc.constantFrom(null, 'as the authority says', 7, true),
})

const edit: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(boxRow, owner).map(([row, holder]): Edit => ({ do: 'put', name: 'boxes', row, owner: holder })),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(itemRow, owner)
      .map(([row, holder]): Edit => ({ do: 'put', name: 'items', row, owner: holder })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(totalRow, owner)
      .map(([row, holder]): Edit => ({ do: 'put', name: 'boxTotals', row, owner: holder })),
  },
  { weight: 2, arbitrary: boxId.map((id): Edit => ({ do: 'remove', name: 'boxes', id })) },
  { weight: 2, arbitrary: itemId.map((id): Edit => ({ do: 'remove', name: 'items', id })) },
  { weight: 1, arbitrary: owner.map((holder): Edit => ({ do: 'restart', owner: holder })) },
  { weight: 1, arbitrary: owner.map((holder): Edit => ({ do: 'leave', owner: holder })) },
)

const flags = fc.array(fc.boolean(), { minLength: 8, maxLength: 8 })

/** One step. */
export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      ops,
      mode: fc.constantFrom('call' as const, 'stored' as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('frame' as const),
      edits: fc.array(edit, { maxLength: 6 }),
      retire: flags,
      isPrefix: fc.boolean(),
      cut,
      reorder: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, small),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('confirm' as const), share: small, cut }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), chosen: flags }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reorder' as const), turn: small, ops: fc.option(ops) }) },
)

/** A first frame with something in every table, so that what follows has something to act on. */
const beginning: fc.Arbitrary<Step> = fc
  .tuple(fc.array(boxRow, { minLength: 1, maxLength: 3 }), fc.array(itemRow, { maxLength: 4 }), cut)
  .map(([boxes, items, cut]) => ({
    do: 'frame',
    edits: [
      ...boxes.map((row): Edit => ({ do: 'put', name: 'boxes', row, owner: row.owner })),
      ...items.map((row): Edit => ({ do: 'put', name: 'items', row, owner: 'ada' })),
    ],
    retire: [false],
    isPrefix: true,
    cut,
    reorder: null,
  }))

/** A life: two dozen steps at most; in most of them the authority was heard before anything else. */
export const life: fc.Arbitrary<readonly Step[]> = fc
  .tuple(fc.option(beginning, { freq: 4 }), fc.array(step, { minLength: 2, maxLength: 22, size: 'max' }))
  .map(([first, rest]) => (first === null ? rest : [first, ...rest]))

/** A replica and its oracle. */
export interface World {
  readonly replica: Replica
  readonly model: Model
  readonly commits: ReplicaCommit[]
  /** Does a step to both; returns which pending intents were given other rows by it than before. */
  take(step: Step): Promise<readonly IntentId[]>
}

export function createWorld(replica: Replica = createReplica(app, 'ada')): World {
  const model = createModel()
  const commits: ReplicaCommit[] = []
  let made = 0
  replica.onCommit((commit) => commits.push(commit))

  const make = (ops: readonly Op[]): PendingIntent => {
    made++
    const id = `00000000-0000-4000-8000-${made.toString(16).padStart(12, '0')}` as IntentId
    return { id, name: 'program', version: 1, args: { ops: JSON.parse(JSON.stringify(ops)) }, madeAt: made }
  }

  const touchedBy = async (change: () => Promise<void>): Promise<readonly IntentId[]> => {
    const before = (await model.replay()).traces
    await change()
    const after = (await model.replay()).traces
    return [...after].filter(([id, trace]) => before.has(id) && before.get(id) !== trace).map(([id]) => id)
  }

  const take = async (happening: Step): Promise<readonly IntentId[]> => {
    switch (happening.do) {
      case 'call': {
        const intent = make(happening.ops)
        const isRefused = happening.mode === 'call' && (await model.refuses(intent))
        if (!isRefused) model.pending.push(intent)
        const result = await replica.run(intent, happening.mode)
        if (result.kept === isRefused)
          throw new Error(`the replica ${result.kept ? 'kept' : 'refused'} what the oracle did not`)
        return []
      }
      case 'frame': {
        const { edits, retire, isPrefix, cut, reorder } = happening
        const end = retire.indexOf(false)
        const retired = new Set(
          model.pending
            .filter((_, index) => (isPrefix ? index < end : retire[index % retire.length] === true && index % 3 === 0))
            .map(({ id }) => id),
        )
        return touchedBy(async () => {
          const frame = makeFrame(model, edits, retired.size, cut)
          model.pending = model.pending.filter(({ id }) => !retired.has(id))
          if (reorder === null) await replica.confirm(frame, retired)
          else {
            model.pending = turned(model.pending, reorder)
            await replica.confirm(frame, retired, model.pending)
          }
        })
      }
      case 'confirm': {
        const share = Math.ceil((model.pending.length * happening.share) / 9)
        const first = model.pending.slice(0, share)
        return touchedBy(async () => {
          const edits = await effectsOf(model, first)
          const frame = makeFrame(model, edits, share, happening.cut)
          model.pending = model.pending.slice(share)
          await replica.confirm(frame, (id) => first.some((intent) => intent.id === id))
        })
      }
      case 'drop': {
        const dropped = new Set(
          model.pending
            .filter((_, index) => happening.chosen[index % happening.chosen.length] === true)
            .map(({ id }) => id),
        )
        return touchedBy(async () => {
          model.pending = model.pending.filter(({ id }) => !dropped.has(id))
          await replica.drop(dropped)
        })
      }
      case 'reorder': {
        model.pending = turned(model.pending, happening.turn)
        if (happening.ops !== null)
          model.pending.splice(happening.turn % (model.pending.length + 1), 0, make(happening.ops))
        await replica.reorder(model.pending)
        return []
      }
    }
  }
  return { replica, model, commits, take }
}

function turned(pending: readonly PendingIntent[], turn: number): PendingIntent[] {
  const at = pending.length === 0 ? 0 : turn % pending.length
  return [...pending.slice(at), ...pending.slice(0, at)]
}

/** What the authority would state after deciding some intents as foreseen: their rows, with the positions that they show. */
async function effectsOf(model: Model, first: readonly PendingIntent[]): Promise<Edit[]> {
  const all = model.pending
  model.pending = [...first]
  const shown = await model.shown()
  model.pending = all
  const edits: Edit[] = []
  for (const name of NAMES) {
    for (const [id, row] of shown[name] ?? []) {
      const before = model.confirmed[name]?.get(id)
      if (JSON.stringify(sorted(before?.row)) !== JSON.stringify(sorted(row)))
        edits.push({ do: 'put', name, row, owner: before?.owner ?? 'ada' })
    }
    for (const id of model.confirmed[name]?.keys() ?? [])
      if (shown[name]?.has(id) !== true) edits.push({ do: 'remove', name, id })
  }
  return edits
}

/** The members of a row in one order. */
export function sorted(row: Row | undefined): readonly (readonly [string, unknown])[] {
  return Object.entries(row ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
}

/** What a replica shows, as plain maps. */
export function shownBy(replica: Replica): Tables {
  const tables: { [name: string]: Map<string, Row> } = {}
  for (const name of NAMES) tables[name] = new Map([...replica.rows(name)].map((row) => [row.id, row]))
  return tables
}

/** The rows that differ between two states. */
export function changesBetween(
  before: Tables,
  after: Tables,
): { readonly [name: string]: ReadonlyMap<string, Change> } {
  const changes: { [name: string]: Map<string, Change> } = {}
  for (const name of NAMES) {
    for (const id of new Set([...(before[name]?.keys() ?? []), ...(after[name]?.keys() ?? [])])) {
      const change = { before: before[name]?.get(id), after: after[name]?.get(id) }
      if (JSON.stringify(sorted(change.before)) === JSON.stringify(sorted(change.after))) continue
      const ofTable = changes[name] ?? new Map<string, Change>()
      changes[name] = ofTable
      ofTable.set(id, change)
    }
  }
  return changes
}

/** A state as text: equal states give equal texts. Much cheaper to compare than the maps themselves. */
export function textOf(tables: { readonly [name: string]: ReadonlyMap<string, unknown> }): string {
  const lines: string[] = []
  for (const name of Object.keys(tables))
    for (const [id, row] of tables[name] ?? []) lines.push(`${name} ${id} ${JSON.stringify(sorted(row as Row))}`)
  return lines.sort().join('\n')
}
