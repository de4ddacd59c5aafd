// The command that runs the authority's contract: what it prints, how it ends, and that every planted fault fits the sources. That each
// makes cases of its item fail is tried on both databases by test/scripts/contract-faults.test.ts.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { CONTRACT_BREAKS } from '../../src/sim/contracts/authority/breaks.ts'
import { AUTHORITY_CASES } from '../../src/sim/contracts/authority/index.ts'
import { patchProblem, readSource } from '../../src/sim/patches.ts'

function contract(...args: readonly string[]) {
  const script = fileURLToPath(new URL('../../scripts/contract.ts', import.meta.url))
  return new Promise<{ readonly code: number; readonly out: string; readonly error: string }>((resolve) => {
    execFile(process.execPath, [script, ...args], { maxBuffer: 16 * 1024 * 1024 }, (error, out, errors) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, error: errors }),
    )
  })
}
const tallyOf = ({ out }: { readonly out: string }) => JSON.parse(out.trim().split('\n').at(-1) ?? '')

describe('the command', () => {
  test('ends with one JSON object that counts by item', { timeout: 60_000 }, async () => {
    const ended = await contract('sqlite', '--json', '--item', '3')
    expect(ended.error).toBe('')
    expect(ended.code).toBe(0)
    const count = AUTHORITY_CASES.filter(({ item }) => item === 3).length
    expect(tallyOf(ended)).toMatchObject({
      database: 'sqlite',
      passed: count,
      failed: 0,
      skipped: 0,
      byItem: { 3: { passed: count, failed: 0 } },
    })
  })

  test('begins no case after one has failed when it is told so, and counts those as skipped', {
    timeout: 60_000,
  }, async () => {
    const tally = tallyOf(await contract('sqlite', '--json', '--item', '5', '--break', 'ledger', '--bail'))
    const { passed, failed, skipped } = tally
    expect(failed).toBe(1)
    expect(skipped).toBeGreaterThan(0)
    expect(passed + failed + skipped).toBe(AUTHORITY_CASES.filter(({ item }) => item === 5).length)
  })

  test('lists cases and faults, and refuses what makes no sense', { timeout: 60_000 }, async () => {
    expect((await contract('--breaks')).out.trim().split('\n')).toEqual(CONTRACT_BREAKS.map(({ name }) => name))
    expect((await contract('--cases')).out.trim().split('\n')).toHaveLength(AUTHORITY_CASES.length)
    for (const args of [['sqlite', '--break', 'nothing'], ['oracle'], [], ['sqlite', '--item', '1'], ['--unknown']]) {
      const { code, error } = await contract(...args)
      expect(code).toBe(2)
      expect(error).toContain('npm run contract -- sqlite|postgres')
    }
  })
})

describe('planted faults', () => {
  test.each(CONTRACT_BREAKS)('$file has $find exactly once', (patch) => {
    expect(patchProblem(patch, readSource(patch.file))).toBeUndefined()
  })

  test('there is one for each item', () => {
    expect(new Set(CONTRACT_BREAKS.map(({ item }) => String(item)))).toEqual(
      new Set(AUTHORITY_CASES.map(({ item }) => String(item))),
    )
  })
})
