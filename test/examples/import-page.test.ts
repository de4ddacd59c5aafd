// The import in the page without a browser: what its report calls well, what the page's words mean, and what a person is told whose
// machine has no Chromium. The import itself is in test/browser.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { describePageReport, isPageWell, type PageReport } from '../../examples/workouts/src/import/page/report.ts'
import { readAdded } from '../../examples/workouts/src/import/page/visit.ts'
import { history, strongNew, write } from './exports.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'holdfast-import-page-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the report of an import in the page', () => {
  const fine: PageReport = {
    file: 'a.csv',
    linesRead: 4,
    unreadable: [{ line: 5, reason: 'Date is empty' }],
    workouts: 1,
    setsRead: 3,
    intents: 3,
    known: 1,
    rejected: 0,
    setsInDatabase: 3,
    duplicates: 0,
    positionsUnique: true,
    orderKept: true,
    valuesEqual: true,
    differences: [],
    offlineMs: 1000,
    syncMs: 1000,
    tasks: 100,
    longestTaskMs: 20,
    longestTaskWallMs: 400,
    tasksOver50Ms: 0,
    tasksOver50WallMs: 1,
  }

  it('is well when everything arrived and no task worked for long, however long one waited for the processor', () => {
    expect(isPageWell(fine)).toBe(true)
    expect(describePageReport(fine)).toMatch(/line 5: Date is empty.*Everything arrived.*could be used/s)
  })

  const faults: readonly Partial<PageReport>[] = [
    { rejected: 1 },
    { duplicates: 1 },
    { positionsUnique: false },
    { orderKept: false },
    { valuesEqual: false },
    { differences: ['x'] },
    { setsInDatabase: 2 },
    { intents: 2 },
    { intents: 4 },
  ]
  it.each(faults)('is not well with %j', (fault) => {
    expect(isPageWell({ ...fine, ...fault })).toBe(false)
    expect(describePageReport({ ...fine, ...fault })).toMatch(/SOMETHING IS WRONG/)
  })

  it.each([[{ tasksOver50Ms: 1, longestTaskMs: 51 }], [{ tasks: 0 }]])(
    'is not well when the page stood still or nothing was watched: %j',
    (fault) => {
      expect(isPageWell({ ...fine, ...fault })).toBe(false)
      expect(describePageReport({ ...fine, ...fault })).toMatch(/THE PAGE STOOD STILL/)
    },
  )
})

it.each([
  ['250 workouts and 2,995 sets added.', { workouts: 250, sets: 2995, known: 0 }],
  ['1 workout and 1 set added, 3,245 were here already, 2 lines left out.', { workouts: 1, sets: 1, known: 3245 }],
  ['12 sets added.', { workouts: 0, sets: 12, known: 0 }],
  ['Nothing new, 26 were here already.', { workouts: 0, sets: 0, known: 26 }],
])('what the page says at the end is read as numbers: %s', (text, numbers) => {
  expect(readAdded(text)).toEqual(numbers)
})

it('says what to do when there is no browser, before it starts anything', () => {
  const file = join(folder, 'export.csv')
  writeFileSync(file, write(history(12), strongNew))
  const cli = join(root, 'examples/workouts/src/import/cli.ts')
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, file, '--page', '--json'], {
    env: { ...process.env, CHROME_PATH: join(folder, 'nothing'), TMPDIR: folder },
    encoding: 'utf8',
  })
  expect({ status, stdout, stderr }).toEqual({
    status: 1,
    stdout: '',
    stderr: `CHROME_PATH is ${join(folder, 'nothing')}, and nothing is there\n`,
  })
  expect(readdirSync(folder)).toEqual(['export.csv'])
})
