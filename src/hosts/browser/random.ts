// Real dice: the browser's, drawn in portions, because each draw is a call out of the script.
import type { Random } from '../../base/random.ts'

const portion = new Uint8Array(4096)
let used = portion.length

/** Cryptographic randomness. No byte is given twice, and none stays behind in the portion. */
export const random: Random = Object.freeze({
  bytes(length: number) {
    if (length > portion.length) throw new RangeError(`at most ${portion.length} random bytes are given at a time`)
    if (used + length > portion.length) {
      crypto.getRandomValues(portion)
      used = 0
    }
    const drawn = portion.slice(used, used + length)
    portion.fill(0, used, used + length)
    used += length
    return drawn
  },
})
