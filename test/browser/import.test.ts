// `npm run import -- FILE.csv --page` as a person runs it, in processes of its own: what it reports, and that it sees what is wrong in
// the database. It needs the built package, as the example imports Holdfast by its public names.
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openAuthority } from '../../examples/workouts/src/authority.ts'
import { isPageWell, type PageReport } from '../../examples/workouts/src/import/page/report.ts'
import { readExport } from '../../examples/workouts/src/import/parse.ts'
import { planImport } from '../../examples/workouts/src/import/plan.ts'
import { history, strongNew, write } from '../examples/exports.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'holdfast-page-test-'))
const run = promisify(execFile)

beforeAll(() => run(process.execPath, ['scripts/build.mjs'], { cwd: root }), 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))

/** Runs the import to its end, whatever its exit code. */
async function importFile(...words: string[]): Promise<{ readonly code: number; readonly report: PageReport }> {
  const args = ['examples/workouts/src/import/cli.ts', ...words, '--page', '--json']
  const env = { ...process.env, TMPDIR: folder }
  const { code, stdout, stderr } = await run(process.execPath, args, { cwd: root, env }).then(
    (output) => ({ ...output, code: 0 }),
    (error: { readonly code: number; readonly stdout: string; readonly stderr: string }) => error,
  )
  const last = stdout.trimEnd().split('\n').at(-1) ?? ''
  expect(last, stderr).toMatch(/^\{/)
  return { code, report: JSON.parse(last) }
}

test('[I2] [I3] an import in the page reports what arrived; again it adds nothing; and what is wrong is seen', async () => {
  const file = join(folder, 'export.csv')
  const database = join(folder, 'shared.db')
  writeFileSync(file, `${write(history(96), strongNew, { delimiter: ';' })}8;broken;;;;;;;;;;;\n`)
  const words = [file, '--database', `sqlite:${database}`, '--actor', 'Zoë']
  const arrived = {
    file,
    linesRead: 97,
    unreadable: [{ line: expect.any(Number), reason: expect.stringMatching(/^Date is "broken"/) }],
    workouts: 8,
    setsRead: 96,
    rejected: 0,
    setsInDatabase: 96,
    duplicates: 0,
    positionsUnique: true,
    orderKept: true,
    valuesEqual: true,
    differences: [],
  }
  const first = await importFile(...words)
  expect(first.report).toMatchObject({ ...arrived, intents: 104, known: 0 })
  // Whether a task was long is the machine's business here; that the exit code says so is not.
  expect(first.code).toBe(isPageWell(first.report) ? 0 : 1)
  expect(first.report.tasks).toBeGreaterThan(1)

  const again = await importFile(...words)
  expect(again.report).toMatchObject({ ...arrived, intents: 0, known: 104 })

  const tampered = new DatabaseSync(database)
  tampered.exec(`UPDATE sets SET reps = 99 WHERE id = (SELECT id FROM sets WHERE position = 1 LIMIT 1)`)
  tampered.close()
  const { code, report } = await importFile(...words)
  expect(code).toBe(1)
  expect(report).toMatchObject({
    valuesEqual: false,
    differences: [expect.stringMatching(/^line \d+: reps is ".*" in the file and "99" in the database$/)],
  })
  expect(readdirSync(folder).filter((name) => name.startsWith('holdfast-'))).toEqual([])
}, 240_000)

test('an import in the page tells of each change that the authority did not take', async () => {
  const file = join(folder, 'refused.csv')
  const path = join(folder, 'refused.db')
  writeFileSync(file, write(history(24), strongNew))
  const plan = planImport(readExport(readFileSync(file)), 'ann')
  const taken = plan.intents.find(({ mutator }) => mutator === 'logWorkout')
  // The first workout's id is there already, and belongs to somebody else.
  const authority = openAuthority(path)
  await authority.ready
  await authority.close()
  const database = new DatabaseSync(path)
  database
    .prepare(`INSERT INTO workouts (id, ownerId, name, startedAt, notes, source) VALUES (?, 'bob', '', 0, '', '')`)
    .run(String(taken?.args['id']))
  database.close()

  const { code, report } = await importFile(file, '--database', `sqlite:${path}`, '--actor', 'ann')
  expect(code).toBe(1)
  expect(report).toMatchObject({ intents: 26, known: 0, rejected: 13, setsInDatabase: 12, valuesEqual: false })
  expect(report.differences.length).toBeGreaterThan(13)
  expect(report.differences[0]).toMatch(/^.+: .+\. \w+$/)
}, 120_000)
