// A binary min-heap: of what is to be looked at next, the earliest first. Knows nothing of runs; the rebase gives it its order.

/** Items, the least of which can be had. */
export interface Heap<Item> {
  push(item: Item): void
  /** The least item, left in place. */
  peek(): Item | undefined
  /** Takes the least item out. */
  pop(): Item | undefined
}

/** Makes a heap ordered by the numbers that `keyOf` gives; an item's number must not change while it is inside. */
export function createHeap<Item>(keyOf: (item: Item) => number): Heap<Item> {
  const items: Item[] = []
  const keyAt = (index: number): number => keyOf(items[index] as Item)
  const swap = (a: number, b: number): void => {
    const item = items[a] as Item
    items[a] = items[b] as Item
    items[b] = item
  }
  return {
    push(item) {
      items.push(item)
      for (let index = items.length - 1; index > 0; ) {
        const parent = (index - 1) >> 1
        if (keyAt(parent) <= keyAt(index)) return
        swap(parent, index)
        index = parent
      }
    },
    peek: () => items[0],
    pop() {
      const least = items[0]
      const last = items.pop()
      if (items.length === 0 || last === undefined) return least
      items[0] = last
      for (let index = 0; ; ) {
        const left = 2 * index + 1
        if (left >= items.length) return least
        const right = left + 1
        const child = right < items.length && keyAt(right) < keyAt(left) ? right : left
        if (keyAt(index) <= keyAt(child)) return least
        swap(index, child)
        index = child
      }
    },
  }
}
