// The live stream: whole frames as they happen, and an end with «pull» for whatever a stream cannot bring.
import { nodeHost } from 'holdfast/sqlite'
import { expect, test } from 'vitest'
import type { Patch, Seal } from '../../src/protocol/frame.ts'
import { decodeEvent } from '../../src/protocol/live.ts'
import { type Device, post, stage, uuid } from './scenario.ts'

const workout = (id: string, ownerId = 'anna') =>
  ['insertWorkouts', { id, ownerId, name: 'Legs', done: false }] as const
const quick = { tickMs: 1, pollMs: 5 }

/** Opens a stream whose frames go to the device; `until` waits for a seal or an end that meets a condition. */
async function listen(device: Device) {
  const events: string[] = []
  const seals: Seal[] = []
  let staged: Patch[] = []
  let check: () => void = () => undefined
  const stream = await device.live((event, data) => {
    events.push(event)
    if (event !== '' && event !== 'closed') expect(decodeEvent(event, JSON.stringify(data)).ok).toBe(true)
    if (event === 'patch') staged.push(data as Patch)
    if (event === 'seal') {
      for (const { scope, from } of staged) expect(device.cursors.get(scope)).toEqual(from)
      device.apply(staged, data as Seal)
      seals.push(data as Seal)
      staged = []
    }
    check()
  })
  return {
    ...stream,
    events,
    seals,
    /** Waits, turn by turn, for something that is not an event. */
    async turns(condition: () => boolean): Promise<void> {
      while (!condition()) await new Promise((resolve) => setImmediate(resolve))
    },
    until: (condition: () => boolean) =>
      new Promise<void>((resolve) => {
        check = () => {
          if (condition()) resolve()
        }
        check()
      }),
  }
}

test('a stream begins with a seal, and brings what others push and what plain SQL writes', async () => {
  const on = await stage({ tuning: quick })
  const [phone, tablet] = [on.device('anna'), on.device('anna')]
  await phone.pull()
  const stream = await listen(phone)
  expect(stream.answer).toMatchObject({
    status: 200,
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
  })
  expect(stream.events).toEqual(['seal'])
  const [a, b] = [uuid(), uuid()]
  await tablet.call(workout(a))
  await stream.until(() => phone.rows('workouts').length === 1)
  on.foreign("INSERT INTO workouts (id, ownerId, name, done) VALUES (?, 'anna', 'sql', false)", b)
  await stream.until(() => phone.rows('workouts').length === 2)
  expect(phone.rows('userTotals')).toEqual([{ id: 'anna', workouts: 2 }])
  expect(stream.events.at(-1)).toBe('seal')
})

test('a stream’s seals tell the outcomes since its last seal, also when nothing else changed', async () => {
  const on = await stage({ tuning: quick })
  const anna = on.device('anna')
  await anna.call(workout(uuid()))
  await anna.pull()
  anna.stored = 1
  const stream = await listen(anna)
  expect(stream.seals).toMatchObject([{ decided: 1, outcomes: [] }])
  await anna.call(['act', { how: 'reject', id: uuid() }])
  await stream.until(() => anna.decided === 2)
  expect(stream.events).toEqual(['seal', 'seal'])
  expect(stream.seals[1]).toMatchObject({ decided: 2, outcomes: [{ from: 2, to: 2, status: 'rejected' }] })
  await anna.call(workout(uuid()))
  await stream.until(() => anna.decided === 3)
  expect(stream.seals[2]).toMatchObject({ outcomes: [{ from: 3, to: 3, status: 'applied' }] })
})

test('what was committed between the pull and the stream comes with its first frame', async () => {
  const on = await stage({ tuning: quick })
  const anna = on.device('anna')
  await anna.pull()
  await on.device('anna').call(workout(uuid()))
  const stream = await listen(anna)
  expect(stream.events).toEqual(['patch', 'seal'])
  expect(anna.rows('workouts')).toHaveLength(1)
})

test('[I17] what is committed while the stream is being opened is told without waiting for a poll', async () => {
  const on = await stage({ tuning: { tickMs: 1, pollMs: 1_000_000 } })
  const anna = on.device('anna')
  await anna.pull()
  const cursors = [...anna.cursors].map(([scope, place]) => ({ scope, ...place }))
  const headers = { authorization: 'Bearer anna' }
  const answer = await on.authority.handle(post('/sync/live', JSON.stringify({ ...anna.caller(), cursors }), headers))
  if (!('open' in answer)) throw new Error('no stream came')
  await on.device('anna').call(workout(uuid()))
  await new Promise<void>((resolve) => {
    answer.open({
      write(text) {
        if (text.startsWith('event: patch')) resolve()
        return 0
      },
      close: () => undefined,
    })
  })
})

test('[I10] one commit in two scopes comes in one frame', async () => {
  const on = await stage({ tuning: quick, grants: () => ({ read: ['user:a', 'user:b'], write: [] }) })
  const anna = on.device('anna')
  await anna.pull()
  const stream = await listen(anna)
  on.foreign("INSERT INTO workouts (id, ownerId, name, done) VALUES ('1', 'a', 'x', false), ('2', 'b', 'x', false)")
  await stream.until(() => stream.seals.length === 2)
  expect(stream.events).toEqual(['seal', 'patch', 'patch', 'seal'])
})

test.each<[string, (device: Device) => void]>([
  ['a scope is missing', (device) => device.cursors.clear()],
  ['a scope is held that may not be read', (device) => device.cursors.set('user:ben', { version: 0, mark: '' })],
  ['a place is of another history', (device) => device.cursors.set('user:anna', { version: 1, mark: 'ffff' })],
  [
    'a place is within a version',
    (device) => {
      const place = device.cursors.get('user:anna')
      if (place !== undefined) device.cursors.set('user:anna', { ...place, within: { table: 'workouts', id: '0' } })
    },
  ],
])('a stream cannot bring it and says pull when %s', async (_what, change) => {
  const on = await stage({ tuning: quick })
  const anna = on.device('anna')
  await anna.call(workout(uuid()))
  await anna.pull()
  change(anna)
  const stream = await listen(anna)
  expect(stream.events).toEqual(['pull', 'closed'])
})

test('[I13] a change that is too large for a stream becomes a pull', async () => {
  const on = await stage({ tuning: quick })
  const anna = on.device('anna')
  await anna.pull()
  const stream = await listen(anna)
  on.foreign(
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO workouts (id, ownerId, name, done) SELECT 'w' || i, 'anna', '', false FROM n",
  )
  await stream.until(() => stream.events.includes('closed'))
  expect(stream.events).toEqual(['seal', 'pull', 'closed'])
  expect(await on.authority.health()).toMatchObject({ streams: 0 })
})

test('[I9] a grant that is lost ends the stream before anything of its scope is told, in the same commit', async () => {
  const on = await stage({ tuning: quick })
  on.foreign("INSERT INTO members (id, gymId, userId, role) VALUES ('m1', 'oak', 'anna', 'staff')")
  const anna = on.device('anna')
  await anna.pull()
  const stream = await listen(anna)
  // One transaction takes the right away and writes what must no longer be seen.
  on.foreignTransaction(
    "DELETE FROM members WHERE id = 'm1'",
    "INSERT INTO notes (id, gymId, text) VALUES ('n1', 'oak', 'secret')",
  )
  await stream.until(() => stream.events.includes('closed'))
  expect(stream.events).toEqual(['seal', 'pull', 'closed'])
  expect((await anna.pull()).scopes).toEqual(['user:anna'])
  expect(anna.rows('notes')).toEqual([])
})

test('[I9] a grant that is gained ends the stream with pull; one that stays does not', async () => {
  const on = await stage({ tuning: quick })
  const [anna, ben] = [on.device('anna'), on.device('ben')]
  await Promise.all([anna.pull(), ben.pull()])
  const [hers, his] = [await listen(anna), await listen(ben)]
  on.foreign("INSERT INTO members (id, gymId, userId, role) VALUES ('m1', 'oak', 'anna', 'staff')")
  await hers.until(() => hers.events.includes('closed'))
  await ben.call(workout(uuid(), 'ben'))
  await his.until(() => ben.rows('workouts').length === 1)
  expect(his.events).not.toContain('pull')
})

test('[I13] a stream that does not take what it is sent is closed', async () => {
  const on = await stage({ tuning: quick })
  const anna = on.device('anna')
  await anna.pull()
  const body = JSON.stringify({
    ...anna.caller(),
    cursors: [...anna.cursors].map(([scope, place]) => ({ scope, ...place })),
  })
  const answer = await on.authority.handle(post('/sync/live', body, { authorization: 'Bearer anna' }))
  if (!('open' in answer)) throw new Error('no stream')
  let waiting = 0
  const closed = new Promise<void>((resolve) => {
    answer.open({
      write: (text) => {
        waiting += text.length
        return waiting
      },
      close: resolve,
    })
  })
  for (let n = 0; n < 6; n++)
    await on.authority.run('anna', 'insertWorkouts', {
      id: uuid(),
      ownerId: 'anna',
      name: 'x'.repeat(250_000),
      note: null,
      done: false,
      extra: null,
    })
  await closed
  expect(await on.authority.health()).toMatchObject({ streams: 0 })
})

test('a quiet stream is sent signs of life', async () => {
  const on = await stage({ tuning: { ...quick, heartbeatMs: 5 } })
  const anna = on.device('anna')
  await anna.pull()
  const stream = await listen(anna)
  await stream.until(() => stream.events.filter((event) => event === '').length >= 2)
})

test('a stream that was left is told nothing more, and closing the authority ends the others', async () => {
  const on = await stage({ tuning: quick })
  const [anna, ben] = [on.device('anna'), on.device('ben')]
  await Promise.all([anna.pull(), ben.pull()])
  const [left, kept] = [await listen(anna), await listen(ben)]
  left.close()
  await anna.call(workout(uuid()))
  await ben.call(workout(uuid(), 'ben'))
  await kept.until(() => ben.rows('workouts').length === 1)
  expect(left.events).toEqual(['seal'])
  await on.authority.close()
  expect(kept.events.at(-1)).toBe('closed')
})

test('[I13] there are no more streams than the bound', async () => {
  const on = await stage({ tuning: { ...quick, streams: 1 } })
  const [anna, ben] = [on.device('anna'), on.device('ben')]
  await Promise.all([anna.pull(), ben.pull()])
  await listen(anna)
  const second = await listen(ben)
  expect(second.answer).toMatchObject({ status: 503, headers: { 'retry-after': expect.any(String) } })
})

test('[I9] two authorities on one database: a stream at one brings what the other decides, under grants that hold then', async () => {
  const here = await stage({ tuning: quick })
  const there = await stage({ path: here.path })
  const anna = here.device('anna')
  await anna.pull()
  const stream = await listen(anna)
  await there.device('anna').call(workout(uuid()))
  await stream.until(() => anna.rows('workouts').length === 1)
  await there.authority.run('anna', 'updateWorkouts', { id: String(anna.rows('workouts')[0]?.id), name: 'there' })
  await stream.until(() => anna.rows('workouts')[0]?.['name'] === 'there')
  there.foreign("INSERT INTO members (id, gymId, userId, role) VALUES ('m1', 'oak', 'anna', 'staff')")
  await there.device('zoe').pull()
  await stream.until(() => stream.events.includes('closed'))
  expect(stream.events.at(-2)).toBe('pull')
})

test('[I9] what an authority adopts before it ever asked for grants is heard of by the others', async () => {
  const here = await stage({ tuning: { tickMs: 1, pollMs: 1_000_000 } })
  const anna = here.device('anna')
  await anna.pull()
  const stream = await listen(anna)
  here.foreign("INSERT INTO members (id, gymId, userId, role) VALUES ('m1', 'oak', 'anna', 'staff')")
  const there = await stage({ path: here.path })
  await there.device('zoe').pull()
  await here.authority.run('anna', 'act', { how: '', id: uuid() })
  await stream.until(() => stream.events.includes('closed'))
  expect(stream.events).toEqual(['seal', 'pull', 'closed'])
})

test('an actor whose grants fail is told to pull, and the streams of others go on', async () => {
  let isBroken = false
  const on = await stage({
    tuning: quick,
    grants: async (actor, tx) => {
      await tx.members.where({ userId: actor }).all()
      if (isBroken && actor === 'anna') throw new Error('no')
      return { read: [`user:${actor}`], write: [`user:${actor}`, 'gym:oak'] }
    },
  })
  const [anna, ben] = [on.device('anna'), on.device('ben')]
  await Promise.all([anna.pull(), ben.pull()])
  const [hers, his] = [await listen(anna), await listen(ben)]
  isBroken = true
  await ben.call(['insertMembers', { id: uuid(), gymId: 'oak', userId: 'ben', role: 'staff' }], workout(uuid(), 'ben'))
  await hers.until(() => hers.events.includes('closed'))
  await his.until(() => ben.rows('workouts').length === 1)
  expect(hers.events).toEqual(['seal', 'pull', 'closed'])
  expect(on.logged).toMatchObject([{ message: 'the rights of an actor could not be found', actor: 'anna' }])
})

test('[I17] a tick that fails is told later', async () => {
  const real = nodeHost({ log: 'silent' })
  let isBroken = false
  // The clock fails while the seal is made: everything in the tick has been read by then.
  const now = () => {
    if (isBroken) throw new Error('no')
    return real.clock.now()
  }
  const on = await stage({ tuning: quick, host: { ...real, clock: { ...real.clock, now } } })
  const anna = on.device('anna')
  await anna.pull()
  const stream = await listen(anna)
  on.foreign("INSERT INTO workouts (id, ownerId, name, done) VALUES ('w', 'anna', 'x', false)")
  isBroken = true
  await stream.turns(() => on.logged.length > 0)
  isBroken = false
  await stream.until(() => anna.rows('workouts').length === 1)
})
