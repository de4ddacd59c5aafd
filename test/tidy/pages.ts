// What a page of this repository must have, whoever writes it: an opening comment, a bounded length, no path of somebody's
// machine, no test that is left out, a docstring on everything that is public.
import ts from 'typescript'
import { headOf, parse, type SourceFile, targetOf, walk } from './sources.ts'

/** Lines of the longest page: of the product, and of a test, which is a list of cases that are read one at a time. */
export const MAX_LINES = { code: 350, test: 800 } as const

/** Pages that would be worse in two, and why. */
export const LONG_PAGES: Readonly<Record<string, string>> = {}

/** Why a file's opening comment is none, or nothing. It stands first (after `#!`), and is at least one whole sentence. */
export function headerProblems({ path, text }: SourceFile): readonly string[] {
  const lines = text.replace(/^#!.*\n/, '').split('\n')
  const end = lines.findIndex((line) => !line.startsWith('//'))
  const comment = lines
    .slice(0, end < 0 ? lines.length : end)
    .map((line) => line.replace(/^\/\/ ?/, ''))
    .join(' ')
    .trim()
  if (comment === '') return [`${path} does not open with a comment`]
  if (!/^["'`«A-Z]/.test(comment) || !/[.:»)]$/.test(comment))
    return [`${path} opens with something else than sentences`]
  if (comment.length < 40) return [`${path} opens with too few words to tell anything`]
  return []
}

/** Files that are longer than a page may be. */
export function lengthProblems({ path, text }: SourceFile): readonly string[] {
  const lines = text.trimEnd().split('\n').length
  const limit = path.startsWith('test/') ? MAX_LINES.test : MAX_LINES.code
  return lines > limit && !Object.hasOwn(LONG_PAGES, path)
    ? [`${path} has ${lines} lines, at most ${limit} are one page`]
    : []
}

// Written so that this page does not find itself.
const machinePaths = new RegExp(
  `(?<![\\w.:/])/(?:work|home|root|Users|var/folders|private/tmp)${'/'}\\w|[A-Z]:\\\\{1,2}Users\\\\`,
)
const registryHosts = new RegExp(
  `\\b(?:registry|artifactory|verdaccio|nexus)${'[.]'}[a-z0-9-]+[.][a-z]{2,}|"resolved": "https?:`,
)

/** Paths that exist on one machine only, and hosts of package registries. */
export function machineProblems({ path, text }: SourceFile): readonly string[] {
  const problems: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (machinePaths.test(line)) problems.push(`${path}:${index + 1} has a path of one machine`)
    if (registryHosts.test(line)) problems.push(`${path}:${index + 1} names a package registry`)
  }
  return problems
}

/** Pages that comments name and that are not there, as far as they are named with their ending: `outbox.ts`, `sync/push.ts`. */
export function mentionProblems({ path, text }: SourceFile, paths: readonly string[]): readonly string[] {
  const problems: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const comment = /^\s*(?:\/\/|\/?\*)(.*)$|\s\/\/ (.*)$/.exec(line)
    for (const [name] of (comment?.[1] ?? comment?.[2] ?? '').matchAll(
      /(?<![\w./-])[a-z][a-z-]*(?:\/[a-z-]+)*\.(?:ts|mjs)\b/g,
    )) {
      if (!paths.some((known) => known === name || known.endsWith(`/${name}`)))
        problems.push(`${path}:${index + 1} speaks of ${name}, which is not there`)
    }
  }
  return problems
}

const runnerWords = new Set(['it', 'test', 'describe', 'suite'])
const leftOut = new Set(['skip', 'only', 'todo', 'skipIf', 'runIf', 'fails'])

/** Tests that do not run, or keep others from running. */
export function skipProblems(file: SourceFile): readonly string[] {
  const tree = parse(file)
  const problems: string[] = []
  walk(tree, (node) => {
    const line = tree.getLineAndCharacterOfPosition(node.getStart()).line + 1
    if (ts.isPropertyAccessExpression(node) && runnerWords.has(headOf(node)) && leftOut.has(node.name.text)) {
      if (isForPlatform(node)) return
      problems.push(`${file.path}:${line} has ${headOf(node)}.${node.name.text}`)
    } else if (
      ts.isCallExpression(node) &&
      ts.isIdentifier(node.expression) &&
      /^x(it|test|describe)$/.test(node.expression.text)
    ) {
      problems.push(`${file.path}:${line} has ${node.expression.text}`)
    } else if (
      ts.isObjectLiteralElementLike(node) &&
      node.name !== undefined &&
      isOptionOfTest(node) &&
      leftOut.has(node.name.getText())
    ) {
      problems.push(`${file.path}:${line} has the option ${node.name.getText()}`)
    }
  })
  return problems
}

/** `test.runIf(process.platform === 'linux')`: what only one system has can be tried only there. */
function isForPlatform({ name, parent }: ts.PropertyAccessExpression): boolean {
  if (name.text !== 'runIf' || !ts.isCallExpression(parent)) return false
  return /^process\.platform [!=]== '\w+'$/.test(parent.arguments[0]?.getText() ?? '')
}

/** The `{ skip: true }` of `test(title, { skip: true }, run)`. */
function isOptionOfTest(node: ts.ObjectLiteralElementLike): boolean {
  const call = node.parent.parent
  return ts.isCallExpression(call) && runnerWords.has(headOf(call.expression))
}

/** Public names without a docstring. `entries` are the pages that an app imports; they may re-export from other pages. */
export function docProblems(entries: readonly string[], read: (path: string) => SourceFile): readonly string[] {
  const problems: string[] = []
  for (const entry of entries) {
    const tree = parse(read(entry))
    for (const statement of tree.statements) {
      if (isExported(statement) && !hasDoc(statement))
        problems.push(`${entry} exports ${nameOf(statement)} without a docstring`)
      if (!ts.isExportDeclaration(statement)) continue
      if (statement.exportClause === undefined)
        problems.push(`${entry} exports everything of a page: name what is public`)
      else if (ts.isNamedExports(statement.exportClause)) {
        for (const { propertyName, name } of statement.exportClause.elements) {
          const from = statement.moduleSpecifier
          const path = from !== undefined && ts.isStringLiteral(from) ? targetOf(entry, from.text) : entry
          if (!isDocumented(path, (propertyName ?? name).text, read))
            problems.push(`${entry} exports ${name.text} without a docstring`)
        }
      }
    }
  }
  return problems
}

function isDocumented(path: string, name: string, read: (path: string) => SourceFile): boolean {
  for (const statement of parse(read(path)).statements) {
    if (!ts.isExportDeclaration(statement) && nameOf(statement) === name) {
      if (hasDoc(statement)) return true
      continue
    }
    const isReExport =
      ts.isExportDeclaration(statement) &&
      statement.exportClause !== undefined &&
      ts.isNamedExports(statement.exportClause)
    if (!isReExport || statement.moduleSpecifier === undefined || !ts.isStringLiteral(statement.moduleSpecifier))
      continue
    const { elements } = statement.exportClause as ts.NamedExports
    const found = elements.find((element) => element.name.text === name)
    if (found !== undefined)
      return isDocumented(targetOf(path, statement.moduleSpecifier.text), (found.propertyName ?? found.name).text, read)
  }
  return false
}

function isExported(statement: ts.Statement): boolean {
  return (
    ts.canHaveModifiers(statement) &&
    (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
  )
}

function nameOf(statement: ts.Statement): string {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations[0]?.name.getText() ?? ''
  const { name } = statement as { readonly name?: ts.Node }
  return name?.getText() ?? ''
}

function hasDoc(statement: ts.Statement): boolean {
  return ts.getJSDocCommentsAndTags(statement).length > 0
}
