// The words of `npm run import`: what is meant, and what a person is told who gave something else.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readOptions, UsageError } from '../../examples/workouts/src/import/options.ts'
import { IMPERIAL, METRIC } from '../../examples/workouts/src/import/parse.ts'
import {
  capDifferences,
  describeReport,
  isWell,
  MAX_DIFFERENCES,
  type Report,
} from '../../examples/workouts/src/import/report.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-options-'))
const file = join(folder, 'export.csv')
writeFileSync(file, '')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the words of an import', () => {
  it('need only a file', () => {
    expect(readOptions([file])).toEqual({
      file,
      path: file,
      authority: undefined,
      database: undefined,
      actor: 'demo',
      seed: 1,
      devices: 1,
      units: METRIC,
      page: false,
      json: false,
    })
  })

  it('say everything else when they are given', () => {
    const words = [
      file,
      '--json',
      '--authority',
      'http://127.0.0.1:8787/sync',
      '--database',
      `sqlite:${folder}/a.db`,
      '--actor',
      'ada',
      '--seed',
      '7',
      '--devices',
      '2',
      '--units',
      'imperial',
    ]
    expect(readOptions(words)).toEqual({
      file,
      path: file,
      authority: 'http://127.0.0.1:8787',
      database: join(folder, 'a.db'),
      actor: 'ada',
      seed: 7,
      devices: 2,
      units: IMPERIAL,
      page: false,
      json: true,
    })
  })

  it('say that the page does it, with a database and a name', () => {
    expect(readOptions([file, '--page', '--database', `sqlite:${folder}/a.db`, '--actor', 'ada'])).toMatchObject({
      page: true,
      database: join(folder, 'a.db'),
      actor: 'ada',
    })
  })

  it.each([
    [[], /No file was given.*npm run import/s],
    [['nowhere.csv'], /There is no file nowhere.csv.*Give the path/s],
    [[folder], /is not a file.*Give the path/s],
    [[file, file], /One file at a time.*once for each/s],
    [[file, '--database', 'a.db'], /--database is a.db.*sqlite:/s],
    [[file, '--database', 'sqlite:/no/such/folder/a.db'], /no folder.*Make the folder/s],
    [[file, '--authority', 'localhost:8787'], /no address.*http:\/\/127/s],
    [[file, '--authority', 'http://127.0.0.1:8787/api'], /found at \/sync.*Give http:\/\/127.0.0.1:8787/s],
    [[file, '--seed', 'x'], /--seed is x.*whole number/s],
    [[file, '--devices', '9'], /--devices is 9.*1 to 8/s],
    [[file, '--units', 'stones'], /--units is stones.*metric/s],
    [[file, '--actor', ''], /--actor is empty.*Give a name/s],
    [[file, '--page', '--authority', 'http://127.0.0.1:8787'], /--authority does not go with --page.*leave one/s],
    [[file, '--page', '--devices', '2'], /--devices does not go with --page.*leave one/s],
    [[file, '--page', '--seed', '7'], /--seed does not go with --page.*leave one/s],
    [[file, '--page', '--units', 'imperial'], /--units does not go with --page.*leave --units or/s],
    [[file, '--page', '--actor', ' ada'], /--actor is " ada".*without spaces/s],
    [[file, '--page', '--actor', 'a'.repeat(61)], /the page does not take.*1 to 60/s],
    [[file, '--frob'], /frob.*npm run import/s],
  ])('are refused when they are %j, with what to do instead', (words, message) => {
    expect(() => readOptions(words)).toThrow(UsageError)
    expect(() => readOptions(words)).toThrow(message)
  })
})

describe('the report of an import', () => {
  const fine: Report = {
    file: 'a.csv',
    linesRead: 3,
    unreadable: [{ line: 4, reason: 'Date is empty' }],
    workouts: 1,
    setsRead: 2,
    intents: 3,
    applied: 1,
    rejected: 0,
    repeated: 2,
    setsInDatabase: 2,
    duplicates: 0,
    positionsUnique: true,
    orderKept: true,
    valuesEqual: true,
    differences: [],
    kills: 1,
    answersLost: 5,
    requestsRepeated: 5,
    requests: 20,
    bytesUp: 1,
    bytesDown: 1,
    offlineMs: 1,
    syncMs: 1,
  }

  it('is well when everything arrived, also where lines could not be read', () => {
    expect(isWell(fine)).toBe(true)
    expect(describeReport(fine, 'by SQL')).toMatch(/line 4: Date is empty.*Everything arrived/s)
  })

  const faults: readonly Partial<Report>[] = [
    { rejected: 1 },
    { duplicates: 1 },
    { positionsUnique: false },
    { orderKept: false },
    { valuesEqual: false },
    { differences: ['x'] },
    { setsInDatabase: 1 },
    { applied: 0 },
  ]
  it.each(faults)('is not well with %j', (fault) => {
    expect(isWell({ ...fine, ...fault })).toBe(false)
    expect(describeReport({ ...fine, ...fault }, 'by SQL')).toMatch(/SOMETHING IS WRONG/)
  })

  it('lists a bounded number of differences and says how many there are', () => {
    const many = Array.from({ length: 100 }, (_, index) => `difference ${index}`)
    expect(capDifferences(many)).toHaveLength(MAX_DIFFERENCES)
    expect(capDifferences(many).at(-1)).toBe('and 81 more')
    expect(capDifferences(many.slice(0, MAX_DIFFERENCES))).toEqual(many.slice(0, MAX_DIFFERENCES))
  })
})
