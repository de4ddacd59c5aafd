// Faults and versions: what is no outcome, so that a bad deploy refuses nobody's queue.
import { expect, test } from 'vitest'
import { type Entry, type Stage, stage, uuid } from './scenario.ts'

const workout = (id: string, ownerId = 'anna', name = 'Legs') =>
  ['insertWorkouts', { id, ownerId, name, done: false }] as const
const applied = (from: number, to = from, more = {}) => ({ from, to, status: 'applied', ...more })
const counted = ({ foreign }: Stage, table: string) => foreign(`SELECT count(*) AS n FROM ${table}`)

async function expectRows(on: Stage, table: string, n: number): Promise<void> {
  expect(counted(on, table), `rows of ${table}`).toEqual([{ n }])
}

test('[I3] a fault is no outcome: what came before it stands, and once it is mended the intent is decided', async () => {
  let isBroken = true
  const on = await stage({
    mutators: {
      act: async (tx, { id }) => {
        await tx.workouts.insert({ id, ownerId: tx.actor, name: 'half', done: false })
        if (isBroken) throw new Error('a secret of the server')
      },
    },
  })
  const anna = on.device('anna')
  const entries = anna.make(workout(uuid()), ['act', { how: '', id: uuid() }], workout(uuid()))
  const answer = await anna.push(...entries)
  expect(answer).toMatchObject({
    status: 200,
    decided: 1,
    outcomes: [applied(1)],
    stop: { sequence: 2, code: 'fault' },
  })
  expect(answer.stop?.retryAfterMs).toBeGreaterThan(0)
  expect(JSON.stringify(answer.body)).not.toContain('secret')
  expect(on.logged).toMatchObject([
    { level: 'error', message: 'a mutator failed', requestId: answer.requestId, intentId: entries[1]?.id },
  ])
  await expectRows(on, 'workouts', 1)
  isBroken = false
  expect(await anna.push(...entries.slice(1))).toMatchObject({ decided: 3, outcomes: [applied(2, 3)] })
  await expectRows(on, 'workouts', 3)
})

test('a mutator that waits too long is a fault, and what it does later changes nothing', async () => {
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  let late: Promise<unknown> = Promise.resolve()
  const on = await stage({
    tuning: { mutatorTimeoutMs: 20 },
    mutators: {
      act: async (tx, { id }) => {
        await held
        late = tx.workouts.insert({ id, ownerId: tx.actor, name: 'late', done: false })
        await late
      },
    },
  })
  const anna = on.device('anna')
  const entries = anna.make(['act', { how: '', id: uuid() }], workout(uuid()))
  expect(await anna.push(...entries)).toMatchObject({ decided: 0, stop: { sequence: 1, code: 'fault' } })
  release()
  await held
  await expect(late).rejects.toThrow('The mutator is over')
  const ben = on.device('ben')
  expect(await ben.call(workout(uuid(), 'ben'))).toMatchObject({ decided: 1 })
  await expectRows(on, 'workouts', 1)
})

test('a mutator that really waits is waited for', async () => {
  const on = await stage({
    mutators: {
      act: async (tx, { id }) => {
        await new Promise((resolve) => setImmediate(resolve))
        await tx.workouts.insert({ id, ownerId: tx.actor, name: 'waited', done: false })
      },
    },
  })
  expect(await on.device('anna').call(['act', { how: '', id: uuid() }])).toMatchObject({
    decided: 1,
    outcomes: [applied(1)],
  })
  await expectRows(on, 'workouts', 1)
})

test('an unknown mutator or version stops the batch without an outcome', async () => {
  const { device } = await stage()
  const anna = device('anna')
  const first = await anna.call(workout(uuid()), ['dance', {}])
  expect(first).toMatchObject({ decided: 1, outcomes: [applied(1)], stop: { sequence: 2, code: 'version_unknown' } })
  const ben = device('ben')
  expect(await ben.call(['strict', { n: 1 }, { version: 3 }])).toMatchObject({
    decided: 0,
    stop: { code: 'version_unknown' },
  })
  expect(await ben.push({ ...(ben.make(['strict', { text: 'no number' }])[0] as Entry), sequence: 1 })).toMatchObject({
    stop: { code: 'version_unknown' },
  })
})

test('older arguments are upgraded before a run; arguments of this version that do not fit are rejected', async () => {
  const { device } = await stage()
  const answer = await device('anna').call(['strict', { text: '7' }], ['strict', { n: 'seven' }, { version: 2 }])
  expect(answer.outcomes).toMatchObject([
    applied(1),
    { from: 2, status: 'rejected', code: 'arguments_invalid', details: { problems: ['n: does not fit'] } },
  ])
})

test('rules of tx are outcomes: row_exists, row_gone, row_invalid', async () => {
  const { device } = await stage()
  const id = uuid()
  const answer = await device('anna').call(
    workout(id),
    workout(id),
    ['updateWorkouts', { id: uuid(), name: 'x' }],
    ['deleteWorkouts', { id: uuid() }],
    ['insertWorkouts', { id: uuid(), ownerId: ' ', name: '', done: true }],
  )
  expect(answer.outcomes.map(({ status, code }) => code ?? status)).toEqual([
    'applied',
    'row_exists',
    'row_gone',
    'row_gone',
    'row_invalid',
  ])
})
