// The note beside a store, as one item of Web Storage: browsers that lose a database may still have it. Where the whole origin was
// cleared it is gone too, and nobody knows. What it says is client/session/sentinel.ts.
import type { Canary } from '../../client/host.ts'

/** The note of the store with this name. */
export function canaryOf(name: string): Canary {
  const key = `holdfast-canary/${encodeURIComponent(name)}`
  return {
    read: () => localStorage.getItem(key),
    write: (text) => localStorage.setItem(key, text),
    onChange(listener) {
      const hear = (event: StorageEvent): void => {
        if (event.key === key) listener()
      }
      addEventListener('storage', hear)
      return () => removeEventListener('storage', hear)
    },
  }
}
