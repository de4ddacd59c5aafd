// Tests run the sources, not the build: the public names below lead to src/. The packed files are tried by
// scripts/check-package.mjs, the types by `npm run check`.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^holdfast$/, replacement: source('schema/index.ts') },
      { find: /^holdfast\/client$/, replacement: source('client/index.ts') },
      { find: /^holdfast\/server$/, replacement: source('server/index.ts') },
      { find: /^holdfast\/sqlite$/, replacement: source('server/db/sqlite/index.ts') },
      { find: /^holdfast\/react$/, replacement: source('bindings/react/index.ts') },
      { find: /^holdfast\/node$/, replacement: source('hosts/node/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    // One process for many files: rooms hold no state outside what a test creates. Measured on two cores with 61 files
    // of 10 tests: forks 1.2 s shared and 11 s isolated, threads 1.4 s and 12 s.
    pool: 'forks',
    isolate: false,
    testTimeout: 20_000,
  },
})
