// What a hook reads: a value that stays the same object until it says something else, and listeners who hear when it does. Here is
// the one place at which such a store meets React, always through useSyncExternalStore, so that no screen shows two moments at
// once. What the values are stands in queries.ts and stores.ts.
import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react'
import { keepEqual } from './keep-equal.ts'

/** A value from outside of React. */
export interface Store<Value> {
  /** Hears when `read` may give another value; the returned function ends it. */
  readonly subscribe: (listener: () => void) => () => void
  /** The value now: the same object as long as it says the same. */
  readonly read: () => Value
  /** What a server renders, and a browser until it has taken that page over. */
  readonly atFirst: Value
}

/** The value of a store. */
export function useStore<Value>(store: Store<Value>): Value {
  return useSyncExternalStore(store.subscribe, store.read, () => store.atFirst)
}

/** What `select` makes of the value of a store: the same object until that says something else, however often it is made anew. */
export function useSelected<Value, Part>(store: Store<Value>, select: (value: Value) => Part): Part {
  const shown = useRef<Part>(undefined)
  const partOf = useMemo(() => {
    let last: { readonly from: Value; readonly part: Part } | undefined
    return (from: Value): Part => {
      // A function written in the render is another each time; what it made the last time is on the screen.
      if (last?.from !== from)
        last = { from, part: keepEqual(last === undefined ? shown.current : last.part, select(from)) }
      return last.part
    }
  }, [select])
  const part = useSyncExternalStore(
    store.subscribe,
    () => partOf(store.read()),
    () => partOf(store.atFirst),
  )
  useEffect(() => {
    shown.current = part
  }, [part])
  return part
}
