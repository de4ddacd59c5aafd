// Dice as an input. The rim supplies cryptographic randomness, the simulator a seed.
import { bytesToHex } from '@noble/hashes/utils.js'
import { sha1 } from './sha1.ts'

/** A source of random bytes. */
export interface Random {
  /** `length` fresh random bytes. */
  bytes(length: number): Uint8Array
}

/** A random (version 4) UUID, RFC 9562. */
export function randomUuid(random: Random): string {
  const { buffer, byteOffset } = random.bytes(16)
  const view = new DataView(buffer, byteOffset)
  return uuidOf(4, (word) => view.getUint32(4 * word))
}

/** The name-based (version 5) UUID of `name` under the UUID `namespace`, RFC 9562: equal inputs give equal ids on every device. */
export function derivedUuid(namespace: string, name: string): string {
  const text = new TextEncoder().encode(name)
  const bytes = new Uint8Array(16 + text.length)
  const digits = namespace.replaceAll('-', '')
  const view = new DataView(bytes.buffer)
  for (let at = 0; at < 16; at += 4) view.setUint32(at, Number.parseInt(digits.slice(2 * at, 2 * at + 8), 16))
  bytes.set(text, 16)
  const hash = sha1(bytes)
  return uuidOf(5, (word) => hash[word] as number)
}

/** The UUID of this version whose other bits are those of four words. */
function uuidOf(version: number, word: (index: number) => number): string {
  const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0')
  const second = hex((word(1) & 0xffff0fff) | (version << 12))
  const third = hex((word(2) & 0x3fffffff) | 0x80000000)
  return `${hex(word(0))}-${second.slice(0, 4)}-${second.slice(4)}-${third.slice(0, 4)}-${third.slice(4)}${hex(word(3))}`
}

/** `length` random bytes in hexadecimal. */
export function randomHex(random: Random, length: number): string {
  return bytesToHex(random.bytes(length))
}

/** A number in [0, 1). */
export function fraction(random: Random): number {
  const [a = 0, b = 0, c = 0, d = 0] = random.bytes(4)
  return (a * 0x1000000 + b * 0x10000 + c * 0x100 + d) / 0x100000000
}
