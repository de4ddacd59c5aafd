// CONTRIBUTING.md leads to a first change that is really there, and names every dependency with its reason and under the licence
// that the package itself states.
import { describe, expect, test } from 'vitest'
import { partOf, rowsOf, sectionOf, spansOf } from './markdown.ts'
import { readSource } from './sources.ts'
import { breakPart } from './tables.ts'

const page = readSource('CONTRIBUTING.md').text
const manifest = JSON.parse(readSource('package.json').text)

/** The packages that the table tells of, with the cells behind them. */
function told(markdown: string): ReadonlyMap<string, readonly string[]> {
  const rows = rowsOf(sectionOf(markdown, 'Dependencies, and why each is there'))
  return new Map(rows.flatMap(([names = '', ...cells]) => spansOf(names).map((name) => [name, cells] as const)))
}

/** What is missing or too much. */
function dependencyProblems(markdown: string, wanted: readonly string[]): readonly string[] {
  const packages = told(markdown)
  return [
    ...wanted.filter((name) => !packages.has(name)).map((name) => `${name} has no reason`),
    ...[...packages.keys()].filter((name) => !wanted.includes(name)).map((name) => `${name} is no dependency`),
    ...[...packages].filter(([, cells]) => (cells.at(-1) ?? '').length < 10).map(([name]) => `${name} has no reason`),
  ]
}

describe('the first change', () => {
  test('is the one that the simulator makes (write it with `node test/tidy/tables.ts`)', () => {
    expect(partOf(page, 'break')).toBe(breakPart())
  })

  test('finds its line in the page that it names', () => {
    const [path = ''] = spansOf(partOf(page, 'break'))
    const line = /^- (.*)$/m.exec(partOf(page, 'break'))?.[1] ?? 'none'
    expect(readSource(path).text.split(line)).toHaveLength(2)
  })

  test('a change of the break is seen', () => {
    expect(partOf(page, 'break')).not.toBe(
      breakPart({ file: 'base/lane.ts', find: 'last.then(job, job)', replace: 'job()' }),
    )
  })
})

describe('the table of dependencies', () => {
  const wanted = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)]

  test('has each, with its reason, and no other', () => {
    expect(dependencyProblems(page, wanted)).toEqual([])
  })

  test('states the licence that the package states', () => {
    const packages = told(page)
    for (const name of Object.keys(manifest.dependencies)) {
      const { license } = JSON.parse(readSource(`node_modules/${name}/package.json`).text)
      expect(packages.get(name)?.[0], name).toBe(license)
    }
  })

  test('the guard refuses a dependency without a row, a row without a dependency, and a row without a reason', () => {
    expect(dependencyProblems(page, [...wanted, 'left-pad'])).toEqual(['left-pad has no reason'])
    expect(
      dependencyProblems(
        page,
        wanted.filter((name) => name !== 'canonicalize'),
      ),
    ).toEqual(['canonicalize is no dependency'])
    expect(dependencyProblems(page.replace(/(`canonicalize` \| Apache-2.0 \|).*\|/, '$1 |'), wanted)).toEqual([
      'canonicalize has no reason',
    ])
  })
})
