// `npm run build`: compiles the rooms along their references, and first removes from dist what has no source any more.
// Says nothing when nothing is wrong, so that a script that builds first keeps its output to itself.
import './need-node.mjs'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { root, runNode, tools } from './tools.mjs'

if (!existsSync(tools.tsc)) {
  console.error('The TypeScript compiler is not installed: run `npm install` first.')
  process.exit(1)
}

const dist = join(root, 'dist')
const output = /(\.d\.ts|\.js)(\.map)?$/
if (existsSync(dist)) {
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !output.test(entry.name)) continue
    const file = join(entry.parentPath, entry.name)
    const source = join(root, 'src', relative(dist, file).replace(output, '.ts'))
    if (!existsSync(source)) rmSync(file)
  }
}

const build = await runNode(tools.tsc, ['-b', 'tsconfig.json'], { quiet: true })
if (build.code !== 0) {
  console.error(build.output)
  process.exit(1)
}
