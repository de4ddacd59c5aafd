// Every form of Strong's and Hevy's exports says the same sets; what cannot be read is named with its line, and the rest goes in.
import { describe, expect, it } from 'vitest'
import { IMPERIAL, NotAnExport, readExport } from '../../examples/workouts/src/import/parse.ts'
import {
  monthNumbers,
  provesDecimalComma,
  readDuration,
  readNumber,
  readTime,
} from '../../examples/workouts/src/import/values.ts'
import {
  bytes,
  hevy,
  history,
  meant,
  rename,
  say,
  strongLater,
  strongNew,
  strongOld,
  strongUnits,
  write,
} from './exports.ts'

const comma = (text: string): string => text.replace('.', ',')
const at = Date.UTC(2024, 2, 5, 18, 30)

describe('reading exports', () => {
  const sets = history(60)
  const plain = readExport(bytes(write(sets, strongOld)))

  it('reads every line of Strong’s oldest form', () => {
    expect(plain).toMatchObject({ source: 'strong', linesRead: 60, unreadable: [], restTimers: 0 })
    expect(plain.sets).toHaveLength(60)
    expect(plain.sets[0]).toEqual({
      line: 2,
      workout: {
        name: 'Legs, heavy',
        startedAt: Date.UTC(2024, 0, 1, 18, 30),
        endedAt: null,
        notes: 'slept badly, rained',
      },
      set: {
        exercise: 'Squat (Barbell)',
        kind: 'warmup',
        number: null,
        reps: 5,
        weight: 50,
        weightUnit: 'kg',
        distance: 0,
        distanceUnit: 'km',
        seconds: 0,
        rpe: null,
        superset: '',
        notes: 'felt "good"\nnext time more',
        more: {},
      },
    })
  })

  it.each([
    ['with CRLF', write(sets, strongOld, { lineEnd: '\r\n' })],
    ['with a byte-order mark', write(sets, strongOld, { bom: true })],
    ['with semicolons', write(sets, strongOld, { delimiter: ';' })],
    [
      'with semicolons and decimal commas',
      write(
        sets,
        say(strongOld, 'Weight', ({ weight }) => comma(weight)),
        { delimiter: ';' },
      ),
    ],
    [
      'with decimal commas in quotes',
      write(
        sets,
        say(strongOld, 'Weight', ({ weight }) => comma(weight)),
      ),
    ],
    [
      'with decimals where none are needed',
      write(
        sets,
        say(strongOld, 'Reps', ({ reps }) => `${reps}.0`),
      ),
    ],
    [
      'with headers in capitals',
      write(
        sets,
        strongOld.map(([header, words]) => [header.toUpperCase(), words] as const),
      ),
    ],
    ['with columns in another order', write(sets, [...strongOld].reverse())],
  ])('reads the same sets from a file %s', (_, text) => {
    const read = readExport(bytes(text))
    expect(read.unreadable).toEqual([])
    expect(read.sets.map(({ workout, set }) => ({ workout, set }))).toEqual(
      plain.sets.map(({ workout, set }) => ({ workout, set })),
    )
  })

  it('reads durations, RPE and units of Strong’s later forms', () => {
    const set = meant({ rpe: '8.5', distance: '1.5' })
    expect(readExport(bytes(write([set], strongLater))).sets[0]).toMatchObject({
      workout: { endedAt: at + 3_900_000 },
      set: { rpe: 8.5, weightUnit: 'kg' },
    })
    expect(readExport(bytes(write([set], strongUnits, { delimiter: ';' }))).sets[0]).toMatchObject({
      workout: { endedAt: at + 62 * 60_000 },
      set: { weightUnit: 'lb', distanceUnit: 'mi', distance: 1.5 },
    })
    expect(readExport(bytes(write([set], strongNew, { delimiter: ';' }))).sets[0]).toMatchObject({
      workout: { endedAt: at + 3_900_000 },
      set: { weightUnit: 'kg', distanceUnit: 'm', more: {} },
    })
    const pounds = rename(strongNew, { 'Weight (kg)': 'Weight (lbs)', 'Distance (meters)': 'Distance (miles)' })
    expect(readExport(bytes(write([set], pounds))).sets[0]).toMatchObject({
      set: { weight: 100, weightUnit: 'lb', distanceUnit: 'mi' },
    })
  })

  it('takes the units that it is told only where the file names none', () => {
    expect(readExport(bytes(write([meant()], strongOld)), IMPERIAL).sets[0]?.set).toMatchObject({
      weightUnit: 'lb',
      distanceUnit: 'mi',
    })
    expect(readExport(bytes(write([meant()], strongNew)), IMPERIAL).sets[0]?.set).toMatchObject({
      weightUnit: 'kg',
      distanceUnit: 'm',
    })
  })

  it('reads the kinds of sets, and counts rest timers as no sets', () => {
    const read = readExport(
      bytes(
        write(
          ['W', 'D', 'F', '3', 'Rest Timer'].map((order) => meant({ order })),
          strongOld,
        ),
      ),
    )
    expect(read.sets.map(({ set }) => [set.kind, set.number])).toEqual([
      ['warmup', null],
      ['drop', null],
      ['failure', null],
      ['normal', 3],
    ])
    expect(read).toMatchObject({ linesRead: 5, restTimers: 1, unreadable: [] })
  })

  it('keeps columns that it does not know', () => {
    expect(readExport(bytes(write([meant()], [...strongOld, ['Mood', () => 'fine']]))).sets[0]?.set.more).toEqual({
      Mood: 'fine',
    })
  })

  it('reads Hevy’s exports, in kilograms and in pounds', () => {
    const read = readExport(bytes(write([meant({ order: 'D', rpe: '9', distance: '2.5', notes: 'slow' })], hevy)))
    expect(read).toMatchObject({ source: 'hevy', unreadable: [] })
    expect(read.sets[0]).toMatchObject({
      workout: { name: 'Legs', startedAt: at, endedAt: at + 3_600_000 },
      set: {
        kind: 'drop',
        number: 0,
        weight: 100,
        weightUnit: 'kg',
        distance: 2.5,
        distanceUnit: 'km',
        rpe: 9,
        notes: 'slow',
      },
    })
    const pounds = rename(hevy, { weight_kg: 'weight_lbs', distance_km: 'distance_miles' })
    expect(readExport(bytes(write([meant()], pounds))).sets[0]?.set).toMatchObject({
      weight: 100,
      weightUnit: 'lb',
      distanceUnit: 'mi',
    })
    expect(
      readExport(
        bytes(
          write(
            [meant()],
            say(hevy, 'set_type', () => 'cluster'),
          ),
        ),
      ).sets[0]?.set.kind,
    ).toBe('cluster')
  })

  it('names each line that cannot be read, with the reason, and reads all others', () => {
    const good = write([meant(), meant({ order: '2' })], strongOld).split('\n')
    const bad = [
      '2024-13-05 18:30:00,Legs,Squat,1,100,5,0,0,,',
      '2024-03-05 18:30:00,Legs,Squat,1,heavy,5,0,0,,',
      '2024-03-05 18:30:00,Legs,Squat,Note,100,5,0,0,,',
      '2024-03-05 18:30:00,Legs,,1,100,5,0,0,,',
      '2024-03-05 18:30:00,Legs,Squat,1,100,5,0,0,"cut,',
      ',Legs,Squat,1,100,5,0,0,,',
      '2024-03-05 18:30:00,Legs,Squat,1,"1,250",5,0,0,,',
    ]
    const read = readExport(bytes([good[0], good[1], ...bad, good[2]].join('\n')))
    expect(read.sets.map(({ line }) => line)).toEqual([2, 10])
    expect(read.unreadable).toEqual([
      {
        line: 3,
        reason: 'Date is "2024-13-05 18:30:00", it must be a time like 2025-03-28 17:29:00 or 28 Mar 2025, 17:29',
      },
      { line: 4, reason: 'Weight is "heavy", it must be a number' },
      { line: 5, reason: 'Set Order is "Note", it must be a number, W, D, F or Rest Timer' },
      { line: 6, reason: 'Exercise Name is empty' },
      { line: 7, reason: 'text follows a closing quote' },
      { line: 8, reason: 'Date is empty, and every set belongs to a workout with a date' },
      {
        line: 9,
        reason: 'Weight is "1,250", it must be written without a comma, which may mean thousands or decimals here',
      },
    ])
    expect(read.linesRead).toBe(9)
  })

  it('refuses only the lines that are not UTF-8', () => {
    const file = Buffer.from(write([meant({ notes: 'schön' }), meant({ order: '2' })], strongOld), 'latin1')
    const read = readExport(file)
    expect(read.unreadable).toEqual([{ line: 2, reason: 'it holds bytes that are not UTF-8 text' }])
    expect(read.sets).toHaveLength(1)
  })

  it.each([
    ['', /no header line/],
    ['date,exercise,kg\n2024-01-01,Squat,100', /neither Strong's nor Hevy's: its columns are date, exercise, kg/],
    ['Date,Exercise Name,Set Order,Reps\n', /no column workout name/],
    ['Date,Workout Name,Exercise Name,Set Order,Reps,Reps\n', /two columns named reps/],
    ['Date,Workout Name,Exercise Name,Set Order,constructor\n', /column named constructor/],
  ])('says what is wrong with a file that is no export, and what to do', (text, message) => {
    expect(() => readExport(bytes(text))).toThrow(NotAnExport)
    expect(() => readExport(bytes(text))).toThrow(message)
    expect(() => readExport(bytes(text))).toThrow(/Export again/)
  })
})

describe('values', () => {
  it.each([
    ['2024-03-05 18:30:00'],
    ['2024-03-05T18:30'],
    ['2024-03-05 6:30:00\u202fPM'],
    ['5 Mar 2024, 18:30'],
    ['Mar 5, 2024, 6:30 PM'],
    ['5 mars 2024, 18:30'],
    ['5. März 2024, 18:30'],
    ['5 de mar. de 2024, 18:30'],
    ['5 Mar. 2024 18:30'],
  ])('reads the time %s', (text) => {
    expect(readTime('Date', text)).toBe(at)
  })

  it.each([
    '05/03/2024 18:30',
    '2024-02-30 10:00:00',
    '2024-03-05 24:30:00',
    '5 Foo 2024, 18:30',
    '2024-03-05 13:00 PM',
    'yesterday',
    '2024-03-05T18:30:00+02:00',
  ])('refuses the time %s', (text) => {
    expect(() => readTime('Date', text)).toThrow(/^Date is /)
  })

  it('knows the months of nine languages, and none that means two months', () => {
    expect([...new Set(monthNumbers().values())].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    for (const language of ['en', 'de', 'fr', 'es', 'it', 'pt', 'nl', 'tr']) {
      for (let month = 0; month < 12; month++) {
        const name = new Intl.DateTimeFormat(language, { month: 'short', timeZone: 'UTC' }).format(
          Date.UTC(2024, month, 5),
        )
        expect(readTime('start_time', `5 ${name} 2024, 18:30`), `${name} in ${language}`).toBe(
          Date.UTC(2024, month, 5, 18, 30),
        )
      }
    }
  })

  it('reads durations in words, as a clock and in seconds', () => {
    const read = (text: string) => readDuration('Duration', text, { hasDecimalComma: false })
    expect(['1h 5m', '45m', '50s', '1h', '2h 3m 4s', '1:05:00', '3900', '', '0'].map(read)).toEqual([
      3900,
      2700,
      50,
      3600,
      7384,
      3900,
      3900,
      null,
      0,
    ])
    expect(() => read('long')).toThrow(/Duration is "long"/)
  })

  it('takes a comma before three digits for decimals only in a file that proves it', () => {
    expect(provesDecimalComma('82,5')).toBe(true)
    expect(provesDecimalComma('1,250')).toBe(false)
    expect(readNumber('Weight', '1,250', { hasDecimalComma: true })).toBe(1.25)
    expect(() => readNumber('Weight', '1,250', { hasDecimalComma: false })).toThrow(/thousands/)
    expect(readNumber('Weight', '-0', { hasDecimalComma: false })).toBe(0)
  })
})
