// The contract of the authority on SQLite, case by case. The command that runs it is tried by test/scripts/contract.test.ts.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { clock } from '../../src/hosts/node/clock.ts'
import { AUTHORITY_CASES, ITEMS } from '../../src/sim/contracts/authority/index.ts'
import { runCase } from '../../src/sim/contracts/authority/run.ts'
import { sqliteGrounds } from '../../src/sim/contracts/authority/sqlite-ground.ts'

const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'holdfast-contract-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const surroundings = { clock, makeGround: sqliteGrounds(folder) }

const casesOf = (item: string) => AUTHORITY_CASES.filter((one) => one.item === Number(item))
const items = Object.entries(ITEMS).filter(([item]) => casesOf(item).length > 0)

describe.each(items)('item %s, %s', (item) => {
  test.each(casesOf(item))('$title', (each) => runCase(each, surroundings))
})

test('each case has a name of its own', () => {
  const titles = AUTHORITY_CASES.map(({ item, title }) => `${item} ${title}`)
  expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([])
})
