// How much memory a device takes for 100,000 rows: of a page that has them in IndexedDB, and of a process in Node.
import { measure as inBrowser } from '../browser/memory.ts'
import { measure as inNode } from '../engine/memory.ts'
import type { Figure } from '../harness.ts'

export async function measure(): Promise<readonly Figure[]> {
  return [...(await inBrowser()), ...(await inNode())]
}
