// The code blocks of the README as files: written beside the build, so that they find the installed packages, type-checked by
// the compiler against the public names, and loaded by the test.

import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { blocksOf } from './markdown.ts'
import { root } from './sources.ts'

/** A file by its name. */
export interface ReadmeFile {
  readonly name: string
  readonly text: string
}

/** The blocks that are marked with a file name: «```ts app.ts», «```tsx page.tsx». */
export function filesOf(markdown: string): readonly ReadmeFile[] {
  return blocksOf(markdown).flatMap(({ language, words: [name], text }) =>
    /^tsx?$/.test(language) && name !== undefined ? [{ name, text }] : [],
  )
}

/** Writes files into a fresh folder below dist, which is neither searched nor published; gives the folder. */
export function writeFiles(files: readonly ReadmeFile[]): string {
  mkdirSync(join(root, 'dist'), { recursive: true })
  const folder = mkdtempSync(join(root, 'dist', 'readme-'))
  for (const { name, text } of files) writeFileSync(join(folder, name), text)
  return folder
}

const publicNames: { readonly [name: string]: string } = {
  holdfast: 'src/schema/index.ts',
  'holdfast/client': 'src/client/index.ts',
  'holdfast/server': 'src/server/index.ts',
  'holdfast/sqlite': 'src/server/db/sqlite/index.ts',
  'holdfast/node': 'src/hosts/node/index.ts',
  'holdfast/jose': 'src/hosts/jose/index.ts',
  'holdfast/browser': 'src/hosts/browser/index.ts',
  'holdfast/react': 'src/bindings/react/index.ts',
}

/** What the compiler says of the files in a folder: nothing when they are right. */
export async function typeProblems(folder: string, files: readonly ReadmeFile[]): Promise<string> {
  const paths = Object.fromEntries(Object.entries(publicNames).map(([name, path]) => [name, [join(root, path)]]))
  const project = join(folder, 'tsconfig.json')
  const compilerOptions = {
    composite: false,
    noEmit: true,
    rewriteRelativeImportExtensions: false,
    declaration: false,
    declarationMap: false,
    sourceMap: false,
    inlineSources: false,
    types: ['node'],
    lib: ['ES2023', 'DOM', 'DOM.Iterable'],
    jsx: 'react-jsx',
    paths,
  }
  const names = files.map(({ name }) => name)
  writeFileSync(project, JSON.stringify({ extends: join(root, 'tsconfig.base.json'), compilerOptions, files: names }))
  return new Promise((resolve) => {
    const compiler = join(root, 'node_modules/@typescript/native/bin/tsc')
    const child = spawn(process.execPath, [compiler, '-p', project, '--pretty', 'false'], { cwd: root })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
    child.on('close', (code) => resolve(code === 0 ? '' : output || `exit code ${code}`))
  })
}

/** A port that nobody listens on: the README names one that may be taken. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
