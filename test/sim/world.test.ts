// The world's order, its clocks and its dice: what the same seed giving the same bytes rests on.
import { describe, expect, test } from 'vitest'
import { createNodeClock, WORLD_BEGAN } from '../../src/sim/clock.ts'
import { createDice } from '../../src/sim/random.ts'
import { createWorld } from '../../src/sim/world.ts'

const noError = (error: unknown): void => {
  throw error
}

describe('the world', () => {
  test('runs events by time, and those of one time in the order in which they were planned', async () => {
    const world = createWorld(noError)
    const ran: string[] = []
    for (const [name, time] of [
      ['c', 20],
      ['a', 5],
      ['d', 20],
      ['b', 10],
      ['e', 20],
    ] as const)
      world.at(time, () => ran.push(`${name}${world.now()}`))
    await world.runUntil(100, () => true)
    expect(ran).toEqual(['a5', 'b10', 'c20', 'd20', 'e20'])
    expect(world.now()).toBe(100)
  })

  test('runs an event that is planned for the past now, after those that are due', async () => {
    const world = createWorld(noError)
    const ran: string[] = []
    world.at(10, () => {
      world.at(3, () => ran.push(`late ${world.now()}`))
      ran.push('first')
    })
    world.at(10, () => ran.push('second'))
    await world.runUntil(10, () => true)
    expect(ran).toEqual(['first', 'second', 'late 10'])
  })

  test('lets everything that needs no time settle before the next event', async () => {
    const world = createWorld(noError)
    const ran: string[] = []
    world.after(1, () => {
      void (async () => {
        for (let turn = 0; turn < 50; turn++) await Promise.resolve()
        ran.push('settled')
      })()
    })
    world.after(1, () => ran.push('next'))
    await world.runUntil(1, () => true)
    expect(ran).toEqual(['settled', 'next'])
  })

  test('forgets what was cancelled, and tells what an event threw', async () => {
    const errors: unknown[] = []
    const world = createWorld((error) => errors.push(error))
    const cancel = world.after(1, () => errors.push('cancelled'))
    world.after(2, () => {
      throw new TypeError('boom')
    })
    cancel()
    await world.runUntil(5, () => true)
    expect(errors).toEqual([new TypeError('boom')])
    expect(world.steps()).toBe(1)
  })

  test('stops as soon as it is told to', async () => {
    const world = createWorld(noError)
    for (let time = 1; time <= 9; time++) world.at(time, () => {})
    expect(await world.runUntil(9, () => world.now() < 4)).toBe(false)
    expect(world.now()).toBe(4)
  })

  test('keeps thousands of events in order, whatever order they were planned in', async () => {
    const world = createWorld(noError)
    const dice = createDice('heap')
    const ran: number[] = []
    for (let event = 0; event < 2_000; event++) {
      const time = dice.below(500)
      const cancel = world.at(time, () => ran.push(time))
      if (dice.chance(0.3)) cancel()
    }
    await world.runUntil(500, () => true)
    expect(ran.length).toBeGreaterThan(1_000)
    expect(ran).toEqual([...ran].sort((a, b) => a - b))
  })
})

describe('a node’s clock', () => {
  test('is as wrong as it was set, and its timers do not care', async () => {
    const world = createWorld(noError)
    const clock = createNodeClock(world, -60_000)
    const seen: number[] = []
    clock.after(100, () => seen.push(clock.now() - WORLD_BEGAN, clock.monotonic()))
    clock.jump(5_000)
    await world.runUntil(200, () => true)
    expect(seen).toEqual([100 - 60_000 + 5_000, 100])
  })

  test('tells the end of a turn after all microtasks of the turn', async () => {
    const world = createWorld(noError)
    const clock = createNodeClock(world)
    const ran: string[] = []
    clock.after(10, () => {
      clock.turn(() => ran.push(`turn ${world.now()}`))
      void Promise.resolve().then(() => Promise.resolve().then(() => ran.push('microtask')))
    })
    await world.runUntil(10, () => true)
    expect(ran).toEqual(['microtask', 'turn 10'])
  })

  test('takes its timers along when its node dies', async () => {
    const world = createWorld(noError)
    const clock = createNodeClock(world)
    clock.after(1, () => expect.unreachable())
    clock.stop()
    await world.runUntil(10, () => true)
  })
})

describe('dice', () => {
  test('throw the same for the same name, and other things for other names', () => {
    const throws = (name: string): number[] =>
      Array.from(
        { length: 20 },
        (
          (dice) => () =>
            dice.below(1_000)
        )(createDice(name)),
      )
    expect(throws('seed 1')).toEqual(throws('seed 1'))
    expect(throws('seed 1')).not.toEqual(throws('seed 2'))
  })

  test('of a fork do not depend on what was thrown before', () => {
    const early = createDice('seed').fork('network')
    const parent = createDice('seed')
    parent.bytes(100)
    expect(parent.fork('network').bytes(8)).toEqual(early.bytes(8))
  })

  test('are fair enough to reach every side', () => {
    const dice = createDice('sides')
    const sides = new Set(Array.from({ length: 500 }, () => dice.between(1, 6)))
    expect([...sides].sort()).toEqual([1, 2, 3, 4, 5, 6])
    const picked = new Set(Array.from({ length: 200 }, () => dice.weighted({ often: 5, seldom: 1, never: 0 })))
    expect(picked).toEqual(new Set(['often', 'seldom']))
    expect(dice.pick([])).toBeUndefined()
  })
})
