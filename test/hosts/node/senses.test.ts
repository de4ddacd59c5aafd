// Clock and dice of the real host. What takes time here waits for an event, never for an amount of time.
import { expect, test } from 'vitest'
import { hashJson } from '../../../src/base/canonical.ts'
import { nodeHost } from '../../../src/hosts/node/authority-host.ts'
import { clock } from '../../../src/hosts/node/clock.ts'
import { random } from '../../../src/hosts/node/random.ts'

test('a timer never fires before its time, and not at all when it was cancelled', async () => {
  const fired: string[] = []
  const cancel = clock.after(0, () => fired.push('cancelled'))
  cancel()
  const began = clock.monotonic()
  await new Promise<void>((resolve) => clock.after(3, resolve))
  expect(clock.monotonic() - began).toBeGreaterThanOrEqual(3)
  cancel()
  expect(fired).toEqual([])
})

test('a wait that is longer than Node can count does not end at once', async () => {
  let hasFired = false
  const cancel = clock.after(2 ** 40, () => {
    hasFired = true
  })
  await new Promise<void>((resolve) => clock.after(2, resolve))
  cancel()
  expect(hasFired).toBe(false)
})

test('a turn ends after the microtasks that are queued and those that they queue', async () => {
  const order: string[] = []
  const turned = new Promise<void>((resolve) =>
    clock.turn(() => {
      order.push('turn')
      resolve()
    }),
  )
  clock.turn(() => order.push('cancelled'))()
  void Promise.resolve().then(() => Promise.resolve().then(() => order.push('microtask')))
  await turned
  expect(order).toEqual(['microtask', 'turn'])
})

test('wall time is that of the system, and monotonic time does not go back', () => {
  const before = Date.now()
  const now = clock.now()
  expect(now >= before && now <= Date.now()).toBe(true)
  const first = clock.monotonic()
  expect(clock.monotonic()).toBeGreaterThanOrEqual(first)
})

test('dice give as many bytes as asked for, and none twice', () => {
  const seen = new Set<string>()
  for (let draw = 0; draw < 2_000; draw++) seen.add(Buffer.from(random.bytes(16)).toString('hex'))
  expect(seen.size).toBe(2_000)
  for (const length of [0, 1, 4_096, 5_000]) expect(random.bytes(length)).toHaveLength(length)
  const drawn = random.bytes(32)
  const copy = drawn.slice()
  random.bytes(8_000)
  random.bytes(4_000)
  expect(drawn).toEqual(copy)
  expect(drawn.some((byte) => byte !== 0)).toBe(true)
})

test('[I3] a fingerprint is the same whoever hashes it: this runtime, or JavaScript', () => {
  const { sha256 } = nodeHost()
  for (const value of ['', 'für', '\u{1f3cb}\u0000', 'x'.repeat(100_000)])
    expect(hashJson([value], sha256)).toBe(hashJson([value]))
  expect(hashJson({}, () => 'another')).toBe('another')
})
