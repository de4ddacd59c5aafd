// The small parts that every room uses: backoff, emitter, lane, deferred, dice, assertions and the table of codes.
import fc from 'fast-check'
import { v5 } from 'uuid'
import { describe, expect, test } from 'vitest'
import { check, InvariantError, unreachable } from '../../src/base/assert.ts'
import { backoffMs } from '../../src/base/backoff.ts'
import type { Clock } from '../../src/base/clock.ts'
import { CODES } from '../../src/base/codes.ts'
import { beforeDeadline } from '../../src/base/deadline.ts'
import { createDeferred } from '../../src/base/deferred.ts'
import { createEmitter } from '../../src/base/emitter.ts'
import { type Code, isCode, SyncError, speak } from '../../src/base/errors.ts'
import { createLane } from '../../src/base/lane.ts'
import { derivedUuid, fraction, type Random, randomUuid } from '../../src/base/random.ts'
import { utf8Bytes } from '../../src/base/utf8.ts'

const dice = (byte: number): Random => ({ bytes: (length) => new Uint8Array(length).fill(byte) })

describe('backoff', () => {
  const limits = fc.record({
    firstMs: fc.integer({ min: 1, max: 60_000 }),
    maxMs: fc.integer({ min: 1, max: 3_600_000 }),
  })

  test('stays within half and whole of its doubling ceiling, however many tries and whatever the dice', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        limits,
        fc.integer({ min: 0, max: 255 }),
        (attempt, bounds, byte) => {
          const delayMs = backoffMs(attempt, bounds, dice(byte))
          const ceiling = Math.min(bounds.maxMs, bounds.firstMs * 2 ** Math.min(attempt - 1, 30))
          expect(delayMs).toBeGreaterThanOrEqual(Math.floor(ceiling / 2))
          expect(delayMs).toBeLessThanOrEqual(Math.round(ceiling))
        },
      ),
    )
  })

  test('is never shorter than what the authority asked for', () => {
    expect(backoffMs(1, { firstMs: 500, maxMs: 30_000 }, dice(0), 90_000)).toBe(90_000)
    expect(backoffMs(9, { firstMs: 500, maxMs: 30_000 }, dice(255), 10)).toBeGreaterThan(10)
  })

  test('spreads devices that failed at the same moment', () => {
    const delays = new Set([0, 64, 128, 255].map((byte) => backoffMs(5, { firstMs: 500, maxMs: 30_000 }, dice(byte))))
    expect(delays.size).toBe(4)
  })
})

describe('emitter', () => {
  test('[I14] tells each listener once, in order, and reports one that throws without stopping the others', () => {
    const told: string[] = []
    const errors: unknown[] = []
    const emitter = createEmitter<number>((error) => errors.push(error))
    emitter.on((event) => told.push(`a${event}`))
    emitter.on(() => {
      throw new Error('mine')
    })
    const cancel = emitter.on((event) => told.push(`c${event}`))
    emitter.emit(1)
    cancel()
    cancel()
    emitter.emit(2)
    expect(told).toEqual(['a1', 'c1', 'a2'])
    expect(errors).toHaveLength(2)
    expect(emitter.size()).toBe(2)
  })

  test('one that was taken away during an event does not hear of it any more', () => {
    const told: string[] = []
    const emitter = createEmitter<number>(() => undefined)
    emitter.on(() => {
      told.push('first')
      cancelSecond()
    })
    const cancelSecond = emitter.on(() => told.push('second'))
    emitter.emit(1)
    expect(told).toEqual(['first'])
  })

  test('one that was added during an event hears of the next, and the same function counts twice', () => {
    const told: string[] = []
    const emitter = createEmitter<number>(() => undefined)
    const late = (event: number) => told.push(`late${event}`)
    const cancel = emitter.on(() => {
      emitter.on(late)
      emitter.on(late)
    })
    emitter.emit(1)
    expect(told).toEqual([])
    cancel()
    emitter.emit(2)
    expect(told).toEqual(['late2', 'late2'])
  })
})

describe('lane', () => {
  test('runs one job at a time in the order asked, and goes on after one that fails', async () => {
    const lane = createLane()
    const log: string[] = []
    const gate = createDeferred<void>()
    const first = lane.run(async () => {
      log.push('1 begins')
      await gate.promise
      log.push('1 ends')
      throw new Error('1 failed')
    })
    const second = lane.run(async () => {
      log.push('2')
      return 'two'
    })
    const third = lane.run((): Promise<string> => {
      throw new Error('3 failed at once')
    })
    const fourth = lane.run(async () => 'four')
    expect(log).toEqual([])
    gate.resolve()
    await expect(first).rejects.toThrow('1 failed')
    await expect(second).resolves.toBe('two')
    await expect(third).rejects.toThrow('3 failed at once')
    await expect(fourth).resolves.toBe('four')
    expect(log).toEqual(['1 begins', '1 ends', '2'])
  })

  test('whoever asked for a job hears of it before the next one begins, however many wait', async () => {
    const lane = createLane()
    const log: string[] = []
    const jobs = Array.from({ length: 3_000 }, (_, number) => `${number}`)
    const asked = jobs.map((name) =>
      lane.run(async () => void log.push(name)).then(() => void log.push(`${name} heard`)),
    )
    expect(lane.size()).toBe(3_000)
    await Promise.all(asked)
    expect(log).toEqual(jobs.flatMap((name) => [name, `${name} heard`]))
    expect(lane.size()).toBe(0)
  })

  test('what is asked when all are done, or by a job itself, has its turn', async () => {
    const lane = createLane()
    let inner: Promise<string> | undefined
    await lane.run(async () => {
      inner = lane.run(async () => 'inner')
    })
    expect(await inner).toBe('inner')
    expect(await lane.run(async () => lane.size())).toBe(1)
  })
})

describe('a deadline', () => {
  const clockOf = (timers: (() => void)[]): Clock => ({
    now: () => 0,
    monotonic: () => 0,
    after: (_delayMs, run) => {
      timers.push(run)
      return () => void timers.splice(timers.indexOf(run), 1)
    },
    turn: () => () => undefined,
  })

  test('lets work through that is done in time, and leaves no timer behind', async () => {
    const timers: (() => void)[] = []
    await expect(beforeDeadline(clockOf(timers), 50, Promise.resolve(5), 'counting')).resolves.toBe(5)
    await expect(beforeDeadline(clockOf(timers), 50, Promise.reject(new Error('no')), 'counting')).rejects.toThrow('no')
    await Promise.resolve()
    expect(timers).toEqual([])
  })

  test('names what was not done in time; what comes later is not heard, not even an error', async () => {
    const timers: (() => void)[] = []
    const late = createDeferred<number>()
    const waiting = beforeDeadline(clockOf(timers), 50, late.promise, 'counting')
    timers[0]?.()
    await expect(waiting).rejects.toThrow('counting was still waiting after 50 ms')
    late.reject(new Error('too late'))
    await Promise.resolve()
  })
})

test('bytes are counted as UTF-8 writes them, halves of pairs as the replacement that an encoder writes', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'é', '\u07ff', '\u0800', '\uffff', '😀', '\ud83d', '\ude00') }),
      (text) => {
        expect(utf8Bytes(text)).toBe(new TextEncoder().encode(text).length)
      },
    ),
  )
})

test('a deferred settles once, by whoever comes first', async () => {
  const deferred = createDeferred<number>()
  deferred.resolve(1)
  deferred.reject(new Error('too late'))
  await expect(deferred.promise).resolves.toBe(1)
})

describe('dice', () => {
  test('a fraction lies in [0, 1), at both ends of the dice', () => {
    expect(fraction(dice(0))).toBe(0)
    expect(fraction(dice(255))).toBeLessThan(1)
  })

  test('a random UUID is one of version 4; a derived one of version 5, equal for equal inputs', () => {
    const namespace = randomUuid(dice(7))
    expect(namespace).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const derived = derivedUuid(namespace, 'set 1')
    expect(derived).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(derivedUuid(namespace, 'set 1')).toBe(derived)
    expect(derivedUuid(namespace, 'set 2')).not.toBe(derived)
    expect(derivedUuid('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com')).toBe(
      '2ed6657d-e927-568b-95e1-2665a8aea6a2',
    )
  })

  test('a derived UUID is the one that another maker of them derives, whatever the name and however long', () => {
    const lengths = fc.integer({ min: 0, max: 300 })
    const names = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      lengths.map((length) => 'x'.repeat(length)),
    )
    fc.assert(
      fc.property(fc.uuid(), names, (namespace, name) => {
        expect(derivedUuid(namespace, name)).toBe(v5(name, namespace))
      }),
      { numRuns: 500 },
    )
  })
})

describe('assertions', () => {
  test('a broken invariant is an error of its own kind that names it and says what to do', () => {
    expect(() => check(true, 'I7', 'fine')).not.toThrow()
    const error = (() => {
      try {
        check(false, 'I7', 'version 3 came after 5')
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toBeInstanceOf(InvariantError)
    expect(error).not.toBeInstanceOf(SyncError)
    expect((error as InvariantError).invariant).toBe('I7')
    expect(String(error)).toMatch(/I7 does not hold: version 3 came after 5\..*report/)
  })

  test('a missing case says which value it was', () => {
    expect(() => unreachable('surprise' as never)).toThrow(/"surprise".*exhaustive/)
  })
})

describe('the table of codes', () => {
  const rows = Object.entries(CODES)

  test('every row is complete: a sentence for what happened, one for what to do, a phase, a remedy, a status', () => {
    for (const [code, row] of rows) {
      expect(code).toMatch(/^[a-z][a-z0-9_]{0,63}$/)
      expect(row.title, code).toMatch(/^[A-Z].*[^.]$/)
      expect(row.advice, code).toMatch(/^[A-Z].*\.$/)
      expect(['retry', 'recover', 'person', 'final'], code).toContain(row.remedy)
      expect(row.status, code).toBeGreaterThanOrEqual(400)
      expect(row.status, code).toBeLessThan(600)
      expect(Object.isFrozen(row), code).toBe(true)
    }
    expect(Object.isFrozen(CODES)).toBe(true)
  })

  test('codes are found by their own name only', () => {
    for (const [code] of rows) expect(isCode(code)).toBe(true)
    for (const other of ['', 'toString', '__proto__', 'constructor', 'Fault']) expect(isCode(other)).toBe(false)
  })

  test('no two codes are told to people in the same words', () => {
    expect(new Set(rows.map(([, row]) => row.title)).size).toBe(rows.length)
  })

  test('an error says what was seen and its code; where the words are, what that means and what to do; or the authority says so', () => {
    speak({})
    for (const [code] of rows)
      expect(new SyncError(code as Code, 'The push came back.').message).toBe(`The push came back. (${code})`)
    speak(CODES)
    expect(new SyncError('client_closed', 'The client is closed').message).toBe(
      'The client is closed. Create a new client.',
    )
    for (const [code, row] of rows) {
      const options = { retryAfterMs: 5, requestId: 'r1', cause: 1 }
      const error = new SyncError(code as Code, 'The push came back.', options)
      expect(error.message).toBe(`The push came back. ${row.title}. ${row.advice}`)
      expect(error.what).toBe('The push came back.')
      expect(new SyncError(code as Code, `Seen. ${row.advice}`, { title: row.title }).message).toBe(
        `${row.title}. Seen. ${row.advice}`,
      )
      expect(error).toMatchObject({
        code,
        phase: row.phase,
        remedy: row.remedy,
        retryAfterMs: 5,
        requestId: 'r1',
        cause: 1,
        details: {},
      })
    }
    expect(new SyncError('fault', 'It failed')).not.toHaveProperty('cause')
  })
})
