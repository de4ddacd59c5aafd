// The command over PostgreSQL: what it prints can be run by hand, what it applies is there, and a planted fault is found and mended.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, inject, onTestFinished, test } from 'vitest'
import { main } from '../../src/cli/main.ts'
import { foreignly, freshBase, poolOf } from '../server/bases.ts'

const schema = fileURLToPath(new URL('../../src/schema/index.ts', import.meta.url))

const APP = `
import { count, defineApp, t, table } from ${JSON.stringify(pathToFileURL(schema).href)}
export const app = defineApp({
  tables: {
    lists: table({ id: t.id(), ownerId: t.text(), name: t.text() }).scope('user', 'ownerId').existing('app_lists', { ownerId: 'owner' }),
    items: table({ id: t.id(), listId: t.ref('lists'), place: t.appendIndex('listId'), text: t.text() }).scopeVia('listId'),
  },
  aggregates: ({ aggregate }) => ({ listTotals: aggregate('items').by('listId').values({ items: count() }) }),
})
`

/** An empty base with one table of the app's own, and the command over it. */
function base() {
  const cwd = mkdtempSync(join(tmpdir(), 'holdfast-cli-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  writeFileSync(join(cwd, 'app.js'), APP)
  const path = freshBase()
  foreignly(
    path,
    'CREATE TABLE app_lists (id uuid PRIMARY KEY, owner text NOT NULL, name text NOT NULL)',
    'CREATE INDEX ON app_lists (owner)',
  )
  const address = `${inject('postgres')}?options=-csearch_path%3D${path}`
  const call = async (...words: readonly string[]) => {
    const out: string[] = []
    const err: string[] = []
    const code = await main([...words, '--app', './app.js', '--database', address], {
      out: (text) => void out.push(text),
      err: (text) => void err.push(text),
      cwd,
    })
    return { code, out: out.join('\n'), err: err.join('\n') }
  }
  return { path, call }
}

test('migrate prints SQL that makes everything when it is run by hand', async () => {
  const { path, call } = base()
  const printed = await call('migrate')
  expect([printed.code, printed.err]).toEqual([1, ''])
  const pool = poolOf(path)
  onTestFinished(() => pool.end())
  await pool.query(printed.out)
  expect(await call('migrate')).toEqual({ code: 0, out: '-- Nothing is missing.', err: '' })
})

test('migrate --apply and verify: rows that were there are judged as they will be adopted, and a fault is found and mended', async () => {
  const { path, call } = base()
  const list = '00000000-0000-4000-8000-000000000001'
  foreignly(path, `INSERT INTO app_lists VALUES ('${list}', 'anna', 'Milk')`)
  expect(await call('migrate', '--apply')).toMatchObject({ code: 0, err: '' })
  foreignly(path, `INSERT INTO items ("id", "listId", "text") VALUES ('i', '${list}', 'x')`)
  expect(await call('verify')).toMatchObject({ code: 0, out: '2 rows, 1 groups: all is as it should be' })
  expect(foreignly(path, "SELECT count(*) AS n FROM holdfast_log WHERE tbl = 'items'")).toEqual([{ n: 0 }])
  expect(await call('verify', '--repair')).toMatchObject({ code: 0, err: '' })
  foreignly(path, 'UPDATE "listTotals" SET items = 9')
  expect(await call('verify')).toMatchObject({
    code: 1,
    out: expect.stringMatching(/aggregate: listTotals of .*"items":9.*come to .*"items":1/),
  })
  expect(await call('verify', '--repair')).toMatchObject({ code: 0, out: expect.stringMatching(/^mended 1\n/) })
})

test('a server that does not answer cannot be reached', async () => {
  const out: string[] = []
  const err: string[] = []
  const cwd = mkdtempSync(join(tmpdir(), 'holdfast-cli-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  writeFileSync(join(cwd, 'app.js'), APP)
  const code = await main(['verify', '--app', './app.js', '--database', 'postgres://nobody@127.0.0.1:1/none'], {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    cwd,
  })
  expect([code, out]).toEqual([3, []])
  expect(err.join()).toMatch(/The database does not answer: .*ECONNREFUSED/)
})
