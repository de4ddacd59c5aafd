// What the operating system says against a step, as the fault that the client knows: `storage_failed` with the system's own code.
import { InvariantError } from '../../base/assert.ts'
import { SyncError } from '../../base/errors.ts'

/** Runs a step; `what` completes the sentence «The disk refused to …». Faults that have their code already pass through. */
export async function onDisk<Result>(what: string, step: () => Promise<Result>): Promise<Result> {
  try {
    return await step()
  } catch (error) {
    if (error instanceof SyncError || error instanceof InvariantError) throw error
    const errno = (error as { readonly code?: unknown } | null)?.code
    const isNamed = typeof errno === 'string'
    throw new SyncError('storage_failed', `The disk refused to ${what}${isNamed ? ` (${errno})` : ''}`, {
      details: isNamed ? { errno } : {},
      cause: error,
    })
  }
}
