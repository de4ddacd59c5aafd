// A bad deploy: for ten minutes a mutator throws at the authority, for every intent of every device, or for every other one. The real authority
// and fifty real devices; the devices' time is told, so that ten minutes take seconds.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { defineApp, t, table } from 'holdfast'
import { type Client, createClient, type Network } from 'holdfast/client'
import { createAuthority } from 'holdfast/server'
import { nodeHost, sqlite } from 'holdfast/sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { SyncError } from '../../../src/base/errors.ts'
import { createMemory, openMemoryStorage } from '../../../src/client/storage/memory.ts'
import { createTestClock, createTestRandom } from '../clock.ts'

interface Note {
  readonly id: string
  readonly text: string
}
const anyNote: StandardSchemaV1<Note> = {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as Note }) },
}
const app = defineApp({
  tables: { notes: table({ id: t.id(), ownerId: t.text(), text: t.text() }).scope('user', 'ownerId') },
  mutators: ({ mutator }) => ({
    put: mutator(anyNote, async (tx, { id, text }) => {
      await tx.notes.insert({ id, ownerId: tx.actor, text })
    }),
  }),
})

const DEVICES = 50
const EACH = 40

async function fleet(isBad: (note: Note) => boolean) {
  const clock = createTestClock()
  const deploy = { isBad: true }
  const authority = createAuthority({
    app,
    database: sqlite(':memory:', { host: { ...nodeHost(), log: () => undefined } }),
    authenticate: (request) => request.header('authorization')?.replace('Bearer ', ''),
    grants: (actor) => ({ read: [`user:${actor}`], write: [`user:${actor}`] }),
    mutators: {
      async put(tx, note) {
        if (deploy.isBad && isBad(note)) throw new TypeError('a bad deploy')
        await tx.notes.insert({ id: note.id, ownerId: tx.actor, text: note.text })
      },
    },
  })
  await authority.ready
  let pushes = 0
  const under = new Set<Promise<unknown>>()
  const network: Network = {
    exchange(request) {
      if (request.path === 'push') pushes++
      const { url, headers, body } = request
      const answer = authority.fetch(new Request(url, { method: 'POST', headers, body })).then(async (response) => ({
        status: response.status,
        header: (name: string) => response.headers.get(name) ?? undefined,
        body: await response.text(),
      }))
      const settled: Promise<unknown> = answer.then(() => under.delete(settled))
      under.add(settled)
      return { answer, cancel: () => undefined }
    },
    stream: (_request, { ended }) => {
      queueMicrotask(() => ended(new SyncError('stream_lost', 'No streams here')))
      return () => undefined
    },
  }
  /** Lets time pass on the devices, and the authority answer whatever it is asked. */
  const advance = async (byMs: number, stepMs = 1_000): Promise<void> => {
    for (let passed = 0; passed < byMs; passed += stepMs) {
      await clock.advance(stepMs)
      while (under.size > 0) {
        await Promise.all(under)
        await clock.settle()
      }
    }
  }
  const devices: Client<typeof app>[] = []
  for (let number = 1; number <= DEVICES; number++) {
    const client = createClient({
      app,
      url: 'https://authority.test/sync',
      session: { actor: `actor ${number}`, token: `actor ${number}` },
      live: false,
      whenNotDurable: 'accept',
      tuning: { pollMs: 120_000 },
      host: {
        clock,
        random: createTestRandom(number),
        network,
        openStorage: async () => openMemoryStorage(createMemory()),
        report: () => undefined,
      },
    })
    devices.push(client)
  }
  onTestFinished(async () => {
    for (const device of devices) await device.close()
    await authority.close()
  })
  for (const [number, device] of devices.entries())
    for (let note = 0; note < EACH; note++) device.mutate.put({ id: `${number}-${note}`, text: `${note}` })
  return { clock, deploy, devices, advance, pushes: () => pushes }
}

test.each([
  ['every intent', () => true],
  ['every other intent', ({ text }: Note) => Number(text) % 2 === 1],
] as const)(
  'a deploy that fails for %s of 50 devices for ten minutes parks and refuses nothing: once it is mended all 2,000 intents are applied',
  async (_what, isBad) => {
    const { deploy, devices, advance, pushes } = await fleet(isBad)
    await advance(600_000)
    const waiting = devices.reduce((sum, device) => sum + device.status().waiting, 0)
    expect(waiting).toBeGreaterThanOrEqual(DEVICES * EACH - DEVICES)
    expect(devices.every((device) => device.status().isStalled && device.status().fault?.code === 'fault')).toBe(true)
    // Ever more rarely: no device asks more than three times a minute in the long run.
    expect(pushes()).toBeLessThan(DEVICES * 40)
    deploy.isBad = false
    await advance(60_000)
    for (const device of devices) {
      const { entries } = device.inspect()
      expect(entries).toHaveLength(EACH)
      expect(entries.map(({ outcome, givenUp }) => [outcome?.status, givenUp])).toEqual(
        entries.map(() => ['applied', undefined]),
      )
      expect(device.status()).toMatchObject({ waiting: 0, isStalled: false, fault: undefined })
    }
  },
  60_000,
)
