// What each scope held at each of its versions, kept while the world lasts: taken by SQL at the commit that made the version. Every
// frame on the wire and every replica is held against it, so nothing that either side says of itself has to be believed.
import type { Place } from '../protocol/frame.ts'

/** The rows of a scope at one version: `table/id` to their comparable form. */
export type ScopeRows = ReadonlyMap<string, string>

/** All versions of all scopes that ever were, those of lost histories too. */
export interface Archive {
  add(scope: string, place: Place, rows: ScopeRows): void
  /** The rows at a place; undefined when there never was such a commit. Before the first commit there is nothing. */
  at(scope: string, place: Place): ScopeRows | undefined
}

const nothing: ScopeRows = new Map()

/** An empty archive. */
export function createArchive(): Archive {
  const kept = new Map<string, ScopeRows>()
  const key = (scope: string, { version, mark }: Place): string => `${scope} ${version} ${mark}`
  return {
    add: (scope, place, rows) => void kept.set(key(scope, place), rows),
    at: (scope, place) => (place.version === 0 ? nothing : kept.get(key(scope, place))),
  }
}

/** The first key in which two sets of rows differ, or undefined. */
export function firstDifference(expected: ScopeRows, actual: ScopeRows): string | undefined {
  for (const [key, text] of expected) if (actual.get(key) !== text) return key
  if (actual.size !== expected.size) for (const key of actual.keys()) if (!expected.has(key)) return key
  return undefined
}
