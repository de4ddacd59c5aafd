// Conflict policies from a device's side, against the real authority: what an intent says that it is based on, through restarts and
// replays, how its badge reads, and that whoever lost sees the record and can put the values back.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { defineApp, t, table } from 'holdfast'
import { type Client, createClient } from 'holdfast/client'
import { node, serve } from 'holdfast/node'
import { createAuthority } from 'holdfast/server'
import { nodeHost, sqlite } from 'holdfast/sqlite'
import { expect, onTestFinished, test } from 'vitest'

function any<T>(): StandardSchemaV1<T> {
  return { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as T }) } }
}

const app = defineApp({
  tables: {
    tasks: table({ id: t.id(), teamId: t.text(), title: t.text(), note: t.text() }).scope('team', 'teamId'),
  },
  mutators: ({ mutator, generated }) => ({
    ...generated('tasks', { conflict: 'fields' }),
    judge: mutator(
      any<{ readonly title: string; readonly note: string }>(),
      async (tx, { title, note }) => {
        for (const { id } of await tx.tasks.where({ title }).all()) await tx.tasks.update(id, { title, note })
      },
      { conflict: 'reject' },
    ),
    count: mutator(any<{ readonly id: string }>(), async (tx, { id }) => {
      await tx.tasks.update(id, { note: 'counted' })
    }),
  }),
})
type App = typeof app

/** An authority with one task, and devices of one team that start offline. */
async function world() {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-conflicts-'))
  const authority = createAuthority({
    app,
    database: sqlite(':memory:', { host: { ...nodeHost(), log: () => undefined } }),
    authenticate: (request) => request.header('authorization')?.replace('Bearer ', ''),
    grants: () => ({ read: ['team:1'], write: ['team:1'] }),
  })
  const listener = await serve(authority, { port: 0, closeMs: 50 })
  const clients = new Set<Client<App>>()
  onTestFinished(async () => {
    for (const client of clients) await client.close()
    await listener.close()
    await authority.close()
    rmSync(folder, { recursive: true, force: true })
  })
  await authority.run('a', 'insertTasks', { id: 't', teamId: '1', title: 'old', note: 'old' })
  const open = async (actor: string, startPaused = false): Promise<Client<App>> => {
    const client = createClient({
      app,
      host: node({ folder: join(folder, actor) }, { report: () => undefined }),
      url: `${listener.url}/sync`,
      session: { actor, token: actor },
      startPaused,
    })
    clients.add(client)
    await client.ready
    return client
  }
  const close = (client: Client<App>): Promise<void> => {
    clients.delete(client)
    return client.close()
  }
  return { authority, open, close }
}

/** Resolves when a query shows what is waited for. */
function shows<Row>(
  client: Client<App>,
  query: Parameters<Client<App>['live']>[0],
  isWanted: (rows: readonly Row[]) => boolean,
): Promise<readonly Row[]> {
  const live = client.live(query)
  return new Promise((resolve) => {
    const look = () => {
      const rows = live.rows as unknown as readonly Row[]
      if (!isWanted(rows)) return
      live.close()
      resolve(rows)
    }
    live.subscribe(look)
    look()
  })
}

const hasTask = (client: Client<App>) => shows(client, app.query.tasks, (rows) => rows.length > 0)
const baseOf = (client: Client<App>, at: number) => client.inspect().entries[at]?.intent.base

test('the base is what the first run saw, whatever is replayed and however often the device starts', async () => {
  const { authority, open, close } = await world()
  const first = await open('ben')
  await hasTask(first)
  first.pause()
  const [cursor] = first.inspect().cursors
  await first.mutate.insertTasks({ id: 'x', teamId: '1', title: 'new', note: '' }).saved
  await first.mutate.updateTasks({ id: 'x', title: 'newer' }).saved
  await first.mutate.updateTasks({ id: 't', title: 'Ben', note: 'old' }).saved
  await first.mutate.updateTasks({ id: 't', title: 'Ben again' }).saved
  await first.mutate.judge({ title: 'newer', note: 'mine' }).saved
  await first.mutate.count({ id: 't' }).saved
  const bases = [0, 1, 2, 3, 4, 5].map((at) => baseOf(first, at))
  expect(bases).toEqual([
    { places: [], rows: [{ table: 'tasks', id: 'x', at: -1 }] },
    // A row that only this device’s own intents put there can be in conflict with nobody.
    { places: [], rows: [] },
    { places: [cursor], rows: [{ table: 'tasks', id: 't', at: 0, was: { title: 'old' }, same: { note: 'old' } }] },
    { places: [cursor], rows: [{ table: 'tasks', id: 't', at: 0, was: { title: 'Ben' }, same: {} }] },
    { places: [], rows: [] },
    undefined,
  ])
  await close(first)
  await authority.run('a', 'updateTasks', { id: 't', note: 'A' })
  const second = await open('ben', true)
  expect([0, 1, 2, 3, 4, 5].map((at) => baseOf(second, at))).toEqual(bases)
  second.resume()
  await second.quiet()
  expect(second.inspect().entries.map(({ outcome }) => outcome?.status)).toEqual(Array(6).fill('applied'))
  expect(second.live(app.query.tasks.where({ id: 't' })).rows).toMatchObject([{ title: 'Ben again', note: 'counted' }])
})

test('before anything was heard from the authority there is no base', async () => {
  const { open } = await world()
  const client = await open('new', true)
  await client.mutate.insertTasks({ id: 'x', teamId: '1', title: 'new', note: '' }).saved
  expect(baseOf(client, 0)).toBeUndefined()
})

test('the device that lost sees the record and puts its values back; the badge says conflict until it is dismissed', async () => {
  const { open } = await world()
  const [anna, ben] = [await open('anna'), await open('ben')]
  await Promise.all([hasTask(anna), hasTask(ben)])
  ben.pause()
  const handle = ben.mutate.updateTasks({ id: 't', title: 'Ben' })
  await handle.saved
  await anna.mutate.updateTasks({ id: 't', title: 'Anna' }).decided
  ben.resume()
  expect(await handle.decided).toMatchObject({ status: 'conflict', code: 'conflict_merged' })
  await ben.quiet()
  expect(ben.status().counts.conflict).toBe(1)
  expect(ben.outbox()).toMatchObject([{ id: handle.id, badge: 'conflict', outcome: { code: 'conflict_merged' } }])
  await ben.discard(handle.id)
  expect(ben.outbox()).toEqual([])

  const [record] = await shows<{ readonly id: string }>(anna, app.conflicts, (rows) => rows.length > 0)
  const { client } = anna.inspect()
  expect(record).toMatchObject({ loser: client, theirs: { title: 'Anna' }, mine: { title: 'Ben' }, mineBy: 'ben' })
  await anna.mutate.restoreConflict({ id: record?.id ?? '' }).saved
  // On the screen at once, as every call.
  expect(anna.live(app.query.tasks).rows).toMatchObject([{ title: 'Anna' }])
  expect(anna.live(app.conflicts).rows).toMatchObject([{ restored: 'theirs', restoredBy: 'anna' }])
  await anna.quiet()
  await shows(ben, app.query.tasks.where({ title: 'Anna' }), (rows) => rows.length > 0)
  await ben.mutate.dismissConflict({ id: record?.id ?? '' }).decided
  await shows(anna, app.conflicts, (rows) => rows.length === 0)
})

test('a rejected intent leaves the screen, and its values wait in the record of its own device', async () => {
  const { open } = await world()
  const [anna, ben] = [await open('anna'), await open('ben')]
  await Promise.all([hasTask(anna), hasTask(ben)])
  ben.pause()
  const handle = ben.mutate.judge({ title: 'old', note: 'Ben' })
  await handle.saved
  expect(ben.live(app.query.tasks).rows).toMatchObject([{ note: 'Ben' }])
  await anna.mutate.updateTasks({ id: 't', note: 'Anna' }).decided
  ben.resume()
  expect(await handle.decided).toMatchObject({ status: 'conflict', code: 'conflict_rejected' })
  await ben.quiet()
  expect(ben.live(app.query.tasks).rows).toMatchObject([{ note: 'Anna' }])
  const { client } = ben.inspect()
  expect(ben.live(app.conflicts).rows).toMatchObject([
    { lost: 'mine', loser: client, mine: { note: 'Ben' }, theirs: { note: 'Anna' }, theirsBy: 'anna' },
  ])
})

test('an app without a policy has no query for records', async () => {
  const plain = defineApp({
    tables: { tasks: table({ id: t.id(), teamId: t.text() }).scope('team', 'teamId') },
    mutators: ({ generated }) => generated('tasks'),
  })
  const client = createClient({
    app: plain,
    host: node({ memory: true }),
    url: 'http://127.0.0.1:1/sync',
    session: { actor: 'a' },
    startPaused: true,
  })
  await client.ready
  expect(() => client.live(plain.conflicts)).toThrow(/no table or aggregate "holdfastConflicts"/)
  await client.close()
})
