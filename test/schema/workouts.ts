// The app that the schema's tests share: one of everything that can be declared.
import { count, defineApp, sum, t, table } from 'holdfast'
import * as v from 'valibot'

export const tables = {
  workouts: table({
    id: t.id(),
    ownerId: t.text(),
    name: t.text(),
    note: t.text().nullable(),
    startedAt: t.timestamp(),
    isDone: t.boolean(),
    extra: t.json<{ readonly mood?: string }>().nullable(),
  }).scope('user', 'ownerId'),
  sets: table({
    id: t.id(),
    workoutId: t.ref('workouts'),
    position: t.appendIndex('workoutId'),
    exercise: t.text(),
    reps: t.integer(),
    kg: t.real(),
    rpe: t.real().nullable(),
  }).scopeVia('workoutId'),
}

export const app = defineApp({
  tables,
  aggregates: ({ aggregate }) => ({
    workoutTotals: aggregate('sets')
      .by('workoutId')
      .values({ sets: count(), volume: sum((s) => s.reps * s.kg, { decimals: 2 }) }),
  }),
  mutators: ({ mutator, generated }) => ({
    logSet: mutator(
      v.object({
        id: v.string(),
        workoutId: v.string(),
        exercise: v.string(),
        reps: v.number(),
        kg: v.number(),
      }),
      async (tx, input) => {
        await tx.sets.insert(input)
      },
      { describe: (input) => `${input.exercise}: ${input.reps} × ${input.kg} kg` },
    ),
    ...generated('workouts'),
  }),
})
