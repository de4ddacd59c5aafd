// What a browser says against a step in its store, as the fault that the client knows: `storage_failed` with the browser's own name
// for it (QuotaExceededError, SecurityError, …), or `storage_newer` when a later build has already changed the database.
import { InvariantError } from '../../base/assert.ts'
import { SyncError } from '../../base/errors.ts'

/** Runs a step; `what` completes the sentence «The browser’s store could not …». Faults that have their code already pass through. */
export async function inStore<Result>(what: string, step: () => Promise<Result>): Promise<Result> {
  try {
    return await step()
  } catch (error) {
    if (error instanceof SyncError || error instanceof InvariantError) throw error
    const name = (error as { readonly name?: unknown } | null)?.name
    const isNamed = typeof name === 'string'
    if (name === 'VersionError')
      throw new SyncError('storage_newer', 'The database of this device was made by a newer build', { cause: error })
    throw new SyncError('storage_failed', `The browser’s store could not ${what}${isNamed ? ` (${name})` : ''}`, {
      details: isNamed ? { errno: name } : {},
      cause: error,
    })
  }
}
