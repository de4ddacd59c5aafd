// Long work lets others have the thread when a piece of it has taken long, and only then.
import { expect, test } from 'vitest'
import { createBreath } from '../../src/base/breath.ts'

test('a piece of work that was long ends with the turn, and the next one begins with its own', async () => {
  let now = 0
  const turns: (() => void)[] = []
  const begin = createBreath({
    monotonic: () => now,
    turn: (run) => {
      turns.push(run)
      return () => undefined
    },
  })
  now = 1_000
  const breathe = begin()
  now += 9
  expect(breathe()).toBeUndefined()
  now += 2
  let isOver = false
  const pause = breathe()?.then(() => {
    isOver = true
  })
  await Promise.resolve()
  expect([isOver, turns.length]).toEqual([false, 1])
  now += 500
  turns[0]?.()
  await pause
  expect(isOver).toBe(true)
  now += 9
  expect(breathe()).toBeUndefined()
  now += 1
  expect(breathe()).toBeInstanceOf(Promise)
})
