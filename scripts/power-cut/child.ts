// The child's side of a power cut in Node: it says what it has to say in lines, `prepared`, `acknowledged N`, `present N,N,…`, and
// waits for `go`. The parent's side is processes.ts.
import { once } from 'node:events'
import { addForEver, type Durability } from './subject.ts'

const [folder = '', act = '', relaxed = ''] = process.argv.slice(2)

/** Where it keeps things, what it is to do, and whether it waits for the disk. */
export const order: { readonly folder: string; readonly isReading: boolean; readonly durability: Durability } = {
  folder,
  isReading: act === 'read',
  durability: relaxed === 'relaxed' ? 'relaxed' : 'strict',
}

/** Adds numbers for ever once it is told to. */
export async function write(add: (number: number) => Promise<unknown>): Promise<never> {
  console.log('prepared')
  await once(process.stdin, 'data')
  return addForEver(add, (number) => console.log(`acknowledged ${number}`))
}

/** Tells what is there. */
export function tellPresent(numbers: readonly number[]): void {
  console.log(`present ${numbers.join(',')}`)
}
