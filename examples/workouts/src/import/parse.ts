// The bytes of an export → its sets, in the order of the file, and the lines that cannot be read, with the reason. Decides which
// app wrote the file; what the columns of each mean is in strong.ts and hevy.ts. Knows nothing of intents or ids: see plan.ts.
// Every line of the file is accounted for: linesRead = sets + restTimers + unreadable.
import { createColumns, plainHeader } from './columns.ts'
import { parseCsvInSteps } from './csv.ts'
import { createHevyReader, isHevy } from './hevy.ts'
import { finish, type Steps } from './steps.ts'
import { createStrongReader, isStrong } from './strong.ts'
import { decodeFile } from './text.ts'
import { type DistanceUnit, type NumberForm, provesDecimalComma, Unreadable } from './values.ts'

/** What a line says of the workout that its set belongs to. Times are milliseconds since 1970 of the same wall clock in UTC. */
export interface WorkoutPart {
  readonly name: string
  readonly startedAt: number
  readonly endedAt: number | null
  readonly notes: string
}

/** What a line says of its set. Numbers are as in the file, with their unit beside them; null where the file says nothing. */
export interface SetPart {
  readonly exercise: string
  /** normal, warmup, drop or failure; other words as the file has them. */
  readonly kind: string
  /** The set's number within its exercise, as in the file. */
  readonly number: number | null
  readonly reps: number | null
  readonly weight: number | null
  readonly weightUnit: string
  readonly distance: number | null
  readonly distanceUnit: string
  readonly seconds: number | null
  readonly rpe: number | null
  readonly superset: string
  readonly notes: string
  /** Columns that this code does not know, by name. */
  readonly more: { readonly [column: string]: string }
}

/** One set with the number of its line. */
export interface SetLine {
  readonly line: number
  readonly workout: WorkoutPart
  readonly set: SetPart
}

/** A line that does not go in, and why. */
export interface UnreadableLine {
  readonly line: number
  readonly reason: string
}

/** A file, read. */
export interface Export {
  readonly source: 'strong' | 'hevy'
  readonly linesRead: number
  readonly sets: readonly SetLine[]
  /** Lines that only tell of a rest between sets. */
  readonly restTimers: number
  readonly unreadable: readonly UnreadableLine[]
}

/** The units of numbers whose file names none. */
export interface Units {
  readonly weight: 'kg' | 'lb'
  readonly distance: DistanceUnit
}

/** The units that are meant when nobody says otherwise. */
export const METRIC: Units = { weight: 'kg', distance: 'km' }
/** The units of files written in pounds and miles. */
export const IMPERIAL: Units = { weight: 'lb', distance: 'mi' }

/** What reads the records of one kind of export; throws Unreadable. */
export interface ExportReader {
  readonly source: Export['source']
  readonly numberColumns: readonly { readonly index: number }[]
  read(fields: readonly string[], form: NumberForm): Pick<SetLine, 'workout' | 'set'> | 'rest'
}

/** Thrown for a file that is no export of Strong or Hevy; the message says what to do. */
export class NotAnExport extends Error {
  constructor(why: string) {
    super(`${why}. Export again from Strong or Hevy, with the app's language set to English, and give that .csv file.`)
    this.name = 'NotAnExport'
  }
}

/** Lines that are read between two steps: a fraction of a millisecond. */
const LINES_PER_STEP = 20

/** Reads a whole file at once. */
export function readExport(bytes: Uint8Array, units: Units = METRIC): Export {
  return finish(readExportInSteps(bytes, units))
}

/** Reads a whole file in steps; throws NotAnExport. */
export function* readExportInSteps(bytes: Uint8Array, units: Units = METRIC): Steps<Export> {
  const { text, isDamaged } = decodeFile(bytes)
  const { header, records } = yield* parseCsvInSteps(text)
  const reader = chooseReader(header, units)
  const form = {
    hasDecimalComma: records.some(
      (record) =>
        'fields' in record && reader.numberColumns.some(({ index }) => provesDecimalComma(record.fields[index] ?? '')),
    ),
  }
  const sets: SetLine[] = []
  const unreadable: UnreadableLine[] = []
  let restTimers = 0
  for (const [index, record] of records.entries()) {
    if (index % LINES_PER_STEP === 0) yield { done: index, all: records.length }
    try {
      if ('reason' in record) throw new Unreadable(record.reason)
      if (isDamaged && record.fields.some((field) => field.includes('\uFFFD')))
        throw new Unreadable('it holds bytes that are not UTF-8 text')
      const read = reader.read(record.fields, form)
      if (read === 'rest') restTimers++
      else sets.push({ line: record.line, ...read })
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      unreadable.push({ line: record.line, reason: error.message })
    }
  }
  return { source: reader.source, linesRead: records.length, sets, restTimers, unreadable }
}

function chooseReader(header: readonly string[], units: Units): ExportReader {
  const plain = header.map(plainHeader)
  if (header.length === 0) throw new NotAnExport('The file has no header line')
  const twice = plain.find((name, index) => name !== '' && plain.indexOf(name) !== index)
  if (twice !== undefined) throw new NotAnExport(`The file has two columns named ${twice}`)
  // JavaScript gives these names a meaning of its own, and the engine refuses them as keys.
  const unkept = plain.find((name) => ['__proto__', 'constructor', 'prototype'].includes(name))
  if (unkept !== undefined) throw new NotAnExport(`The file has a column named ${unkept}, which cannot be kept`)
  try {
    if (isStrong(plain)) return createStrongReader(createColumns(header), units)
    if (isHevy(plain)) return createHevyReader(createColumns(header))
  } catch (error) {
    throw new NotAnExport(error instanceof Error ? error.message : String(error))
  }
  throw new NotAnExport(
    `The file is neither Strong's nor Hevy's: its columns are ${header.slice(0, 12).join(', ').slice(0, 200)}`,
  )
}
