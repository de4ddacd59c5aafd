// What the platform's collections lack, said once: a member that is made when it is first asked for, and a place in a sorted list.

/** What of a map is needed here: a WeakMap has it too. */
interface Keyed<Key, Value> {
  get(key: Key): Value | undefined
  set(key: Key, value: Value): unknown
}

/** The value at `key`; when there is none, what `make` gives is put there. */
export function obtain<Key, Value>(map: Keyed<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}

/** For `obtain`: an empty list, map or set. */
export const newList = <Item>(): Item[] => []
export const newMap = <Key, Value>(): Map<Key, Value> => new Map()
export const newSet = <Item>(): Set<Item> => new Set()

/** How many items of a sorted list stand at its beginning for which `isBefore` holds: where the first other one is, or would be. */
export function countBefore<Item>(sorted: readonly Item[], isBefore: (item: Item) => boolean): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (isBefore(sorted[middle] as Item)) low = middle + 1
    else high = middle
  }
  return low
}
