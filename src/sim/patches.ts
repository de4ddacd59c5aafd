// Patches of the source text, applied while the sources are loaded: how the simulator breaks the product on purpose (breaks.ts), and
// how some seeds live with limits so small that every page and batch is full (tight.ts). Nothing in the product knows of them.
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'

/** One replacement in one source file. */
export interface SourcePatch {
  /** Below `src/`. */
  readonly file: string
  /** Stands in the file exactly once. */
  readonly find: string
  readonly replace: string
}

/** Why a patch does not fit its file, or undefined. */
export function patchProblem({ file, find }: SourcePatch, text: string): string | undefined {
  const count = text.split(find).length - 1
  return count === 1 ? undefined : `${JSON.stringify(find)} stands ${count} times in ${file}; it must stand there once`
}

/** The text of a source file. */
export function readSource(file: string): string {
  return readFileSync(fileURLToPath(urlOf(file)), 'utf8')
}

/** From now on the sources are loaded with these patches. To be called before anything of them is imported. */
export function loadPatched(patches: readonly SourcePatch[]): void {
  const sources = new Map<string, string>()
  for (const patch of patches) {
    const url = urlOf(patch.file).href
    const text = sources.get(url) ?? readSource(patch.file)
    const problem = patchProblem(patch, text)
    if (problem !== undefined) throw new TypeError(`A patch does not fit the sources: ${problem}`)
    sources.set(
      url,
      text.replace(patch.find, () => patch.replace),
    )
  }
  registerHooks({
    load(url, context, next) {
      const source = sources.get(url)
      return source === undefined ? next(url, context) : { format: 'module-typescript', source, shortCircuit: true }
    },
  })
}

const urlOf = (file: string): URL => new URL(`../${file}`, import.meta.url)
