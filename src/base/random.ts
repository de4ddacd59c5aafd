// Dice as an input, and the ids that are made of them or of names. The rim supplies cryptographic randomness, the simulator a seed.
import { sha1 } from './sha1.ts'

/** A source of random bytes. */
export interface Random {
  /** `length` fresh random bytes. */
  bytes(length: number): Uint8Array
}

/** A random (version 4) UUID, RFC 9562. */
export function randomUuid(random: Random): string {
  return uuidOf(random.bytes(16), 4)
}

const encoder = new TextEncoder()

/** The name-based (version 5) UUID of `name` under the UUID `namespace`, RFC 9562: equal inputs give equal ids on every device. */
export function derivedUuid(namespace: string, name: string): string {
  const named = encoder.encode(name)
  const bytes = new Uint8Array(16 + named.length)
  const digits = namespace.replaceAll('-', '')
  for (let index = 0; index < 16; index++) bytes[index] = Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16)
  bytes.set(named, 16)
  return uuidOf(sha1(bytes), 5)
}

/** The first 16 bytes as a UUID; six of their bits say how it was made. */
function uuidOf(bytes: Uint8Array, version: number): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | (version << 4)
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const all = hexOf(bytes)
  return `${all.slice(0, 8)}-${all.slice(8, 12)}-${all.slice(12, 16)}-${all.slice(16, 20)}-${all.slice(20, 32)}`
}

/** `length` random bytes in hexadecimal. */
export function randomHex(random: Random, length: number): string {
  return hexOf(random.bytes(length))
}

const PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function hexOf(bytes: Uint8Array): string {
  let digits = ''
  for (const byte of bytes) digits += PAIRS[byte]
  return digits
}

/** A number in [0, 1). */
export function fraction(random: Random): number {
  const [a = 0, b = 0, c = 0, d = 0] = random.bytes(4)
  return (a * 0x1000000 + b * 0x10000 + c * 0x100 + d) / 0x100000000
}
