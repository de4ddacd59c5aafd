// The note beside an actor's folder, as one small file: read whole, and replaced whole. Not synced: it may be a little behind what it
// speaks of, which is all that is asked of it. What it says is client/session/sentinel.ts.
import { readFile, rename, writeFile } from 'node:fs/promises'
import type { Canary } from '../../client/host.ts'

/** The note in this file. */
export function canaryAt(path: string): Canary {
  return {
    read: () =>
      readFile(path, 'utf8').catch((error: { readonly code?: unknown }) => {
        if (error.code === 'ENOENT') return undefined
        throw error
      }),
    async write(text) {
      await writeFile(`${path}.unfinished`, text, { mode: 0o600 })
      await rename(`${path}.unfinished`, path)
    },
  }
}
