// One line of a Strong export → one set and what it says of its workout. Strong files differ by age, device and settings: with
// or without Duration, RPE and notes; units in the header («Weight (kg)»), in columns of their own, or nowhere; the set order a
// number, or a letter for the kind of set. «Workout #» is the export's own numbering, which changes from one export to the next,
// and is not kept. Which lines belong to one workout is for plan.ts.
import { type Columns, type Field, keepRest, textOf } from './columns.ts'
import type { ExportReader, Units } from './parse.ts'
import {
  type NumberForm,
  readDistanceUnit,
  readDuration,
  readNumber,
  readTime,
  readWeightUnit,
  readWhole,
  Unreadable,
} from './values.ts'

const kinds: { readonly [letter: string]: string | undefined } = { W: 'warmup', D: 'drop', F: 'failure' }

/** Whether a header, in lower case, is that of a Strong export. */
export function isStrong(header: readonly string[]): boolean {
  return ['date', 'exercise name', 'set order'].every((name) => header.includes(name))
}

/** The reader of a Strong export with these columns. `units` count where the file names none. */
export function createStrongReader(columns: Columns, units: Units): ExportReader {
  const date = columns.need('date')
  const name = columns.need('workout name')
  const exercise = columns.need('exercise name')
  const order = columns.need('set order')
  const weight = columns.match(/^weight(?: \((.+)\))?$/)
  const distance = columns.match(/^distance(?: \((.+)\))?$/)
  const weightUnit = columns.take('weight unit')
  const distanceUnit = columns.take('distance unit')
  const reps = columns.take('reps')
  const rpe = columns.take('rpe')
  const seconds = columns.take('seconds')
  const duration = columns.take('duration', 'duration (sec)', 'workout duration')
  const notes = columns.take('notes')
  const workoutNotes = columns.take('workout notes')
  columns.take('workout #')
  const rest = columns.rest()
  const fixedWeightUnit = weight === undefined ? '' : readWeightUnit(weight.name, weight.unit)
  const fixedDistanceUnit = distance === undefined ? '' : readDistanceUnit(distance.name, distance.unit)

  return {
    source: 'strong',
    numberColumns: [weight, reps, rpe, distance, seconds].filter(
      (field): field is Field & { readonly unit: string } => field !== undefined,
    ),
    read(fields, form) {
      const orderText = textOf(fields, order).trim()
      if (/^rest timer$/i.test(orderText)) return 'rest'
      const startedAt = readTime('Date', textOf(fields, date))
      if (startedAt === null) throw new Unreadable('Date is empty, and every set belongs to a workout with a date')
      const exerciseName = textOf(fields, exercise)
      if (exerciseName.trim() === '') throw new Unreadable('Exercise Name is empty')
      const durationSeconds =
        duration === undefined ? null : readDuration(duration.name, textOf(fields, duration), form)
      return {
        workout: {
          name: textOf(fields, name),
          startedAt,
          endedAt: durationSeconds === null ? null : startedAt + Math.round(durationSeconds * 1000),
          notes: textOf(fields, workoutNotes),
        },
        set: {
          exercise: exerciseName,
          ...readOrder(orderText, form),
          reps: readNumber('Reps', textOf(fields, reps), form),
          weight: readNumber('Weight', textOf(fields, weight), form),
          weightUnit:
            weightUnit === undefined
              ? fixedWeightUnit || (weight === undefined ? '' : units.weight)
              : readWeightUnit('Weight Unit', textOf(fields, weightUnit)),
          distance: readNumber('Distance', textOf(fields, distance), form),
          distanceUnit:
            distanceUnit === undefined
              ? fixedDistanceUnit || (distance === undefined ? '' : units.distance)
              : readDistanceUnit('Distance Unit', textOf(fields, distanceUnit)),
          seconds: readNumber('Seconds', textOf(fields, seconds), form),
          rpe: readNumber('RPE', textOf(fields, rpe), form),
          superset: '',
          notes: textOf(fields, notes),
          more: keepRest(fields, rest),
        },
      }
    },
  }
}

function readOrder(text: string, form: NumberForm): { readonly kind: string; readonly number: number | null } {
  const kind = kinds[text.toUpperCase()]
  if (kind !== undefined) return { kind, number: null }
  if (!/^\d/.test(text))
    throw new Unreadable(
      `Set Order is ${JSON.stringify(text.slice(0, 60))}, it must be a number, W, D, F or Rest Timer`,
    )
  return { kind: 'normal', number: readWhole('Set Order', text, form) }
}
