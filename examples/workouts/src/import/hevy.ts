// One line of a Hevy export → one set and what it says of its workout. Hevy names its units in the header (weight_kg or
// weight_lbs, distance_km or distance_miles), counts sets from 0 within an exercise, and writes times in the language of the
// app. A kind of set that is not known here is kept by its own name: every line of Hevy's is a set.
// Which lines belong to one workout is for plan.ts.
import { type Columns, type Field, keepRest, textOf } from './columns.ts'
import type { ExportReader } from './parse.ts'
import { readDistanceUnit, readNumber, readTime, readWeightUnit, readWhole, Unreadable } from './values.ts'

const kinds: { readonly [type: string]: string | undefined } = {
  normal: 'normal',
  '': 'normal',
  warmup: 'warmup',
  dropset: 'drop',
  failure: 'failure',
}

/** Whether a header, in lower case, is that of a Hevy export. */
export function isHevy(header: readonly string[]): boolean {
  return ['start_time', 'exercise_title'].every((name) => header.includes(name))
}

/** The reader of a Hevy export with these columns. */
export function createHevyReader(columns: Columns): ExportReader {
  const title = columns.need('title')
  const start = columns.need('start_time')
  const exercise = columns.need('exercise_title')
  const end = columns.take('end_time')
  const description = columns.take('description')
  const superset = columns.take('superset_id')
  const notes = columns.take('exercise_notes')
  const index = columns.take('set_index')
  const type = columns.take('set_type')
  const weight = columns.match(/^weight_(kg|lbs?)$/)
  const distance = columns.match(/^distance_(km|miles|mi|m|meters)$/)
  const reps = columns.take('reps')
  const seconds = columns.take('duration_seconds')
  const rpe = columns.take('rpe')
  const rest = columns.rest()
  const weightUnit = readWeightUnit('weight', weight?.unit ?? '')
  const distanceUnit = readDistanceUnit('distance', distance?.unit ?? '')

  return {
    source: 'hevy',
    numberColumns: [index, weight, reps, distance, seconds, rpe].filter(
      (field): field is Field & { readonly unit: string } => field !== undefined,
    ),
    read(fields, form) {
      const startedAt = readTime('start_time', textOf(fields, start))
      if (startedAt === null)
        throw new Unreadable('start_time is empty, and every set belongs to a workout with a time')
      const exerciseName = textOf(fields, exercise)
      if (exerciseName.trim() === '') throw new Unreadable('exercise_title is empty')
      const typeText = textOf(fields, type).trim()
      return {
        workout: {
          name: textOf(fields, title),
          startedAt,
          endedAt: readTime('end_time', textOf(fields, end)),
          notes: textOf(fields, description),
        },
        set: {
          exercise: exerciseName,
          kind: kinds[typeText.toLowerCase()] ?? typeText,
          number: readWhole('set_index', textOf(fields, index), form),
          reps: readNumber('reps', textOf(fields, reps), form),
          weight: readNumber(weight?.name ?? 'weight', textOf(fields, weight), form),
          weightUnit,
          distance: readNumber(distance?.name ?? 'distance', textOf(fields, distance), form),
          distanceUnit,
          seconds: readNumber('duration_seconds', textOf(fields, seconds), form),
          rpe: readNumber('rpe', textOf(fields, rpe), form),
          superset: textOf(fields, superset),
          notes: textOf(fields, notes),
          more: keepRest(fields, rest),
        },
      }
    },
  }
}
