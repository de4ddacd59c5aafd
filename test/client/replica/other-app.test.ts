// Rows that another version of the app has kept: what of them is shown, and that all is fetched anew, since that version may have left out
// tables and columns which it did not know.
import { defineApp, t, table } from 'holdfast'
import { describe, expect, test } from 'vitest'
import { createReplica } from '../../../src/client/replica/replica.ts'
import type { StoredFrame } from '../../../src/client/storage/storage.ts'
import { createStaging } from '../../../src/client/sync/staging.ts'
import type { Patch, Seal } from '../../../src/protocol/frame.ts'
import type { App } from '../../../src/schema/app.ts'

const SCOPE = 'user:ada'
const columns = { id: t.id(), ownerId: t.text(), title: t.text() }
const first = defineApp({
  tables: { lists: table(columns).scope('user', 'ownerId') },
  mutators: () => ({}),
})
const second = defineApp({
  tables: {
    lists: table({ ...columns, color: t.text().nullable() }).scope('user', 'ownerId'),
    tags: table({ id: t.id(), listId: t.ref('lists'), word: t.text() }).scopeVia('listId'),
  },
  mutators: () => ({}),
})
const third = defineApp({
  tables: { lists: table({ ...columns, rank: t.integer() }).scope('user', 'ownerId') },
  mutators: () => ({}),
})

const place = (version: number) => ({ version, mark: version === 0 ? '' : 'm' })
/** What an authority states of the whole scope: it has had `tags` and `color` all along. */
const whole = {
  scope: SCOPE,
  from: place(0),
  to: place(3),
  rows: {
    lists: [
      { id: 'a', ownerId: 'ada', title: 'One', color: 'red', rank: 1 },
      { id: 'b', ownerId: 'ada', title: 'Two', color: null, rank: 2 },
    ],
    tags: [{ id: 't', listId: 'a', word: 'late' }],
  },
  gone: {},
} as unknown as Patch
const seal = { client: 'c', decided: 0, scopes: [SCOPE], at: 1, outcomes: [] } as unknown as Seal

function frameOf(patch: Patch): StoredFrame {
  const staging = createStaging([])
  staging.stage(patch)
  return staging.seal(seal)
}

async function opened(app: App, frames: readonly StoredFrame[]) {
  const replica = createReplica(app, 'ada' as never)
  for (const frame of frames) await replica.confirm(frame, new Set())
  return replica
}

/** What a version of the app leaves on the disk. */
async function keptBy(app: App): Promise<readonly StoredFrame[]> {
  const replica = await opened(app, [frameOf(whole)])
  return JSON.parse(JSON.stringify([...replica.frames()])) as readonly StoredFrame[]
}

const rows = (replica: Awaited<ReturnType<typeof opened>>, name: string) =>
  [...replica.confirmedRows(name)].map(([, row]) => row)

describe('a device that starts with another version of its app', () => {
  test('[I5] asks for all anew, and then has the table which the version before it did not know', async () => {
    const replica = await opened(second, await keptBy(first))
    expect(rows(replica, 'lists').map(({ title }) => title)).toEqual(['One', 'Two'])
    expect(rows(replica, 'tags')).toEqual([])
    expect(replica.asksFrom()).toEqual([])
    await replica.confirm(frameOf(whole), new Set())
    expect(rows(replica, 'tags')).toEqual([{ id: 't', listId: 'a', word: 'late' }])
    expect(rows(replica, 'lists').map(({ color }) => color)).toEqual(['red', null])
    expect(replica.asksFrom()).toEqual([{ scope: SCOPE, ...place(3) }])
  })

  test('what it writes anew before that is still of the version before: the next start asks again', async () => {
    const replica = await opened(second, await keptBy(first))
    const again = await opened(second, [...replica.frames()])
    expect(again.asksFrom()).toEqual([])
    await again.confirm(frameOf(whole), new Set())
    expect((await opened(second, [...again.frames()])).asksFrom()).toHaveLength(1)
  })

  test('a column that may be empty and was not kept is null until the authority says otherwise', async () => {
    const [frame] = await keptBy(first)
    const bare = JSON.parse(JSON.stringify(frame), (name, value: unknown) => (name === 'color' ? undefined : value))
    expect(rows(await opened(second, [bare as StoredFrame]), 'lists').map(({ color }) => color)).toEqual([null, null])
  })

  test('a row that does not fit is not shown, and does not keep the device from starting', async () => {
    const kept = JSON.parse(JSON.stringify(await keptBy(first)), (name, value: unknown) =>
      name === 'rank' && value === 2 ? undefined : value,
    ) as readonly StoredFrame[]
    const replica = await opened(third, kept)
    expect(rows(replica, 'lists').map(({ title }) => title)).toEqual(['One'])
    expect(replica.asksFrom()).toEqual([])
    await replica.confirm(frameOf(whole), new Set())
    expect(rows(replica, 'lists')).toHaveLength(2)
  })

  test('the same version goes on from where it was', async () => {
    expect((await opened(first, await keptBy(first))).asksFrom()).toEqual([{ scope: SCOPE, ...place(3) }])
  })
})
