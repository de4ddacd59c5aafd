// The command as it is called: what it prints, as text and as JSON, its exit codes, and what it says to whoever calls it wrongly.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { main } from '../../src/cli/main.ts'

const schema = fileURLToPath(new URL('../../src/schema/index.ts', import.meta.url))

const APP = `
import { count, defineApp, t, table } from ${JSON.stringify(pathToFileURL(schema).href)}
export const app = defineApp({
  tables: {
    lists: table({ id: t.id(), ownerId: t.text(), name: t.text() }).scope('user', 'ownerId'),
    items: table({ id: t.id(), listId: t.ref('lists'), place: t.appendIndex('listId'), text: t.text() }).scopeVia('listId'),
  },
  aggregates: ({ aggregate }) => ({ listTotals: aggregate('items').by('listId').values({ items: count() }) }),
})
`

/** A folder with an app, and hands to call the command there. */
function folder() {
  const cwd = mkdtempSync(join(tmpdir(), 'holdfast-cli-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  writeFileSync(join(cwd, 'app.js'), APP)
  const call = async (...words: readonly string[]) => {
    const out: string[] = []
    const err: string[] = []
    const code = await main(words, { out: (text) => void out.push(text), err: (text) => void err.push(text), cwd })
    return { code, out: out.join('\n'), err: err.join('\n') }
  }
  const plain = (...texts: readonly string[]): unknown[] => {
    const db = new DatabaseSync(join(cwd, 'data.db'))
    try {
      return texts.map((text) => db.prepare(text).all()).at(-1) ?? []
    } finally {
      db.close()
    }
  }
  return { cwd, call, plain }
}

const where = ['--app', './app.js', '--database', 'sqlite:./data.db'] as const

test('migrate prints SQL that makes everything when it is run by hand, and changes nothing itself', async () => {
  const { cwd, call, plain } = folder()
  plain('CREATE TABLE other (id TEXT)')
  const printed = await call('migrate', ...where)
  expect([printed.code, printed.err]).toEqual([1, ''])
  expect(printed.out).toContain('CREATE TABLE "lists"')
  expect(plain("SELECT name FROM sqlite_schema WHERE type = 'table'")).toEqual([{ name: 'other' }])
  expect(plain('PRAGMA journal_mode')).toEqual([{ journal_mode: 'delete' }])
  const db = new DatabaseSync(join(cwd, 'data.db'))
  db.exec(printed.out)
  db.close()
  expect(await call('migrate', ...where)).toMatchObject({ code: 0, out: '-- Nothing is missing.' })
})

test('migrate --apply makes what is missing, also the file, and then nothing is', async () => {
  const { cwd, call } = folder()
  const applied = await call('migrate', ...where, '--apply')
  expect(applied).toMatchObject({ code: 0, err: '' })
  expect(applied.out).toContain('made the table lists')
  expect(existsSync(join(cwd, 'data.db'))).toBe(true)
  expect(JSON.parse((await call('migrate', ...where, '--json')).out)).toEqual({
    command: 'migrate',
    applied: false,
    adopted: false,
    missing: [],
    warnings: [],
  })
})

test('[I10] migrate --apply adopts the rows that were there, so that no request waits for it', async () => {
  const { call, plain } = folder()
  plain(
    'CREATE TABLE lists (id TEXT PRIMARY KEY NOT NULL, ownerId TEXT NOT NULL, name TEXT NOT NULL)',
    "INSERT INTO lists VALUES ('l', 'anna', 'Milk')",
  )
  expect((await call('migrate', ...where, '--apply')).out).toMatch(/adopted the rows that were there$/)
  expect(plain('SELECT id, scope FROM holdfast_log')).toEqual([{ id: 'l', scope: 'user:anna' }])
  expect(await call('migrate', ...where, '--apply')).toMatchObject({ code: 0, out: '-- Nothing is missing.' })
})

test('verify is content with a database that is well, and says what is not', async () => {
  const { call, plain } = folder()
  await call('migrate', ...where, '--apply')
  plain(
    "INSERT INTO lists (id, ownerId, name) VALUES ('l', 'anna', 'Milk')",
    "INSERT INTO items (id, listId, text) VALUES ('i', 'l', 'x')",
  )
  expect(await call('verify', ...where)).toMatchObject({ code: 0, out: '2 rows, 1 groups: all is as it should be' })
  // Nothing was adopted: the rows wait still.
  expect(plain('SELECT count(*) AS n FROM holdfast_log')).toEqual([{ n: 0 }])
  expect((await call('verify', ...where, '--repair')).code).toBe(0)
  plain('UPDATE listTotals SET items = 7')
  const found = await call('verify', ...where, '--json')
  expect(found.code).toBe(1)
  expect(JSON.parse(found.out)).toMatchObject({
    command: 'verify',
    rows: 2,
    mended: 0,
    findings: [{ kind: 'aggregate', problem: expect.stringContaining('listTotals of l') }],
  })
  expect(await call('verify', ...where, '--repair')).toMatchObject({
    code: 0,
    out: 'mended 1\n2 rows, 1 groups: all is as it should be',
  })
  expect(plain('SELECT items FROM listTotals')).toEqual([{ items: 1 }])
})

test('verify says that migrations are missing before it says anything else', async () => {
  const { call, plain } = folder()
  await call('migrate', ...where, '--apply')
  plain('DROP TRIGGER "holdfast.items.insert"')
  const { code, out } = await call('verify', ...where)
  expect([code, out]).toEqual([
    1,
    expect.stringMatching(/missing: Missing: the trigger holdfast.items.insert[\s\S]*holdfast migrate --apply/),
  ])
})

test('a database that does not fit the app is something that was found', async () => {
  const { call, plain } = folder()
  plain('CREATE TABLE lists (id TEXT PRIMARY KEY)')
  expect(await call('migrate', ...where)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/has no column ownerId/),
  })
})

test.each([
  ['nothing', [], /Say what to do/],
  ['another command', ['dance'], /There is no command "dance"; there are migrate, verify, replay/],
  ['no app', ['migrate', '--database', 'sqlite:x'], /--app is missing/],
  ['no database', ['verify', '--app', 'x'], /--database is missing/],
  ['a word too many', ['verify', 'x'], /What is "x"\? Options begin with --/],
  [
    'an option that it has not',
    ['verify', ...where, '--apply'],
    /verify has no option --apply; it has --repair, --json/,
  ],
  ['an option without its value', ['verify', '--app', '--json'], /--app wants a value/],
])('called with %s, it says what is right', async (_what, words, says) => {
  const { code, out, err } = await folder().call(...words)
  expect([code, out]).toEqual([2, ''])
  expect(err).toMatch(says)
  expect(err).toMatch(/Exit codes: 0/)
})

test.each([
  [
    'a module that is not there',
    ['--app', './none.js', '--database', 'sqlite:./data.db'],
    /There is no file .*none\.js/,
  ],
  [
    'a module without an app',
    ['--app', './empty.js', '--database', 'sqlite:./data.db'],
    /exports no app: it needs `export const app/,
  ],
  [
    'a module that cannot be loaded',
    ['--app', './broken.js', '--database', 'sqlite:./data.db'],
    /broken\.js cannot be loaded: .*this Node/,
  ],
  ['a database that is not there', where, /There is no database .*data\.db. `holdfast migrate --apply` makes it/],
  [
    'a database in no folder',
    ['--app', './app.js', '--database', 'sqlite:./no/data.db'],
    /Its folder is not there either/,
  ],
  [
    'an address that is none',
    ['--app', './app.js', '--database', 'data.db'],
    /"data.db" is no address of a database. Say sqlite:/,
  ],
])('%s cannot be reached, and nothing is made', async (_what, words, says) => {
  const { cwd, call } = folder()
  writeFileSync(join(cwd, 'empty.js'), 'export const other = 1')
  writeFileSync(join(cwd, 'broken.js'), 'export const app = nothing')
  const { code, out, err } = await call('verify', ...words)
  expect([code, out, existsSync(join(cwd, 'data.db'))]).toEqual([3, '', false])
  expect(err).toMatch(says)
})

test('help says what there is, for the whole and for each command', async () => {
  const { call } = folder()
  expect(await call('--help')).toMatchObject({ code: 0, out: expect.stringMatching(/migrate[\s\S]*verify/), err: '' })
  expect((await call('verify', '--help')).out).toMatch(/--repair +recomputes/)
  expect((await call('migrate', '-h')).out).toMatch(/--apply +makes what is missing/)
})

test('an older Node is refused in a sentence before anything newer is loaded', () => {
  const source = readFileSync(fileURLToPath(new URL('../../src/cli/bin.ts', import.meta.url)), 'utf8')
  // Only what this Node has is at the top: everything else is loaded after the check.
  expect(source).not.toMatch(/^import /m)
  const old = `Object.defineProperty(process.versions, 'node', { value: '22.12.0' })\n`
  const { cwd } = folder()
  writeFileSync(join(cwd, 'old.ts'), old + source.replace(/^#!.*\n/, ''))
  const run = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--experimental-strip-types', join(cwd, 'old.ts')],
    { encoding: 'utf8' },
  )
  expect([run.status, run.stdout]).toEqual([2, ''])
  expect(run.stderr).toMatch(/holdfast needs Node 22\.13 or newer, and this is 22\.12\.0/)
})
