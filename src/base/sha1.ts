// SHA-1, for ids that are derived from names (RFC 9562, version 5). It tells names apart and keeps no secret, which is all that such an
// id is for: whoever wants a hash that nobody can forge takes SHA-256 (canonical.ts), which only the authority needs. Here and not from
// a package, because a page loads it: the package brings half a kilobyte more, and test/base holds the two against each other.

/** Where the words of a block are spread out: nothing of it is read before it is written. */
const words = new Int32Array(80)

/** The five words of the SHA-1 of some bytes, at most 512 MB of them. */
export function sha1(bytes: Uint8Array): Int32Array {
  const { length } = bytes
  // One bit, as many zeros as fill the last block, and how many bits there were.
  const padded = new Uint8Array((length + 72) & ~63)
  padded.set(bytes)
  padded[length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 4, length * 8)
  const hash = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0)
  for (let block = 0; block < padded.length; block += 64) {
    for (let t = 0; t < 16; t++) words[t] = view.getInt32(block + 4 * t)
    for (let t = 16; t < 80; t++)
      words[t] = turn(
        (words[t - 3] as number) ^ (words[t - 8] as number) ^ (words[t - 14] as number) ^ (words[t - 16] as number),
        1,
      )
    let [a, b, c, d, e] = hash as unknown as [number, number, number, number, number]
    for (let t = 0; t < 80; t++) {
      const mixed =
        t < 20
          ? ((b & c) | (~b & d)) + 0x5a827999
          : t < 40
            ? (b ^ c ^ d) + 0x6ed9eba1
            : t < 60
              ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
              : (b ^ c ^ d) + 0xca62c1d6
      const next = (turn(a, 5) + mixed + e + (words[t] as number)) | 0
      e = d
      d = c
      c = turn(b, 30)
      b = a
      a = next
    }
    const sums = [a, b, c, d, e]
    for (let at = 0; at < 5; at++) hash[at] = (hash[at] as number) + (sums[at] as number)
  }
  return hash
}

/** A word, turned to the left by so many bits. */
function turn(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}
