// Pages for a real browser: their scripts, bundled with Vite from the sources, and the documents around them. `holdfast/browser` and
// the other public names lead to src/, as package.json's exports say where each lies. Nothing is minified, so that a stack can be
// read. Who serves them is for the caller: a listener that asks `pageAnswer` first has pages and authority at one origin.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** An answer as the listener of `holdfast/node` gives it. */
export interface PageAnswer {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

/** Writes the scripts of these pages (name → path of its source) into `folder`. */
export async function bundlePages(pages: Readonly<Record<string, string>>, folder: string): Promise<void> {
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    resolve: { alias: sourceAliases() },
    build: {
      outDir: folder,
      emptyOutDir: false,
      target: 'esnext',
      minify: false,
      modulePreload: false,
      reportCompressedSize: false,
      rolldownOptions: { input: { ...pages }, output: { entryFileNames: '[name].js', chunkFileNames: '[name].js' } },
    },
  })
}

/** The document or script of a bundled page; nothing for any other path. */
export function pageAnswer(folder: string, path: string): PageAnswer | undefined {
  const [, name = '', ending] = /^\/([\w-]+)\.(html|js)$/.exec(path) ?? []
  if (ending === undefined) return undefined
  const [type, body] =
    ending === 'js' ? ['text/javascript', readFileSync(join(folder, `${name}.js`), 'utf8')] : ['text/html', html(name)]
  return { status: 200, headers: { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' }, body }
}

// The empty icon keeps the browser from asking for one.
const html = (name: string): string =>
  `<!doctype html><meta charset="utf-8"><title>${name}</title><link rel="icon" href="data:,"><script type="module" src="/${name}.js"></script>`

/** The public names of the package and the sources behind them. */
export function sourceAliases(): { readonly find: RegExp; readonly replacement: string }[] {
  const { name, exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
    readonly name: string
    readonly exports: Readonly<Record<string, string | { readonly default: string }>>
  }
  return Object.entries(exports).flatMap(([path, target]) => {
    if (typeof target === 'string') return []
    const source = target.default.replace(/^\.\/dist\/(.*)\.js$/, 'src/$1.ts')
    return [{ find: new RegExp(`^${name}${path.slice(1)}$`), replacement: `${root}${source}` }]
  })
}
