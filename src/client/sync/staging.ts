// Staging: patches wait here until the seal of their frame comes. Pull and live stage in the same way. A patch that does not
// start where its scope stands does not belong to this frame: then the device pulls (I5, I6: confirmed rows change by whole frames).
import { type Cursor, NOWHERE, type Patch, type Place, type Seal, samePlace } from '../../protocol/frame.ts'
import type { Scope } from '../../schema/scope.ts'
import type { StoredFrame } from '../storage/storage.ts'

/** The patches of a frame that is not sealed yet. */
export interface Staging {
  /** Takes a patch in; false when it does not start where its scope stands. */
  stage(patch: Patch): boolean
  /** Where the device will stand: what the next page is asked from. */
  cursors(): readonly Cursor[]
  /** The whole frame. Staging is empty after it, at the frame's end. */
  seal(seal: Seal): StoredFrame
}

/** Begins at the cursors that the device holds. */
export function createStaging(held: readonly Cursor[]): Staging {
  const places = new Map<Scope, Place>(held.map(({ scope, ...place }) => [scope, place]))
  let patches: Patch[] = []
  return {
    stage(patch) {
      if (patch.reset !== true && !samePlace(patch.from, places.get(patch.scope) ?? NOWHERE)) return false
      // What begins at nothing stands for all that there is, also where rows are held that an older version of the app left.
      patches.push(samePlace(patch.from, NOWHERE) ? { ...patch, reset: true } : patch)
      places.set(patch.scope, patch.to)
      return true
    },
    cursors: () => [...places].map(([scope, place]) => ({ scope, ...place })),
    seal({ client, decided, scopes, at }) {
      const frame: StoredFrame = { client, decided, patches, scopes, at }
      patches = []
      const granted = new Set(scopes)
      for (const scope of places.keys()) if (!granted.has(scope)) places.delete(scope)
      return frame
    },
  }
}
