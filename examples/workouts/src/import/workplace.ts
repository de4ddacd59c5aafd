// The place where an import works: a folder of its own, and everything that it starts. However the work ends, all of that ends with
// it, last first, and the folder is gone; also when this process is told to end in the middle.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A place to work in. */
export interface Workplace {
  readonly folder: string
  /** Takes what ends something that was started. Up to its first wait it runs also when this process ends at once. */
  atEnd(close: () => Promise<void>): void
}

/** Does the work in a place of its own. */
export async function inWorkplace<Result>(work: (place: Workplace) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-import-'))
  const closers: (() => Promise<void>)[] = []
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  const endAtOnce = (): void => {
    for (const close of closers.reverse()) close().catch(() => undefined)
    remove()
  }
  process.on('exit', endAtOnce)
  try {
    return await work({ folder, atEnd: (close) => closers.push(close) })
  } finally {
    for (const close of closers.reverse()) await close()
    process.off('exit', endAtOnce)
    remove()
  }
}
