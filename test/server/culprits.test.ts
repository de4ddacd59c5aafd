// Whose fault a fault is: an intent fails by itself only where many others of its mutator pass meanwhile.
import { expect, test } from 'vitest'
import { createCulprits } from '../../src/server/sync/culprits.ts'
import { stage, uuid } from './scenario.ts'

test('an intent is told to fail by itself when ten others of its mutator have passed since, for each that fails', () => {
  const culprits = createCulprits()
  expect(culprits.failed('log', 'a')).toBe(false)
  for (let other = 0; other < 9; other++) culprits.passed('log', `b${other}`)
  for (let other = 0; other < 20; other++) culprits.passed('rename', `c${other}`)
  expect(culprits.failed('log', 'a')).toBe(false)
  culprits.passed('log', 'b9')
  expect(culprits.failed('log', 'a')).toBe(true)
  // A second one that fails raises what is asked for, until it passes.
  expect(culprits.failed('log', 'd')).toBe(false)
  expect(culprits.failed('log', 'a')).toBe(false)
  culprits.passed('log', 'd')
  expect(culprits.failed('log', 'a')).toBe(true)
})

test('a deploy in which one of ten fails is a bad deploy, whoever passes', () => {
  const culprits = createCulprits()
  let pinned = 0
  for (let intent = 0; intent < 3_000; intent++) {
    if (intent % 10 > 0) culprits.passed('log', `p${intent}`)
    else for (let again = 0; again <= intent; again += 500) pinned += culprits.failed('log', `f${again}`) ? 1 : 0
    if (intent % 10 === 0) pinned += culprits.failed('log', `f${intent}`) ? 1 : 0
  }
  expect(pinned).toBe(0)
})

test('the stop of a fault says whether it is pinned on the intent', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const [bad] = anna.make(['act', { how: 'throw', id: uuid() }])
  if (bad === undefined) throw new TypeError('Nothing was made')
  expect((await anna.push(bad)).stop).toEqual({
    sequence: 1,
    code: 'fault',
    detail: 'The mutator act failed at the authority.',
    retryAfterMs: 5_000,
  })
  const ben = on.device('ben')
  for (let other = 0; other < 10; other++) await ben.call(['act', { how: 'reject', id: uuid() }])
  expect((await anna.push(bad)).stop).toMatchObject({ code: 'fault', pinned: true })
})
