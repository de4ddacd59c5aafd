// Clock, dice, timers, network, process and window live on the rim: elsewhere they come in as inputs, so that one seed decides
// everything in the simulator. The compiler refuses the names that a room's `lib` does not have; this refuses those of the
// language itself (`Date.now`, `Math.random`), and all of them in rooms that see Node.
import ts from 'typescript'
import { parse, type SourceFile, walk } from './sources.ts'

/** The rooms that may not reach outside by themselves. */
export const INNER_ROOMS = ['src/base', 'src/schema', 'src/protocol', 'src/client', 'src/server', 'src/sim']

/** Single files that need a name of the outside, and why. */
export const EXCEPTIONS: readonly { readonly path: string; readonly name: string; readonly why: string }[] = [
  {
    path: 'src/sim/world.ts',
    name: 'setImmediate',
    why: 'one real turn lets promises settle between two virtual events; no order depends on it',
  },
  {
    path: 'src/sim/run.ts',
    name: 'process',
    why: 'hears of rejections that nobody handled, which is what a run must not have; nothing is decided by it',
  },
]

const outsideNames: ReadonlySet<string> = new Set([
  'performance',
  'crypto',
  'process',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'fetch',
  'console',
  'window',
  'self',
  'document',
  'navigator',
  'localStorage',
  'indexedDB',
  'globalThis',
  'require',
])

/** Where a file reaches outside, in sentences. */
export function senseProblems(file: SourceFile): readonly string[] {
  const tree = parse(file)
  const problems: string[] = []
  const own = ownNames(tree)
  const say = (node: ts.Node, name: string) => {
    if (EXCEPTIONS.some((exception) => exception.path === file.path && exception.name === name)) return
    problems.push(`${file.path}:${tree.getLineAndCharacterOfPosition(node.getStart()).line + 1} uses ${name}`)
  }
  walk(tree, (node) => {
    if (!ts.isIdentifier(node) || isMemberName(node) || isInType(node)) return
    if (node.text === 'Date') {
      const { parent } = node
      if (ts.isPropertyAccessExpression(parent) && parent.name.text === 'now') say(node, 'Date.now')
      else if (ts.isNewExpression(parent) && (parent.arguments ?? []).length === 0) say(node, 'new Date()')
      else if (ts.isCallExpression(parent)) say(node, 'Date()')
    } else if (node.text === 'Math') {
      if (ts.isPropertyAccessExpression(node.parent) && node.parent.name.text === 'random') say(node, 'Math.random')
    } else if (outsideNames.has(node.text) && !own.has(node.text)) say(node, node.text)
  })
  return problems
}

/** Names that the file itself declares or imports, such as a parameter called `self`. */
function ownNames(tree: ts.SourceFile): ReadonlySet<string> {
  const names = new Set<string>()
  walk(tree, (node) => {
    const isDeclaration =
      ts.isVariableDeclaration(node) ||
      ts.isParameter(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isBindingElement(node) ||
      ts.isImportSpecifier(node)
    if (isDeclaration && node.name !== undefined && ts.isIdentifier(node.name)) names.add(node.name.text)
  })
  return names
}

/** The `now` of `clock.now`, of `{ now: 1 }` and of a declared member. */
function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node
  if (ts.isBindingElement(parent)) return parent.propertyName === node
  const named =
    ts.isPropertyAssignment(parent) ||
    ts.isPropertySignature(parent) ||
    ts.isPropertyDeclaration(parent) ||
    ts.isMethodDeclaration(parent) ||
    ts.isMethodSignature(parent)
  return named && parent.name === node
}

function isInType(node: ts.Node): boolean {
  return ts.isTypeReferenceNode(node.parent) || ts.isTypeQueryNode(node.parent)
}
