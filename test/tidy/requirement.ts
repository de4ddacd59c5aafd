// The page docs/requirement.md against the requirement itself: every sentence has a row, every row a file and a test, or the title of the
// issue that brings it. Where the requirement's own page is not at hand, the rows are held against their own count and hash, so
// that none can be lost or changed without a trace.
import { createHash } from 'node:crypto'
import { type IsThere, laterProblems, latersOf } from './documents.ts'
import { quotesOf, rowsOf, spansOf } from './markdown.ts'
import { isTitle, type Title } from './sources.ts'

/** The sentences and bullets of the requirement, in order. Headings say no more than where a sentence stands. */
export function sentencesOf(markdown: string): readonly string[] {
  return markdown
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .flatMap((line) => (line.startsWith('- ') ? [line.slice(2)] : line.split(/(?<=[.!?])\s+(?=[A-Z`])/)))
    .map((sentence) => sentence.trim())
}

/** The sentence as it stands in a cell: a pipe would end it. */
const inCell = (sentence: string): string => sentence.replaceAll('|', '\\|').replaceAll('\\|', '|')

/** The sentences that the rows quote, in order. */
export function quotedSentences(page: string): readonly string[] {
  return rowsOf(page).map(([sentence = '']) => sentence)
}

/** What the page says of its own rows: `120 sentences, sha256 …`. */
export function sealOf(sentences: readonly string[]): string {
  const hash = createHash('sha256').update(sentences.join('\n')).digest('hex')
  return `${sentences.length} sentences, sha256 ${hash}`
}

/** Why the rows are not those of the requirement. `requirement` is its own page, where there is one. */
export function coverageProblems(page: string, requirement: string | undefined): readonly string[] {
  const quoted = quotedSentences(page)
  const problems: string[] = []
  if (!page.includes(sealOf(quoted))) problems.push(`The rows are not those that were sealed: ${sealOf(quoted)}`)
  if (requirement === undefined) return problems
  const wanted = sentencesOf(requirement).map(inCell)
  for (const sentence of wanted) if (!quoted.includes(sentence)) problems.push(`No row quotes «${sentence}»`)
  for (const sentence of quoted)
    if (!wanted.includes(sentence)) problems.push(`The requirement does not say «${sentence}»`)
  return problems
}

/** Rows that only lead elsewhere: links and sources of the requirement, which ask for nothing by themselves. */
const leadsElsewhere = /^leads elsewhere$/

/** Why a row answers nothing: no file, a file or a test that is not there, or a promise without an issue. */
export function answerProblems(page: string, titles: readonly Title[], isThere: IsThere): readonly string[] {
  const problems: string[] = []
  for (const [sentence = '', where = '', proof = ''] of rowsOf(page)) {
    if (leadsElsewhere.test(where)) {
      if (!/\]\(|^Dump|^`/.test(sentence)) problems.push(`«${sentence}» asks for something and is not answered`)
      continue
    }
    problems.push(...laterProblems(where), ...laterProblems(proof))
    const paths = spansOf(where)
    const quotes = quotesOf(proof)
    for (const path of paths) if (!isThere(path)) problems.push(`«${sentence}» names ${path}, which is not there`)
    for (const quote of quotes) {
      if (!titles.some(({ title }) => isTitle(quote, title)))
        problems.push(`«${sentence}» names a test that is not there: ${quote}`)
    }
    const isLater = latersOf(where).length + latersOf(proof).length > 0
    if (!isLater && (paths.length === 0 || quotes.length === 0)) problems.push(`«${sentence}» has no file or no test`)
  }
  return problems
}
