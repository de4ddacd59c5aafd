// How figures look to people: a table for the terminal and a page for the repository. No measuring and no judging.
import type { Figure } from './harness.ts'

/** The machine, as far as it explains a figure; nothing that names it. */
export interface Machine {
  readonly cores: number
  readonly node: string
}

/** A table of aligned columns. */
export function textTable(figures: readonly Figure[]): string {
  const rows = [['', 'figure', 'raw limit', 'ratio', 'reach', ''], ...figures.map(cells)]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length))) ?? []
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** The page bench/RESULTS.md as it was, with this section in the place of the bench's old one: the others stay as they are. */
export function resultsPage(before: string, bench: string, section: string): string {
  const heading = `## \`npm run bench -- ${bench}\``
  const [, ...others] = before.split(/^(?=## )/m)
  const sections = [...others.filter((other) => !other.startsWith(`${heading}\n`)), `${heading}\n\n${section}`]
  return `# Results of the benches\n\n${sections
    .sort()
    .map((text) => `${text.trimEnd()}\n`)
    .join('\n')}`
}

/** What one bench found, for that page. */
export function resultsSection(
  date: string,
  machine: Machine,
  versions: { readonly [name: string]: string },
  figures: readonly Figure[],
): string {
  const row = (entries: readonly string[]): string => `| ${entries.join(' | ')} |`
  return [
    `Written by the command on ${date}, on ${machine.cores} cores. ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    'Medians; each figure and its raw limit were measured by turns in one run, so the ratios say more than the numbers.',
    '',
    row(['', 'figure', 'raw limit', 'ratio', 'reach', '']),
    row(['---', '---:', '---:', '---:', '---:', '---']),
    ...figures.map((entry) => row(cells(entry))),
    '',
    ...figures.map(({ name, note }) => `- **${name}**: ${note}.`),
    '',
  ].join('\n')
}

function cells({ name, value, unit, raw, ratio, reach, met }: Figure): string[] {
  return [
    name,
    `${grouped(value)} ${unit}`,
    raw === null ? '' : `${grouped(raw)} ${unit}`,
    ratio === null ? '' : `${ratio}`,
    reach === null ? '' : `${reach.of} ${reach.is} ${grouped(reach.bound)}`,
    met === null ? '' : met ? 'met' : 'MISSED',
  ]
}

function grouped(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 6 })
}
