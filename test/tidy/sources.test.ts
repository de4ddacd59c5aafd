// What the tidy tests see of the sources is what stands there: imports of every form, and titles of tests.
import { describe, expect, test } from 'vitest'
import { importsOf, isTitle, pathsIn, targetOf, titlesOf } from './sources.ts'

describe('imports', () => {
  test.each([
    [`import { a } from './a.ts'`, './a.ts', false],
    [`import './a.ts'`, './a.ts', false],
    [`import type { A } from './a.ts'`, './a.ts', true],
    [`import { type A, type B } from './a.ts'`, './a.ts', true],
    [`import { type A, b } from './a.ts'`, './a.ts', false],
    [`import a, { type A } from './a.ts'`, './a.ts', false],
    [`import * as a from './a.ts'`, './a.ts', false],
    [`export { a } from './a.ts'`, './a.ts', false],
    [`export type { A } from './a.ts'`, './a.ts', true],
    [`export * from './a.ts'`, './a.ts', false],
    [`const a = import('./a.ts')`, './a.ts', false],
    [`let a: import('./a.ts').A`, './a.ts', true],
  ])('of the form %s', (text, specifier, isType) => {
    expect(importsOf({ path: 'src/x.ts', text })).toEqual([{ specifier, isType, line: 1 }])
  })

  test('in comments and texts are none', () => {
    const text = `// import { a } from './a.ts'\nconst a = "import './a.ts'"`
    expect(importsOf({ path: 'src/y.ts', text })).toEqual([])
  })

  test('lead from the folder of their page', () => {
    expect(targetOf('src/client/sync/push.ts', '../../protocol/push.ts')).toBe('src/protocol/push.ts')
  })
})

describe('titles', () => {
  const titlesIn = (text: string, path = 'test/x.test.ts') => titlesOf({ path, text }).map(({ title }) => title)

  test('are those of tests, however they are written', () => {
    const text = `describe('a', () => { it("b", run); test.each(rows)('c %s', run); test(\`d \${e} f\`, run) })`
    expect(titlesIn(text)).toEqual(['a', 'b', 'c %s', 'd … f'])
  })

  test('are also texts that begin with an invariant, and those of contract cases', () => {
    expect(titlesIn(`const cases = ['[I1] it is kept', 'not a title']`)).toEqual(['[I1] it is kept'])
    expect(titlesIn(`const one = { title: 'it is kept' }`)).toEqual(['it is kept'])
    expect(titlesIn(`lives('what was kept comes back', 1)`, 'src/sim/contracts/x.ts')).toEqual([
      'what was kept comes back',
    ])
  })

  test('are quoted word for word, or up to where the code puts the rest together', () => {
    expect(isTitle('it is kept', 'it is kept')).toBe(true)
    expect(isTitle('it is kept …', 'it is kept')).toBe(true)
    expect(isTitle('it is', 'it is kept')).toBe(false)
  })
})

test('what is built or installed is not looked at', () => {
  const paths = pathsIn('.')
  expect(paths).toContain('src/base/assert.ts')
  expect(paths.filter((path) => /node_modules|^dist\/|^\.git\//.test(path))).toEqual([])
})
