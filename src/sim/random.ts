// Dice from a seed: the only source of chance in a simulated world. Every component forks a stream of its own, named, so that one
// draw more in one component does not shift the draws of the others. Not for secrets; real hosts bring real dice.
import { sha256 } from '@noble/hashes/sha2.js'
import type { Random } from '../base/random.ts'

/** A stream of chance that is the same for the same seed and name. */
export interface Dice extends Random {
  /** A stream of its own, decided by this stream's name and `name` alone, whatever was drawn before. */
  fork(name: string): Dice
  /** In [0, 1). */
  fraction(): number
  /** A whole number from 0 to `end` − 1. */
  below(end: number): number
  /** A whole number from `first` to `last`. */
  between(first: number, last: number): number
  /** True with this probability. A probability of 0 draws nothing. */
  chance(probability: number): boolean
  /** One of the items; undefined of an empty list. */
  pick<Item>(items: readonly Item[]): Item | undefined
  /** One of the keys, as often as its weight says. */
  weighted<Key extends string>(weights: { readonly [K in Key]: number }): Key
}

const encoder = new TextEncoder()

/** The stream of this name. */
export function createDice(name: string): Dice {
  // sfc32: 128 bits of state, passes PractRand; seeded with a hash, so that seeds 1 and 2 have nothing in common.
  const seed = new DataView(sha256(encoder.encode(name)).buffer)
  let a = seed.getUint32(0)
  let b = seed.getUint32(4)
  let c = seed.getUint32(8)
  let counter = seed.getUint32(12)
  const uint32 = (): number => {
    const sum = (a + b + counter++) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  const fraction = (): number => uint32() / 0x1_0000_0000
  const below = (end: number): number => Math.floor(fraction() * end)
  return {
    fork: (child) => createDice(`${name}/${child}`),
    fraction,
    below,
    between: (first, last) => first + below(last - first + 1),
    chance: (probability) => probability > 0 && fraction() < probability,
    pick: (items) => items[below(items.length)],
    weighted<Key extends string>(weights: { readonly [K in Key]: number }): Key {
      const keys = Object.keys(weights) as Key[]
      let left = fraction() * keys.reduce((sum, key) => sum + weights[key], 0)
      for (const key of keys) {
        left -= weights[key]
        if (left < 0) return key
      }
      return keys[keys.length - 1] as Key
    },
    bytes(length) {
      const bytes = new Uint8Array(length)
      let word = 0
      for (let index = 0; index < length; index++) {
        if (index % 4 === 0) word = uint32()
        bytes[index] = word & 0xff
        word >>>= 8
      }
      return bytes
    },
  }
}
