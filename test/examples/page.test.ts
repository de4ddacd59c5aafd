// The pure parts of the demo's pages: numbers and times as people read and type them, places and their addresses, slices of work.
import { describe, expect, it } from 'vitest'
import type { Steps } from '../../examples/workouts/src/import/steps.ts'
import {
  duration,
  setLine,
  stepped,
  timeOrDate,
  typedAmount,
  usualName,
  wallClock,
  workoutTime,
} from '../../examples/workouts/src/page/format.ts'
import { parseRoute, pathOf, type Route } from '../../examples/workouts/src/page/routes.ts'
import { nextSize, runInSlices, SLICE_MS } from '../../examples/workouts/src/page/slices.ts'

describe('values', () => {
  const nothing = { reps: null, weight: null, weightUnit: 'kg', distance: null, distanceUnit: 'km', seconds: null }

  it.each([
    ['100 kg × 5', { weight: 100, reps: 5 }],
    ['62.5 lb × 8', { weight: 62.5, reps: 8, weightUnit: 'lb' }],
    ['12 reps', { reps: 12, weight: 0 }],
    ['1 rep', { reps: 1 }],
    ['40 kg', { weight: 40 }],
    ['5 km · 25:00', { distance: 5, seconds: 1500 }],
    ['1:05:00', { seconds: 3900 }],
    ['—', {}],
  ])('a set is shown as «%s»', (words, set) => {
    expect(setLine({ ...nothing, ...set })).toBe(words)
  })

  it('amounts are read with point or comma, nothing as nothing, and anything else not at all', () => {
    expect(['62.5', ' 62,5 ', '0', '', '  '].map(typedAmount)).toEqual([62.5, 62.5, 0, null, null])
    expect(['-1', '1e3', 'ten', '1.2.3', '12345678'].map(typedAmount)).toEqual(Array(5).fill(undefined))
  })

  it('a step never leads below nothing and never adds dust', () => {
    expect([stepped('20', 2.5), stepped('1', -2.5), stepped('', 5), stepped('x', 1), stepped('0.1', 0.2)]).toEqual([
      '22.5',
      '0',
      '5',
      '1',
      '0.3',
    ])
  })

  it('times of workouts are wall clocks, wherever they are read', () => {
    const local = Date.UTC(2026, 10, 22, 17, 30)
    expect(workoutTime(wallClock(local, -60))).toMatch(/22 Nov 2026.* 18:30/)
    expect([6, 13, 19, 23, 3].map((hour) => usualName(Date.UTC(2026, 0, 1, hour)))).toEqual([
      'Morning workout',
      'Afternoon workout',
      'Evening workout',
      'Night workout',
      'Night workout',
    ])
    expect(timeOrDate(local - 86_400_001, local)).toMatch(/2026/)
    expect(duration(59.6)).toBe('1:00')
  })
})

describe('places', () => {
  it.each<[string, Route]>([
    ['/', { at: 'workouts' }],
    ['/two', { at: 'two' }],
    ['/import', { at: 'import' }],
    ['/workout/a%2Fb', { at: 'workout', id: 'a/b' }],
  ])('%s', (path, route) => {
    expect(parseRoute(path)).toEqual(route)
    expect(pathOf(route)).toBe(path)
  })

  it('an address that means nothing leads to the list', () => {
    for (const path of ['', '/nowhere', '/workout', '/workout/', '/workout/%E0%A4%A'])
      expect(parseRoute(path)).toEqual({ at: 'workouts' })
  })
})

describe('slices', () => {
  /** A clock that moves by one with each step, and a page that notes when it had its turn. */
  function world() {
    let at = 0
    const turns: number[] = []
    function* steps(all: number): Steps<string> {
      for (let done = 0; done < all; done++) {
        at++
        yield { done, all }
      }
      return 'done'
    }
    const breath = {
      now: () => at,
      breathe: async () => {
        turns.push(at)
      },
    }
    return { steps, breath, turns }
  }

  it('the page has its turn after each slice and hears how far the work is', async () => {
    const { steps, breath, turns } = world()
    const heard: number[] = []
    await expect(runInSlices(steps(4 * SLICE_MS), breath, ({ done }) => heard.push(done))).resolves.toBe('done')
    expect(turns).toEqual([1, 2, 3, 4].map((slice) => slice * SLICE_MS))
    expect(heard).toEqual(turns.map((at) => at - 1))
  })

  it('what a step throws is thrown to the caller', async () => {
    const { breath } = world()
    function* broken(): Steps<never> {
      yield { done: 0, all: 1 }
      throw new Error('unreadable')
    }
    await expect(runInSlices(broken(), breath, () => undefined)).rejects.toThrow('unreadable')
  })

  it('a slice grows slowly, shrinks at once, and is never nothing or endless', () => {
    expect(nextSize(10, 1)).toBe(20)
    expect(nextSize(10, 2 * SLICE_MS)).toBe(5)
    expect(nextSize(1, 1000)).toBe(1)
    expect(nextSize(100, 0)).toBe(100)
  })
})
