// What the tidy tests look at: the files of the repository, their imports, the words that reach outside, the titles of tests.
// Reads and parses, and judges nothing: rules are in borders.ts, senses.ts and pages.ts, each with a case in which it refuses.
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** The root of the repository, with a slash at its end. */
export const root = fileURLToPath(new URL('../../', import.meta.url))

/** A file by its path from the root, with slashes forward. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

const outside = new Set(['node_modules', 'dist', 'coverage', '.git'])

/** The paths below a folder, or the path itself when it is a file; nothing that is built or installed. */
export function pathsIn(folder: string): readonly string[] {
  const paths: string[] = []
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    if (outside.has(entry.name)) continue
    const path = posix.join(folder, entry.name)
    if (entry.isDirectory()) paths.push(...pathsIn(path))
    else if (entry.isFile()) paths.push(path)
  }
  return paths.sort()
}

/** One file. */
export function readSource(path: string): SourceFile {
  return { path, text: readFileSync(join(root, path), 'utf8') }
}

/** All files of some folders whose names end in one of the endings. */
export function readSources(
  folders: readonly string[],
  endings: readonly string[] = ['.ts', '.tsx'],
): readonly SourceFile[] {
  return folders
    .flatMap((folder) => pathsIn(folder))
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .map(readSource)
}

const trees = new Map<string, ts.SourceFile>()

/** The syntax tree of a file, with parents. Parsed once: several tests look at each page. */
export function parse({ path, text }: SourceFile): ts.SourceFile {
  const key = `${path}\n${text}`
  const known = trees.get(key)
  if (known !== undefined) return known
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  trees.set(key, tree)
  return tree
}

/** Visits every node below `node`. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  ts.forEachChild(node, (child) => {
    visit(child)
    walk(child, visit)
  })
}

/** One import or re-export. */
export interface Import {
  readonly specifier: string
  /** Nothing of it is left after compilation. */
  readonly isType: boolean
  readonly line: number
}

/** What a file imports, dynamic imports and types among them. */
export function importsOf(file: SourceFile): readonly Import[] {
  const tree = parse(file)
  const imports: Import[] = []
  const add = (node: ts.Node, specifier: ts.Node | undefined, isType: boolean) => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return
    const line = tree.getLineAndCharacterOfPosition(node.getStart()).line + 1
    imports.push({ specifier: specifier.text, isType, line })
  }
  walk(tree, (node) => {
    if (ts.isImportDeclaration(node)) add(node, node.moduleSpecifier, isTypeImport(node.importClause))
    else if (ts.isExportDeclaration(node)) add(node, node.moduleSpecifier, isTypeExport(node))
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node, node.argument.literal, true)
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node, node.arguments[0], false)
  })
  return imports
}

function isTypeImport(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const named = clause.namedBindings
  if (clause.name !== undefined || named === undefined || !ts.isNamedImports(named)) return false
  return named.elements.length > 0 && named.elements.every(({ isTypeOnly }) => isTypeOnly)
}

function isTypeExport(node: ts.ExportDeclaration): boolean {
  if (node.isTypeOnly) return true
  const named = node.exportClause
  if (named === undefined || !ts.isNamedExports(named)) return false
  return named.elements.length > 0 && named.elements.every(({ isTypeOnly }) => isTypeOnly)
}

/** The path that a relative import leads to. */
export function targetOf(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier)
}

/** Whether a quote is this title: word for word, or up to where the code puts the rest together, which a quote writes as «…». */
export function isTitle(quote: string, title: string): boolean {
  return quote === title || quote === `${title} …`
}

/** A title of a test, and the file that it stands in. */
export interface Title {
  readonly path: string
  /** As written; what a template fills in stands as «…». */
  readonly title: string
}

const testWords = new Set(['it', 'test', 'describe'])

/**
 * The titles of tests in a file. Besides those of `test` and `describe`: of contract cases (members named `title`, and what
 * makers of cases are called with), and every text that begins with the id of an invariant.
 */
export function titlesOf(file: SourceFile): readonly Title[] {
  const titles = new Set<string>()
  const isContract = file.path.startsWith('src/sim/contracts/')
  // The tidy tests plant titles that are no tests.
  const isTidy = file.path.startsWith('test/tidy/')
  walk(parse(file), (node) => {
    if (ts.isCallExpression(node) && (isContract || testWords.has(headOf(node.expression)))) add(node.arguments[0])
    else if (isTidy) return
    else if (ts.isPropertyAssignment(node) && node.name.getText() === 'title') add(node.initializer)
    else if (/^\[I\d+\] /.test(textOf(node) ?? '')) add(node)
  })
  return [...titles].map((title) => ({ path: file.path, title }))

  function add(node: ts.Node | undefined): void {
    const title = node === undefined ? undefined : textOf(node)
    if (title !== undefined && (!isContract || /\w \w+ \w/.test(title))) titles.add(title)
  }
}

/** The first name of `it`, `it.each(rows)` or `test.each`…``. */
export function headOf(node: ts.Node): string {
  if (ts.isIdentifier(node)) return node.text
  if (ts.isPropertyAccessExpression(node) || ts.isCallExpression(node)) return headOf(node.expression)
  if (ts.isTaggedTemplateExpression(node)) return headOf(node.tag)
  return ''
}

function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text
  if (ts.isTemplateExpression(node)) {
    return node.head.text + node.templateSpans.map((span) => `…${span.literal.text}`).join('')
  }
  return undefined
}

let allTitles: readonly Title[] | undefined

/** The titles of every test and every contract case of the repository. */
export function everyTitle(): readonly Title[] {
  allTitles ??= readSources(['test', 'src/sim/contracts']).flatMap(titlesOf)
  return allTitles
}
