// Every page has what it must have, and each guard is seen to refuse.
import { describe, expect, test } from 'vitest'
import {
  docProblems,
  headerProblems,
  LONG_PAGES,
  lengthProblems,
  MAX_LINES,
  machineProblems,
  mentionProblems,
  skipProblems,
} from './pages.ts'
import { pathsIn, readSource, readSources, type SourceFile } from './sources.ts'

const page = (text: string, path = 'src/base/x.ts'): SourceFile => ({ path, text })
const code = readSources(['src', 'test', 'bench', 'examples', 'scripts'], ['.ts', '.mjs', '.js', '.tsx'])
const unread = /\.(db|db-shm|db-wal|log|tgz|tsbuildinfo|png|ico|woff2)$/

describe('opening comments', () => {
  test('every page of code opens by saying what it is', () => {
    expect(code.flatMap(headerProblems)).toEqual([])
  })

  test.each([
    ['a page that begins with an import', `import { x } from './y.ts'\n// Too late to say what this page is for.\n`],
    ['an empty comment', '//\n//\nexport const x = 1\n'],
    ['code that was commented out', '// const lane = createLane({ first: 1, second: 2 })\nexport const x = 1\n'],
    ['a word', '// Helpers.\nexport const x = 1\n'],
  ])('the guard refuses %s', (_title, text) => {
    expect(headerProblems(page(text))).toHaveLength(1)
  })
})

describe('length', () => {
  test('no page of code is longer than a page', () => {
    expect(code.flatMap(lengthProblems)).toEqual([])
  })

  test('every page that may be longer is longer', () => {
    const short = Object.keys(LONG_PAGES).filter((path) => readSource(path).text.split('\n').length <= MAX_LINES.code)
    expect(short).toEqual([])
  })

  test('the guard refuses one line more, and not one less', () => {
    for (const [path, limit] of [
      ['src/base/x.ts', MAX_LINES.code],
      ['test/base/x.test.ts', MAX_LINES.test],
    ] as const) {
      expect(lengthProblems(page('x\n'.repeat(limit), path))).toEqual([])
      expect(lengthProblems(page('x\n'.repeat(limit + 1), path))).toHaveLength(1)
    }
  })
})

describe('pages that comments name', () => {
  const paths = pathsIn('.')

  test('are there', () => {
    const product = code.filter(({ path }) => !path.startsWith('test/tidy/'))
    expect(product.flatMap((file) => mentionProblems(file, paths))).toEqual([])
  })

  test.each([
    ['a page by its name', '// What follows is nowhere.ts.'],
    ['a page by its path', '/** Kept by outbox/nowhere.ts. */'],
    ['a page behind code', 'const x = 1 // see base/nowhere.ts'],
  ])('the guard refuses %s that is not there', (_title, text) => {
    expect(mentionProblems(page(text), paths)).toHaveLength(1)
  })

  test('the guard takes what is there, and leaves code and parts of names alone', () => {
    const text = `// See assert.ts and outbox/outbox.ts, or any x.test.ts.\nimport { x } from './nowhere.ts'`
    expect(mentionProblems(page(text), paths)).toEqual([])
  })
})

describe('what belongs to one machine', () => {
  test('no file of the repository has a path of a machine or the host of a registry', () => {
    const files = pathsIn('.').filter((path) => !unread.test(path))
    expect(files.map(readSource).flatMap(machineProblems)).toEqual([])
  })

  test.each([
    ['a folder of root', ['const data = "', 'root', 'x.db"'].join('/')],
    ['a home', ['see ', 'home', 'ann', 'notes.md'].join('/')],
    ['a Windows home', ['C:', 'Users', 'ann'].join('\\')],
    ['a registry', ['https://', 'registry.', 'example.com', '/uuid'].join('')],
    ['a lock file that tells where packages came from', `"resolved": "${'https'}://packages.example.com/uuid.tgz"`],
  ])('the guard refuses %s', (_title, text) => {
    expect(machineProblems(page(text))).toHaveLength(1)
  })

  test.each([
    ['addresses of this protocol', 'POST /sync/push, GET /health'],
    ['an address on this machine', 'http://127.0.0.1:8787/home/x'],
    ['relative paths', '../shared/data and ./work/x'],
  ])('the guard allows %s', (_title, text) => {
    expect(machineProblems(page(text))).toEqual([])
  })
})

describe('tests that do not run', () => {
  test('no test is left out, and none runs alone', () => {
    expect(readSources(['test']).flatMap(skipProblems)).toEqual([])
  })

  test.each([
    ['skip', `it.skip('a', () => {})`],
    ['only', `describe.only('a', () => {})`],
    ['todo', `test.todo('a')`],
    ['skipIf', `test.skipIf(true)('a', () => {})`],
    ['runIf', `test.runIf(process.env.CI)('a', () => {})`],
    ['a skip within each', `test.each([1]).skip('a', () => {})`],
    ['xit', `xit('a', () => {})`],
    ['an option', `test('a', { skip: true }, () => {})`],
  ])('the guard refuses %s', (_title, text) => {
    expect(skipProblems(page(text, 'test/x.test.ts'))).toHaveLength(1)
  })

  test('the guard allows what only one system has to run only there', () => {
    expect(skipProblems(page(`test.runIf(process.platform === 'linux')('a', () => {})`))).toEqual([])
  })

  test('the guard allows members of the same name elsewhere', () => {
    expect(skipProblems(page(`const a = list.skip(1); test('skip', () => { run({ only: 1 }) })`))).toEqual([])
  })
})

describe('docstrings', () => {
  const entries = Object.values(JSON.parse(readSource('package.json').text).exports as { [path: string]: unknown })
    .filter((target): target is { readonly default: string } => typeof target === 'object' && target !== null)
    .map((target) => target.default.replace(/^\.\/dist\/(.*)\.js$/, 'src/$1.ts'))

  test('every public name has one', () => {
    expect(entries.length).toBeGreaterThan(0)
    expect(docProblems(entries, readSource)).toEqual([])
  })

  test.each([
    ['a re-exported name without one', `export { x } from './y.ts'`, 'export const x = 1'],
    ['a name of its own without one', 'export function x() {}', ''],
    ['a name that is not there', `export { x } from './y.ts'`, '/** Another. */\nexport const z = 1'],
    ['everything at once', `export * from './y.ts'`, '/** This. */\nexport const x = 1'],
  ])('the guard refuses %s', (_title, entry, other) => {
    const files = new Map([
      ['src/a.ts', entry],
      ['src/y.ts', other],
    ])
    expect(docProblems(['src/a.ts'], (path) => page(files.get(path) ?? '', path))).toHaveLength(1)
  })

  test('the guard follows re-exports to where a name is declared', () => {
    const files = new Map([
      ['src/a.ts', `export { y as x } from './b.ts'\nexport type { T } from './b.ts'`],
      ['src/b.ts', `export { z as y } from './c.ts'\n/** A type. */\nexport type T = string`],
      ['src/c.ts', '/** A value. */\nexport const z = 1'],
    ])
    expect(docProblems(['src/a.ts'], (path) => page(files.get(path) ?? '', path))).toEqual([])
  })
})
