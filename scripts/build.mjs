// `npm run build`: compiles the rooms along their references, and removes what sources no longer there left in dist.
// Says nothing when nothing is wrong, so that a script that builds first keeps its output to itself.
import './need-node.mjs'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const tsc = join(root, 'node_modules/@typescript/native/bin/tsc')
const dist = join(root, 'dist')

if (!existsSync(tsc)) {
  console.error('The TypeScript compiler is not installed: run `npm install` first.')
  process.exit(1)
}

if (existsSync(dist)) {
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    const stem = relative(dist, file).replace(/(\.d\.ts|\.js)(\.map)?$/, '')
    const isOutput = entry.isFile() && /(\.d\.ts|\.js)(\.map)?$/.test(entry.name)
    if (isOutput && !existsSync(join(root, 'src', `${stem}.ts`))) rmSync(file)
  }
}

const { status, error, stdout, stderr } = spawnSync(process.execPath, [tsc, '-b', 'tsconfig.json'], {
  cwd: root,
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'pipe'],
})
if (status !== 0) {
  console.error(error?.message ?? `${stdout}${stderr}`.trimEnd())
  process.exit(1)
}
