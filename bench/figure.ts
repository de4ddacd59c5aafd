// One file of figures in a process of its own, so that none works on another's heap: `node --expose-gc bench/figure.ts engine/open`.
// The last line is the figures as JSON. Started by run.ts, and by hand with --cpu-prof to see where the time goes.
import type { Figure } from './harness.ts'

const [name = ''] = process.argv.slice(2)
if (!/^[a-z]+\/[a-z-]+$/.test(name)) throw new Error('Say which figures: engine/mutate, engine/apply …')
const { measure } = (await import(`./${name}.ts`)) as { readonly measure: () => Promise<readonly Figure[]> }
console.log(JSON.stringify(await measure()))
