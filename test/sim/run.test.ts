// Whole worlds in this process: the same seed gives the same bytes, the invariants hold, and what a run tells is complete.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { runSeed } from '../../src/sim/run.ts'
import { tellStory } from '../../src/sim/story.ts'
import { hasFailed, summarize } from '../../src/sim/summary.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-sim-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('one seed', () => {
  test('gives the same bytes twice, and leaves nothing behind', { timeout: 60_000 }, async () => {
    const lines: string[] = []
    const first = await runSeed(5, folder, (line) => lines.push(line))
    const again: string[] = []
    const second = await runSeed(5, folder, (line) => again.push(line))
    expect(lines.length).toBeGreaterThan(100)
    expect(again).toEqual(lines)
    expect(second.result).toEqual(first.result)
    expect(tellStory(second)).toBe(tellStory(first))
    expect(readdirSync(folder)).toEqual([])
  })

  test('differs from others, and all invariants hold', { timeout: 60_000 }, async () => {
    const runs = [await runSeed(1, folder), await runSeed(2, folder)]
    for (const { result } of runs) {
      expect(result.violations).toEqual([])
      expect(result.agreedAfterMs).toBeGreaterThan(0)
      expect(result.intents).toBeGreaterThan(20)
    }
    expect(runs[0]?.result.digest).not.toBe(runs[1]?.result.digest)
  })

  test('is told as a table with a line for each call and each fault', { timeout: 60_000 }, async () => {
    const run = await runSeed(4, folder)
    const lines = tellStory(run).split('\n')
    for (const id of run.calls.keys()) expect(lines.filter((line) => line.includes(id.slice(0, 8)))).toHaveLength(1)
    expect(lines.filter((line) => line.includes('  · '))).toHaveLength(run.told.length)
    expect(lines.at(-2)).toBe('All invariants held.')
  })
})

describe('many seeds', () => {
  test('sum up to the same, in whatever order they came', { timeout: 60_000 }, async () => {
    const results = [(await runSeed(1, folder)).result, (await runSeed(2, folder)).result]
    expect(summarize(results.toReversed(), 0)).toEqual(summarize(results, 0))
    expect(hasFailed(summarize(results, 0))).toBe(false)
  })

  test('fail when one of them has a violation, or when many never saw a kind of fault', async () => {
    const { result } = await runSeed(1, folder)
    const broken = { ...result, seed: 2, violations: [{ invariant: 'I5' as const, message: 'seen' }] }
    expect(summarize([result, broken], 0)).toMatchObject({
      violations: 1,
      firstSeed: 2,
      invariant: 'I5',
      message: 'seen',
    })
    expect(hasFailed(summarize([result, broken], 0))).toBe(true)
    const many = Array.from({ length: 100 }, (_, index) => ({
      ...result,
      seed: index + 1,
      faults: { ...result.faults, cloned: 0 },
    }))
    expect(summarize(many, 0).never).toContain('cloned')
    expect(hasFailed(summarize(many, 0))).toBe(true)
  })
})
