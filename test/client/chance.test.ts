// A device by chance: calls, discards, pauses, restarts, disks that refuse, networks that lose, an authority that is set back. When
// the trouble stops, the device shows what the authority has, and every intent has come to an end that somebody decided.
// The world is small and the authority a toy, so that a thousand lives take a second; the simulator plays with the real ones.
import { SyncError } from 'holdfast'
import type { Client, Decision } from 'holdfast/client'
import { expect, test } from 'vitest'
import { InvariantError } from '../../src/base/assert.ts'
import { answerOf, captivePortal, createWorld, type Fate, type Notes, problemOf, uuid } from './world.ts'

const FATES: readonly Fate[] = [
  'pass',
  'pass',
  'lost',
  'unreachable',
  captivePortal,
  () => problemOf('internal'),
  () => problemOf('forked'),
  () => problemOf('rate_limited', { retryAfterMs: 2_000 }),
  () => answerOf(500, '', {}),
]

function createDie(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761) >>> 0
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 3_266_489_917) >>> 0
    return (state >>> 7) % below
  }
}

const rowsOf = (client: Client<Notes>): unknown =>
  [...client.inspect().replica.rows('notes')].map(({ id, text, count }) => `${id} ${text} ${count}`).sort()

async function live(seed: number): Promise<void> {
  const die = createDie(seed)
  const world = createWorld()
  const decisions = new Map<string, Decision['status']>()
  const kept = new Set<string>()
  let isTrouble = true
  world.fallback = () => (isTrouble ? (FATES[die(FATES.length)] as Fate) : 'pass')
  world.disk.beforeWrite = (verb) => {
    if (isTrouble && die(12) === 0) throw new SyncError('storage_failed', `${verb} was refused`)
  }
  let client = await world.client({ live: seed % 2 === 0 })
  let restore: (() => void) | undefined
  let made = 0
  for (let step = 0; step < 25; step++) {
    const what = die(14)
    if (what < 5) {
      made++
      const id = uuid(made)
      const note = `n${die(6)}`
      const handle =
        what < 2
          ? client.mutate.put({ id: note, text: `t${made}` }, { id })
          : what < 4
            ? client.mutate.bump({ id: note }, { id })
            : client.mutate.edit({ id: note, text: `t${made}` }, { id })
      handle.saved.then(
        () => kept.add(id),
        () => undefined,
      )
      void handle.decided.then(({ status }) => decisions.set(id, status))
    } else if (what === 5) {
      const item = client.outbox().at(-1)
      if (item !== undefined) client.discard(item.id).catch(() => undefined)
    } else if (what === 6) client.pause()
    else if (what === 7) client.resume()
    else if (what === 8) {
      await Promise.all([client.close(), world.clock.settle()])
      client = await world.client({ live: seed % 2 === 0 })
    } else if (what === 9 && restore === undefined && die(2) === 0) restore = world.authority.backup()
    else if (what === 10 && restore !== undefined) {
      restore()
      restore = () => undefined
    } else if (what === 11) world.authority.write(`n${die(6)}`, `other${step}`)
    await world.clock.advance(die(4) === 0 ? die(40_000) : die(900))
  }
  isTrouble = false
  for (let round = 0; round < 4; round++) {
    client.resume()
    await world.clock.advance(40_000)
    const stream = world.streams.at(-1)
    if (stream !== undefined && !stream.isCancelled) stream.listener.event('pull', '')
  }
  await world.clock.advance(40_000)
  const name = `seed ${seed}`
  expect(client.status(), name).toMatchObject({ connection: 'online', waiting: 0 })
  expect(rowsOf(client), name).toEqual(
    [...world.authority.state.log.values()]
      .flatMap(({ row }) => (row === undefined ? [] : [`${row.id} ${row.text} ${row.count}`]))
      .sort(),
  )
  expect(
    [...world.authority.runs.values()].every((runs) => runs === 1),
    name,
  ).toBe(true)
  expect(client.inspect().replica.pending(), name).toEqual([])
  const known = new Set(client.inspect().entries.map(({ intent }) => intent.id as string))
  for (const id of kept)
    expect(known.has(id) || decisions.has(id), `${name}: ${id} was saved and is nowhere`).toBe(true)
  for (const entry of client.inspect().entries) expect(entry.outcome, `${name}: ${entry.intent.id}`).toBeDefined()
  for (const { badge } of client.outbox()) expect(badge, name).toBe('failed')
  expect(
    world.reports.filter((error) => error instanceof InvariantError),
    name,
  ).toEqual([])
  await client.close()
}

test('[I17] [I4] whatever happened to a device, when it stops all is decided, and it shows what the authority has', async () => {
  for (let seed = 1; seed <= Number(process.env['HOLDFAST_LIVES'] ?? 60); seed++) await live(seed)
})
