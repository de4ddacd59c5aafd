// Type tests of what an app declares and calls; checked by the compiler with `npm run check`, never run.
// Each line under @ts-expect-error must be refused: should it compile one day, the directive itself is an error.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import {
  type ConflictValues,
  compute,
  count,
  defineApp,
  type InsertOf,
  max,
  min,
  type PatchOf,
  type Provisional,
  type RowOf,
  sum,
  type Tx,
  type TxRowOf,
  t,
  table,
} from 'holdfast'
import type { Badge, Client } from 'holdfast/client'
import * as v from 'valibot'

/** Whether two types are the same, not only assignable. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Flat<T> = { readonly [K in keyof T]: T[K] }
const holds = <Claim extends true>(claim?: Claim): void => void claim

// ── Tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────
const workouts = table({
  id: t.id(),
  ownerId: t.text(),
  name: t.text(),
  note: t.text().nullable(),
  startedAt: t.timestamp(),
}).scope('user', 'ownerId')
const sets = table({
  id: t.id(),
  workoutId: t.ref('workouts'),
  position: t.appendIndex('workoutId'),
  reps: t.integer(),
  kg: t.real(),
  done: t.boolean(),
  extra: t.json<{ readonly mood: string }>().nullable(),
}).scopeVia('workoutId')

// A table that was there before: its names in SQL, of declared columns only, after its scope.
table({ id: t.id(), ownerId: t.text() }).scope('user', 'ownerId').existing('app_people', { ownerId: 'owner_id' })
table({ id: t.id(), workoutId: t.ref('workouts') })
  .scopeVia('workoutId')
  .existing('app_sets')
// @ts-expect-error a name for a column that is not declared
table({ id: t.id(), ownerId: t.text() }).scope('user', 'ownerId').existing('app_people', { nobody: 'x' })
// @ts-expect-error whose the rows are is said first
table({ id: t.id(), ownerId: t.text() }).existing('app_people')
// @ts-expect-error a table needs an id
table({ ownerId: t.text() })
// @ts-expect-error the id is made with t.id
table({ id: t.text(), ownerId: t.text() })
// @ts-expect-error a position counts under a column made with t.ref
table({ id: t.id(), ownerId: t.text(), position: t.appendIndex('ownerId') })
// @ts-expect-error a position counts under a column of this table
table({ id: t.id(), ownerId: t.text(), position: t.appendIndex('nowhere') })
// @ts-expect-error a position counts under a reference that is never null
table({ id: t.id(), a: t.ref('workouts').nullable(), position: t.appendIndex('a') })
// @ts-expect-error the scope comes from a column of this table
table({ id: t.id(), ownerId: t.text() }).scope('user', 'nobody')
// @ts-expect-error the scope comes from a text
table({ id: t.id(), n: t.integer() }).scope('user', 'n')
// @ts-expect-error the scope comes from a column that is never null
table({ id: t.id(), ownerId: t.text().nullable() }).scope('user', 'ownerId')
// @ts-expect-error scopeVia names a reference
table({ id: t.id(), ownerId: t.text() }).scopeVia('ownerId')
// @ts-expect-error an id is never null
t.id().nullable()
table({ id: t.id(), w: t.ref('workouts'), position: t.appendIndex('w', { gaps: 'never-reuse' }) }).scopeVia('w')
// @ts-expect-error a policy that there is not
t.appendIndex('w', { gaps: 'renumber' })
// @ts-expect-error a position is never null
t.appendIndex('workoutId').nullable()
// @ts-expect-error a table without a scope is no table of an app
defineApp({ tables: { loose: table({ id: t.id() }) } })

// @ts-expect-error a reference to a table that the app does not have
defineApp({ tables: { sets } })
// Tables may refer to themselves and to each other.
defineApp({
  tables: {
    a: table({ id: t.id(), owner: t.text(), next: t.ref('a').nullable(), b: t.ref('b') }).scope('user', 'owner'),
    b: table({ id: t.id(), a: t.ref('a') }).scopeVia('a'),
  },
})

// ── Rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────
type Set = RowOf<typeof sets>
holds<Same<Set['position'], Provisional<number>>>()
holds<Same<Set['extra'], { readonly mood: string } | null>>()
holds<Same<keyof TxRowOf<typeof sets>, 'id' | 'workoutId' | 'reps' | 'kg' | 'done' | 'extra'>>()
holds<
  Same<
    Flat<InsertOf<typeof workouts>>,
    {
      readonly id: string
      readonly ownerId: string
      readonly name: string
      readonly startedAt: number
      readonly note?: string | null
    }
  >
>()
holds<Same<keyof InsertOf<typeof sets>, 'id' | 'workoutId' | 'reps' | 'kg' | 'done' | 'extra'>>()
holds<Same<keyof PatchOf<typeof sets>, 'workoutId' | 'reps' | 'kg' | 'done' | 'extra'>>()

// ── The app ─────────────────────────────────────────────────────────────────────────────────────────────────────────
/** A schema of a second vendor, written by hand: other types for what comes in and what comes out. */
declare const kilograms: StandardSchemaV1<
  { readonly id: string; readonly kg: string },
  { readonly id: string; readonly kg: number }
>

const app = defineApp({
  tables: { workouts, sets },
  aggregates: ({ aggregate }) => ({
    totals: aggregate('sets')
      .by('workoutId')
      .values({
        sets: count(),
        volume: sum((s) => s.reps * s.kg, { decimals: 2 }),
        lightest: min((s) => s.kg),
        heaviest: max((s) => (s.done ? s.kg : null)),
        median: compute((rows) => rows[rows.length >> 1]?.kg ?? null),
        isLong: compute((rows) => rows.length > 20),
        size: compute((rows) => (rows.length > 20 ? 'long' : 'short')),
      }),
  }),
  mutators: ({ mutator, generated }) => ({
    logSet: mutator(
      v.object({ id: v.string(), workoutId: v.string(), reps: v.number(), note: v.optional(v.string(), '') }),
      async (tx, input) => {
        holds<Same<typeof input.note, string>>()
        await tx.sets.insert({ id: input.id, workoutId: input.workoutId, reps: input.reps, kg: 1, done: false })
        // @ts-expect-error an insert names every column that has no null
        await tx.sets.insert({ id: input.id })
        // @ts-expect-error a position is given by the authority
        await tx.sets.insert({ id: 'a', workoutId: 'w', reps: 1, kg: 1, done: false, position: 1 })
        // @ts-expect-error a column that the table does not have
        await tx.sets.update(input.id, { weight: 5 })
        // @ts-expect-error a value of another type
        await tx.sets.update(input.id, { reps: '5' })
        // @ts-expect-error the id of a row does not change
        await tx.sets.update(input.id, { id: 'other' })
        // @ts-expect-error a position is not written
        await tx.sets.update(input.id, { position: 3 })
        // @ts-expect-error a table that the app does not have
        await tx.exercises.get('a')
        // @ts-expect-error an aggregate is not seen by mutators
        await tx.totals.get('a')
        const row = await tx.sets.get(input.id)
        // @ts-expect-error the row may be absent
        void row.reps
        // `return` tells the compiler that nothing follows: it trusts `never` only of names with a written type.
        if (row === undefined) return tx.reject('no_set', { id: input.id })
        holds<Same<typeof row.reps, number>>()
        // @ts-expect-error a mutator does not see positions
        void row.position
        // @ts-expect-error nor can it filter by them
        tx.sets.where({ position: 1 })
        // @ts-expect-error details are JSON
        tx.reject('x', { at: new Date(0) })
        await tx.sets
          .where({ reps: { gte: 3 }, done: true, kg: 5 })
          .orderBy('kg', 'desc')
          .limit(5)
          .all()
        // @ts-expect-error an order by a column that the table does not have
        tx.sets.where({}).orderBy('weight')
        // @ts-expect-error JSON is not filtered by
        tx.sets.where({ extra: null })
        // @ts-expect-error a value of another type
        tx.sets.where({ reps: 'five' })
        // @ts-expect-error a comparison that there is not
        tx.sets.where({ reps: { like: 'x' } })
      },
    ),
    lift: mutator(
      kilograms,
      async (tx, input) => {
        holds<Same<typeof input.kg, number>>()
        await tx.sets.update(input.id, { kg: input.kg })
      },
      { describe: (input) => `${input.kg.toFixed(1)} kg` },
    ),
    ...generated('workouts'),
  }),
})

defineApp({
  tables: { workouts, sets },
  aggregates: ({ aggregate }) => ({
    // @ts-expect-error a table that the app does not have
    a: aggregate('exercises').by('workoutId').values({ n: count() }),
    // @ts-expect-error a column that the table does not have
    b: aggregate('sets').by('nowhere').values({ n: count() }),
    c: aggregate('sets')
      .by('workoutId')
      // @ts-expect-error a sum is a number
      .values({ n: sum((s) => s.workoutId) }),
    d: aggregate('sets')
      .by('workoutId')
      // @ts-expect-error positions are not added up: the device does not know them yet
      .values({ n: sum((s) => s.position) }),
    e: aggregate('sets')
      .by('workoutId')
      // @ts-expect-error the greatest number, not the last text
      .values({ n: max((s) => s.workoutId) }),
    f: aggregate('sets')
      .by('workoutId')
      // @ts-expect-error a value is a text, a number, true, false or null
      .values({ n: compute((rows) => rows.map(({ kg }) => kg)) }),
    g: aggregate('sets')
      .by('workoutId')
      // @ts-expect-error a function is pure, and waits for nothing
      .values({ n: compute(async (rows) => rows.length) }),
    h: aggregate('sets')
      .by('workoutId')
      // @ts-expect-error a version is a number
      .values({ n: count() }, { version: '2' }),
  }),
  mutators: ({ mutator, generated }) => ({
    // @ts-expect-error a schema is a Standard Schema
    a: mutator({ parse: () => 1 }, async () => undefined),
    // @ts-expect-error a mutator is async in form
    b: mutator(v.string(), () => 5),
    // @ts-expect-error a conflict policy that there is not
    c: mutator(v.string(), async () => undefined, { conflict: 'overwrite' }),
    // @ts-expect-error a table that the app does not have
    ...generated('exercises'),
  }),
})

// ── Conflicts ───────────────────────────────────────────────────────────────────────────────────────────────────────
const careful = defineApp({
  tables: { workouts, sets },
  mutators: ({ mutator, generated }) => ({
    rename: mutator(v.object({ id: v.string() }), async () => undefined, { conflict: 'fields' }),
    ...generated('sets', { conflict: 'reject' }),
    ...generated('workouts'),
  }),
})
declare const carefulClient: Client<typeof careful>
holds<Same<(typeof careful.mutators.rename)['conflict'], 'fields'>>()
holds<Same<(typeof careful.mutators.updateSets)['conflict'], 'reject'>>()
holds<Same<(typeof careful.mutators.updateWorkouts)['conflict'], 'rerun'>>()
carefulClient.mutate.restoreConflict({ id: 'c' })
carefulClient.mutate.restoreConflict({ id: 'c', values: 'mine' })
carefulClient.mutate.dismissConflict({ id: 'c' })
// @ts-expect-error a side that there is not
carefulClient.mutate.restoreConflict({ id: 'c', values: 'both' })
const records = carefulClient.live(careful.conflicts.where({ restoredAt: null, rowId: 'w' }).orderBy('at', 'desc'))
for (const record of records.rows) {
  holds<Same<typeof record.theirsBy, string | null>>()
  holds<Same<typeof record.mine, ConflictValues | null>>()
  holds<Same<typeof record.sync.state, Badge>>()
}
// @ts-expect-error values are compared by nobody
careful.conflicts.where({ mine: 'x' })

// ── The client ──────────────────────────────────────────────────────────────────────────────────────────────────────
declare const client: Client<typeof app>

// @ts-expect-error an app without a policy has no conflicts to restore
client.mutate.restoreConflict({ id: 'c' })

const handle = client.mutate.logSet({ id: 'a', workoutId: 'w', reps: 5 }, { id: 'x', accept: true })
holds<Same<typeof handle.saved, Promise<void>>>()
// @ts-expect-error a wrong argument
client.mutate.logSet({ id: 'a', workoutId: 'w', reps: '5' })
// @ts-expect-error a missing argument
client.mutate.logSet({ id: 'a' })
// @ts-expect-error a mutator that the app does not have
client.mutate.logSett({ id: 'a', workoutId: 'w', reps: 5 })
// @ts-expect-error an option that there is not
client.mutate.logSet({ id: 'a', workoutId: 'w', reps: 5 }, { retry: true })
// What goes in is what the schema takes, not what it makes.
client.mutate.lift({ id: 'a', kg: '102,5' })
// @ts-expect-error as above
client.mutate.lift({ id: 'a', kg: 102.5 })

client.mutate.insertWorkouts({ id: 'w', ownerId: '42', name: 'Legs', startedAt: 0 })
client.mutate.updateWorkouts({ id: 'w', note: null })
client.mutate.deleteWorkouts({ id: 'w' })
// @ts-expect-error a missing column
client.mutate.insertWorkouts({ id: 'w' })
// @ts-expect-error a column that the table does not have
client.mutate.updateWorkouts({ id: 'w', weight: 1 })
// @ts-expect-error mutators are generated for the tables that asked
client.mutate.insertSets({ id: 's' })

const heavy = client.live(
  app.query.sets
    .where({ workoutId: 'w', kg: { gt: 100 }, position: { lt: 3 } })
    .orderBy('position')
    .limit(10),
)
const [first] = heavy.rows
if (first !== undefined) {
  holds<Same<typeof first.sync.state, 'saving' | 'unsaved' | 'queued' | 'sending' | 'synced' | 'conflict' | 'failed'>>()
  holds<Same<typeof first.kg, number>>()
  holds<Same<typeof first.position, Provisional<number>>>()
  // @ts-expect-error rows are read-only
  first.kg = 5
  // @ts-expect-error a column that the table does not have
  void first.weight
}
const totals = client.live(
  app.query.totals.where({ volume: { gte: 1 }, heaviest: null, size: { in: ['long'] } }).orderBy('volume', 'desc'),
)
for (const total of totals.rows) {
  holds<Same<typeof total.volume, number>>()
  holds<Same<typeof total.id, string>>()
  holds<Same<typeof total.sets, number>>()
  holds<Same<typeof total.lightest, number | null>>()
  holds<Same<typeof total.heaviest, number | null>>()
  holds<Same<typeof total.median, number | null>>()
  holds<Same<typeof total.isLong, boolean>>()
  holds<Same<typeof total.size, 'long' | 'short'>>()
  // @ts-expect-error a value that the aggregate does not have
  void total.best
  // @ts-expect-error a value may be null
  total.heaviest.toFixed(1)
}
// @ts-expect-error an order by a column that the table does not have
app.query.sets.orderBy('weight')
// @ts-expect-error an order by JSON
app.query.sets.orderBy('extra')
// @ts-expect-error a filter by a value of another type
app.query.sets.where({ kg: '100' })
// @ts-expect-error a table that the app does not have
void app.query.exercises

// Code that takes any transaction of these tables.
export async function addUp(tx: Tx<{ readonly sets: typeof sets }>, workoutId: string): Promise<number> {
  let kg = 0
  for (const set of await tx.sets.where({ workoutId }).all()) kg += set.kg
  return kg
}
