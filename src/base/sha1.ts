// SHA-1 (RFC 3174), for ids that are derived from names: synchronous, which Web Crypto is not, and small enough for every page.
// Not for secrets and not against forgers: whoever may choose both the namespace and the name may choose an id as well.

/** What each of the four times twenty rounds adds. */
const ADDED = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6] as const

/** The 20 bytes of the SHA-1 of `bytes`, which are fewer than 2^29. */
export function sha1(bytes: Uint8Array): Uint8Array {
  // The message, a one bit, zeros, and its length in bits fill whole blocks of 64 bytes.
  const filled = new Uint8Array(((bytes.length + 72) >> 6) << 6)
  filled.set(bytes)
  filled[bytes.length] = 0x80
  const blocks = new DataView(filled.buffer)
  blocks.setUint32(filled.length - 4, bytes.length * 8)

  const sum = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0)
  const words = new Int32Array(80)
  const word = (round: number): number => words[round] as number
  for (let block = 0; block < filled.length; block += 64) {
    let [a, b, c, d, e] = sum as unknown as [number, number, number, number, number]
    for (let round = 0; round < 80; round++) {
      words[round] =
        round < 16
          ? blocks.getInt32(block + round * 4)
          : turn(word(round - 3) ^ word(round - 8) ^ word(round - 14) ^ word(round - 16), 1)
      const part = (round / 20) | 0
      const mixed = part === 0 ? (b & c) | (~b & d) : part === 2 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d
      const next = (turn(a, 5) + mixed + e + word(round) + (ADDED[part] as number)) | 0
      e = d
      d = c
      c = turn(b, 30)
      b = a
      a = next
    }
    for (const [index, word] of [a, b, c, d, e].entries()) sum[index] = (sum[index] as number) + word
  }
  for (const [index, word] of sum.entries()) blocks.setInt32(index * 4, word)
  return filled.subarray(0, 20)
}

/** The 32 bits turned to the left. */
function turn(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by))
}
