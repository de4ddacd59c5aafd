// The setup of the browser tests: bundles their pages, each a script of test/browser/pages, once for a run, and tells the tests where
// they lie. Serving them is stage.ts.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { bundlePages } from '../../scripts/chromium/pages.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the bundled pages. */
    readonly pages: string
  }
}

const sources = fileURLToPath(new URL('./pages/', import.meta.url))

/** Bundles all pages before the first test; what it returns removes them after the last. */
export default async function setUp(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-pages-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  const names = readdirSync(sources).map((file) => basename(file, '.ts'))
  try {
    await bundlePages(Object.fromEntries(names.map((name) => [name, join(sources, `${name}.ts`)])), folder)
  } catch (error) {
    remove()
    throw error
  }
  project.provide('pages', folder)
  return remove
}
