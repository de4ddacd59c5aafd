// The push as a device sees it: outcomes and repeats, numbers and births, withdrawals and dependencies, faults and versions.
import { expect, test } from 'vitest'
import { type Device, type Entry, type Stage, stage, uuid } from './scenario.ts'

const workout = (id: string, ownerId = 'anna', name = 'Legs') =>
  ['insertWorkouts', { id, ownerId, name, done: false }] as const
const applied = (from: number, to = from, more = {}) => ({ from, to, status: 'applied', ...more })
const counted = ({ foreign }: Stage, table: string) => foreign(`SELECT count(*) AS n FROM ${table}`)

async function expectRows(on: Stage, table: string, n: number): Promise<void> {
  expect(counted(on, table), `rows of ${table}`).toEqual([{ n }])
}

test('[I3] a batch that is sent twice is decided once, and the second answer repeats the first', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const id = uuid()
  const entries = anna.make(
    workout(id),
    ['insertSets', { id: uuid(), workoutId: id, reps: 5, kg: 100.5 }],
    ['act', { how: 'reject', id: uuid() }],
  )
  const first = await anna.push(...entries)
  const rejected = { from: 3, to: 3, status: 'rejected', code: 'not_today', details: { why: 'rain' } }
  expect(first).toMatchObject({ status: 200, decided: 3, outcomes: [applied(1, 2), rejected] })
  const second = await anna.push(...entries)
  expect(second).toMatchObject({
    status: 200,
    decided: 3,
    outcomes: [applied(1, 2, { repeated: true }), { ...rejected, repeated: true }],
  })
  await expectRows(on, 'sets', 1)
  await expectRows(on, 'workouts', 1)
})

test('[I3] the same batch sent eight times at once is decided once', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const entries = anna.make(workout(uuid()), workout(uuid()), workout(uuid()))
  const answers = await Promise.all(Array.from({ length: 8 }, () => anna.push(...entries)))
  expect(answers.map(({ decided }) => decided)).toEqual(Array(8).fill(3))
  expect(answers.filter(({ outcomes }) => outcomes[0]?.repeated !== true)).toHaveLength(1)
  await expectRows(on, 'workouts', 3)
})

test('[I3] outcomes are repeated by an authority that was started anew', async () => {
  const first = await stage()
  const anna = first.device('anna')
  const entries = anna.make(workout(uuid()), ['act', { how: 'reject', id: uuid() }])
  const before = await anna.push(...entries)
  await first.authority.close()
  const second = await stage({ path: first.path })
  const again = second.device('anna')
  again.client = anna.client
  again.last = anna.last
  const after = await again.push(...entries)
  expect(after.outcomes).toEqual(before.outcomes.map((range) => ({ ...range, repeated: true })))
})

test('[I2] a batch with a part that is decided already goes on after it', async () => {
  const { device } = await stage()
  const anna = device('anna')
  const [one, two, three] = anna.make(workout(uuid()), workout(uuid()), workout(uuid())) as [Entry, Entry, Entry]
  await anna.push(one, two)
  expect(await anna.push(two, three)).toMatchObject({
    decided: 3,
    outcomes: [applied(2, 2, { repeated: true }), applied(3)],
  })
})

test('[I2] a number that is missing stops the batch and names what comes next', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const [one, two, three] = anna.make(workout(uuid()), workout(uuid()), workout(uuid())) as [Entry, Entry, Entry]
  expect(await anna.push(two, three)).toMatchObject({
    status: 200,
    decided: 0,
    outcomes: [],
    stop: { sequence: 2, code: 'gap', expected: 1 },
  })
  await anna.push(one)
  expect(await anna.push(three)).toMatchObject({ decided: 1, outcomes: [], stop: { code: 'gap', expected: 2 } })
  await expectRows(on, 'workouts', 1)
})

test('[I3] an id that was used before for other content is refused, and the sequence goes on', async () => {
  const { device } = await stage()
  const anna = device('anna')
  const id = uuid()
  const [one, two, three] = anna.make([...workout(uuid()), { id }], [...workout(uuid()), { id }], workout(uuid())) as [
    Entry,
    Entry,
    Entry,
  ]
  expect(await anna.push(one, two, three)).toMatchObject({
    decided: 3,
    outcomes: [applied(1), { from: 2, status: 'rejected', code: 'id_reused' }, applied(3)],
  })
  expect(await anna.push(two)).toMatchObject({
    outcomes: [{ from: 2, status: 'rejected', code: 'id_reused', repeated: true }],
  })
})

test('[I3] the order of the keys of arguments does not make other content', async () => {
  const { device } = await stage()
  const anna = device('anna')
  const id = uuid()
  const row = uuid()
  const entries = anna.make(
    ['insertWorkouts', { id: row, ownerId: 'anna', name: 'Legs', done: false }, { id }],
    ['insertWorkouts', { done: false, name: 'Legs', ownerId: 'anna', id: row }, { id }],
  )
  expect(await anna.push(...entries)).toMatchObject({ outcomes: [applied(1), applied(2, 2, { repeated: true })] })
})

test('[I3] an id belongs to its actor: another actor’s intent with the same id is another intent', async () => {
  const { device } = await stage()
  const anna = device('anna')
  const ben = device('ben')
  const id = uuid()
  expect(await anna.call([...workout(uuid(), 'anna'), { id }])).toMatchObject({ outcomes: [applied(1)] })
  expect(await ben.call([...workout(uuid(), 'ben'), { id }])).toMatchObject({ outcomes: [{ status: 'applied' }] })
})

test.each<[string, (anna: Device, entries: Entry[]) => Entry[]]>([
  ['another id', (_anna, [one]) => [{ ...(one as Entry), id: uuid() }]],
  [
    'other content',
    (_anna, [one]) => [{ ...(one as Entry), args: { id: uuid(), ownerId: 'anna', name: 'Other', done: false } }],
  ],
  [
    'a last number below what is decided',
    (anna, [one]) => {
      anna.last = 1
      return [one as Entry]
    },
  ],
])('[I18] a number that was used with %s is answered forked, and nothing is decided', async (_what, change) => {
  const on = await stage()
  const anna = on.device('anna')
  const entries = anna.make(workout(uuid()), workout(uuid()))
  await anna.push(...entries)
  const answer = await anna.push(...change(anna, entries))
  expect(answer).toMatchObject({ status: 409, body: { code: 'forked', phase: 'apply', retryable: false } })
  await expectRows(on, 'workouts', 2)
})

test('[I4] [I18] a copy of a store that goes on from a number which another copy has used is answered forked', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const [one, two] = anna.make(workout(uuid()), workout(uuid()))
  await anna.push(one as Entry)
  const push = (after: string) =>
    on.send(
      '/sync/push',
      { ...anna.caller(), after, intents: [two as Entry] },
      { authorization: 'Bearer anna', 'content-type': 'application/json' },
    )
  expect(await push(uuid())).toMatchObject({ status: 409, body: { code: 'forked' } })
  expect(await push((one as Entry).id)).toMatchObject({ status: 200, body: { decided: 2 } })
  await expectRows(on, 'workouts', 2)
})

test('[I18] a client id that belongs to another actor is answered forked', async () => {
  const { device } = await stage()
  const anna = device('anna')
  await anna.call(workout(uuid()))
  const ben = device('ben')
  ben.client = anna.client
  ben.last = 1
  expect(await ben.push(...ben.make(workout(uuid(), 'ben')))).toMatchObject({ status: 409, body: { code: 'forked' } })
  expect(await ben.page()).toMatchObject({ status: 409, body: { code: 'forked' } })
})

test('[I3] after a rebirth the same ids at new numbers get their recorded outcomes, and the new place keeps them', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const entries = anna.make(workout(uuid()), ['act', { how: 'reject', id: uuid() }], workout(uuid()))
  await anna.push(...entries.slice(0, 2))
  const old = anna.client
  anna.client = uuid()
  const reborn = entries.map((entry) => ({ ...entry, births: [[old, entry.sequence]] }))
  const outcomes = [
    applied(1, 1, { repeated: true }),
    { from: 2, status: 'rejected', code: 'not_today', repeated: true },
  ]
  expect(await anna.push(...reborn)).toMatchObject({ decided: 3, outcomes: [...outcomes, applied(3)] })
  expect(await anna.push(...reborn)).toMatchObject({
    decided: 3,
    outcomes: [...outcomes, applied(3, 3, { repeated: true })],
  })
  expect(await anna.pull()).toMatchObject({
    decided: 3,
    outcomes: [applied(1), { from: 2, status: 'rejected' }, applied(3)],
  })
  await expectRows(on, 'workouts', 2)
})

test('[I3] what the ledger has pruned is answered expired and not run', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const entries = anna.make(workout(uuid()), workout(uuid()))
  await anna.push(...entries)
  on.foreign('UPDATE holdfast_client SET pruned = 1')
  on.foreign('DELETE FROM holdfast_ledger WHERE sequence = 1')
  expect(await anna.push(...entries)).toMatchObject({
    status: 200,
    decided: 2,
    outcomes: [],
    stop: { sequence: 1, code: 'expired' },
  })
  const old = anna.client
  anna.client = uuid()
  const reborn = entries.map((entry) => ({ ...entry, births: [[old, entry.sequence]] }))
  expect(await anna.push(...reborn)).toMatchObject({ decided: 0, outcomes: [], stop: { sequence: 1, code: 'expired' } })
  const withdrawn = { sequence: 1, id: reborn[0]?.id ?? '', withdraw: 'parked' }
  expect(await anna.push(withdrawn, reborn[1] as Entry)).toMatchObject({
    decided: 2,
    outcomes: [{ from: 1, status: 'withdrawn' }, applied(2, 2, { repeated: true })],
  })
  await expectRows(on, 'workouts', 2)
})

test('[I3] births at a client of another actor say nothing about one’s own intents', async () => {
  const on = await stage()
  const [anna, ben] = [on.device('anna'), on.device('ben')]
  await ben.call(workout(uuid(), 'ben'))
  on.foreign('UPDATE holdfast_client SET pruned = 1')
  const [entry] = anna.make(workout(uuid())) as [Entry]
  expect(await anna.push({ ...entry, births: [[ben.client, 1]] })).toMatchObject({ decided: 1, outcomes: [applied(1)] })
})

test('[I2] a withdrawal takes its place, and the intent that arrives after it is not run', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const [late, next] = anna.make(workout(uuid()), workout(uuid())) as [Entry, Entry]
  const withdrawal = { sequence: 1, id: late.id, withdraw: 'discarded' }
  const withdrawn = { from: 1, to: 1, status: 'withdrawn', code: 'discarded', details: { as: 'discarded' } }
  expect(await anna.push(withdrawal, next)).toMatchObject({ decided: 2, outcomes: [withdrawn, applied(2)] })
  expect(await anna.push(late)).toMatchObject({ outcomes: [{ ...withdrawn, repeated: true }] })
  await expectRows(on, 'workouts', 1)
})

test('[I3] a withdrawal that comes too late is answered with what was decided, also at another number', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const [one] = anna.make(workout(uuid())) as [Entry]
  await anna.push(one)
  expect(await anna.push({ sequence: 1, id: one.id, withdraw: 'discarded' })).toMatchObject({
    outcomes: [applied(1, 1, { repeated: true })],
  })
  anna.last = 2
  expect(await anna.push({ sequence: 2, id: one.id, withdraw: 'discarded' })).toMatchObject({
    decided: 2,
    outcomes: [applied(2, 2, { repeated: true })],
  })
  await expectRows(on, 'workouts', 1)
})

test('[I3] an intent in the place of one that was applied gets its outcome; with other content it runs on top; after a refusal it runs', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const id = uuid()
  const [first, refused] = anna.make(workout(id), ['act', { how: 'reject', id: uuid() }]) as [Entry, Entry]
  await anna.push(first, refused)
  // The device has not heard of it: it gives the first one up, and makes it again twice, the second time in the place of the first retry.
  const again = on.device('anna')
  const [, retry, second, other, third] = again.make(
    workout(id),
    workout(id),
    workout(id),
    workout(id, 'anna', 'Arms'),
    ['act', { how: 'apply', id: uuid() }],
  ) as [Entry, Entry, Entry, Entry, Entry]
  const answer = await again.push(
    { sequence: 1, id: first.id, withdraw: 'discarded' },
    { sequence: 2, id: retry.id, withdraw: 'discarded', replaces: first.id },
    { ...second, replaces: retry.id },
    { ...other, replaces: first.id },
    { ...third, replaces: refused.id },
  )
  expect(answer.outcomes).toEqual([
    applied(1, 1, { repeated: true }),
    { from: 2, to: 2, status: 'withdrawn', code: 'discarded', details: { as: 'discarded', applied: first.id } },
    applied(3, 3, { repeated: true }),
    { from: 4, to: 4, status: 'rejected', code: 'row_exists', details: { table: 'workouts', id } },
    applied(5),
  ])
  await expectRows(on, 'workouts', 2)
  // A chain that goes on in a later batch finds its beginning too.
  const [later] = again.make(workout(id)) as [Entry]
  expect((await again.push({ ...later, replaces: retry.id })).outcomes).toEqual([applied(6, 6, { repeated: true })])
})

test('an intent is withdrawn when one that it needs was not applied, in the same batch and later', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const refused = uuid()
  const dependent = uuid()
  const first = await anna.call(
    ['act', { how: 'reject', id: uuid() }, { id: refused }],
    [...workout(uuid()), { id: dependent, needs: [refused] }],
    workout(uuid()),
  )
  expect(first.outcomes).toMatchObject([
    { status: 'rejected' },
    { from: 2, status: 'withdrawn', code: 'dependency', details: { intent: refused } },
    applied(3),
  ])
  const second = await anna.call([...workout(uuid()), { needs: [uuid(), dependent] }])
  expect(second.outcomes).toMatchObject([
    { from: 4, status: 'withdrawn', code: 'dependency', details: { intent: dependent } },
  ])
  await expectRows(on, 'workouts', 1)
})
