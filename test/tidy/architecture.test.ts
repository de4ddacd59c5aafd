// The documents name only what is there: files, invariants, tests, issues. ARCHITECTURE.md has all invariants, and each decision
// says when to think again.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BORDERS } from './borders.ts'
import { invariantProblems, isOnDisk, LATER, pathProblems } from './documents.ts'
import { partOf, rowsOf, sectionOf, spansOf } from './markdown.ts'
import { everyTitle, pathsIn, readSource, root } from './sources.ts'
import { bordersTable, pagesWithTables } from './tables.ts'

const pages = pathsIn('.')
  // Quotes the requirement, whose links lead to pages of its own; its cells are held against the disk in requirement.test.ts.
  .filter((path) => path.endsWith('.md') && path !== 'docs/requirement.md')
  .map(readSource)
const architecture = readSource('ARCHITECTURE.md').text
const invariants = [...readSource('src/base/assert.ts').text.matchAll(/'(I\d+)'/g)].map(([, id = '']) => id)
const read = (path: string): string | undefined =>
  existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined

describe('files that documents name', () => {
  test('are there', () => {
    expect(pages.length).toBeGreaterThan(4)
    expect(pages.flatMap((page) => pathProblems(page))).toEqual([])
  })

  test.each([
    ['a file in a code span', 'see `src/base/nowhere.ts`'],
    ['a folder', 'see `test/nowhere/`'],
    ['a page of the root', 'see `NOWHERE.md`'],
    ['a link', 'see [there](docs/nowhere.md#part)'],
  ])('the guard refuses %s that is not there', (_title, text) => {
    expect(pathProblems({ path: 'A.md', text })).toHaveLength(1)
  })

  test('the guard leaves addresses, commands and links to the web alone', () => {
    const text = '`npm run sim`, `src/**/*.ts`, [MIT](https://example.com/x.md), [below](#limits), `holdfast/client`'
    expect(pathProblems({ path: 'A.md', text })).toEqual([])
  })
})

describe('the table of borders', () => {
  test('is that of test/tidy/borders.ts (write it with `node test/tidy/tables.ts`)', () => {
    expect(partOf(architecture, 'borders')).toBe(bordersTable())
  })

  test('writing all tables anew changes nothing', () => {
    for (const { path, text, wanted } of pagesWithTables()) expect(text === wanted, path).toBe(true)
  })

  test('a border that opens is seen', () => {
    expect(partOf(architecture, 'borders')).not.toBe(bordersTable([...BORDERS, { place: 'x', may: ['client'] }]))
  })
})

describe('one write, file by file', () => {
  const stations = rowsOf(sectionOf(architecture, 'One write, file by file'))

  test('goes through client, protocol and server and back', () => {
    const files = stations.flatMap((cells) => spansOf(cells[1] ?? ''))
    expect(files.length).toBeGreaterThan(15)
    expect(files.filter((path) => !isOnDisk(path))).toEqual([])
    for (const room of ['src/client/', 'src/protocol/', 'src/server/', 'src/schema/']) {
      expect(files.some((path) => path.startsWith(room))).toBe(true)
    }
  })
})

describe('the table of invariants', () => {
  test('has all of them, each with what asserts it, what proves it and what checks it', () => {
    expect(invariants).toHaveLength(18)
    expect(invariantProblems(architecture, invariants, everyTitle(), read)).toEqual([])
  })

  const head = '## Invariants\n\n| | statement | files | tests | simulator |\n|---|---|---|---|---|\n'
  const titles = [{ path: 'test/a.test.ts', title: '[I1] it is kept before it is sent' }]
  const files = new Map([
    ['src/a.ts', 'check(kept, "I1", "it was sent before it was kept")'],
    ['src/b.ts', 'nothing of the kind'],
  ])
  const problemsOf = (rows: string, ids = ['I1']) =>
    invariantProblems(head + rows, ids, titles, (path) => files.get(path))
  const row =
    '| I1 | an intent is kept before it is sent | `src/a.ts` | «[I1] it is kept before it is sent» | `src/a.ts` |'

  test('the guard accepts a row that is true', () => {
    expect(problemsOf(row)).toEqual([])
  })

  test.each([
    ['an invariant without a row', row, ['I1', 'I2']],
    ['a row of no invariant', row.replace('| I1', '| I9'), ['I1']],
    ['a file that does not speak of it', row.replace('`src/a.ts` | «', '`src/b.ts` | «'), ['I1']],
    ['a file that is not there', row.replace('`src/a.ts` | «', '`src/c.ts` | «'), ['I1']],
    ['a test that is not there', row.replace('kept before it is sent»', 'lost»'), ['I1']],
    ['a test of something else', row.replace('«[I1]', '«[I2]'), ['I1']],
    ['no test at all', row.replace(/«.*»/, ''), ['I1']],
    ['a check that does not speak of it', row.replace(/`src\/a.ts` \|$/, '`src/b.ts` |'), ['I1']],
    ['a promise of no known issue', row.replace(/«.*»/, 'later: Some day'), ['I1']],
  ])('the guard refuses %s', (_title, rows, ids) => {
    expect(problemsOf(rows, ids).length).toBeGreaterThan(0)
  })

  test('the guard refuses a test of an invariant that the table does not have', () => {
    const more = [...titles, { path: 'test/b.test.ts', title: '[I19] something new' }]
    expect(invariantProblems(head + row, ['I1'], more, (path) => files.get(path))).toHaveLength(1)
  })

  test('the guard accepts an issue that is to come', () => {
    expect(
      problemsOf(
        `| I1 | an intent is kept before it is sent | later: ${LATER[2]} | later: ${LATER[2]} | later: ${LATER[2]} |`,
      ),
    ).toEqual([])
  })
})

describe('decisions', () => {
  const decisions = pathsIn('docs/decisions').map(readSource)

  test('each is one page, has a number of its own, and says when to reopen it', () => {
    expect(decisions.length).toBeGreaterThan(5)
    const numbers = decisions.map(({ path }) => /\/(\d{4})-[a-z0-9-]+\.md$/.exec(path)?.[1])
    // A number may be missing: somebody else is still writing its page.
    expect(numbers).toEqual([...new Set(numbers)].sort())
    expect(numbers).not.toContain(undefined)
    for (const { path, text } of decisions) {
      expect(text.split('\n').length, path).toBeLessThanOrEqual(60)
      expect(sectionOf(text, 'Reopen when').trim(), path).not.toBe('')
    }
  })

  test('the guard refuses a page without it', () => {
    expect(() => sectionOf('# A title\n\nBecause.\n', 'Reopen when')).toThrow('no heading')
  })
})
