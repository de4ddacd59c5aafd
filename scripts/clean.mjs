// `npm run clean`: removes what the builds made, that of the package and that of the example's pages.
import './need-node.mjs'
import { rmSync } from 'node:fs'
import { root } from './tools.mjs'

for (const folder of ['dist', 'examples/workouts/dist']) rmSync(`${root}${folder}`, { recursive: true, force: true })
