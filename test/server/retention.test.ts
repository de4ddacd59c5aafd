// What the authority forgets, and what it never does: outcomes, commits and tombstones, erased actors, restored backups.
import { nodeHost } from 'holdfast/sqlite'
import { describe, expect, test } from 'vitest'
import type { ServerHost } from '../../src/server/host.ts'
import { copyOf, type Device, type Stage, stage, uuid } from './scenario.ts'

const DAY = 24 * 60 * 60 * 1_000

/** A host whose clock says what the test wants; its timers are the real ones. */
function movable(): { readonly host: ServerHost; pass(days: number): void } {
  const host = nodeHost()
  let at = 1_700_000_000_000
  const pass = (days: number): void => {
    at += days * DAY
  }
  return { host: { ...host, clock: { ...host.clock, now: () => at } }, pass }
}

const workout = (id: string, ownerId: string, name = 'Legs') =>
  ['insertWorkouts', { id, ownerId, name, done: false }] as const

async function log(device: Device, ...ids: readonly string[]): Promise<void> {
  for (const id of ids) await device.call(workout(id, device.actor))
}

const count = ({ foreign }: Stage, text: string): number => Number((foreign(text)[0] as { readonly n: number }).n)
const ledgerRows = (s: Stage) => count(s, 'SELECT count(*) AS n FROM holdfast_ledger')

describe('pruning', () => {
  test('[I3] forgets what a device has stored after its time, from the front, and answers expired below the mark', async () => {
    const { host, pass } = movable()
    const s = await stage({ host })
    const anna = s.device('anna')
    const first = anna.make(workout('a', 'anna'))
    await anna.push(...first)
    await log(anna, 'b')
    anna.stored = 1
    await log(anna, 'c')
    pass(20)
    expect((await s.authority.prune()).outcomes).toBe(0)
    pass(20)
    expect(await s.authority.prune()).toMatchObject({ outcomes: 1 })
    expect(ledgerRows(s)).toBe(2)
    expect(await anna.push(...first)).toMatchObject({ decided: 3, stop: { sequence: 1, code: 'expired' } })
    // The same under another number of another birth.
    const reborn = s.device('anna')
    const [again] = reborn.make([
      'insertWorkouts',
      { id: 'a', ownerId: 'anna', name: 'Legs', done: false },
      { id: first[0]?.id ?? '', births: [[anna.client, 1]] },
    ])
    expect(await reborn.push(again as (typeof first)[number])).toMatchObject({ stop: { code: 'expired' } })
    expect(s.foreign('SELECT count(*) AS n FROM workouts')).toEqual([{ n: 3 }])
  })

  test('[I3] forgets what a silent client never stored only after 400 days, and goes on with its numbers', async () => {
    const { host, pass } = movable()
    const s = await stage({ host })
    const anna = s.device('anna')
    await log(anna, 'a', 'b')
    pass(399)
    expect((await s.authority.prune()).outcomes).toBe(0)
    pass(2)
    expect((await s.authority.prune()).outcomes).toBe(2)
    expect(ledgerRows(s)).toBe(0)
    expect(await anna.call(workout('c', 'anna'))).toMatchObject({
      decided: 3,
      outcomes: [{ from: 3, status: 'applied' }],
    })
    expect((await anna.pull()).decided).toBe(3)
  })

  test('stops at the first outcome that must be kept, whatever lies behind it', async () => {
    const { host, pass } = movable()
    const s = await stage({ host })
    const anna = s.device('anna')
    await log(anna, 'a', 'b', 'c')
    anna.stored = 3
    await log(anna, 'd')
    s.foreign('UPDATE holdfast_ledger SET decided_at = decided_at + ? WHERE sequence = 2', 300 * DAY)
    pass(40)
    expect((await s.authority.prune()).outcomes).toBe(1)
    expect(s.foreign('SELECT sequence FROM holdfast_ledger ORDER BY sequence')).toEqual(
      [2, 3, 4].map((sequence) => ({ sequence })),
    )
  })

  test('passes a client with more outcomes than one transaction takes, and every client', async () => {
    const { host, pass } = movable()
    const s = await stage({ host })
    const devices = Array.from({ length: 60 }, () => s.device('anna'))
    for (const device of devices) await log(device, uuid())
    const busy = s.device('anna')
    for (let batch = 0; batch < 3; batch++)
      await busy.push(...busy.make(...Array.from({ length: 1_000 }, () => workout(uuid(), 'anna'))))
    pass(401)
    expect((await s.authority.prune()).outcomes).toBe(3_060)
    expect(ledgerRows(s)).toBe(0)
  })

  test('[I17] a device that stands before what is remembered fetches its scope anew, and keeps no row that has left', async () => {
    const { host, pass } = movable()
    const s = await stage({ host })
    const [anna, writer] = [s.device('anna'), s.device('anna')]
    await log(writer, 'a', 'b')
    await anna.pull()
    await writer.call(['deleteWorkouts', { id: 'a' }])
    pass(91)
    await log(writer, 'c')
    expect(await s.authority.prune()).toMatchObject({ commits: 3, tombstones: 1 })
    const page = await anna.page()
    expect(page.patches).toMatchObject([{ scope: 'user:anna', reset: true }])
    await anna.pull()
    expect(anna.rows('workouts').map(({ id }) => id)).toEqual(['b', 'c'])
    // That it is away for long is no news for the operator.
    expect(s.logged.filter(({ level }) => level === 'warn')).toEqual([])
  })

  test('[I7] one that stands at a remembered commit goes on from there', async () => {
    const { host, pass } = movable()
    const s = await stage({ host })
    const [anna, writer] = [s.device('anna'), s.device('anna')]
    await log(writer, 'a')
    pass(91)
    await log(writer, 'b')
    await anna.pull()
    await writer.call(['deleteWorkouts', { id: 'a' }])
    await s.authority.prune()
    expect((await anna.page()).patches).toMatchObject([{ from: { version: 2 }, gone: { workouts: ['a'] } }])
  })

  test('[I13] a first sync in pages goes through rows that changed before anything that is remembered', async () => {
    const { host, pass } = movable()
    const s = await stage({ host })
    const writer = s.device('anna')
    const ids = Array.from({ length: 6_000 }, (_, index) => `w${String(index).padStart(5, '0')}`)
    for (let from = 0; from < ids.length; from += 1_000)
      await writer.push(...writer.make(...ids.slice(from, from + 1_000).map((id) => workout(id, 'anna'))))
    pass(91)
    await log(writer, 'last')
    await s.authority.prune()
    const anna = s.device('anna')
    let pages = 0
    for (let isComplete = false; !isComplete; pages++) {
      const page = await anna.page()
      for (const patch of page.patches) expect(patch).not.toHaveProperty('reset')
      anna.apply(page.patches, page.seal)
      isComplete = page.seal !== undefined
    }
    expect(pages).toBeGreaterThan(1)
    expect(anna.rows('workouts')).toHaveLength(6_001)
  })

  test('a page in the middle of it begins anew when the history was another one', async () => {
    const { host, pass } = movable()
    const s = await stage({ host })
    const writer = s.device('anna')
    for (let from = 0; from < 6; from++)
      await writer.push(...writer.make(...Array.from({ length: 1_000 }, () => workout(uuid(), 'anna'))))
    pass(91)
    await log(writer, 'last')
    await s.authority.prune()
    const anna = s.device('anna')
    const page = await anna.page()
    anna.apply(page.patches)
    s.foreign("UPDATE holdfast_commit SET mark = '0123456789abcdef'")
    expect((await anna.page()).patches).toMatchObject([{ reset: true }])
  })

  test('runs are visible: in health, and the last hundred in the database', async () => {
    const s = await stage()
    expect(await s.authority.health()).not.toHaveProperty('pruned')
    for (let run = 0; run < 103; run++) await s.authority.prune()
    expect(await s.authority.health()).toMatchObject({
      status: 'ok',
      pruned: { outcomes: 0, commits: 0, tombstones: 0 },
    })
    expect(count(s, 'SELECT count(*) AS n FROM holdfast_pruning')).toBe(100)
  })

  test('is done by itself when the last run is long enough ago, and not before', async () => {
    const { host, pass } = movable()
    const due: (() => void)[] = []
    const after = (_: number, run: () => void) => {
      due.push(run)
      return () => undefined
    }
    const s = await stage({ host: { ...host, clock: { ...host.clock, after } }, tuning: { heartbeatMs: 1 } })
    const look = async (): Promise<void> => {
      for (const run of due.splice(0)) run()
      while (due.length === 0) await s.authority.health()
    }
    await look()
    const { pruned } = await s.authority.health()
    expect(pruned).toBeDefined()
    await look()
    expect((await s.authority.health()).pruned).toEqual(pruned)
    pass(1)
    await look()
    expect((await s.authority.health()).pruned?.startedAt).toBe((pruned?.startedAt ?? 0) + DAY)
  })
})

describe('erasing an actor', () => {
  test('takes the rows and what was answered, and keeps the high-water mark: nothing is run again', async () => {
    const s = await stage()
    const [anna, other, ben] = [s.device('anna'), s.device('anna'), s.device('ben')]
    const first = anna.make(workout('a', 'anna', 'secret'), [
      'insertSets',
      { id: 's', workoutId: 'a', reps: 5, kg: 60 },
    ])
    await anna.push(...first)
    await other.pull()
    await log(ben, 'b')
    await s.authority.run('anna', 'insertWorkouts', { id: 'c', ownerId: 'anna', name: 'secret', done: false })
    expect(await s.authority.erase('anna')).toMatchObject({ rows: 3, scopes: ['user:anna'] })
    expect(s.foreign('SELECT id FROM workouts')).toEqual([{ id: 'b' }])
    expect(s.foreign('SELECT id FROM sets')).toEqual([])
    expect(s.foreign("SELECT id FROM workoutTotals UNION ALL SELECT id FROM userTotals WHERE id = 'anna'")).toEqual([])
    await other.pull()
    expect(other.rows('workouts')).toEqual([])
    expect(s.foreign("SELECT fingerprint, details FROM holdfast_ledger WHERE actor = 'anna'")).toEqual([
      { fingerprint: '', details: null },
    ])
    expect(await anna.push(...first)).toMatchObject({ decided: 2, stop: { code: 'expired' } })
    expect(await anna.call(workout('n', 'anna'))).toMatchObject({ decided: 3 })
  })

  test('takes the scopes that it is told, and refuses what is none', async () => {
    const s = await stage()
    await log(s.device('anna'), 'a')
    expect(await s.authority.erase('anna', { scopes: ['gym:7'] })).toMatchObject({ rows: 0 })
    expect(s.foreign('SELECT id FROM workouts')).toEqual([{ id: 'a' }])
    await expect(s.authority.erase('anna', { scopes: ['user'] })).rejects.toThrow(/erase: the scope "user"/)
  })

  test('takes what plain SQL put there a moment ago, and more rows than one transaction takes', async () => {
    const s = await stage()
    const anna = s.device('anna')
    for (let batch = 0; batch < 3; batch++)
      await anna.push(...anna.make(...Array.from({ length: 1_000 }, () => workout(uuid(), 'anna'))))
    s.foreign("INSERT INTO workouts (id, ownerId, name, done) VALUES ('x', 'anna', 'plain', false)")
    expect(await s.authority.erase('anna')).toMatchObject({ rows: 3_001 })
    expect(count(s, 'SELECT count(*) AS n FROM workouts')).toBe(0)
  })

  test('says so when a constraint of the app keeps a row', async () => {
    const s = await stage()
    await log(s.device('anna'), 'a')
    s.foreignTransaction(
      'CREATE TABLE invoices (workout TEXT REFERENCES workouts (id))',
      "INSERT INTO invoices VALUES ('a')",
    )
    await expect(s.authority.erase('anna')).rejects.toThrow(/a constraint of the database keeps rows of workouts/)
  })
})

describe('a restored backup', () => {
  test('[I17] [I18] is noticed by its marks and numbers, and operators are told', async () => {
    const s = await stage()
    const anna = s.device('anna')
    await log(anna, 'a')
    const yesterday = await copyOf(s)
    await log(anna, 'b')
    await anna.pull()
    anna.stored = 2
    const restored = await stage({ path: yesterday })
    const again = restored.device('anna')
    Object.assign(again, { client: anna.client, last: anna.last, stored: 2 })
    for (const [scope, place] of anna.cursors) again.cursors.set(scope, place)
    const page = await again.page()
    expect(page.patches).toMatchObject([{ reset: true }])
    expect(page.seal).toMatchObject({ decided: 1 })
    expect(restored.logged.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual(
      Array(2).fill('a device knows of what this database does not: was a backup restored?'),
    )
  })
})
