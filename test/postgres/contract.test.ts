// The contract of the authority on PostgreSQL: the same cases as on SQLite (test/server/contract.test.ts), several at once, since most of
// a case is waiting for the server. The oracle of rights too, with few requests.
import { expect, inject, test } from 'vitest'
import { postgresGrounds } from '../../scripts/contract/postgres-ground.ts'
import { clock } from '../../src/hosts/node/clock.ts'
import { AUTHORITY_CASES, ITEMS } from '../../src/sim/contracts/authority/index.ts'
import { runOracle } from '../../src/sim/contracts/authority/oracle/oracle.ts'
import { runCases } from '../../src/sim/contracts/authority/run.ts'

const surroundings = async () => ({ clock, makeGround: await postgresGrounds(String(inject('postgres'))) })

test.each(Object.entries(ITEMS))('item %s, %s', { timeout: 300_000 }, async (item) => {
  const cases = AUTHORITY_CASES.filter((each) => each.item === Number(item))
  const failed: string[] = []
  const tally = await runCases(cases, await surroundings(), 4, ({ title, why }) => failed.push(`${title}: ${why}`))
  expect(failed).toEqual([])
  expect(tally.passed).toBe(cases.length)
})

test('[I9] the oracle of rights agrees', { timeout: 120_000 }, async () => {
  const verdict = await runOracle(await surroundings(), 'test', 500, () => undefined)
  expect(verdict.first).toEqual([])
  expect(verdict.rowsCompared).toBeGreaterThan(0)
})
