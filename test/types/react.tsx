// Type tests of the React binding; checked by the compiler with `npm run check`, never run.
// Each line under @ts-expect-error must be refused: should it compile one day, the directive itself is an error.
import { count, defineApp, type Provisional, t, table } from 'holdfast'
import type { Client, IntentHandle, OutboxItem, Status, SyncInfo } from 'holdfast/client'
import {
  createHooks,
  HoldfastProvider,
  useClient,
  useLiveQuery,
  useMutators,
  type useOutbox,
  type useRowSync,
  useSyncStatus,
} from 'holdfast/react'
import * as v from 'valibot'

/** Whether two types are the same, not only assignable. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <Claim extends true>(claim?: Claim): void => void claim

const app = defineApp({
  tables: {
    workouts: table({ id: t.id(), ownerId: t.text(), name: t.text() }).scope('user', 'ownerId'),
    sets: table({
      id: t.id(),
      workoutId: t.ref('workouts'),
      position: t.appendIndex('workoutId'),
      kg: t.real(),
    }).scopeVia('workoutId'),
  },
  aggregates: ({ aggregate }) => ({ totals: aggregate('sets').by('workoutId').values({ sets: count() }) }),
  mutators: ({ mutator }) => ({
    logSet: mutator(v.object({ id: v.string(), workoutId: v.string(), kg: v.number() }), async (tx, input) => {
      await tx.sets.insert(input)
    }),
  }),
})
const other = defineApp({
  tables: { notes: table({ id: t.id(), ownerId: t.text() }).scope('user', 'ownerId') },
  mutators: ({ generated }) => generated('notes'),
})
declare const client: Client<typeof app>
declare const otherClient: Client<typeof other>
declare const workoutId: string | undefined

// ── The plain hooks ─────────────────────────────────────────────────────────────────────────────────────────────────
export function Plain() {
  const { state, rows, isComplete } = useLiveQuery(app.query.sets.where({ workoutId: 'w' }).orderBy('position'))
  holds<Same<typeof state, 'loading' | 'ready'>>()
  holds<Same<typeof isComplete, boolean>>()
  const [set] = rows
  if (set !== undefined) {
    holds<Same<typeof set.kg, number>>()
    holds<Same<typeof set.position, Provisional<number>>>()
    holds<Same<typeof set.sync, SyncInfo>>()
    // @ts-expect-error a column that the table does not have
    void set.weight
    // @ts-expect-error rows are read-only
    set.kg = 5
  }
  // @ts-expect-error the list is read-only
  rows.push(set)
  const totals = useLiveQuery(app.query.totals)
  holds<Same<(typeof totals.rows)[number]['sets'], number>>()
  // What is not known yet is not asked for, and has the same rows.
  const later = useLiveQuery(workoutId === undefined ? undefined : app.query.sets.where({ workoutId }))
  holds<Same<typeof later.rows, typeof rows>>()
  const { rows: perhaps } = useLiveQuery(workoutId !== undefined && app.query.sets.where({ workoutId }))
  holds<Same<typeof perhaps, typeof rows>>()
  // @ts-expect-error a column that the table does not have
  useLiveQuery(app.query.sets.where({ weight: 5 }))
  // @ts-expect-error a value of another type
  useLiveQuery(app.query.sets.where({ kg: '5' }))
  // @ts-expect-error a table that the app does not have
  useLiveQuery(app.query.exercises)
  // @ts-expect-error a table is not a query
  useLiveQuery(app.tables.sets)
  // @ts-expect-error what a query asks says when it is another: there is no list of what it depends on
  useLiveQuery(app.query.sets, [])

  const mutators = useMutators<typeof app>()
  holds<Same<typeof mutators, Client<typeof app>['mutate']>>()
  const handle = mutators.logSet({ id: 's', workoutId: 'w', kg: 100 })
  holds<Same<typeof handle, IntentHandle>>()
  // @ts-expect-error a wrong argument
  mutators.logSet({ id: 's', workoutId: 'w', kg: '100' })
  // @ts-expect-error a missing argument
  mutators.logSet({ id: 's' })
  // @ts-expect-error a mutator that the app does not have
  mutators.logSett({ id: 's', workoutId: 'w', kg: 100 })
  // @ts-expect-error mutators are read-only
  mutators.logSet = undefined

  holds<Same<ReturnType<typeof useOutbox>, readonly OutboxItem[]>>()
  const status = useSyncStatus()
  holds<Same<typeof status, Status>>()
  const waiting = useSyncStatus((whole) => whole.waiting)
  holds<Same<typeof waiting, number>>()
  // @ts-expect-error what the status does not say
  useSyncStatus((whole) => whole.queue)
  holds<Same<ReturnType<typeof useRowSync>, SyncInfo | undefined>>()
  const same = useClient<typeof app>()
  holds<Same<typeof same, Client<typeof app>>>()
  return waiting
}

// Text and nothing are what React draws; the client may be missing, and must be said to be.
export const tree = <HoldfastProvider client={client}>{Plain()}</HoldfastProvider>
export const before = <HoldfastProvider client={undefined} />
// @ts-expect-error a provider is told which client, or that there is none
export const forgotten = <HoldfastProvider />
// @ts-expect-error the app is not its client
export const mistaken = <HoldfastProvider client={app} />

// ── The hooks of one app ────────────────────────────────────────────────────────────────────────────────────────────
const hooks = createHooks(app)

export function Typed() {
  const { rows } = hooks.useLiveQuery(({ sets }) => sets.where({ kg: { gt: 100 } }))
  const plain = useLiveQuery(app.query.sets)
  holds<Same<typeof rows, typeof plain.rows>>()
  const direct = hooks.useLiveQuery(app.query.sets)
  holds<Same<typeof direct.rows, typeof rows>>()
  const later = hooks.useLiveQuery(({ sets }) => (workoutId === undefined ? undefined : sets.where({ workoutId })))
  holds<Same<typeof later.rows, typeof rows>>()
  // @ts-expect-error a table that the app does not have
  hooks.useLiveQuery(({ exercises }) => exercises)
  // @ts-expect-error a column that the table does not have
  hooks.useLiveQuery(({ sets }) => sets.orderBy('weight'))
  const { logSet } = hooks.useMutators()
  // @ts-expect-error a wrong argument
  logSet({ id: 's', workoutId: 'w', kg: '100' })
  holds<Same<ReturnType<typeof hooks.useClient>, Client<typeof app>>>()
  holds<Same<ReturnType<typeof hooks.useSyncStatus>, ReturnType<typeof useSyncStatus>>>()
  hooks.useRowSync('sets', 'a')
  hooks.useRowSync('totals', 'a')
  // @ts-expect-error a table that the app does not have
  hooks.useRowSync('exercises', 'a')
  return rows.length
}

export const typed = <hooks.HoldfastProvider client={client} />
// @ts-expect-error a client of another app
export const foreign = <hooks.HoldfastProvider client={otherClient} />
