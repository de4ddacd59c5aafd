// The workouts app: its tables, its one aggregate and its mutators, declared once and run on every device and at the authority.
// Numbers are kept as they were entered, with their unit beside them, so that nothing is lost by converting; the aggregate
// converts when it adds up. A set's position in its workout is given by the authority. No clock, dice or network in here.
import { count, defineApp, sum, t, table } from 'holdfast'
import * as v from 'valibot'

const isPlain = (text: string): boolean => !text.includes('\u0000') && !/\p{Surrogate}/u.test(text)
const Id = v.pipe(v.string(), v.nonEmpty(), v.maxLength(128))
const Line = v.pipe(v.string(), v.maxLength(300), v.check(isPlain, 'must be plain text'))
const Text = v.pipe(v.string(), v.maxLength(20_000), v.check(isPlain, 'must be plain text'))
const Time = v.pipe(v.number(), v.safeInteger())
const Amount = v.nullable(v.pipe(v.number(), v.finite(), v.minValue(0)))
const Kilos = v.nullable(v.pipe(v.number(), v.finite()))

const WorkoutInput = v.object({
  id: Id,
  name: Line,
  startedAt: Time,
  endedAt: v.optional(v.nullable(Time), null),
  notes: v.optional(Text, ''),
  /** Where it comes from: this app, or the app whose export was read. */
  source: v.optional(v.picklist(['workouts', 'strong', 'hevy']), 'workouts'),
})

const setColumns = {
  exercise: v.pipe(Line, v.nonEmpty()),
  kind: v.optional(v.pipe(v.string(), v.maxLength(40)), 'normal'),
  /** The set's number within its exercise, as the person counted. */
  number: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger())), null),
  reps: v.optional(Amount, null),
  weight: v.optional(Kilos, null),
  weightUnit: v.optional(v.picklist(['kg', 'lb', '']), 'kg'),
  distance: v.optional(Amount, null),
  distanceUnit: v.optional(v.picklist(['km', 'm', 'mi', 'yd', 'ft', '']), 'km'),
  seconds: v.optional(Amount, null),
  rpe: v.optional(v.nullable(v.pipe(v.number(), v.minValue(0), v.maxValue(10))), null),
  superset: v.optional(Line, ''),
  notes: v.optional(Text, ''),
  more: v.optional(v.record(Line, Text), {}),
}
const SetInput = v.object({ id: Id, workoutId: Id, ...setColumns })
// Spelt out, because a patch has no defaults: what is left out stays as it is.
const SetPatch = v.object({
  id: Id,
  exercise: v.exactOptional(setColumns.exercise),
  kind: v.exactOptional(v.pipe(v.string(), v.maxLength(40))),
  reps: v.exactOptional(Amount),
  weight: v.exactOptional(Kilos),
  weightUnit: v.exactOptional(v.picklist(['kg', 'lb', ''])),
  seconds: v.exactOptional(Amount),
  rpe: v.exactOptional(setColumns.rpe.wrapped),
  notes: v.exactOptional(Text),
})

/** Kilograms in a pound, by definition. */
const KG_PER_LB = 0.45359237

export const app = defineApp({
  tables: {
    workouts: table({
      id: t.id(),
      ownerId: t.text(),
      name: t.text(),
      startedAt: t.timestamp(),
      endedAt: t.timestamp().nullable(),
      notes: t.text(),
      source: t.text(),
    }).scope('user', 'ownerId'),
    sets: table({
      id: t.id(),
      workoutId: t.ref('workouts'),
      position: t.appendIndex('workoutId'),
      exercise: t.text(),
      kind: t.text(),
      number: t.integer().nullable(),
      reps: t.real().nullable(),
      weight: t.real().nullable(),
      weightUnit: t.text(),
      distance: t.real().nullable(),
      distanceUnit: t.text(),
      seconds: t.real().nullable(),
      rpe: t.real().nullable(),
      superset: t.text(),
      notes: t.text(),
      more: t.json<{ readonly [column: string]: string }>(),
    }).scopeVia('workoutId'),
  },
  aggregates: ({ aggregate }) => ({
    workoutTotals: aggregate('sets')
      .by('workoutId')
      .values({
        sets: count(),
        /** Repetitions times kilograms. */
        volume: sum((set) => (set.reps ?? 0) * (set.weight ?? 0) * (set.weightUnit === 'lb' ? KG_PER_LB : 1), {
          decimals: 2,
        }),
      }),
  }),
  mutators: ({ mutator }) => ({
    logWorkout: mutator(WorkoutInput, async (tx, input) => tx.workouts.insert({ ...input, ownerId: tx.actor }), {
      version: 1,
      describe: ({ name, startedAt }) => `${name}, ${new Date(startedAt).toISOString().slice(0, 10)}`,
    }),
    renameWorkout: mutator(
      v.object({ id: Id, name: Line }),
      async (tx, { id, name }) => tx.workouts.update(id, { name }),
      {
        version: 1,
        describe: ({ name }) => `Call the workout ${name}`,
      },
    ),
    finishWorkout: mutator(
      v.object({ id: Id, endedAt: Time }),
      async (tx, { id, endedAt }) => tx.workouts.update(id, { endedAt }),
      {
        version: 1,
        describe: () => 'Finish the workout',
      },
    ),
    deleteWorkout: mutator(
      v.object({ id: Id }),
      async (tx, { id }) => {
        for (const set of await tx.sets.where({ workoutId: id }).all()) await tx.sets.delete(set.id)
        await tx.workouts.delete(id)
      },
      { version: 1, describe: () => 'Delete the workout with its sets' },
    ),
    logSet: mutator(SetInput, async (tx, input) => tx.sets.insert(input), { version: 1, describe: describeSet }),
    editSet: mutator(SetPatch, async (tx, { id, ...patch }) => tx.sets.update(id, patch), {
      version: 1,
      describe: () => 'Change a set',
    }),
    deleteSet: mutator(v.object({ id: Id }), async (tx, { id }) => tx.sets.delete(id), {
      version: 1,
      describe: () => 'Delete a set',
    }),
  }),
})

function describeSet({
  exercise,
  reps,
  weight,
  weightUnit,
  distance,
  distanceUnit,
  seconds,
}: v.InferOutput<typeof SetInput>): string {
  const said = [
    reps ? `${reps}${weight ? ` × ${weight} ${weightUnit}` : ''}` : '',
    distance ? `${distance} ${distanceUnit}` : '',
    seconds ? `${seconds} s` : '',
  ].filter((part) => part !== '')
  return said.length === 0 ? exercise : `${exercise}: ${said.join(', ')}`
}
