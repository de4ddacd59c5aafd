// What the tests of documents look at in a page of Markdown: sections, tables, code blocks, code spans.
// Knows only the few forms that the documents of this repository use.

/** A fenced block. `info` is what stands behind the fence: a language, then words of our own. */
export interface Block {
  readonly language: string
  readonly words: readonly string[]
  readonly text: string
}

/** The fenced blocks of a page. */
export function blocksOf(markdown: string): readonly Block[] {
  const blocks: Block[] = []
  for (const [, info = '', text = ''] of markdown.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)) {
    const [language = '', ...words] = info.trim().split(/\s+/)
    blocks.push({ language, words, text })
  }
  return blocks
}

/** What stands below a heading with this text, up to the next heading of the same or a higher level. */
export function sectionOf(markdown: string, heading: string): string {
  const lines = markdown.split('\n')
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading)
  if (start < 0) throw new Error(`There is no heading «${heading}»`)
  const level = levelOf(lines[start] ?? '')
  const length = lines.slice(start + 1).findIndex((line) => levelOf(line) > 0 && levelOf(line) <= level)
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join('\n')
}

function levelOf(line: string): number {
  return /^(#+) /.exec(line)?.[1]?.length ?? 0
}

/** The rows of all tables in a text, cell by cell, without their heads. A pipe inside a cell is written `\|`. */
export function rowsOf(markdown: string): readonly (readonly string[])[] {
  const rows: string[][] = []
  let isHead = true
  for (const line of markdown.replace(/^```[\s\S]*?^```$/gm, '').split('\n')) {
    if (!line.startsWith('|')) isHead = true
    else if (/^\|[\s:|-]+\|$/.test(line)) isHead = false
    else if (!isHead) {
      const cells = line.replace(/^\||\|$/g, '').split(/(?<!\\)\|/)
      rows.push(cells.map((cell) => cell.trim().replaceAll('\\|', '|')))
    }
  }
  return rows
}

/** The code spans of a text. */
export function spansOf(markdown: string): readonly string[] {
  return [...markdown.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span)
}

/** The titles of tests that a cell names: each in «», since titles have quotes and backticks of their own. */
export function quotesOf(cell: string): readonly string[] {
  return [...cell.matchAll(/«([^»]+)»/g)].map(([, quote = '']) => quote)
}

/** The text between `<!-- name -->` and `<!-- /name -->`. */
export function partOf(markdown: string, name: string): string {
  const part = new RegExp(`<!-- ${name} -->\\n([\\s\\S]*?)<!-- /${name} -->`).exec(markdown)?.[1]
  if (part === undefined) throw new Error(`There is no part <!-- ${name} -->`)
  return part
}

/** The page with the text between the marks replaced. */
export function withPart(markdown: string, name: string, text: string): string {
  const [opening, closing] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`]
  return markdown.replace(opening + partOf(markdown, name) + closing, () => opening + text + closing)
}
