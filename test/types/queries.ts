// Type tests of what queries can be asked of a client beside rows: relations and values; checked by the compiler with `npm run check`,
// never run. Each line under @ts-expect-error must be refused: should it compile one day, the directive itself is an error.
import { count, defineApp, sum, t, table } from 'holdfast'
import {
  type Client,
  countOf,
  include,
  type Live,
  many,
  maxOf,
  minOf,
  one,
  type SyncInfo,
  sumOf,
} from 'holdfast/client'
import { createHooks, useLiveQuery } from 'holdfast/react'

/** Whether two types are the same, not only assignable. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <Claim extends true>(claim?: Claim): void => void claim

const app = defineApp({
  tables: {
    workouts: table({ id: t.id(), ownerId: t.text(), name: t.text(), startedAt: t.timestamp() }).scope(
      'user',
      'ownerId',
    ),
    sets: table({
      id: t.id(),
      workoutId: t.ref('workouts'),
      afterId: t.ref('sets').nullable(),
      position: t.appendIndex('workoutId'),
      exercise: t.text(),
      kg: t.real().nullable(),
      isDone: t.boolean(),
      more: t.json(),
    }).scopeVia('workoutId'),
  },
  aggregates: ({ aggregate }) => ({
    totals: aggregate('sets')
      .by('workoutId')
      .values({ sets: count(), kg: sum((set) => set.kg ?? 0) }),
  }),
})
declare const client: Client<typeof app>
declare const workoutId: string | undefined
const { workouts, sets, totals } = app.query

// ── Relations ───────────────────────────────────────────────────────────────────────────────────────────────────────
const withSets = include(workouts.orderBy('startedAt', 'desc').limit(20), {
  sets: many(sets.where({ isDone: true }).orderBy('position'), 'workoutId'),
  totals: one(totals, 'id'),
})
for (const workout of client.live(withSets).rows) {
  holds<Same<typeof workout.name, string>>()
  holds<Same<typeof workout.sync, SyncInfo>>()
  holds<Same<(typeof workout.sets)[number]['kg'], number | null>>()
  holds<Same<(typeof workout.sets)[number]['sync'], SyncInfo>>()
  // @ts-expect-error the row of a group that has no rows is not there
  void workout.totals.sets
  holds<Same<NonNullable<typeof workout.totals>['sets'], number>>()
  // @ts-expect-error a column that the other table does not have
  void workout.sets[0]?.weight
  // @ts-expect-error rows are read-only
  workout.sets = []
  // @ts-expect-error nested rows are read-only
  workout.sets.push(workout.sets[0])
}
client
  .live(withSets)
  .subscribe((rows) => holds<Same<typeof rows, ReturnType<typeof client.live<(typeof rows)[number]>>['rows']>>())
const [first] = client.live(include(sets, { workout: one(workouts, 'workoutId'), after: one(sets, 'afterId') })).rows
holds<Same<NonNullable<NonNullable<typeof first>['workout']>['name'], string>>()
holds<Same<NonNullable<NonNullable<typeof first>['after']>['kg'], number | null>>()

// @ts-expect-error a column that the other table does not have
many(sets, 'workout')
// @ts-expect-error a column that refers to nothing
many(sets, 'kg')
// @ts-expect-error a column that the outer rows do not have
include(workouts, { other: one(sets, 'setId') })
// @ts-expect-error a column that refers to nothing
include(sets, { workout: one(workouts, 'kg') })
// @ts-expect-error the name of a column
include(workouts, { name: many(sets, 'workoutId') })
// @ts-expect-error the name that every row has
include(workouts, { sync: many(sets, 'workoutId') })
// @ts-expect-error a query is no relation
include(workouts, { sets })
// @ts-expect-error one hop, and no more
many(include(sets, { workout: one(workouts, 'workoutId') }), 'workoutId')
// @ts-expect-error conditions come before the relations
withSets.where({ name: 'legs' })

// ── Values ──────────────────────────────────────────────────────────────────────────────────────────────────────────
const done = client.live(countOf(sets.where({ isDone: true })))
holds<Same<typeof done, Live<number>>>()
done.subscribe((value) => holds<Same<typeof value, number>>())
holds<Same<typeof done.value, number>>()
// @ts-expect-error a value has no rows
void done.rows
const kilos = client.live(sumOf(sets, 'kg')).value
holds<Same<typeof kilos, number>>()
const newest = client.live(maxOf(workouts, 'startedAt')).value
holds<Same<typeof newest, number | null>>()
const heaviest = client.live(maxOf(sets, 'kg')).value
holds<Same<typeof heaviest, number | null>>()
const firstName = client.live(minOf(workouts, 'name')).value
holds<Same<typeof firstName, string | null>>()
// @ts-expect-error a sum of texts
sumOf(workouts, 'name')
// @ts-expect-error JSON has no order
maxOf(sets, 'more')
// @ts-expect-error a column that the table does not have
minOf(sets, 'weight')

// ── In components ───────────────────────────────────────────────────────────────────────────────────────────────────
const hooks = createHooks(app)

export function Screen() {
  const { state, rows, isComplete } = useLiveQuery(withSets)
  holds<Same<typeof state, 'loading' | 'ready'>>()
  holds<Same<typeof isComplete, boolean>>()
  holds<Same<typeof rows, ReturnType<typeof client.live<(typeof rows)[number]>>['rows']>>()
  const [workout] = rows
  if (workout !== undefined) holds<Same<(typeof workout.sets)[number]['exercise'], string>>()
  const counted = useLiveQuery(workoutId !== undefined && countOf(sets.where({ workoutId })))
  // @ts-expect-error while it loads there is no value
  counted.value.toFixed()
  if (counted.state === 'ready') holds<Same<typeof counted.value, number>>()
  const typed = hooks.useLiveQuery(({ workouts, sets }) => include(workouts, { sets: many(sets, 'workoutId') }))
  holds<Same<(typeof typed.rows)[number]['sets'][number]['kg'], number | null>>()
  const most = hooks.useLiveQuery(({ sets }) => (workoutId === undefined ? undefined : maxOf(sets, 'kg')))
  if (most.state === 'ready') holds<Same<typeof most.value, number | null>>()
  // @ts-expect-error a value has no rows
  void most.rows
  return rows.length
}
