// Time and dice for the device's tests: a clock that moves only when told, and dice that show the same in every run.
import type { Clock } from '../../src/base/clock.ts'
import type { Random } from '../../src/base/random.ts'

export interface TestClock extends Clock {
  /** Runs whatever can run without time going on. */
  settle(): Promise<void>
  /** Lets time pass, timer by timer. */
  advance(byMs: number): Promise<void>
  /** When timers are due, from now, soonest first. */
  due(): readonly number[]
}

export function createTestClock(): TestClock {
  let nowMs = 1_772_323_200_000
  const began = nowMs
  let timers: { readonly at: number; readonly run: () => void }[] = []
  let turns: { readonly run: () => void }[] = []
  const clock: TestClock = {
    now: () => nowMs,
    monotonic: () => nowMs - began,
    after(delayMs, run) {
      const timer = { at: nowMs + Math.max(0, delayMs), run }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
    turn(run) {
      const turn = { run }
      turns.push(turn)
      return () => {
        turns = turns.filter((other) => other !== turn)
      }
    },
    async settle() {
      for (let idle = 0; idle < 2; ) {
        await new Promise<void>((resolve) => setImmediate(resolve))
        const due = turns
        turns = []
        for (const { run } of due) run()
        idle = due.length > 0 ? 0 : idle + 1
      }
    },
    async advance(byMs) {
      const end = nowMs + byMs
      await clock.settle()
      for (;;) {
        const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
        if (next === undefined) break
        nowMs = Math.max(nowMs, next.at)
        timers = timers.filter((timer) => timer !== next)
        next.run()
        await clock.settle()
      }
      nowMs = end
      await clock.settle()
    },
    due: () => timers.map(({ at }) => at - nowMs).sort((a, b) => a - b),
  }
  return clock
}

/** Dice that show the same in every run. */
export function createTestRandom(seed = 1): Random {
  let state = seed >>> 0
  return {
    bytes(length) {
      const bytes = new Uint8Array(length)
      for (let index = 0; index < length; index++) {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
        bytes[index] = state >>> 24
      }
      return bytes
    },
  }
}
