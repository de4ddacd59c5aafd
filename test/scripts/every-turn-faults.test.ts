// That the walk over every await finds what is wrong: it is run over sources with one fault in them, each in a process of its own.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { patchProblem, readSource } from '../../src/sim/patches.ts'
import type { Walked } from '../client/session/every-turn.ts'
import { FAULTS } from '../client/session/faults.ts'

describe('a session that ends at any await', () => {
  test.each(FAULTS)('$file has $find exactly once', (fault) => {
    expect(patchProblem(fault, readSource(fault.file))).toBeUndefined()
  })

  test.each(FAULTS)('the walk finds that $name', { timeout: 120_000 }, ({ name }) => {
    const script = fileURLToPath(new URL('../client/session/every-turn-broken.ts', import.meta.url))
    const { problems } = JSON.parse(execFileSync(process.execPath, [script, name], { encoding: 'utf8' })) as Walked
    expect(problems.length).toBeGreaterThan(3)
  })
})
