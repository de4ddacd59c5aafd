// What is kept up to date is what is found by asking afresh: random apps, random questions (rows, rows with relations, values) and random
// histories of calls, frames, rebases, refusals and lost scopes. And the property itself is tried: it finds each fault that is planted.
import fc from 'fast-check'
import type { Query } from 'holdfast'
import { describe, expect, test } from 'vitest'
import { createExactSum } from '../../../src/client/query/exact-sum.ts'
import { include, many, one } from '../../../src/client/query/include.ts'
import { createList } from '../../../src/client/query/list.ts'
import { createLiveQueries, type Live } from '../../../src/client/query/live.ts'
import { countOf, maxOf, minOf, sumOf } from '../../../src/client/query/totals.ts'
import type { Part, Question, Sources, View } from '../../../src/client/query/view.ts'
import { createReplica, type Replica } from '../../../src/client/replica/replica.ts'
import type { SyncInfo } from '../../../src/client/status.ts'
import {
  type Asking,
  appOf,
  askingOf,
  createLife,
  exactSumOf,
  historyOf,
  type Plan,
  plan,
  recompute,
  type Step,
} from './random-app.ts'

const runs = Number(process.env['HOLDFAST_RUNS'] ?? 1_000)

/** A life of a device: its app, its history, and what is asked from which step on. */
interface Life {
  readonly plan: Plan
  readonly steps: readonly Step[]
  readonly askings: readonly (readonly [from: number, asking: Asking])[]
}

const life: fc.Arbitrary<Life> = plan.chain((plan) =>
  fc.record({
    plan: fc.constant(plan),
    steps: historyOf(plan),
    askings: fc.array(fc.tuple(fc.nat(6), askingOf(plan)), { minLength: 1, maxLength: 4 }),
  }),
)

const queryOf = (spec: Asking['spec']) => ({ spec }) as Query<never>

/** The question that is asked. */
function questionOf({ spec, relations, value }: Asking): Question<unknown> {
  const query = queryOf(spec)
  if (value?.kind === 'count') return countOf(query)
  if (value?.kind === 'sum') return sumOf(query, value.column as never)
  if (value !== undefined) return (value.kind === 'min' ? minOf : maxOf)(query, value.column as never)
  if (relations.length === 0) return { spec, view: (sources) => createList(sources, spec) }
  const named = relations.map(({ kind, column, spec: of }, at) => {
    const other = queryOf(of)
    return [`with${at}`, kind === 'many' ? many(other, column as never) : one(other, column)] as const
  })
  return include(query, Object.fromEntries(named) as never)
}

/** A fault that is planted into a part of a view. */
type Fault = (part: Part<SyncInfo>) => Part<SyncInfo>

const withFault = (fault: Fault, { spec, view }: Question<unknown>): Question<unknown> => ({
  spec,
  view(sources: Sources<SyncInfo>): View<unknown, SyncInfo> {
    const { parts, read } = view(sources)
    return { parts: parts.map(fault), read }
  },
})

const syncOf =
  (replica: Replica) =>
  (table: string, id: string): SyncInfo => {
    const intents = replica.writers(table, id)
    return { state: intents.length === 0 ? 'synced' : 'queued', intents, provisional: replica.provisionalOf(table, id) }
  }

/** Lives a life, and compares every answer after each step, and whenever somebody is told. */
async function liveThrough({ plan, steps, askings }: Life, fault: Fault = (part) => part): Promise<void> {
  const replica = createReplica(appOf(plan), 'ada')
  const failures: unknown[] = []
  const queries = createLiveQueries(replica, syncOf(replica), (error) => failures.push(error))
  const take = createLife(replica)
  const open: { readonly asking: Asking; readonly live: Live<unknown>; told: number }[] = []
  const afresh = (asking: Asking) => recompute(asking, (table) => [...replica.rows(table)], syncOf(replica))
  const checkAll = (): void => {
    for (const { asking, live } of open) expect(live.value).toEqual(afresh(asking))
  }
  for (const [at, step] of steps.entries()) {
    for (const [from, asking] of askings) {
      if (from !== at) continue
      const entry = { asking, live: queries.live(withFault(fault, questionOf(asking))), told: 0 }
      entry.live.subscribe((value) => {
        entry.told++
        expect(value).toBe(entry.live.value)
        checkAll()
      })
      open.push(entry)
    }
    const before = open.map(({ asking, told, live }) => ({
      told,
      value: live.value,
      text: JSON.stringify(afresh(asking)),
    }))
    const wasComplete = replica.isComplete
    await take(step)
    checkAll()
    for (const [index, { asking, live, told }] of open.entries()) {
      const earlier = before[index]
      const isOther = JSON.stringify(afresh(asking)) !== earlier?.text
      const isFirst = !wasComplete && replica.isComplete
      expect(told - (earlier?.told ?? 0)).toBe(isOther || isFirst ? 1 : 0)
      if (!isOther && !isFirst) expect(live.value).toBe(earlier?.value)
    }
  }
  if (failures.length > 0) throw failures[0]
}

test('[I14] in random apps every live answer, relations and values too, equals the one that is found afresh, and is told of once', {
  timeout: 300_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(life, (life) => liveThrough(life)),
    { numRuns: runs },
  )
})

describe.each<[string, (asking: Asking) => boolean]>([
  ['rows', ({ relations, value }) => relations.length === 0 && value === undefined],
  ['relations', ({ relations }) => relations.length > 0],
  ['values', ({ value }) => value !== undefined],
])('of %s the property finds', (kind, isOfKind) => {
  const without =
    (isHeard: (change: Parameters<Part<SyncInfo>['apply']>[0][number]) => boolean): Fault =>
    (part) => ({ ...part, apply: (changes) => part.apply(changes.filter(isHeard)) })
  /** The rows themselves are looked at in lives of their own: of relations only what stands behind the first part is faulty. */
  const planted = (fault: Fault): Fault => {
    let parts = 0
    return (part) => (kind === 'relations' && parts++ % 2 === 0 ? part : fault(part))
  }
  const faults: readonly (readonly [string, Fault])[] = [
    ['a part that does not hear of rows that go', without(({ after }) => after !== undefined)],
    ['a part that does not hear of rows that come', without(({ before }) => before !== undefined)],
    [
      'a part that does not hear of rows that move to another parent',
      without(({ before, after }) => before === undefined || after === undefined || before['r0'] === after['r0']),
    ],
    [
      'a part that says that nothing has changed',
      (part) => ({ ...part, apply: (changes) => part.apply(changes) && false }),
    ],
    ['a part that is not told of the first frame', (part) => ({ ...part, refill: () => undefined })],
    // A value has no row of which it could be told.
    ...(kind === 'values'
      ? []
      : [
          [
            'a part that does not look at `sync`',
            (part: Part<SyncInfo>) => ({ ...part, resync: () => false }),
          ] as const,
        ]),
  ]

  test.each(faults)('%s', { timeout: 300_000 }, async (_title, fault) => {
    const chosen = life.map(({ askings, ...rest }) => ({
      ...rest,
      askings: askings.filter(([, asking]) => isOfKind(asking)).slice(0, 1),
    }))
    const found = await fc.check(
      fc.asyncProperty(chosen, (life) => liveThrough(life, planted(fault))),
      // The same lives at each run: this asks what can be found, not by what chance.
      { seed: 7, numRuns: 5_000, endOnFailure: true },
    )
    expect(found.failed).toBe(true)
  })
})

describe('a sum', () => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true })

  test('is the exact one, rounded once, in whatever order its numbers come and go', () => {
    fc.assert(
      fc.property(fc.array(number), fc.array(number), fc.nat(), (stays, goes, turn) => {
        const sum = createExactSum()
        const all = [...stays, ...goes]
        const first = turn % (all.length + 1)
        for (const value of [...all.slice(first), ...all.slice(0, first)]) sum.add(value)
        for (const value of goes) sum.add(-value)
        expect(sum.value()).toBe(exactSumOf(stays) + 0)
      }),
      { numRuns: runs },
    )
  })

  test('by plain addition would not be', () => {
    expect([0.1, 0.2, 0.3, -0.3, -0.2].reduce((sum, value) => sum + value, 0)).not.toBe(0.1)
    const sum = createExactSum()
    for (const value of [0.1, 0.2, 0.3, -0.3, -0.2]) sum.add(value)
    expect(sum.value()).toBe(0.1)
  })
})
