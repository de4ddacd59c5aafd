// The app and the small world that the replica's tests share: workouts with sets, and an authority's frames made by hand.
// Tests of one thing only declare their own app.
import { count, defineApp, sum, t, table } from 'holdfast'
import * as v from 'valibot'
import type { Json } from '../../../src/base/json.ts'
import type { PendingIntent } from '../../../src/client/replica/replica.ts'
import type { StoredFrame } from '../../../src/client/storage/storage.ts'
import type { Patch, Place } from '../../../src/protocol/frame.ts'
import type { ClientId, IntentId } from '../../../src/protocol/ids.ts'
import type { Scope } from '../../../src/schema/scope.ts'
import type { Row } from '../../../src/schema/table.ts'

const SetInput = v.object({
  id: v.string(),
  workoutId: v.string(),
  exercise: v.string(),
  reps: v.number(),
  kg: v.number(),
})

export const app = defineApp({
  tables: {
    workouts: table({ id: t.id(), ownerId: t.text(), name: t.text(), count: t.integer() }).scope('user', 'ownerId'),
    sets: table({
      id: t.id(),
      workoutId: t.ref('workouts'),
      position: t.appendIndex('workoutId'),
      exercise: t.text(),
      reps: t.integer(),
      kg: t.real(),
    }).scopeVia('workoutId'),
  },
  aggregates: ({ aggregate }) => ({
    workoutTotals: aggregate('sets')
      .by('workoutId')
      .values({ sets: count(), volume: sum((s) => s.reps * s.kg, { decimals: 2 }) }),
  }),
  mutators: ({ mutator }) => ({
    startWorkout: mutator(v.object({ id: v.string(), name: v.string() }), async (tx, { id, name }) => {
      await tx.workouts.insert({ id, ownerId: tx.actor, name, count: 0 })
    }),
    rename: mutator(v.object({ id: v.string(), name: v.string() }), async (tx, { id, name }) => {
      await tx.workouts.update(id, { name })
    }),
    bump: mutator(v.object({ id: v.string() }), async (tx, { id }) => {
      const row = await tx.workouts.get(id)
      if (row === undefined) return tx.reject('no_workout')
      await tx.workouts.update(id, { count: row.count + 1 })
    }),
    logSet: mutator(SetInput, async (tx, input) => {
      await tx.sets.insert(input)
    }),
    moveSet: mutator(v.object({ id: v.string(), workoutId: v.string() }), async (tx, { id, workoutId }) => {
      await tx.sets.update(id, { workoutId })
    }),
    deleteSet: mutator(v.object({ id: v.string() }), async (tx, { id }) => {
      await tx.sets.delete(id)
    }),
    deleteWorkout: mutator(v.object({ id: v.string() }), async (tx, { id }) => {
      for (const set of await tx.sets.where({ workoutId: id }).all()) await tx.sets.delete(set.id)
      await tx.workouts.delete(id)
    }),
    /** Names a workout by its heaviest set: a range with an order and a limit. */
    nameByBest: mutator(v.object({ id: v.string() }), async (tx, { id }) => {
      const best = await tx.sets.where({ workoutId: id }).orderBy('kg', 'desc').limit(1).first()
      await tx.workouts.update(id, { name: best === undefined ? 'nothing yet' : `best: ${best.kg}` })
    }),
  }),
})

export type TestApp = typeof app

let made = 0
/** A UUID that no other call gives. */
export function uuid(): string {
  made++
  return `00000000-0000-4000-8000-${made.toString(16).padStart(12, '0')}`
}

/** An intent as the client would make it. */
export function intent(name: string, args: Json, more: Partial<PendingIntent> = {}): PendingIntent {
  const id = uuid() as IntentId
  return { id, name, version: 1, args, madeAt: 1_000, ...more }
}

/** The scope of a user. */
export const scope = (name: string): Scope => `user:${name}` as Scope
/** A place in a history. */
export const place = (version: number): Place => ({ version, mark: version === 0 ? '' : version.toString(16) })

/** A patch of a scope. */
export function patch(
  name: string,
  from: number,
  to: number,
  change: {
    readonly rows?: { readonly [table: string]: readonly Row[] }
    readonly gone?: { readonly [table: string]: readonly string[] }
    readonly reset?: true
  },
): Patch {
  return {
    scope: scope(name),
    from: place(from),
    to: place(to),
    rows: change.rows ?? {},
    gone: change.gone ?? {},
    ...(change.reset ? { reset: true } : {}),
  }
}

/** A frame of one client. */
export function frame(decided: number, patches: readonly Patch[], scopes: readonly string[] = ['ada']): StoredFrame {
  return {
    client: '00000000-0000-4000-8000-00000000c11e' as ClientId,
    decided,
    patches,
    scopes: scopes.map(scope),
    at: 5_000,
  }
}

/** A row of workouts. */
export const workout = (id: string, more: Partial<Row> = {}): Row =>
  ({ id, ownerId: 'ada', name: `workout ${id}`, count: 0, ...more }) as Row
/** A row of sets. */
export const set = (id: string, workoutId: string, position: number, more: Partial<Row> = {}): Row =>
  ({ id, workoutId, position, exercise: 'Squat', reps: 5, kg: 100, ...more }) as Row
