// The places inside the app and their addresses. Pure; who holds the present place is navigator.ts.

/** A place inside the app. */
export type Route =
  | { readonly at: 'workouts' }
  | { readonly at: 'workout'; readonly id: string }
  | { readonly at: 'import' }
  | { readonly at: 'two' }

/** The place that an address means; what is no place leads to the list. */
export function parseRoute(path: string): Route {
  const [first = '', second] = path.split('/').filter((part) => part !== '')
  if (first === 'two' || first === 'import') return { at: first }
  const id = first === 'workout' && second !== undefined ? decoded(second) : undefined
  return id === undefined ? { at: 'workouts' } : { at: 'workout', id }
}

/** The address of a place. */
export function pathOf(route: Route): string {
  if (route.at === 'workouts') return '/'
  return route.at === 'workout' ? `/workout/${encodeURIComponent(route.id)}` : `/${route.at}`
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}
