// The parts of the documents that are made from the code: limits with their words, codes and golden frames in PROTOCOL.md, borders
// in ARCHITECTURE.md, a break in CONTRIBUTING.md. `node test/tidy/tables.ts` writes them into the pages; tests compare.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { CODES } from '../../src/base/codes.ts'
import { LIMITS } from '../../src/protocol/limits.ts'
import { encodeEvent, HEARTBEAT } from '../../src/protocol/live.ts'
import { PROTOCOL } from '../../src/protocol/version.ts'
import { BREAKS, type Break } from '../../src/sim/breaks.ts'
import { BORDERS, type Border } from './borders.ts'
import { withPart } from './markdown.ts'
import { parse, readSource, root, type SourceFile, walk } from './sources.ts'

const cell = (text: string): string => text.replaceAll('|', '\\|')

/** The limits, with what the code says of each. */
export function limitsTable(limits: { readonly [name: string]: number } = LIMITS): string {
  const docs = docsIn('src/protocol/limit-values.ts')
  const order = [...docs.keys()]
  const rows = Object.entries(limits)
    .sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
    .map(([name, value]) => `| \`${name}\` | ${said(value)} | ${cell(docs.get(name) ?? '')} |`)
  return ['| limit | value | of what |', '|---|---|---|', ...rows, ''].join('\n')
}

/** The codes, in the order of the code. */
export function codesTable(codes: typeof CODES = CODES): string {
  const rows = Object.entries(codes).map(
    ([code, { phase, status, remedy, title, advice }]) =>
      `| \`${code}\` | ${phase} | ${status} | ${remedy} | ${cell(title)} | ${cell(advice)} |`,
  )
  return [
    '| code | phase | status | remedy | what happened | what to do |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

function said(value: number): string {
  if (value % 1024 !== 0) return value.toLocaleString('en-US')
  return value % (1024 * 1024) === 0 ? `${value / 1024 / 1024} MiB` : `${value / 1024} KiB`
}

/** The docstrings of the members in a file, each on one line. */
function docsIn(path: string): ReadonlyMap<string, string> {
  const docs = new Map<string, string>()
  walk(parse(readSource(path)), (node) => {
    if (!ts.isVariableStatement(node)) return
    const [doc] = ts.getJSDocCommentsAndTags(node)
    if (typeof doc?.comment === 'string')
      docs.set(node.declarationList.declarations[0]?.name.getText() ?? '', doc.comment.replace(/\s+/g, ' '))
  })
  return docs
}

/** Who may import whom. */
export function bordersTable(borders: readonly Border[] = BORDERS): string {
  const list = (names: readonly string[] = []) => {
    const hasBelow = ['base', 'schema', 'protocol'].every((name) => names.includes(name))
    const said = hasBelow ? names.filter((name) => !['base', 'schema', 'protocol'].includes(name)) : names
    return [...(hasBelow ? ['below'] : []), ...said.map((name) => `\`${name}\``)].join(', ')
  }
  const rows = borders.map(
    ({ place, may, types, packages }) => `| \`${place}\` | ${list(may)} | ${list(types)} | ${list(packages)} |`,
  )
  return ['| place | may import | types only | packages |', '|---|---|---|---|', ...rows, ''].join('\n')
}

/** The frames that PROTOCOL.md shows. */
export const EXAMPLES = [
  'push-request',
  'push-answer',
  'push-answer-stop',
  'pull-request',
  'pull-answer',
  'pull-answer-sealed',
  'problem',
] as const

/** A golden frame. */
export function goldenFrame(name: string): unknown {
  return JSON.parse(readSource(`test/wire/v${PROTOCOL}/${name}.json`).text)
}

/** JSON for people: what fits into a line is one. */
export function layOut(value: unknown, indent = ''): string {
  const line = JSON.stringify(value).replaceAll(
    /("(?:[^"\\]|\\.)*")([:,])?|([:,])/g,
    (_all, text = '', after = '', alone = '') => `${text}${after || alone}${after || alone ? ' ' : ''}`,
  )
  if (typeof value !== 'object' || value === null || indent.length + line.length <= 110) return line
  const inner = `${indent}  `
  const items = Array.isArray(value)
    ? value.map((item) => layOut(item, inner))
    : Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${layOut(item, inner)}`)
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  return `${open}\n${inner}${items.join(`,\n${inner}`)}\n${indent}${close}`
}

/** The examples by the names of their parts. */
export function examples(): Readonly<Record<string, string>> {
  const frames = EXAMPLES.map((name) => [
    `example ${name}`,
    `\`\`\`json ${name}\n${layOut(goldenFrame(name))}\n\`\`\`\n`,
  ])
  const events = `${encodeEvent('patch', goldenFrame('patch'))}${encodeEvent('seal', goldenFrame('seal'))}${HEARTBEAT}`
  return { ...Object.fromEntries(frames), 'example live': `\`\`\`text\n${events}\`\`\`\n` }
}

/** The members of the frames, as the types of the wire name them. */
export function membersOfFrames(read: (path: string) => SourceFile = readSource): readonly string[] {
  const names = new Set<string>()
  for (const name of ['base', 'frame', 'intent', 'outcome', 'place', 'problem', 'pull', 'push']) {
    walk(parse(read(`src/protocol/${name}.ts`)), (node) => {
      if (ts.isPropertySignature(node)) names.add(node.name.getText())
    })
  }
  return [...names].sort()
}

/** The change of CONTRIBUTING.md, as the simulator's break of that name makes it. */
export function breakPart(
  broken: Pick<Break, 'file' | 'find' | 'replace'> | undefined = BREAKS.find(({ name }) => name === 'rebase'),
): string {
  if (broken === undefined) throw new Error('The simulator has no break named rebase')
  const minus = broken.find.trim().replaceAll(/^/gm, '- ')
  const plus = broken.replace.trim().replaceAll(/^/gm, '+ ')
  return `In \`src/${broken.file}\`:\n\n\`\`\`diff\n${minus}\n${plus}\n\`\`\`\n`
}

/** The pages that hold such tables, with what they should say. */
export function pagesWithTables(): readonly {
  readonly path: string
  readonly text: string
  readonly wanted: string
}[] {
  const page = (path: string, parts: Readonly<Record<string, string>>) => {
    const { text } = readSource(path)
    const wanted = Object.entries(parts).reduce((made, [name, part]) => withPart(made, name, part), text)
    return { path, text, wanted }
  }
  return [
    page('PROTOCOL.md', { limits: limitsTable(), codes: codesTable(), ...examples() }),
    page('ARCHITECTURE.md', { borders: bordersTable() }),
    page('CONTRIBUTING.md', { break: breakPart() }),
  ]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { path, wanted } of pagesWithTables()) writeFileSync(join(root, path), wanted)
}
