// Bundles pages for a real browser with Vite, from the sources: `holdfast/browser` and the other public names lead to src/, as
// package.json's exports say where each lies. Each page is one script, `NAME.js`. Nothing is minified, so that a stack can be read.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Writes the scripts of these pages (name → path of its source) into `folder`. */
export async function bundlePages(pages: Readonly<Record<string, string>>, folder: string): Promise<void> {
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    resolve: { alias: aliases() },
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

/** The public names of the package and the sources behind them. */
function aliases(): { readonly find: RegExp; readonly replacement: string }[] {
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
