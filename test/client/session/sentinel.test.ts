// The note beside the store: what a start tells to be gone, and when it says nothing. What real folders and profiles lose is
// profiles.test.ts and test/browser/profiles.test.ts.
import 'fake-indexeddb/auto'
import { IDBVersionChangeEvent } from 'fake-indexeddb'
import type { Canary } from 'holdfast/client'
import { signOut } from 'holdfast/client'
import { describe, expect, test } from 'vitest'
import { createMemory } from '../../../src/client/storage/memory.ts'
import { openIndexedDbStorage } from '../../../src/hosts/browser/indexeddb.ts'
import { put, texts } from '../scenario.ts'
import { createWorld, problemOf, uuid } from '../world.ts'

const MINUTE = 60_000

/** A world with a note beside its store. */
function createWatchedWorld() {
  const world = createWorld()
  const note = { text: undefined as string | undefined, writes: 0, listeners: new Set<() => void>() }
  const canary = (): Canary => ({
    read: () => note.text,
    write(text) {
      note.text = text
      note.writes++
    },
    onChange(listener) {
      note.listeners.add(listener)
      return () => note.listeners.delete(listener)
    },
  })
  let hasLost = false
  const open = (options = {}) => {
    const host = world.host()
    return world.client({
      live: false,
      host: {
        ...host,
        openCanary: canary,
        openStorage: async (actor) => ({ ...(await host.openStorage(actor)), hasLost }),
      },
      ...options,
    })
  }
  return Object.assign(world, {
    note,
    open,
    loseData() {
      hasLost = true
    },
    /** Puts this in the place of what the disk holds; gives what it held. */
    restore(to = createMemory()) {
      const before = createMemory(world.disk.memory)
      world.disk.memory.outbox.splice(0, Number.POSITIVE_INFINITY, ...to.outbox)
      world.disk.memory.frames.splice(0, Number.POSITIVE_INFINITY, ...to.frames)
      return before
    },
  })
}

describe('nothing is told', () => {
  test('of a first start, of a start after a start, after a new birth and after a sign-out', async () => {
    const world = createWatchedWorld()
    let client = await world.open()
    put(client, 2)
    await world.clock.advance(MINUTE)
    world.fates.push.push(() => problemOf('gap'))
    await client.close()
    for (const leave of ['keep', 'discard'] as const) {
      client = await world.open()
      expect(client.status().lost).toEqual([])
      put(client, 1, leave === 'keep' ? 5 : 6)
      await world.clock.settle()
      // The note is behind by more than the sign-out.
      const { text } = world.note
      const left = signOut(client, leave)
      await world.clock.settle()
      await left
      world.note.text = text
    }
    client = await world.open()
    expect(client.status().lost).toEqual([])
  })

  test('where the note cannot be read by this build', async () => {
    const world = createWatchedWorld()
    for (const text of ['', 'null', '{', '{"format":2}', '{"format":1,"last":"x","lost":[]}']) {
      world.note.text = text
      const client = await world.open()
      expect(client.status().lost).toEqual([])
      await client.close()
    }
    expect(world.reports).toEqual([])
  })
})

test('where there is no place for a note the client works without, and says so once', async () => {
  const world = createWatchedWorld()
  const refuse = (): never => {
    throw new Error('The page may not')
  }
  for (const canary of [
    { read: refuse, write: refuse },
    { read: () => null, write: refuse },
  ]) {
    const client = await world.open({ host: { ...world.host(), openCanary: () => canary } })
    put(client, 1, world.authority.runs.size + 1)
    await world.clock.advance(MINUTE)
    expect(client.status()).toMatchObject({ waiting: 0, lost: [] })
    await client.close()
    expect(world.reports.splice(0)).toHaveLength(1)
  }
})

test('a call is durable before the note is written, and many changes are one note', async () => {
  const world = createWatchedWorld()
  const client = await world.open()
  const before = world.note.writes
  const handles = put(client, 50)
  await world.clock.settle()
  await Promise.all(handles.map(({ saved }) => saved))
  expect(world.note.writes).toBe(before)
  await world.clock.advance(1_000)
  expect(world.note.writes).toBe(before + 1)
  await world.clock.advance(60 * MINUTE)
  expect(world.note.writes).toBeLessThan(before + 4)
  expect(JSON.parse(world.note.text ?? '')).toMatchObject({ last: 50, undecided: 0, lost: [] })
})

describe('what is gone', () => {
  test('[I18] of a store that went back: how many intents, and how many of them had not been decided; until it is acknowledged', async () => {
    const world = createWatchedWorld()
    let client = await world.open()
    put(client, 5)
    await world.clock.advance(MINUTE)
    await client.close()
    const copy = createMemory(world.disk.memory)
    client = await world.open()
    put(client, 6, 6)
    await world.clock.advance(MINUTE)
    world.fallback = () => 'unreachable'
    put(client, 4, 12)
    await world.clock.advance(MINUTE)
    await client.close()
    world.restore(copy)

    client = await world.open()
    const lost = [{ kind: 'older', intents: 10, unsent: 4 }]
    expect(client.status().lost).toMatchObject(lost)
    // What is made now is numbered like what is gone; the authority notices, and that is no second loss.
    put(client, 3, 21)
    world.fallback = () => 'pass'
    await world.clock.advance(60 * MINUTE)
    expect(client.inspect().rebirths).toBe(1)
    expect(client.status()).toMatchObject({ waiting: 0, lost })
    expect(texts(client)).toHaveLength(5 + 6 + 3)
    expect([...world.authority.runs.values()].every((runs) => runs === 1)).toBe(true)
    await client.close()
    client = await world.open()
    expect(client.status().lost).toMatchObject(lost)
    await client.acknowledgeLoss()
    expect(client.status().lost).toEqual([])
    await client.close()
    client = await world.open()
    expect(client.status().lost).toEqual([])
  })

  test('of a store that vanished', async () => {
    const world = createWatchedWorld()
    let client = await world.open()
    put(client, 3)
    await world.clock.advance(MINUTE)
    world.fallback = () => 'unreachable'
    put(client, 2, 4)
    await world.clock.advance(MINUTE)
    await client.close()
    world.restore()
    client = await world.open()
    expect(client.status().lost).toMatchObject([{ kind: 'vanished', intents: 5, unsent: 2 }])
  })

  test('what a browser tells of a database that it threw away is passed on', async () => {
    // As Chromium and Firefox do in the event of an upgrade.
    const prototype: { dataLoss?: string } = IDBVersionChangeEvent.prototype as object
    prototype.dataLoss = 'total'
    const storage = await openIndexedDbStorage({ name: 'thrown away' })
    delete prototype.dataLoss
    expect(storage.hasLost).toBe(true)
    await storage.close()
    const again = await openIndexedDbStorage({ name: 'thrown away' })
    expect(again.hasLost).toBe(false)
    await again.close()
  })

  test('what the platform itself told, where there is no note', async () => {
    const world = createWatchedWorld()
    world.loseData()
    const client = await world.open()
    expect(client.status().lost).toMatchObject([{ kind: 'vanished', intents: undefined, unsent: undefined }])
  })

  test('[I18] where note and store went back together, the authority knows: another copy has used the numbers', async () => {
    const world = createWatchedWorld()
    let client = await world.open()
    put(client, 3)
    await world.clock.advance(MINUTE)
    await client.close()
    const copy = createMemory(world.disk.memory)
    const { text } = world.note
    client = await world.open()
    put(client, 2, 4)
    await world.clock.advance(MINUTE)
    await client.close()
    world.restore(copy)
    world.note.text = text
    client = await world.open()
    expect(client.status().lost).toMatchObject([{ kind: 'copied', intents: undefined }])
    put(client, 1, 9)
    await world.clock.advance(60 * MINUTE)
    expect(client.status().lost).toHaveLength(1)
    expect(client.inspect().entries.map(({ intent }) => intent.id)).toContain(uuid(9))
    expect(texts(client)).toHaveLength(6)
  })

  test('is known to every client of the store once one has acknowledged it', async () => {
    const world = createWatchedWorld()
    world.note.text = JSON.stringify({ format: 1, client: 'x', last: 3, undecided: 1, session: 0, lost: [] })
    const client = await world.open()
    expect(client.status().lost).toHaveLength(1)
    // As another tab writes it.
    world.note.text = JSON.stringify({ ...JSON.parse(world.note.text), lost: [] })
    for (const hear of world.note.listeners) hear()
    await world.clock.settle()
    expect(client.status().lost).toEqual([])
  })
})
