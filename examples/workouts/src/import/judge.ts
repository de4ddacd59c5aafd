// The judge: a process of its own that reads the rows with plain SQL, reads the file again by other means than the importer, and
// says whether each column of each set arrived once and in order. It loads nothing of Holdfast, so that no mistake of the engine
// can hide itself. Its question comes as one JSON line on stdin, its verdict leaves as one on stdout.
// Where the database is out of reach it takes rows that a fresh second device pulled (`rows`), as tables of the same names.
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { compare, groupBy, type HeldWorkout } from './judge/compare.ts'
import { rereadFile, type Said, sayMore, sayNumber } from './judge/file.ts'

/** What the judge is asked. One of `database` and `rows` is given: paths. */
export interface Question {
  readonly file: string
  readonly actor: string
  /** Lines that the importer called unreadable. */
  readonly unreadable: readonly number[]
  readonly database?: string
  readonly rows?: string
}

/** What the judge found. */
export interface Verdict {
  readonly setsInFile: number
  readonly setsInDatabase: number
  readonly duplicates: number
  readonly positionsUnique: boolean
  readonly orderKept: boolean
  readonly valuesEqual: boolean
  readonly differences: readonly string[]
}

type Row = { readonly [column: string]: unknown }

/** Judges one import. */
export function judge(question: Question): Verdict {
  const lines = rereadFile(decode(readFileSync(question.file)), new Set(question.unreadable))
  const { workouts, sets } =
    question.database === undefined ? readRows(question.rows ?? '') : readDatabase(question.database)
  const mine = workouts.filter((row) => row['ownerId'] === question.actor)
  const setsByWorkout = groupBy(sets, (row) => row['workoutId'])
  const held = mine.map(
    (row): HeldWorkout => ({
      startedAt: iso(row['startedAt']),
      name: String(row['name']),
      endedAt: iso(row['endedAt']),
      notes: String(row['notes']),
      sets: (setsByWorkout.get(row['id']) ?? [])
        .map((set) => ({ id: String(set['id']), position: Number(set['position']), set: say(set) }))
        .sort((a, b) => a.position - b.position),
    }),
  )
  const doubled = held.filter(
    ({ sets: inOrder }) => new Set(inOrder.map(({ position }) => position)).size < inOrder.length,
  )
  const found = compare(lines, held)
  return {
    setsInFile: lines.length,
    setsInDatabase: held.reduce((sum, workout) => sum + workout.sets.length, 0),
    duplicates: found.duplicates,
    positionsUnique: doubled.length === 0,
    orderKept: found.orderKept,
    valuesEqual: found.valuesEqual,
    differences: [
      ...doubled.map(({ name, startedAt }) => `${name}, ${startedAt}: two sets have one position`),
      ...found.differences,
    ],
  }
}

function readDatabase(path: string): { readonly workouts: readonly Row[]; readonly sets: readonly Row[] } {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    database.exec('PRAGMA busy_timeout = 10000; BEGIN')
    const workouts = database.prepare('SELECT * FROM "workouts"').all()
    const sets = database.prepare('SELECT * FROM "sets" ORDER BY "workoutId", "position"').all()
    return { workouts, sets: sets.map((row) => ({ ...row, more: JSON.parse(String(row['more'])) })) }
  } finally {
    database.close()
  }
}

function readRows(path: string): { readonly workouts: readonly Row[]; readonly sets: readonly Row[] } {
  return JSON.parse(readFileSync(path, 'utf8'))
}

function decode(bytes: Uint8Array): string {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8'
  return new TextDecoder(encoding).decode(bytes)
}

function iso(milliseconds: unknown): string {
  return milliseconds === null || milliseconds === undefined ? '' : new Date(Number(milliseconds)).toISOString()
}

const numbers = ['number', 'reps', 'weight', 'distance', 'seconds', 'rpe']
const texts = ['exercise', 'kind', 'weightUnit', 'distanceUnit', 'superset', 'notes']

function say(row: Row): Said {
  return {
    ...Object.fromEntries(numbers.map((column) => [column, sayNumber(row[column])])),
    ...Object.fromEntries(texts.map((column) => [column, String(row[column])])),
    more: sayMore(row['more'] as Row),
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const verdict = judge(JSON.parse(await text(process.stdin)))
  process.stdout.write(`${JSON.stringify(verdict)}\n`)
}
