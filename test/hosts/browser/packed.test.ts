// The guess at how well a text compresses: what repeats takes little room, what does not takes its own, whatever its length.
import { expect, test } from 'vitest'
import { packedLength } from '../../../src/hosts/browser/packed.ts'

/** Always the same characters, none of which follows from the ones before. */
function noise(length: number): string {
  let state = 1
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return String.fromCharCode(33 + ((state >>> 16) % 90))
  }).join('')
}

test('what repeats takes a part of its length, noise all of it', () => {
  const rows = (exercise: (number: number) => string): string =>
    JSON.stringify(
      Array.from({ length: 250 }, (_, id) => ({ id: noise(36 + (id % 7)), exercise: exercise(id), reps: 5 })),
    )
  expect(packedLength('the same again '.repeat(4_000)) / 60_000).toBeLessThan(0.1)
  expect(packedLength(noise(50_000)) / 50_000).toBeGreaterThan(0.95)
  const alike = rows(() => 'Overhead Press (Barbell)')
  expect(packedLength(alike) / alike.length).toBeLessThan(0.5)
})

test('a text of any length and of any characters has a length when it is packed', () => {
  for (const text of ['', 'a', 'abc', 'abcd', 'aaaaaaaa', 'ü漢😀'.repeat(3_000), noise(8_193)]) {
    expect(packedLength(text)).toBeGreaterThanOrEqual(0)
    expect(packedLength(text)).toBeLessThanOrEqual(text.length)
  }
})
