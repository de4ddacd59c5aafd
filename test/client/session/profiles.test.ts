// Profiles that were restored from a copy, or cloned into two living devices, with real folders and the real authority: what was made
// afterwards is decided once and none is swallowed, whatever numbers it had; and the person is told what is gone.
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SyncError } from 'holdfast'
import { type Client, createClient, type Host } from 'holdfast/client'
import { node, serve } from 'holdfast/node'
import { createAuthority } from 'holdfast/server'
import { nodeHost, sqlite } from 'holdfast/sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { type Notes, notes } from '../notes.ts'
import { uuid } from '../world.ts'

async function stage() {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-profiles-'))
  const authority = createAuthority({
    app: notes,
    database: sqlite(join(folder, 'authority.db'), { host: { ...nodeHost(), log: () => undefined } }),
    authenticate: () => 'ann',
    grants: (actor) => ({ read: [`user:${actor}`], write: [`user:${actor}`] }),
  })
  const listener = await serve(authority, { port: 0, closeMs: 50 })
  const clients: Client<Notes>[] = []
  onTestFinished(async () => {
    for (const client of clients) await client.close()
    await listener.close()
    await authority.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const on = {
    isOffline: false,
    async open(device: string): Promise<Client<Notes>> {
      const inner = node({ folder: join(folder, device) }, { report: () => undefined })
      const host: Host = {
        ...inner,
        network: {
          ...inner.network,
          exchange: (request, timeoutMs) =>
            on.isOffline
              ? { answer: Promise.reject(new SyncError('unreachable', 'No way there')), cancel: () => undefined }
              : inner.network.exchange(request, timeoutMs),
        },
      }
      const session = { actor: 'ann' }
      const client = createClient({ app: notes, host, url: `${listener.url}/sync`, session, live: false })
      clients.push(client)
      await client.ready
      return client
    },
    copy: (from: string, to: string): void => {
      rmSync(join(folder, to), { recursive: true, force: true })
      cpSync(join(folder, from), join(folder, to), { recursive: true })
    },
    folder: (device: string): string => join(folder, device),
  }
  return on
}

/** Makes notes, each an intent of its own, and gives what becomes of them; resolves when all are on the disk. */
async function put(client: Client<Notes>, numbers: readonly number[]) {
  const handles = numbers.map((number) => client.mutate.put({ id: uuid(number), text: 'x' }, { id: uuid(number) }))
  await Promise.all(handles.map(({ saved }) => saved))
  return handles.map(({ decided }) => decided)
}

const from = (first: number, count: number): readonly number[] => Array.from({ length: count }, (_, at) => first + at)
const ids = (...numbers: (readonly number[])[]): readonly string[] => numbers.flat().map(uuid).sort()
const rowsOf = (client: Client<Notes>): readonly string[] =>
  [...client.inspect().replica.confirmedRows('notes').keys()].sort()

/** Resolves when the status is so. */
function until(client: Client<Notes>, isSo: (status: ReturnType<Client['status']>) => boolean): Promise<void> {
  return new Promise((resolve) => {
    if (isSo(client.status())) return resolve()
    const stop = client.onStatus((status) => {
      if (!isSo(status)) return
      stop()
      resolve()
    })
  })
}

/** All that was made is decided, and once: as many as there are rows. */
async function expectOnce(decisions: readonly (readonly Promise<unknown>[])[]): Promise<void> {
  for (const decision of await Promise.all(decisions.flat())) expect(decision).toMatchObject({ status: 'applied' })
}

test('[I18] a folder restored from a copy taken ten intents ago: all new intents are decided once, none is swallowed, and the person is told of the ten', async () => {
  const on = await stage()
  let ann = await on.open('device')
  await put(ann, from(1, 20))
  await ann.quiet()
  await ann.close()
  on.copy('device', 'backup')
  ann = await on.open('device')
  await put(ann, from(21, 6))
  await ann.quiet()
  on.isOffline = true
  await put(ann, from(27, 4))
  await ann.close()
  // What lies beside the actor's folder stays: a person restores what they had saved of it.
  const [actor = ''] = readdirSync(on.folder('device')).filter((name) => !name.endsWith('.canary'))
  on.copy(`backup/${actor}`, `device/${actor}`)

  ann = await on.open('device')
  await until(ann, ({ lost }) => lost.length > 0)
  const lost = [{ kind: 'older', intents: 10, unsent: 4 }]
  expect(ann.status().lost).toMatchObject(lost)
  const before = ann.inspect()
  expect(before.last).toBe(20)
  const made = await put(ann, from(41, 12))
  on.isOffline = false
  ann.resume()
  await ann.quiet()
  await expectOnce([made])
  const after = ann.inspect()
  expect([after.client === before.client, after.rebirths]).toEqual([false, 1])
  expect(rowsOf(ann)).toEqual(ids(from(1, 26), from(41, 12)))
  expect(ann.outbox()).toEqual([])
  await ann.close()
  ann = await on.open('device')
  await until(ann, (status) => status.lost.length > 0)
  expect(ann.status().lost).toMatchObject(lost)
  await ann.acknowledgeLoss()
  await ann.close()
  ann = await on.open('device')
  await ann.quiet()
  expect(ann.status().lost).toEqual([])
})

test('[I18] a folder cloned into two living devices: what both make is decided once, none is swallowed, and one of them is told that it is a copy', async () => {
  const on = await stage()
  const first = await on.open('device')
  await put(first, from(1, 10))
  await first.quiet()
  on.isOffline = true
  // Some wait in both copies.
  await put(first, from(11, 3))
  await first.close()
  on.copy('device', 'clone')
  const one = await on.open('device')
  const two = await on.open('clone')
  expect(two.inspect().client).toBe(one.inspect().client)
  const made = [await put(one, from(21, 10)), await put(two, from(41, 10))]
  on.isOffline = false
  one.resume()
  two.resume()
  await Promise.all([one.quiet(), two.quiet()])
  await expectOnce(made)
  expect(two.inspect().client).not.toBe(one.inspect().client)
  // They go on side by side.
  const more = [await put(one, from(61, 5)), await put(two, from(71, 5))]
  await Promise.all([one.quiet(), two.quiet()])
  await expectOnce(more)
  for (const client of [one, two]) {
    await expect
      .poll(() => {
        client.resume()
        return rowsOf(client)
      })
      .toEqual(ids(from(1, 13), from(21, 10), from(41, 10), from(61, 5), from(71, 5)))
    expect(client.outbox()).toEqual([])
  }
  expect([one, two].map((client) => client.inspect().rebirths).sort()).toEqual([0, 1])
  expect([one, two].flatMap((client) => client.status().lost)).toMatchObject([{ kind: 'copied' }])
})
