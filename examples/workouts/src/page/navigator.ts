// Who holds the present place: the address bar of the page, or the memory of one of two devices that share a page. Both tell
// when the place changes. Which places there are is routes.ts.
import { parseRoute, pathOf, type Route } from './routes.ts'

/** Holds the present place. */
export interface Navigator {
  /** Whether places have addresses that can be opened elsewhere. */
  readonly hasAddress: boolean
  /** The same object until the place changes. */
  route(): Route
  go(route: Route): void
  /** To the place before, or to the list when there is none. */
  back(): void
  subscribe(listener: () => void): () => void
}

/** The place in the address bar, with the browser's own history. */
export function addressNavigator(): Navigator {
  const listeners = new Set<() => void>()
  let route = parseRoute(location.pathname)
  let depth = 0
  const tell = (): void => {
    route = parseRoute(location.pathname)
    for (const listener of [...listeners]) listener()
  }
  addEventListener('popstate', () => {
    depth = Math.max(0, depth - 1)
    tell()
  })
  const go = (next: Route): void => {
    if (pathOf(next) === location.pathname) return
    history.pushState(null, '', pathOf(next))
    depth++
    tell()
    // A new place begins at its top; going back, the browser finds the old position by itself.
    scrollTo(0, 0)
  }
  return {
    hasAddress: true,
    route: () => route,
    go,
    back: () => (depth > 0 ? history.back() : go({ at: 'workouts' })),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** A place that only this object knows. */
export function memoryNavigator(): Navigator {
  const listeners = new Set<() => void>()
  let trail: readonly Route[] = [{ at: 'workouts' }]
  const top = (): Route => trail.at(-1) ?? { at: 'workouts' }
  const move = (next: readonly Route[]): void => {
    trail = next
    for (const listener of [...listeners]) listener()
  }
  return {
    hasAddress: false,
    route: top,
    go: (route) => move([...trail, route]),
    back: () => move(trail.length > 1 ? trail.slice(0, -1) : [{ at: 'workouts' }]),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
