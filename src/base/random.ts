// Dice as an input. The rim supplies cryptographic randomness, the simulator a seed.
import { bytesToHex } from '@noble/hashes/utils.js'
import { stringify, v5 } from 'uuid'

/** A source of random bytes. */
export interface Random {
  /** `length` fresh random bytes. */
  bytes(length: number): Uint8Array
}

/** A random (version 4) UUID, RFC 9562. */
export function randomUuid(random: Random): string {
  const bytes = random.bytes(16)
  // Version and variant have their places. What else makes such an id in the package would bring dice of its own along.
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  return stringify(bytes)
}

/** The name-based (version 5) UUID of `name` under `namespace`, RFC 9562: equal inputs give equal ids on every device. */
export function derivedUuid(namespace: string, name: string): string {
  return v5(name, namespace)
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
