// The items of a JSON list as bytes, written one after the other while there is time for it. Room is left before them, so that whoever
// makes a record of them can put its beginning there instead of copying megabytes behind it.

/** What stands before the first item at most: the beginning of a record's line. */
export const FRONT = 128

/** Room for the end of a line. */
const BACK = 16
const comma = 44

/** A list under way; it is made for one record. */
export interface ListBytes {
  readonly count: number
  /** Adds one item, as JSON. */
  add(text: string): void
  /** The buffer and where the items end in it; they begin at `FRONT`, and at least 16 bytes are free behind them. */
  taken(): { readonly bytes: Buffer; readonly end: number }
}

/** An empty list. */
export function createList(): ListBytes {
  let bytes = Buffer.allocUnsafe(1024)
  let end = FRONT
  let count = 0
  return {
    get count() {
      return count
    },
    add(text) {
      // A unit of a string becomes at most three bytes.
      const needed = end + 1 + 3 * text.length + BACK
      if (needed > bytes.length) {
        const longer = Buffer.allocUnsafe(Math.max(needed, 2 * bytes.length))
        bytes.copy(longer, FRONT, FRONT, end)
        bytes = longer
      }
      if (count++ > 0) bytes[end++] = comma
      end += bytes.write(text, end)
    },
    taken: () => ({ bytes, end }),
  }
}

/** A list of these items. */
export function listOf(items: readonly string[]): ListBytes {
  const list = createList()
  for (const item of items) list.add(item)
  return list
}
