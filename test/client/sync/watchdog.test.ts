// The watchdog by itself: it barks only where the authority speaks, something waits, and nothing of it is decided.
import { expect, test } from 'vitest'
import { createWatchdog } from '../../../src/client/sync/watchdog.ts'
import { createTestClock } from '../clock.ts'

function watched() {
  const clock = createTestClock()
  const world = { isWanting: false, decided: 0, answers: 0, barks: 0 }
  const watchdog = createWatchdog({
    clock,
    stalledMs: 60_000,
    isWanting: () => world.isWanting,
    progress: () => String(world.decided),
    answers: () => world.answers,
    onStalled: () => void world.barks++,
  })
  return { clock, world, watchdog }
}

test('sleeps while nothing waits, and has no timer', async () => {
  const { clock, world, watchdog } = watched()
  watchdog.look()
  expect(clock.due()).toEqual([])
  world.isWanting = true
  watchdog.look()
  expect(clock.due()).toEqual([60_000])
  world.isWanting = false
  watchdog.look()
  expect(clock.due()).toEqual([])
})

test('barks each time that the authority has spoken and nothing was decided, and is content when something is', async () => {
  const { clock, world, watchdog } = watched()
  world.isWanting = true
  watchdog.look()
  world.answers = 3
  await clock.advance(60_000)
  expect([world.barks, watchdog.isStalled]).toEqual([1, true])
  world.answers = 4
  await clock.advance(60_000)
  expect([world.barks, watchdog.isStalled]).toEqual([2, true])
  world.decided = 1
  watchdog.look()
  expect(watchdog.isStalled).toBe(false)
  world.answers = 5
  await clock.advance(50_000)
  world.decided = 2
  await clock.advance(60_000)
  expect(world.barks).toBe(2)
  watchdog.stop()
  expect(clock.due()).toEqual([])
})

test('does not bark where nobody is heard: that is no news', async () => {
  const { clock, world, watchdog } = watched()
  world.isWanting = true
  watchdog.look()
  await clock.advance(3_600_000)
  expect([world.barks, watchdog.isStalled]).toEqual([0, false])
})
