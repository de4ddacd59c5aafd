// How much room a text takes once Chromium has compressed it, as a guess from its beginning: how long a record of rows should be depends
// on it (docs/decisions/0003). Counts what Snappy would count, four characters that were there before and what follows them alike;
// compresses nothing.

/** So much of a text tells enough of rows, which are alike. */
const SAMPLE = 8_192
const SLOTS = 4_096
/** One repetition takes so many bytes, and is at most so long. */
const COPY_BYTES = 3
const COPY_LENGTH = 64

/** About how many bytes this text has when it is compressed. Of characters beyond Latin-1 it counts one byte each. */
export function packedLength(text: string): number {
  const end = Math.min(text.length, SAMPLE)
  const places = new Int32Array(SLOTS).fill(-1)
  let bytes = 0
  for (let at = 0; at < end; ) {
    const slot = (Math.imul(fourAt(text, at), 0x1e35a7bd) >>> 20) % SLOTS
    const before = places[slot] ?? -1
    places[slot] = at
    if (before < 0 || fourAt(text, before) !== fourAt(text, at)) {
      bytes++
      at++
      continue
    }
    let length = 4
    while (length < COPY_LENGTH && text.charCodeAt(before + length) === text.charCodeAt(at + length)) length++
    bytes += COPY_BYTES
    at += length
  }
  return end === 0 ? 0 : (bytes / end) * text.length
}

/** Four characters as one number. */
function fourAt(text: string, at: number): number {
  return (
    text.charCodeAt(at) |
    (text.charCodeAt(at + 1) << 8) |
    (text.charCodeAt(at + 2) << 16) |
    (text.charCodeAt(at + 3) << 24)
  )
}
