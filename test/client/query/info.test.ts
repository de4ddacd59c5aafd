// What the answers of a client stand for: every connection says whether there may be something newer, a first sync says how much of it has
// come and claims no total, and listeners hear when that is otherwise, and not with every word of the status.
import { onQueryInfo, type QueryInfo, queryInfoOf, type Status } from 'holdfast/client'
import { describe, expect, test } from 'vitest'
import { answerOf, createWorld } from '../world.ts'

const connections: { readonly [C in Status['connection']]: QueryInfo['stale'] } = {
  online: undefined,
  connecting: 'behind',
  offline: 'offline',
  held: 'held',
  paused: 'paused',
  broken: 'broken',
}

describe('what a status says of the answers', () => {
  test.each(Object.entries(connections))('%s', async (connection, stale) => {
    const status = (await createWorld().client()).status()
    const info = (asOf: number | undefined) =>
      queryInfoOf({ ...status, connection: connection as Status['connection'], asOf })
    expect(info(5)).toEqual({ asOf: 5, stale, progress: undefined })
    // Before the authority was heard nothing is up to date, however the connection is.
    expect(info(undefined).stale).toBe(stale === 'broken' ? 'broken' : 'incomplete')
  })
})

/** A page of a first sync: one note, and more to come. */
const page = (number: number) => () =>
  answerOf(200, {
    requestId: 'req',
    patches: [
      {
        scope: 'user:42',
        from: { version: number - 1, mark: number === 1 ? '' : 'aa' },
        to: { version: number, mark: 'aa' },
        rows: { notes: [{ id: `n${number}`, ownerId: '42', text: 'a', count: 0 }] },
        gone: {},
      },
    ],
  })

test('a first sync tells page by page how much has come, shows nothing of it before it is whole, and is then up to date', async () => {
  const world = createWorld()
  world.fates.pull.push(page(1), page(2), 'held')
  const client = await world.client()
  const told: QueryInfo[] = []
  onQueryInfo(client, (info) => told.push(info))
  await world.clock.settle()
  expect(told.at(-1)).toEqual({ asOf: undefined, stale: 'incomplete', progress: { pages: 2, rows: 2 } })
  expect(client.live(client.app.query.notes).rows).toEqual([])
  await world.release()
  expect(told.at(-1)).toMatchObject({ asOf: client.status().asOf, stale: undefined, progress: undefined })
})

test('a first sync that breaks off begins to count anew', async () => {
  const world = createWorld()
  world.fates.pull.push(page(1), 'unreachable', page(1), 'held')
  const client = await world.client()
  expect(queryInfoOf(client.status())).toMatchObject({ stale: 'incomplete', progress: undefined })
  await world.clock.advance(60_000)
  expect(queryInfoOf(client.status()).progress).toEqual({ pages: 1, rows: 1 })
})

test('nobody is told of what has not changed, and after the end of listening of nothing', async () => {
  const world = createWorld()
  const client = await world.client()
  const told: QueryInfo[] = []
  const cancel = onQueryInfo(client, (info) => told.push(info))
  let statuses = 0
  client.onStatus(() => {
    statuses++
  })
  client.mutate.put({ id: 'n1', text: 'a' })
  await world.clock.settle()
  expect(statuses).toBeGreaterThan(0)
  expect(told).toHaveLength(1)
  client.pause()
  await world.clock.settle()
  expect(told.map(({ stale }) => stale)).toEqual([undefined, 'paused'])
  cancel()
  client.resume()
  await world.clock.settle()
  expect(told).toHaveLength(2)
})
