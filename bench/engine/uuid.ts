// Ids for the rows of benchmarks: random to look at, the same in every run. Loads nothing, so that a script which must not load the
// engine can use them.

/** A UUID that follows from a label: four mixes of its letters (murmur3's), each begun with another number. */
export function uuidOf(label: string): string {
  const hex = [1, 2, 3, 4].map((seed) => mix(label, seed).toString(16).padStart(8, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

function mix(text: string, seed: number): number {
  let hash = Math.imul(seed, 0x9e3779b1)
  for (let at = 0; at < text.length; at++) {
    hash ^= Math.imul(text.charCodeAt(at), 0xcc9e2d51)
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
