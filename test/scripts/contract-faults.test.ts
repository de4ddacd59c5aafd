// Every fault that can be planted (src/sim/contracts/authority/breaks.ts) makes cases of its item fail, on SQLite and on PostgreSQL: a
// process of the command for each, on the one server of this run, which ends at the first case that finds it.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, inject, test } from 'vitest'
import { createLane } from '../../src/base/lane.ts'
import { CONTRACT_BREAKS } from '../../src/sim/contracts/authority/breaks.ts'

const server = inject('postgres')
const database = server === undefined ? 'sqlite' : 'postgres'

function contract(...args: readonly string[]) {
  const script = fileURLToPath(new URL('../../scripts/contract.ts', import.meta.url))
  const env = server === undefined ? process.env : { ...process.env, DATABASE_URL: server }
  return new Promise<{ readonly code: unknown; readonly out: string; readonly error: string }>((resolve) => {
    execFile(process.execPath, [script, database, '--json', '--bail', ...args], { env }, (error, out, errors) =>
      resolve({ code: error === null ? 0 : error.code, out, error: errors }),
    )
  })
}

// Two at a time: most of the time goes into starting the processes.
const lanes = [createLane(), createLane()] as const
const planted = CONTRACT_BREAKS.map((each, index) => ({ ...each, lane: lanes[index % 2 === 0 ? 0 : 1] }))
test.concurrent.each(planted)(
  `on ${database}, $name makes cases of item $item fail: $why`,
  { timeout: 300_000 },
  async (each) => {
    const { code, out, error } = await each.lane.run(() => contract('--break', each.name, '--item', String(each.item)))
    expect(code).toBe(1)
    const { byItem } = JSON.parse(out.trim().split('\n').at(-1) ?? '')
    expect(byItem[each.item].failed).toBeGreaterThan(0)
    expect(error).toContain(`item ${each.item}: `)
  },
)
