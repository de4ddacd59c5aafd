// Tests run the sources, not the build: the public names below lead to src/. The packed files are tried by
// scripts/check-package.mjs, the types by `npm run check`. Those of test/browser run in a real Chromium, after all others.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

/** What these tests say is so of SQLite only. */
const onSqliteAlone = [
  'test/server/sqlite*.test.ts',
  'test/server/migrations.test.ts',
  'test/server/contract.test.ts',
  'test/server/existing.test.ts',
]

export default defineConfig({
  resolve: {
    alias: [
      { find: /^holdfast$/, replacement: source('schema/index.ts') },
      { find: /^holdfast\/client$/, replacement: source('client/index.ts') },
      { find: /^holdfast\/server$/, replacement: source('server/index.ts') },
      { find: /^holdfast\/sqlite$/, replacement: source('server/db/sqlite/index.ts') },
      { find: /^holdfast\/postgres$/, replacement: source('server/db/postgres/index.ts') },
      { find: /^holdfast\/browser$/, replacement: source('hosts/browser/index.ts') },
      { find: /^holdfast\/react$/, replacement: source('bindings/react/index.ts') },
      { find: /^holdfast\/jose$/, replacement: source('hosts/jose/index.ts') },
      { find: /^holdfast\/node$/, replacement: source('hosts/node/index.ts') },
    ],
  },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'rooms',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: ['test/browser/**', 'test/engines/**', 'test/postgres/**'],
        },
      },
      {
        extends: true,
        // The tests of the authority and of many devices once more, on PostgreSQL, and those of PostgreSQL alone.
        test: {
          name: 'postgres',
          include: [
            'test/server/**/*.test.ts',
            'test/postgres/**/*.test.ts',
            'test/together/**/*.test.ts',
            'test/scripts/contract-faults.test.ts',
          ],
          exclude: [...onSqliteAlone],
          globalSetup: 'test/postgres/setup.ts',
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          globalSetup: 'test/browser/setup.ts',
          // A browser is several processes already. Its tests wait for what they see, on a machine that may be busy.
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        // The same contract in Firefox and WebKitGTK: `npm run test:engines`.
        test: {
          name: 'engines',
          include: ['test/engines/**/*.test.ts'],
          globalSetup: 'test/browser/setup.ts',
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 10 * 60_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
    // One process for many files: rooms hold no state outside what a test creates. Measured on two cores with 61 files
    // of 10 tests: forks 1.2 s shared and 11 s isolated, threads 1.4 s and 12 s.
    pool: 'forks',
    isolate: false,
    // Only ends what hangs: a machine that is busy with other things is no fault of what is tried.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
