// Exports that tests make for themselves: one history of sets, written in any of the forms that Strong and Hevy use. Whatever the
// form, the same sets must come out of it. No test reads a person's real data.

/** A set as a test means it. */
export interface MeantSet {
  readonly startedAt: string
  readonly workout: string
  readonly exercise: string
  readonly order: string
  readonly weight: string
  readonly reps: string
  readonly distance: string
  readonly seconds: string
  readonly rpe: string
  readonly notes: string
  readonly workoutNotes: string
}

/** A set with what a test does not care about filled in. */
export function meant(some: Partial<MeantSet> = {}): MeantSet {
  return {
    startedAt: '2024-03-05 18:30:00',
    workout: 'Legs',
    exercise: 'Squat (Barbell)',
    order: '1',
    weight: '100',
    reps: '5',
    distance: '0',
    seconds: '0',
    rpe: '',
    notes: '',
    workoutNotes: '',
    ...some,
  }
}

/** A history of `count` sets: several workouts, equal sets, notes of all sorts. The same number gives the same history. */
export function history(count: number): MeantSet[] {
  return Array.from({ length: count }, (_, index) => {
    const workout = Math.floor(index / 12)
    const exercise = Math.floor((index % 12) / 4)
    return meant({
      startedAt: `2024-${String(1 + (workout % 12)).padStart(2, '0')}-${String(1 + (Math.floor(workout / 12) % 28)).padStart(2, '0')} 18:30:${String(workout % 60).padStart(2, '0')}`,
      workout: workout % 3 === 0 ? 'Legs, heavy' : `Day ${workout % 5}`,
      exercise: ['Squat (Barbell)', 'Bench "flat"', 'Plank'][exercise] ?? '',
      order: index % 4 === 0 && exercise === 0 ? 'W' : String(1 + (index % 4)),
      weight: exercise === 2 ? '0' : String(50 + (workout % 7) * 2.5),
      reps: exercise === 2 ? '0' : String(5 + (workout % 4)),
      seconds: exercise === 2 ? '60' : '0',
      rpe: index % 5 === 0 ? '8.5' : '',
      notes: index % 17 === 0 ? 'felt "good"\nnext time more' : '',
      workoutNotes: workout % 4 === 0 ? 'slept badly, rained' : '',
    })
  })
}

/** One column: its header, and what it says of a set. */
type Column = readonly [header: string, say: (set: MeantSet) => string]

/** Writes sets with these columns. */
export function write(
  sets: readonly MeantSet[],
  columns: readonly Column[],
  { delimiter = ',', lineEnd = '\n', bom = false } = {},
): string {
  const cell = (text: string): string => (/["\n\r;,]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const lines = [
    columns.map(([header]) => cell(header)),
    ...sets.map((set) => columns.map(([, say]) => cell(say(set)))),
  ]
  return `${bom ? '\uFEFF' : ''}${lines.map((cells) => cells.join(delimiter)).join('\n')}\n`.replaceAll('\n', lineEnd)
}

/** Strong's oldest form. */
export const strongOld: readonly Column[] = [
  ['Date', (set) => set.startedAt],
  ['Workout Name', (set) => set.workout],
  ['Exercise Name', (set) => set.exercise],
  ['Set Order', (set) => set.order],
  ['Weight', (set) => set.weight],
  ['Reps', (set) => set.reps],
  ['Distance', (set) => set.distance],
  ['Seconds', (set) => set.seconds],
  ['Notes', (set) => set.notes],
  ['Workout Notes', (set) => set.workoutNotes],
]

/** Strong's form with duration and RPE. */
export const strongLater: readonly Column[] = [
  ...strongOld.slice(0, 2),
  ['Duration', () => '1h 5m'],
  ...strongOld.slice(2),
  ['RPE', (set) => set.rpe],
]

/** Strong's form with units in columns of their own, for semicolons. */
export const strongUnits: readonly Column[] = [
  ...strongOld.slice(0, 5),
  ['Weight Unit', () => 'lbs'],
  ['Reps', (set) => set.reps],
  ['RPE', (set) => set.rpe],
  ['Distance', (set) => set.distance],
  ['Distance Unit', () => 'mi.'],
  ['Seconds', (set) => set.seconds],
  ['Notes', (set) => set.notes],
  ['Workout Notes', (set) => set.workoutNotes],
  ['Workout Duration', () => '62m'],
]

/** Strong's newest form. */
export const strongNew: readonly Column[] = [
  ['Workout #', () => '7'],
  ['Date', (set) => set.startedAt],
  ['Workout Name', (set) => set.workout],
  ['Duration (sec)', () => '3900'],
  ['Exercise Name', (set) => set.exercise],
  ['Set Order', (set) => set.order],
  ['Weight (kg)', (set) => set.weight],
  ['Reps', (set) => set.reps],
  ['RPE', (set) => set.rpe],
  ['Distance (meters)', (set) => set.distance],
  ['Seconds', (set) => set.seconds],
  ['Notes', (set) => set.notes],
  ['Workout Notes', (set) => set.workoutNotes],
]

const setTypes: { readonly [order: string]: string | undefined } = { W: 'warmup', D: 'dropset', F: 'failure' }
const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** «28 Mar 2024, 18:30» from «2024-03-28 18:30:00»: Hevy's times have no seconds. */
export function hevyTime(time: string): string {
  const [, year, month, day, clock] = /^(\d+)-(\d+)-(\d+) (\d+:\d+)/.exec(time) ?? []
  return `${Number(day)} ${monthNames[Number(month) - 1]} ${year}, ${clock}`
}

/** Hevy's form. */
export const hevy: readonly Column[] = [
  ['title', (set) => set.workout],
  ['start_time', (set) => hevyTime(set.startedAt)],
  ['end_time', (set) => hevyTime(set.startedAt.replace(' 18:', ' 19:'))],
  ['description', (set) => set.workoutNotes],
  ['exercise_title', (set) => set.exercise],
  ['superset_id', () => ''],
  ['exercise_notes', (set) => set.notes],
  ['set_index', (set) => (/^\d/.test(set.order) ? String(Number(set.order) - 1) : '0')],
  ['set_type', (set) => setTypes[set.order] ?? 'normal'],
  ['weight_kg', (set) => set.weight],
  ['reps', (set) => set.reps],
  ['distance_km', (set) => set.distance],
  ['duration_seconds', (set) => set.seconds],
  ['rpe', (set) => set.rpe],
]

/** The same columns under other headers. */
export function rename(columns: readonly Column[], names: { readonly [header: string]: string }): Column[] {
  return columns.map(([header, say]) => [names[header] ?? header, say])
}

/** The same columns with other words in one. */
export function say(columns: readonly Column[], header: string, words: (set: MeantSet) => string): Column[] {
  return columns.map((column) => (column[0] === header ? [header, words] : column))
}

/** The bytes of a text. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
