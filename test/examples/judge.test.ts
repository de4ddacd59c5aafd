// The judge is seen to fail: a faithful database passes in every form of the file, and each planted fault is found and named.
// Its databases are made here by hand, so that no mistake of the engine can hide itself.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { judge, type Verdict } from '../../examples/workouts/src/import/judge.ts'
import { IMPERIAL, METRIC, readExport, type Units } from '../../examples/workouts/src/import/parse.ts'
import { type Plan, planImport } from '../../examples/workouts/src/import/plan.ts'
import {
  bytes,
  hevy,
  history,
  type MeantSet,
  meant,
  rename,
  say,
  strongLater,
  strongNew,
  strongOld,
  strongUnits,
  write,
} from './exports.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-judge-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let made = 0

/** A database as a faithful authority leaves it, and then what `harm` does to it. */
function databaseOf({ intents }: Plan, harm?: (database: DatabaseSync) => void): string {
  const path = join(folder, `${made++}.db`)
  const database = new DatabaseSync(path)
  database.exec(`CREATE TABLE workouts (id TEXT, ownerId TEXT, name TEXT, startedAt INTEGER, endedAt INTEGER, notes TEXT, source TEXT);
    CREATE TABLE sets (id TEXT, workoutId TEXT, position INTEGER, exercise TEXT, kind TEXT, number INTEGER, reps REAL, weight REAL, weightUnit TEXT,
      distance REAL, distanceUnit TEXT, seconds REAL, rpe REAL, superset TEXT, notes TEXT, more TEXT); BEGIN`)
  const positions = new Map<unknown, number>()
  for (const { mutator, args } of intents) {
    const position = (positions.get(args['workoutId']) ?? 0) + 1
    positions.set(args['workoutId'], position)
    const empty = { kind: 'normal', superset: '', notes: '', more: {} }
    const row: { readonly [column: string]: unknown } =
      mutator === 'logWorkout' ? { notes: '', ownerId: 'ada', ...args } : { ...empty, ...args, position }
    const columns = Object.keys(row)
    const values = Object.values(row).map((value) =>
      typeof value === 'object' ? JSON.stringify(value) : (value as string | number),
    )
    database
      .prepare(
        `INSERT INTO ${mutator === 'logWorkout' ? 'workouts' : 'sets'} (${columns.join()}) VALUES (${columns.map(() => '?').join()})`,
      )
      .run(...values)
  }
  database.exec('COMMIT')
  harm?.(database)
  database.close()
  return path
}

/** The rows that a faithful second device shows. */
function heldBy({ intents }: Plan) {
  const positions = new Map<unknown, number>()
  const place = (workout: unknown): number => {
    positions.set(workout, (positions.get(workout) ?? 0) + 1)
    return positions.get(workout) ?? 0
  }
  return {
    workouts: intents
      .filter(({ mutator }) => mutator === 'logWorkout')
      .map(({ args }) => ({ notes: '', endedAt: null, ownerId: 'ada', ...args })),
    sets: intents
      .filter(({ mutator }) => mutator === 'logSet')
      .map(({ args }) => ({
        kind: 'normal',
        superset: '',
        notes: '',
        more: {},
        ...args,
        position: place(args['workoutId']),
      })),
  }
}

function judged(text: string, harm?: (database: DatabaseSync) => void, units: Units = METRIC): Verdict {
  const file = join(folder, `${made++}.csv`)
  writeFileSync(file, text)
  const plan = planImport(readExport(bytes(text), units), 'ada')
  return judge({
    file,
    actor: 'ada',
    unreadable: plan.unreadable.map(({ line }) => line),
    database: databaseOf(plan, harm),
  })
}

const sets = history(60)
const fine = {
  setsInFile: 60,
  setsInDatabase: 60,
  duplicates: 0,
  positionsUnique: true,
  orderKept: true,
  valuesEqual: true,
  differences: [],
}
const spanish = ['ene', 'feb', 'mar', 'abr', 'may', 'jun', 'jul', 'ago', 'sept', 'oct', 'nov', 'dic']
const inSpanish = (time: string): string =>
  `${Number(time.slice(8, 10))} ${spanish[Number(time.slice(5, 7)) - 1]} ${time.slice(0, 4)}, ${time.slice(11, 16)}`

describe('the judge of an import', () => {
  it.each([
    ['Strong’s oldest form', write(sets, strongOld)],
    ['Strong with duration and RPE', write(sets, strongLater, { lineEnd: '\r\n', bom: true })],
    ['Strong with columns of units', write(sets, strongUnits, { delimiter: ';' })],
    ['Strong’s newest form', write(sets, strongNew, { delimiter: ';' })],
    [
      'Strong in pounds and miles',
      write(sets, rename(strongNew, { 'Weight (kg)': 'Weight (lbs)', 'Distance (meters)': 'Distance (miles)' })),
    ],
    [
      'Strong with decimal commas',
      write(
        sets,
        say(strongOld, 'Weight', ({ weight }) => weight.replace('.', ',')),
        { delimiter: ';' },
      ),
    ],
    ['Strong with a column that nobody knows', write(sets, [...strongOld, ['Mood', ({ reps }) => reps]])],
    ['Hevy', write(sets, hevy)],
    [
      'Hevy in pounds, with months in Spanish',
      write(
        sets,
        say(rename(hevy, { weight_kg: 'weight_lbs', distance_km: 'distance_miles' }), 'start_time', ({ startedAt }) =>
          inSpanish(startedAt),
        ),
      ),
    ],
  ])('finds nothing wrong with a faithful database, for %s', (_, text) => {
    expect(judged(text)).toEqual(fine)
  })

  it('does not hold units against a file that names none', () => {
    expect(judged(write(sets, strongOld), undefined, IMPERIAL)).toEqual(fine)
  })

  it('leaves out unreadable lines and rest timers', () => {
    const text = write(
      [meant({ weight: 'x' }), meant(), meant({ order: 'Rest Timer' }), meant({ order: '2' })],
      strongOld,
    )
    expect(judged(text)).toEqual({ ...fine, setsInFile: 2, setsInDatabase: 2 })
  })

  const first = 'SELECT min(rowid) FROM sets'
  const columns: readonly (readonly [string, string])[] = [
    ['exercise', "'Deadlift'"],
    ['kind', "'drop'"],
    ['number', '9'],
    ['reps', '6'],
    ['weight', '50.5'],
    ['weightUnit', "'kg'"],
    ['distance', '1'],
    ['distanceUnit', "'m'"],
    ['seconds', '1'],
    ['rpe', '7'],
    ['notes', "'felt'"],
    ['more', `'{"Mood":"bad"}'`],
  ]
  it.each(columns)('sees one set with another %s', (column, value) => {
    const text = write(sets, [...strongUnits, ['Mood', () => 'fine']], { delimiter: ';' })
    const verdict = judged(text, (database) =>
      database.exec(`UPDATE sets SET ${column} = ${value} WHERE rowid = (${first})`),
    )
    expect(verdict).toMatchObject({ valuesEqual: false, duplicates: 0, orderKept: true })
    expect(verdict.differences).toEqual([
      expect.stringMatching(new RegExp(`^line 2: ${column} is .* in the file and .* in the database$`)),
    ])
  })

  it.each([
    ['name', "'Arms'"],
    ['startedAt', 'startedAt + 1000'],
    ['endedAt', 'endedAt + 1000'],
    ['notes', "'slept well'"],
    ['ownerId', "'eve'"],
  ])('sees a workout with another %s', (column, value) => {
    const verdict = judged(write(sets, strongLater), (database) =>
      database.exec(`UPDATE workouts SET ${column} = ${value} WHERE rowid = 1`),
    )
    expect(verdict.valuesEqual).toBe(false)
    expect(verdict.differences.length).toBeGreaterThanOrEqual(12)
    expect(verdict.differences[0]).toMatch(/^line 2: its workout/)
  })

  it('sees a set that is missing, one that is doubled and one that is from nowhere', () => {
    const text = write(sets, strongOld)
    const missing = judged(text, (database) => database.exec(`DELETE FROM sets WHERE rowid = 7`))
    expect(missing).toMatchObject({
      setsInDatabase: 59,
      valuesEqual: false,
      differences: ['line 9: its set is not in the database'],
    })
    const doubled = judged(text, (database) =>
      database.exec(
        `INSERT INTO sets SELECT * FROM sets WHERE rowid = 1; UPDATE sets SET position = 99 WHERE rowid = 61`,
      ),
    )
    expect(doubled).toMatchObject({
      setsInDatabase: 61,
      duplicates: 1,
      valuesEqual: true,
      positionsUnique: true,
      orderKept: true,
    })
    expect(doubled.differences).toEqual([expect.stringContaining('the set at position 99 is a duplicate')])
    const strange = judged(text, (database) =>
      database.exec(
        `INSERT INTO sets SELECT * FROM sets WHERE rowid = 1; UPDATE sets SET position = 99, reps = 77 WHERE rowid = 61`,
      ),
    )
    expect(strange).toMatchObject({ duplicates: 0, valuesEqual: false })
    expect(strange.differences).toEqual([expect.stringContaining('the set at position 99 is in no line of the file')])
  })

  it('sees a whole workout doubled', () => {
    const harm = (database: DatabaseSync): void =>
      database.exec(`INSERT INTO workouts SELECT 'other', ownerId, name, startedAt, endedAt, notes, source FROM workouts WHERE rowid = 1;
        INSERT INTO sets SELECT id || 'x', 'other', position, exercise, kind, number, reps, weight, weightUnit, distance, distanceUnit, seconds, rpe, superset, notes, more
        FROM sets WHERE workoutId = (SELECT id FROM workouts WHERE rowid = 1)`)
    expect(judged(write(sets, strongOld), harm)).toMatchObject({ duplicates: 12, setsInDatabase: 72 })
  })

  it('sees two sets in each other’s place, and two in one place', () => {
    const text = write(sets, strongOld)
    const swapped = judged(text, (database) =>
      database.exec('UPDATE sets SET position = CASE position WHEN 2 THEN 3 ELSE 2 END WHERE rowid IN (2, 3)'),
    )
    expect(swapped).toMatchObject({
      orderKept: false,
      valuesEqual: true,
      positionsUnique: true,
      differences: [expect.stringContaining('stands after that of a later line')],
    })
    const shared = judged(text, (database) => database.exec('UPDATE sets SET position = 2 WHERE rowid = 3'))
    expect(shared).toMatchObject({
      positionsUnique: false,
      differences: [expect.stringContaining('two sets have one position')],
    })
  })

  it('gives the same verdict on rows that a device pulled', () => {
    const file = join(folder, 'rows.csv')
    writeFileSync(file, write([meant(), meant({ order: '2' })], strongOld))
    const plan = planImport(readExport(readFileSync(file)), 'ada')
    const rows = join(folder, 'rows.json')
    const held = heldBy(plan)
    writeFileSync(rows, JSON.stringify(held))
    expect(judge({ file, actor: 'ada', unreadable: [], rows })).toEqual({ ...fine, setsInFile: 2, setsInDatabase: 2 })
    writeFileSync(rows, JSON.stringify({ ...held, sets: held.sets.slice(1) }))
    expect(judge({ file, actor: 'ada', unreadable: [], rows })).toMatchObject({ valuesEqual: false, setsInDatabase: 1 })
  })

  it('agrees with the importer about any export, though they read it by different means', () => {
    const text = (least: number) =>
      fc.string({
        unit: fc.constantFrom('a', 'É', '"', ',', ';', '\n', ' ', '😀', "'", '1'),
        minLength: least,
        maxLength: 9,
      })
    const amount = fc.constantFrom('', '0', '5', '62.5', '1234.25', '0.125')
    const sets = fc.array(
      fc.record({
        startedAt: fc.constantFrom('2023-12-31 23:59:59', '2024-02-29 00:00:00', '2024-09-01 12:30:05'),
        workout: fc.oneof(fc.constantFrom('Push', ''), text(0)),
        exercise: fc.oneof(
          fc.constant('Squat'),
          text(1).filter((name) => name.trim() !== ''),
        ),
        order: fc.constantFrom('1', '2', '10', 'W', 'D', 'F'),
        weight: fc.oneof(amount, fc.constant('-7.5')),
        reps: amount,
        distance: amount,
        seconds: amount,
        rpe: fc.constantFrom('', '0', '7', '8.5'),
        notes: text(0),
        workoutNotes: fc.constantFrom('', 'tired', 'so "so", it was;\nreally'),
      }),
      { minLength: 1, maxLength: 8 },
    )
    const form = fc.constantFrom(strongOld, strongLater, strongUnits, strongNew, hevy)
    const how = fc.record({
      delimiter: fc.constantFrom(',', ';'),
      lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
      bom: fc.boolean(),
    })
    const file = join(folder, 'any.csv')
    const rows = join(folder, 'any.json')
    fc.assert(
      fc.property(sets, form, how, fc.boolean(), (meantSets, columns, options, commas) => {
        const numbers = /^(weight|distance|reps|seconds|rpe|duration_seconds)/i
        const written = columns.map(
          ([header, words]) =>
            (commas && numbers.test(header) && !/unit/i.test(header)
              ? [header, (set: MeantSet) => words(set).replace('.', ',')]
              : [header, words]) as (typeof columns)[number],
        )
        writeFileSync(file, write(meantSets, [...written, ['Mood', ({ notes }) => notes]], options))
        const plan = planImport(readExport(readFileSync(file)), 'ada')
        writeFileSync(rows, JSON.stringify(heldBy(plan)))
        const unreadable = plan.unreadable.map(({ line }) => line)
        const count = meantSets.length - unreadable.length
        expect(judge({ file, actor: 'ada', unreadable, rows })).toEqual({
          ...fine,
          setsInFile: count,
          setsInDatabase: count,
        })
        // Alone «0,125» may be thousands; all else can be read.
        if (!commas) expect(unreadable).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  it('loads nothing of Holdfast and nothing of the importer', () => {
    const root = new URL('../../examples/workouts/src/import/', import.meta.url)
    const files = ['judge.ts', ...readdirSync(new URL('judge/', root)).map((name) => `judge/${name}`)]
    const imports = files.flatMap((file) =>
      [...readFileSync(new URL(file, root), 'utf8').matchAll(/(?:from|import\() ?'([^']+)'/g)].map(([, name]) => name),
    )
    expect(imports.length).toBeGreaterThan(5)
    expect(imports.filter((name) => !/^(node:|\.\/(judge\/)?(compare|file)\.ts$)/.test(name ?? ''))).toEqual([])
  })
})
