// The page docs/requirement.md quotes every sentence of the requirement and answers each one.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isOnDisk } from './documents.ts'
import { answerProblems, coverageProblems, quotedSentences, sealOf, sentencesOf } from './requirement.ts'
import { everyTitle, readSource, root } from './sources.ts'

const page = readSource('docs/requirement.md').text
// The requirement's own page lies beside the repository where the project is worked on; a clone alone does not have it.
const beside = join(root, '../shared/pattern.md')
const requirement = existsSync(beside) ? readFileSync(beside, 'utf8') : undefined

describe('docs/requirement.md', () => {
  test('quotes the requirement, whole and unchanged', () => {
    expect(coverageProblems(page, requirement)).toEqual([])
  })

  test('answers every sentence with a file and a test, or with the issue that brings it', () => {
    expect(answerProblems(page, everyTitle(), isOnDisk)).toEqual([])
  })
})

describe('the guard', () => {
  const text = '# Pattern\n\n## Problem\nIt breaks. It breaks `again` (i.e. twice).\n\n## Solution\n- Keep it | them.\n'
  const rows = (...cells: string[]) => `| a | b | c |\n|---|---|---|\n${cells.join('\n')}\n`
  const good = rows('| It breaks. | | |', '| It breaks `again` (i.e. twice). | | |', '| Keep it \\| them. | | |')
  const sealed = (body: string) => `${body}\n${sealOf(quotedSentences(body))}\n`

  test('cuts the requirement into its sentences and bullets', () => {
    expect(sentencesOf(text)).toEqual(['It breaks.', 'It breaks `again` (i.e. twice).', 'Keep it | them.'])
  })

  test('accepts rows that quote it whole', () => {
    expect(coverageProblems(sealed(good), text)).toEqual([])
  })

  test('refuses a sentence without a row, and a row that is not the requirement’s', () => {
    const changed = sealed(good.replace('It breaks. ', 'It bends. '))
    expect(coverageProblems(changed, text)).toEqual([
      'No row quotes «It breaks.»',
      'The requirement does not say «It bends.»',
    ])
  })

  test('refuses a lost row even where the requirement is not at hand', () => {
    expect(coverageProblems(sealed(good), undefined)).toEqual([])
    expect(coverageProblems(sealed(good).replace('| It breaks. | | |\n', ''), undefined)).toHaveLength(1)
  })

  test.each([
    ['a row without a test', '| Keep it. | `src/a.ts` | |'],
    ['a row without a file', '| Keep it. | | «it is kept» |'],
    ['a file that is not there', '| Keep it. | `src/b.ts` | «it is kept» |'],
    ['a test that is not there', '| Keep it. | `src/a.ts` | «it is lost» |'],
    ['a promise of no known issue', '| Keep it. | later: Some day | |'],
    ['a demand that is called a link', '| Keep it. | leads elsewhere | |'],
  ])('refuses %s', (_title, row) => {
    const titles = [{ path: 'test/a.test.ts', title: 'it is kept' }]
    const problems = answerProblems(rows(row), titles, (path) => path === 'src/a.ts')
    expect(problems.length).toBeGreaterThan(0)
  })

  test('accepts a file with a test, an issue that is to come, and a link', () => {
    const body = rows(
      '| Keep it. | `src/a.ts` | «it is kept» |',
      '| Show it. | later: Visible: elements, bindings, devtools, and a demo that people would keep | |',
      '| [There](./there.md) | leads elsewhere | |',
    )
    const titles = [{ path: 'test/a.test.ts', title: 'it is kept' }]
    expect(answerProblems(body, titles, (path) => path === 'src/a.ts')).toEqual([])
  })
})
