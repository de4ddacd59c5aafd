// `npm run clean`: removes what the build made.
import './need-node.mjs'
import { rmSync } from 'node:fs'
import { root } from './tools.mjs'

rmSync(`${root}dist`, { recursive: true, force: true })
