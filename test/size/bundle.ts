// What a page loads of the engine: an app bundled as Vite bundles it for production, each chunk as a server sends it (Brotli, quality
// 11), and what each module in it weighs. Judges nothing; that is bundle.test.ts.
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants } from 'node:zlib'
import { build, minifySync } from 'vite'
import { sourceAliases } from '../../scripts/chromium/pages.ts'

/** One module that is in the bundle. */
export interface Weighed {
  /** Its path in the repository, or in its package. */
  readonly module: string
  readonly minified: number
  /** Its part of the whole, in bytes: what it takes alone, scaled so that all modules together take what the bundle does. */
  readonly share: number
}

/** A bundle. */
export interface Bundle {
  /** The chunks that a page loads at its start, as they are sent: bytes in all. */
  readonly bytes: number
  /** The chunks that are loaded on demand: bytes of each, and the modules in it. */
  readonly later: readonly { readonly bytes: number; readonly modules: readonly string[] }[]
  readonly minified: number
  /** The heaviest first. */
  readonly modules: readonly Weighed[]
}

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The bundle of the app whose entry this file is. */
export async function bundleOf(entry: string): Promise<Bundle> {
  const all = await chunksOf(entry, true)
  const chunks = atStart(all)
  const bytes = sum(chunks.map(({ code }) => brotli(code)))
  const alone = atStart(await chunksOf(entry, false)).flatMap(({ modules }) =>
    Object.entries(modules).flatMap(([id, { code }]) => {
      const minified = minifySync('module.js', code ?? '').code
      // A module of which nothing is left weighs nothing. What Vite wraps around an import() is such a one here, and yet in the whole.
      if (minified === '') return []
      return [{ module: pathOf(id), minified, bytes: brotli(minified) }]
    }),
  )
  const scale = bytes / sum(alone.map((module) => module.bytes))
  return {
    bytes,
    later: all
      .filter((chunk) => !chunks.includes(chunk))
      .map(({ code, modules }) => ({ bytes: brotli(code), modules: Object.keys(modules).map(pathOf) })),
    minified: sum(chunks.map(({ code }) => code.length)),
    modules: alone
      .map((module) => ({ module: module.module, minified: module.minified.length, share: module.bytes * scale }))
      .sort((a, b) => b.share - a.share),
  }
}

/** A line for each module and each room or package, and one for the whole. */
export function listing({ bytes, minified, modules }: Bundle): string {
  const rooms = new Map<string, number>()
  for (const { module, share } of modules) rooms.set(roomOf(module), (rooms.get(roomOf(module)) ?? 0) + share)
  const line = (share: number, what: string): string => `${String(Math.round(share)).padStart(7)}  ${what}`
  return [
    ...modules.map(({ module, minified, share }) => line(share, `${module} (${minified} minified)`)),
    '',
    ...[...rooms].sort(([, a], [, b]) => b - a).map(([room, share]) => line(share, room)),
    '',
    line(bytes, `bytes of Brotli in all (${minified} minified, ${modules.length} modules)`),
  ].join('\n')
}

/** `src/client/replica` of `src/client/replica/overlay.ts`, `@noble/hashes` of `@noble/hashes/sha2.js`. */
function roomOf(module: string): string {
  const parts = module.split('/')
  if (parts[0] === 'src') return parts.slice(0, -1).join('/')
  return parts.slice(0, module.startsWith('@') ? 2 : 1).join('/')
}

/** Packages may lie in a checkout beside this one. */
function pathOf(id: string): string {
  return id.replace(root, '').replace(/^.*node_modules\//, '')
}

/** The entry, and whatever it imports without being asked. */
function atStart(chunks: readonly Chunk[]): readonly Chunk[] {
  const found = new Set(chunks.filter(({ isEntry }) => isEntry))
  for (const { imports } of found) for (const chunk of chunks) if (imports.includes(chunk.fileName)) found.add(chunk)
  return [...found]
}

interface Chunk {
  readonly fileName: string
  readonly isEntry: boolean
  readonly imports: readonly string[]
  readonly code: string
  readonly modules: { readonly [id: string]: { readonly code: string | null } }
}

async function chunksOf(entry: string, minify: boolean): Promise<readonly Chunk[]> {
  const built = await build({
    root,
    mode: 'production',
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    resolve: { alias: sourceAliases() },
    build: {
      write: false,
      minify: minify ? 'oxc' : false,
      modulePreload: false,
      reportCompressedSize: false,
      rolldownOptions: { input: entry },
    },
  })
  if (!('output' in built)) throw new TypeError('Vite gave more than one bundle')
  return built.output.flatMap((file) => (file.type === 'chunk' ? [file] : []))
}

function brotli(code: string): number {
  return brotliCompressSync(code, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
