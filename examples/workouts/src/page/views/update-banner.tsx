// Says that a new version is here and that loading it is safe, with the number of changes that are kept meanwhile.
import { type ReactElement, useSyncExternalStore } from 'react'
import { useSyncStatus } from '../hooks.ts'
import type { Update } from '../update.ts'
import { changes } from '../words.ts'

/** The banner; nothing while no version waits. Needs a client around. */
export function UpdateBanner({ update }: { readonly update: Update }): ReactElement | null {
  const isWaiting = useSyncExternalStore(update.subscribe, update.isWaiting)
  const waiting = useSyncStatus((status) => status.waiting)
  if (!isWaiting) return null
  return (
    <div className="banner" role="status">
      <span>A new version is here. Safe to reload{waiting > 0 && `: ${changes(waiting)} kept on this device`}.</span>
      <button type="button" className="button small" onClick={() => update.take()}>
        Reload
      </button>
    </div>
  )
}
