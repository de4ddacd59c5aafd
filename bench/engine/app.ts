// The app that the benchmarks run: workouts and their sets, with a position and an aggregate, as an app would declare them, so
// that no figure leaves out what the engine does for real rows. Schemas are by hand: a schema library is not what is measured.
import { count, defineApp, sum, t, table } from 'holdfast'

/** The one who trains. */
export const ACTOR = 'runner'
/** The scope of all rows. */
export const SCOPE = `user:${ACTOR}`

/** What `startWorkout` takes. */
export interface WorkoutArgs {
  readonly id: string
  readonly name: string
  readonly startedAt: number
}

/** What `logSet` takes. */
export interface SetArgs {
  readonly id: string
  readonly workoutId: string
  readonly exercise: string
  readonly reps: number
  readonly kg: number
  readonly doneAt: number
}

/** A Standard Schema that demands an object with these members, each of one type. */
function members<Value>(types: { readonly [Name in keyof Value & string]: 'string' | 'number' }) {
  const names = Object.keys(types) as (keyof Value & string)[]
  return {
    '~standard': {
      version: 1 as const,
      vendor: 'holdfast-bench',
      types: undefined as { readonly input: Value; readonly output: Value } | undefined,
      validate(value: unknown) {
        if (typeof value !== 'object' || value === null) return { issues: [{ message: 'must be an object' }] }
        for (const name of names) {
          const is = typeof (value as { readonly [member: string]: unknown })[name]
          if (is !== types[name]) return { issues: [{ message: `must be a ${types[name]}`, path: [name] }] }
        }
        return { value: value as Value }
      },
    },
  }
}

const setTypes = {
  id: 'string',
  workoutId: 'string',
  exercise: 'string',
  reps: 'number',
  kg: 'number',
  doneAt: 'number',
} as const

export const app = defineApp({
  tables: {
    workouts: table({ id: t.id(), ownerId: t.text(), name: t.text(), startedAt: t.timestamp() }).scope(
      'user',
      'ownerId',
    ),
    sets: table({
      id: t.id(),
      workoutId: t.ref('workouts'),
      position: t.appendIndex('workoutId'),
      exercise: t.text(),
      reps: t.integer(),
      kg: t.real(),
      doneAt: t.timestamp(),
    }).scopeVia('workoutId'),
  },
  aggregates: ({ aggregate }) => ({
    workoutTotals: aggregate('sets')
      .by('workoutId')
      .values({ sets: count(), volume: sum((set) => set.reps * set.kg, { decimals: 2 }) }),
  }),
  mutators: ({ mutator }) => ({
    startWorkout: mutator(
      members<WorkoutArgs>({ id: 'string', name: 'string', startedAt: 'number' }),
      async (tx, input) => tx.workouts.insert({ ...input, ownerId: tx.actor }),
    ),
    logSet: mutator(members<SetArgs>(setTypes), async (tx, input) => tx.sets.insert(input)),
    changeWeight: mutator(
      members<{ readonly id: string; readonly kg: number }>({ id: 'string', kg: 'number' }),
      async (tx, { id, kg }) => tx.sets.update(id, { kg }),
    ),
  }),
})
