// One row that everybody raises at once, through a mutator that reads it and writes it: 16 connections to two authorities on one PostgreSQL,
// and to one authority on SQLite. What came of it is read by plain SQL; what the database rolled back is what the authorities counted.
import { describe, expect, onTestFinished, test } from 'vitest'
import { SCOPE } from './app.ts'
import { connect } from './connection.ts'
import { startAuthority } from './fleet.ts'
import { kind, openGround } from './grounds.ts'

const CONNECTIONS = 16
const RAISES = 100
const COUNTER = '00000002-0000-4000-8000-000000000001'

/** Authorities over one row, and the connections to them. */
async function hotRow() {
  const { where, sql, close } = await openGround()
  onTestFinished(close)
  const count = kind === 'SQLite' ? 1 : 2
  const authorities = await Promise.all(Array.from({ length: count }, () => startAuthority(where)))
  const connections = Array.from({ length: CONNECTIONS }, (_, number) =>
    connect(`actor ${number}`, authorities[number % count]?.url ?? ''),
  )
  expect(await connections[0]?.push('insertCounters', { id: COUNTER, gymId: SCOPE.slice(4), n: 0 })).toBe('applied')
  const counted = async () => {
    const all = await Promise.all(authorities.map((authority) => authority.counters()))
    const sum = (name: 'commits' | 'aborts') => all.reduce((total, counters) => total + counters[name], 0)
    return { commits: sum('commits'), aborts: sum('aborts') }
  }
  /** Every connection raises the row, again and again. */
  const raise = (): Promise<unknown> =>
    Promise.all(
      connections.map(async (connection) => {
        for (let time = 0; time < RAISES; time++)
          expect(await connection.push('raise', { id: COUNTER })).toBe('applied')
      }),
    )
  const value = async (): Promise<number> => Number((await sql('SELECT n FROM counters'))[0]?.['n'])
  return { sql, authorities, connections, counted, raise, value }
}

describe(`on ${kind}`, () => {
  test('[I3] 16 connections raise one hot row through a mutator: no update is lost, and under 1 % are aborted', async () => {
    const { authorities, connections, counted, raise, value } = await hotRow()
    const before = await counted()
    await raise()
    const after = await counted()
    const [commits, aborts] = [after.commits - before.commits, after.aborts - before.aborts]
    const lost = CONNECTIONS * RAISES - (await value())
    console.info(
      `${kind}, ${authorities.length} authorities, ${CONNECTIONS} connections: ${CONNECTIONS * RAISES} raises of one row in ${commits} commits, ${lost} lost, ${aborts} aborts`,
    )
    expect(lost).toBe(0)
    expect(aborts).toBeLessThan(commits / 100)
    // Each had a socket of its own, and nobody was sent away.
    expect(connections.map(({ used }) => used)).toEqual(connections.map(() => ({ sockets: 1, again: 0 })))
    for (const { warnings } of authorities) expect(warnings).toEqual([])
  }, 120_000)

  test('[I3] a foreign program raises the same row meanwhile: what it is in the way of is counted, and no update is lost', async () => {
    const { sql, counted, raise, value } = await hotRow()
    let isOver = false
    let foreign = 0
    const raising = raise().finally(() => {
      isOver = true
    })
    while (!isOver) {
      await sql('UPDATE counters SET n = n + 1')
      foreign++
      // SQLite answers within the same turn: the connections want theirs.
      await new Promise((resolve) => setImmediate(resolve))
    }
    await raising
    const { commits, aborts } = await counted()
    console.info(`${kind}: ${foreign} foreign raises between ${commits} commits: ${aborts} aborts`)
    expect(foreign).toBeGreaterThan(0)
    expect(await value()).toBe(CONNECTIONS * RAISES + foreign)
    // In SQLite whoever writes waits for whoever writes; PostgreSQL finds out afterwards.
    if (kind === 'SQLite') expect(aborts).toBe(0)
    else expect(aborts).toBeGreaterThan(0)
  }, 120_000)
})
