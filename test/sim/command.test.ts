// The command `npm run sim`: what it prints, how it ends, that every kind of fault happens and every break is found, and that seeds
// which once failed hold.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { createLane } from '../../src/base/lane.ts'
import { BREAKS } from '../../src/sim/breaks.ts'
import { patchProblem, readSource } from '../../src/sim/patches.ts'
import type { Summary } from '../../src/sim/summary.ts'
import { TIGHT } from '../../src/sim/tight.ts'

interface Ended {
  readonly code: number
  readonly out: string
  readonly error: string
}

function sim(...args: readonly string[]): Promise<Ended> {
  const script = fileURLToPath(new URL('../../scripts/sim.ts', import.meta.url))
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], { maxBuffer: 64 * 1024 * 1024 }, (error, out, errors) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, error: errors }),
    )
  })
}

const summaryOf = ({ out }: Ended): Summary & { readonly digest: string } =>
  JSON.parse(out.trim().split('\n').at(-1) ?? '')

describe('the command', () => {
  test('ends with one JSON object, in which every kind of fault and every check has been counted', {
    timeout: 240_000,
  }, async () => {
    const ended = await sim('--seeds', '1..30', '--json')
    const summary = summaryOf(ended)
    expect(ended.error).not.toContain('does not hold')
    expect(ended.code).toBe(0)
    expect(summary).toMatchObject({ seeds: 30, violations: 0 })
    expect(
      [...Object.entries(summary.faults), ...Object.entries(summary.checks)].filter(([, count]) => count === 0),
    ).toEqual([])
    expect(summary.intents / summary.seeds).toBeGreaterThan(150)
  })

  test('gives the same digest with one process as with two', { timeout: 120_000 }, async () => {
    const [one, two] = [
      await sim('--seeds', '2..4', '--json', '--processes', '1'),
      await sim('--seeds', '2..4', '--json', '--processes', '2'),
    ]
    expect(summaryOf(two).digest).toBe(summaryOf(one).digest)
  })

  test('tells a story', { timeout: 60_000 }, async () => {
    const { code, out } = await sim('--seed', '3', '--story')
    expect(code).toBe(0)
    expect(out).toMatch(/^seed 3: \d+ intents, \d+ faults, agreement/)
    expect(out).toContain('All invariants held.')
  })

  test('lists the breaks, one name a line, and refuses others', { timeout: 60_000 }, async () => {
    expect((await sim('--breaks')).out.trim().split('\n')).toEqual(BREAKS.map(({ name }) => name))
    for (const args of [['--break', 'nothing'], ['--seeds', '5..1'], ['--seeds', 'all'], ['--unknown']]) {
      const { code, error } = await sim(...args)
      expect(code).toBe(2)
      expect(error).toContain('--seeds 1..500')
    }
  })
})

describe('breaks', () => {
  test.each([...BREAKS, ...TIGHT])('$file has $find exactly once', (patch) => {
    expect(patchProblem(patch, readSource(patch.file))).toBeUndefined()
  })

  test('a patch that does not fit is refused', () => {
    const patch = { file: 'protocol/limits.ts', find: 'no such text', replace: '' }
    expect(patchProblem(patch, readSource(patch.file))).toContain('stands 0 times')
  })

  // Two at a time, each in one process: most of the time goes into starting them.
  const [even, odd] = [createLane(), createLane()]
  const found = BREAKS.map((broken, index) => ({ ...broken, lane: index % 2 === 0 ? even : odd }))

  test.concurrent.each(found)(
    '$name is found within 200 seeds, with its story: $why',
    {
      timeout: 400_000,
    },
    async ({ name, lane }) => {
      const ended = await lane.run(() => sim('--break', name, '--seeds', '1..200', '--json', '--processes', '1'))
      expect(ended.code).toBe(1)
      const { firstSeed, invariant, violations } = summaryOf(ended)
      expect(violations).toBe(1)
      expect(firstSeed).toBeGreaterThan(0)
      expect(invariant).toMatch(/^(I\d+|error)$/)
      expect(ended.error).toContain(`seed ${firstSeed}: `)
      expect(ended.error).toContain('made ')
    },
  )
})

describe('seeds that failed once', () => {
  const kept = JSON.parse(readFileSync(new URL('../seeds.json', import.meta.url), 'utf8')) as readonly {
    readonly seed: number
    readonly cured: string
  }[]

  test('hold since', { timeout: 240_000 }, async () => {
    expect(kept.length).toBeGreaterThan(0)
    for (const { cured } of kept) expect(cured.length).toBeGreaterThan(20)
    const { code, error } = await sim('--seeds', kept.map(({ seed }) => seed).join(','), '--json')
    expect(error).not.toContain('does not hold')
    expect(code).toBe(0)
  })
})
