// The import from end to end, in the processes in which a person runs it: killed devices, a bad network, a real database, the judge.
// It needs the built package, as the example imports Holdfast by its public names.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Report } from '../../examples/workouts/src/import/report.ts'
import { hevy, history, strongNew, write } from './exports.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'holdfast-import-test-'))
const started: ChildProcess[] = []

beforeAll(() => promisify(execFile)(process.execPath, ['scripts/build.mjs'], { cwd: root }), 120_000)
afterAll(() => {
  for (const child of started) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

const keep = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

async function run(
  ...words: string[]
): Promise<{ readonly code: number; readonly lines: readonly string[]; readonly complaints: string }> {
  const child = spawn(process.execPath, ['examples/workouts/src/import/cli.ts', ...words], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started.push(child)
  let [said, complaints] = ['', '']
  child.stdout.on('data', (chunk) => {
    said += chunk
  })
  child.stderr.on('data', (chunk) => {
    complaints += chunk
  })
  const [code] = await once(child, 'close')
  return { code, lines: said.trimEnd().split('\n'), complaints }
}

const reportOf = ({ lines, complaints }: Awaited<ReturnType<typeof run>>): Report => {
  expect(lines.at(-1), complaints).toMatch(/^\{/)
  return JSON.parse(lines.at(-1) ?? '')
}

const well = { rejected: 0, duplicates: 0, positionsUnique: true, orderKept: true, valuesEqual: true, differences: [] }

describe('an import from end to end', () => {
  const sets = history(96)
  const strong = keep(
    'strong.csv',
    `${write(sets, strongNew, { delimiter: ';', lineEnd: '\r\n', bom: true })}8;broken;;;;;;;;;;;\r\n`,
  )

  it('[I3] brings every set in once and in order, though two runs on one database are killed, cut off and answered twice', async () => {
    const database = join(folder, 'shared.db')
    const words = [strong, '--json', '--database', `sqlite:${database}`]
    const both = (await Promise.all([run(...words, '--seed', '3'), run(...words, '--seed', '4')])).map(reportOf)
    for (const report of both) {
      expect(report).toMatchObject({
        ...well,
        file: strong,
        linesRead: 97,
        workouts: 8,
        setsRead: 96,
        intents: 104,
        setsInDatabase: 96,
      })
      expect(report.unreadable).toEqual([
        { line: expect.any(Number), reason: expect.stringMatching(/^Date is "broken"/) },
      ])
      expect(report.kills).toBeGreaterThanOrEqual(1)
      expect(report.answersLost).toBeGreaterThanOrEqual(5)
      expect(report.requestsRepeated).toBeGreaterThanOrEqual(5)
      expect(report.applied + report.repeated).toBe(104)
    }
    expect(both.reduce((sum, { applied }) => sum + applied, 0)).toBe(104)

    const again = reportOf(await run(...words))
    expect(again).toMatchObject({ ...well, applied: 0, repeated: 104, setsInDatabase: 96 })

    const tampered = new DatabaseSync(database)
    tampered.exec(`UPDATE sets SET reps = 99 WHERE id = (SELECT id FROM sets WHERE position = 1 LIMIT 1)`)
    tampered.close()
    const { code, lines } = await run(...words)
    expect(code).toBe(1)
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
      valuesEqual: false,
      differences: [expect.stringMatching(/^line \d+: reps is ".*" in the file and "99" in the database$/)],
    })
  }, 180_000)

  it('reports for people, and lets two devices import one file at once', async () => {
    const { code, lines } = await run(keep('hevy.csv', write(sets.slice(0, 24), hevy)), '--devices', '2')
    expect(lines.join('\n')).toMatch(
      /24 sets, 0 unreadable.*26 applied, 26 known from before, 0 not applied.*Everything arrived, once, whole and in order\.$/s,
    )
    expect(code).toBe(0)
  }, 180_000)

  it('sends to an authority that npm start runs, and judges what a second device pulls from it', async () => {
    const env = { ...process.env, PORT: '0', HOLDFAST_DATA: join(folder, 'data') }
    const serve = spawn(process.execPath, ['examples/workouts/src/serve.ts'], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    started.push(serve)
    let origin = ''
    for await (const line of createInterface({ input: serve.stdout })) {
      origin ||= /listens on (\S+)/.exec(line)?.[1] ?? ''
      if (line.includes('Ctrl-C')) break
    }
    expect(await (await fetch(`${origin}/health`)).json()).toMatchObject({ status: 'ok' })
    const { code, lines, complaints } = await run(strong, '--authority', origin, '--actor', 'Zoë', '--json')
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ ...well, applied: 104, repeated: 0, setsInDatabase: 96 })
    expect(complaints).toMatch(/rows that a fresh second device pulled/)
    expect(code).toBe(0)

    const second = spawn(process.execPath, ['examples/workouts/src/serve.ts'], {
      cwd: root,
      env: { ...env, PORT: new URL(origin).port },
      stdio: 'pipe',
    })
    let complaint = ''
    second.stderr.on('data', (chunk) => {
      complaint += chunk
    })
    expect((await once(second, 'close'))[0]).toBe(1)
    expect(complaint).toMatch(/Port \d+ is taken.*another port/s)
    serve.kill('SIGTERM')
    expect((await once(serve, 'close'))[0]).toBe(0)
  }, 180_000)

  it('says what is wrong with a file that is none, or an authority that is not there', async () => {
    const none = await run(keep('none.csv', 'date,kg\n2024-01-01,5\n'), '--json')
    expect(none).toMatchObject({
      code: 1,
      lines: [''],
      complaints: expect.stringMatching(/neither Strong's nor Hevy's.*Export again/),
    })
    const nobody = await run(strong, '--authority', 'http://127.0.0.1:9')
    expect(nobody).toMatchObject({
      code: 1,
      complaints: expect.stringMatching(/does not answer at \/health.*npm start/),
    })
    const noDatabase = await run(strong, '--database', `sqlite:${strong}`)
    expect(noDatabase).toMatchObject({
      code: 1,
      complaints: expect.stringMatching(/authority process gave up: .*file is not a database/),
    })
    expect(await run('--frob')).toMatchObject({ code: 2, complaints: expect.stringMatching(/frob/) })
  }, 180_000)
})
