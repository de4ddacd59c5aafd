// The walk of every-turn.ts over sources with one fault in them, in a process of its own: `node every-turn-broken.ts FAULT`. Prints what the
// walk found, as JSON.
import { registerHooks } from 'node:module'
import { loadPatched } from '../../../src/sim/patches.ts'
import type { Leave } from './every-turn.ts'
import { FAULTS } from './faults.ts'

const fault = FAULTS.find(({ name }) => name === process.argv[2])
if (fault === undefined) throw new TypeError(`There is no fault ${process.argv[2]}`)

// The public names lead to the sources, as they do in all tests.
const rooms: { readonly [name: string]: string } = { holdfast: 'schema', 'holdfast/client': 'client' }
registerHooks({
  resolve(name, context, next) {
    const room = rooms[name]
    return next(room === undefined ? name : new URL(`../../../src/${room}/index.ts`, import.meta.url).href, context)
  },
})
loadPatched([fault])
const { walk } = await import('./every-turn.ts')
const leave: Leave = fault.leave
// A part of the places is enough: what is broken shows at many.
console.info(JSON.stringify(await walk(leave, 1, 7)))
