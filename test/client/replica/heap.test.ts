// The heap of a rebase gives its items in order.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createHeap } from '../../../src/client/replica/heap.ts'

test('items come out in order, also when some are put in between', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 6 })), (rounds) => {
      const heap = createHeap<number>((item) => item)
      const inside: number[] = []
      for (const round of rounds) {
        for (const item of round) {
          heap.push(item)
          inside.push(item)
        }
        inside.sort((a, b) => a - b)
        expect(heap.peek()).toBe(inside[0])
        expect(heap.pop()).toBe(inside.shift())
      }
      while (inside.length > 0) expect(heap.pop()).toBe(inside.shift())
      expect(heap.pop()).toBeUndefined()
    }),
  )
})
