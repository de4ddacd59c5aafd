// Builds the pages with Vite: from index.html and the sources to a folder of files with hashes in their names. Builds only when
// something that goes in has changed, into a folder of its own that then takes the place of the old one, so that whoever reads
// finds a whole site. Writes into the service worker what its shell consists of. How files are served is files.ts.
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const example = fileURLToPath(new URL('../..', import.meta.url))
const product = join(example, '..', '..')
/** Where the built site lies. */
export const SITE_FOLDER = join(example, 'dist', 'site')

/** All that can change what comes out. */
const ingredients = [
  join(example, 'index.html'),
  join(example, 'package.json'),
  join(example, 'public'),
  join(example, 'src'),
  join(product, 'dist'),
  join(product, 'package-lock.json'),
]

/** Brings the site in `SITE_FOLDER` up to date; says whether it had to be built. Rejects with what Vite complains about. */
export async function buildSite(): Promise<boolean> {
  const stamp = stampOf(ingredients)
  if (stampIn(SITE_FOLDER) === stamp) return false
  // Vite is wanted only here, and takes a while to load.
  const { build } = await import('vite')
  mkdirSync(join(example, 'dist'), { recursive: true })
  const folder = mkdtempSync(join(example, 'dist', 'building-'))
  try {
    await build({
      configFile: false,
      root: example,
      logLevel: 'warn',
      // Also when a test builds, which has another NODE_ENV: what is slow and talkative in React is for those who develop.
      define: { 'process.env.NODE_ENV': '"production"' },
      oxc: { jsx: { runtime: 'automatic', development: false } },
      resolve: { dedupe: ['react', 'react-dom'] },
      build: {
        outDir: folder,
        emptyOutDir: true,
        target: ['chrome111', 'firefox114', 'safari16.4'],
        modulePreload: { polyfill: false },
        rolldownOptions: {
          input: { index: join(example, 'index.html'), worker: join(example, 'src', 'worker', 'worker.ts') },
          // The binding says «use client» for servers that render; here everything is the client.
          onwarn: (warning, warn) => (warning.code === 'MODULE_LEVEL_DIRECTIVE' ? undefined : warn(warning)),
          output: {
            entryFileNames: ({ name }) => (name === 'worker' ? 'worker.js' : 'assets/[name]-[hash].js'),
          },
        },
      },
    })
    tellWorker(folder)
    writeFileSync(join(folder, '.stamp'), stamp)
    takePlace(folder, stamp)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return true
}

/** Puts the new site where the old one was, unless another process has just done the same. */
function takePlace(folder: string, stamp: string): void {
  rmSync(SITE_FOLDER, { recursive: true, force: true })
  try {
    renameSync(folder, SITE_FOLDER)
  } catch (error) {
    if (stampIn(SITE_FOLDER) !== stamp) throw error
  }
}

function stampIn(folder: string): string | undefined {
  const file = join(folder, '.stamp')
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

/** Writes into the worker which files make the shell, and a version that is another one when any of them is. */
function tellWorker(folder: string): void {
  const paths = pathsIn(folder)
    .map((path) => relative(folder, path).split(sep).join('/'))
    .filter((path) => path !== 'worker.js' && path !== 'index.html')
  const version = stampOf([folder])
  const worker = join(folder, 'worker.js')
  const shell = JSON.stringify({ version, files: ['/', ...paths.map((path) => `/${path}`)] })
  writeFileSync(worker, `self.shell = ${shell}\n${readFileSync(worker, 'utf8')}`)
}

/** Some letters that are others when a file, or its name, is another. */
function stampOf(roots: readonly string[]): string {
  const hash = createHash('sha256')
  for (const path of roots.flatMap(pathsIn)) {
    const body = readFileSync(path)
    hash.update(`${relative(product, path).replace(/building-[^/\\]*/, '')}\n${body.length}\n`).update(body)
  }
  return hash.digest('base64url').slice(0, 16)
}

/** The files below a folder in a fixed order, or the file itself; nothing that a build notes for itself. */
function pathsIn(root: string): string[] {
  if (!existsSync(root)) return []
  if (statSync(root).isFile()) return [root]
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.') && !/\.(map|d\.ts|tsbuildinfo)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}
