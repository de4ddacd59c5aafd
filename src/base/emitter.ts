// A list of listeners. A listener that throws is reported to `onError` and does not keep the others from hearing.
import type { Cancel } from './clock.ts'

/** Listeners of one kind of event. */
export interface Emitter<Event> {
  /** Adds a listener; the returned function takes it away again. */
  on(listener: (event: Event) => void): Cancel
  /** Calls each listener once, in the order in which they were added. */
  emit(event: Event): void
  /** How many listeners there are. */
  size(): number
}

/** Makes an emitter; what listeners throw goes to `onError`. */
export function createEmitter<Event>(onError: (error: unknown) => void): Emitter<Event> {
  const listeners = new Set<{ readonly call: (event: Event) => void }>()
  return {
    on(listener) {
      const entry = { call: listener }
      listeners.add(entry)
      return () => void listeners.delete(entry)
    },
    emit(event) {
      for (const entry of [...listeners]) {
        // Whoever was taken away by a listener before it does not hear of this any more.
        if (!listeners.has(entry)) continue
        try {
          entry.call(event)
        } catch (error) {
          onError(error)
        }
      }
    },
    size: () => listeners.size,
  }
}
