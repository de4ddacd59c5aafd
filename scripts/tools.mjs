// Where the tools lie, and how the other scripts start them: always by path, with the Node that runs already, so that
// nothing depends on what else the machine calls `tsc` or `node`.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

const inModules = (path) => `${root}node_modules/${path}`

export const tools = {
  tsc: inModules('@typescript/native/bin/tsc'),
  biome: inModules('@biomejs/biome/bin/biome'),
  vitest: inModules('vitest/vitest.mjs'),
  publint: inModules('publint/src/cli.js'),
  attw: inModules('@arethetypeswrong/cli/dist/index.js'),
}

/** Runs a script with this Node; gives its exit code (1 for a signal or a failed start) and, when `quiet`, what it printed. */
export function runNode(script, args = [], { quiet = false, node = process.execPath, ...options } = {}) {
  const result = spawnSync(node, [script, ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    env: quiet ? { ...process.env, NO_COLOR: '1' } : process.env,
    ...options,
    stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
  })
  const trouble = result.error?.message ?? (result.signal ? `stopped by ${result.signal}` : '')
  return {
    code: result.status ?? 1,
    output: [result.stdout, result.stderr, trouble].filter(Boolean).join('\n').trimEnd(),
  }
}
