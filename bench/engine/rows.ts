// The rows that the benchmarks work on, always the same: a thousand workouts of a hundred sets, a set about 200 bytes of JSON.
// Also the pages in which an authority would send them. No engine in here.
import { SCOPE, type SetArgs, type WorkoutArgs } from './app.ts'
import { uuidOf } from './uuid.ts'

/** A set as it travels. */
export interface SetRow extends SetArgs {
  readonly position: number
}

/** How many sets there are. */
export const SETS = 100_000
const SETS_PER_WORKOUT = 100
/** The limits of one page of a pull, as in PROTOCOL.md. */
const PAGE_ROWS = 5_000

const lifts = ['Squat', 'Bench Press', 'Deadlift', 'Overhead Press', 'Barbell Row', 'Pull Up', 'Dip', 'Leg Press']
const tools = ['Barbell', 'Dumbbell', 'Machine', 'Cable', 'Kettlebell', 'Band']

/** The workout with this number. */
export function workout(number: number): WorkoutArgs {
  return {
    id: uuidOf(`workout ${number}`),
    name: `Session ${number}`,
    startedAt: 1_700_000_000_000 + number * 86_400_000,
  }
}

/** One of 48 exercises. */
export function exercise(number: number): string {
  return `${lifts[number % lifts.length]} (${tools[Math.floor(number / lifts.length) % tools.length]})`
}

/** The arguments of the set with this number; `label` keeps the ids of different runs apart. */
export function setArgs(number: number, perWorkout = SETS_PER_WORKOUT, label = 'set'): SetArgs {
  const inWorkout = Math.floor(number / perWorkout)
  return {
    id: uuidOf(`${label} ${number}`),
    workoutId: uuidOf(`workout ${inWorkout}`),
    exercise: exercise((number * 7 + inWorkout) % 48),
    reps: 3 + ((number * 5) % 10),
    kg: 20 + ((number * 37) % 321) / 2,
    doneAt: 1_700_000_000_000 + inWorkout * 86_400_000 + (number % perWorkout) * 97_000,
  }
}

/** All sets as an authority would state them. */
export function allSets(count = SETS): SetRow[] {
  return Array.from({ length: count }, (_, number) => ({
    ...setArgs(number),
    position: (number % SETS_PER_WORKOUT) + 1,
  }))
}

/** The pages of a first pull of all these rows, as text; the last lacks only its seal and its closing brace. */
export function pullPages(sets: readonly SetRow[]): string[] {
  const workouts = Array.from({ length: Math.ceil(sets.length / SETS_PER_WORKOUT) }, (_, number) => workout(number))
  const totals = new Map<string, { sets: number; volume: number }>()
  for (const { workoutId, reps, kg } of sets) {
    const total = totals.get(workoutId) ?? { sets: 0, volume: 0 }
    totals.set(workoutId, { sets: total.sets + 1, volume: Math.round((total.volume + reps * kg) * 100) / 100 })
  }
  const parts: { readonly [table: string]: readonly { readonly id: string }[] }[] = [
    {
      workouts: workouts.map((row) => ({ ...row, ownerId: SCOPE.slice('user:'.length) })),
      workoutTotals: [...totals].map(([id, total]) => ({ id, ...total })),
    },
  ]
  for (let first = 0; first < sets.length; first += PAGE_ROWS)
    parts.push({ sets: sets.slice(first, first + PAGE_ROWS) })
  let from: object = { version: 0, mark: '' }
  return parts.map((rows, page) => {
    const to =
      page === parts.length - 1
        ? { version: 1, mark: 'aa' }
        : { version: 1, mark: 'aa', within: { table: 'sets', id: `page ${page}` } }
    const patch = { scope: SCOPE, from, to, rows, gone: {} }
    from = to
    return `{"requestId":"bench","patches":[${JSON.stringify(patch)}]`
  })
}
