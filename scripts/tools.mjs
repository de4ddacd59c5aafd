// Where the tools lie, and how the other scripts start them: always by path, with the Node that runs already, so that
// nothing depends on what else the machine calls `tsc` or `node`.
import { spawn } from 'node:child_process'
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

/**
 * Runs a script with this Node, to its end; gives its exit code (1 for a signal, a failed start or a passed `timeout`)
 * and, when `quiet`, what it printed.
 */
export function runNode(script, args = [], { quiet = false, node = process.execPath, ...options } = {}) {
  return new Promise((resolve) => {
    const child = spawn(node, [script, ...args], {
      cwd: root,
      env: quiet ? { ...process.env, NO_COLOR: '1' } : process.env,
      ...options,
      stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
    })
    const printed = []
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => printed.push(chunk))
    const end = (code, trouble) => {
      if (trouble && !quiet) console.error(trouble)
      resolve({ code, output: [Buffer.concat(printed).toString(), trouble].filter(Boolean).join('\n').trimEnd() })
    }
    child.on('error', (error) => end(1, error.message))
    child.on('close', (code, signal) => end(code ?? 1, signal && `${script} was stopped by ${signal}`))
  })
}
