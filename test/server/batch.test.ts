// What happens inside a batch: reading one's own writes, taking back what is rejected, constraints, merged commits, bounds.
import { expect, test } from 'vitest'
import { createDeferred } from '../../src/base/deferred.ts'
import { refuse } from './bases.ts'
import { type Entry, type Stage, stage, uuid } from './scenario.ts'

const workout = (id: string, ownerId = 'anna', name = 'Legs') =>
  ['insertWorkouts', { id, ownerId, name, done: false }] as const
const applied = (from: number, to = from, more = {}) => ({ from, to, status: 'applied', ...more })
const counted = ({ foreign }: Stage, table: string) => foreign(`SELECT count(*) AS n FROM ${table}`)

async function expectRows(on: Stage, table: string, n: number): Promise<void> {
  expect(counted(on, table), `rows of ${table}`).toEqual([{ n }])
}

test('[I13] an intent that writes more than its bounds is rejected: rows, bytes', async () => {
  const on = await stage({
    tuning: { mutatorTimeoutMs: 60_000 },
    mutators: {
      renameAll: async (tx) => {
        for (let n = 0; n <= 10_000; n++)
          await tx.workouts.insert({ id: `w${n}`, ownerId: tx.actor, name: '', done: false })
      },
    },
  })
  const answer = await on.device('anna').call(['renameAll', { name: '' }])
  expect(answer.outcomes).toMatchObject([{ status: 'rejected', code: 'too_large' }])
  const big = { id: uuid(), ownerId: 'anna', name: '"'.repeat(200_000), note: '\u0001'.repeat(150_000), done: false }
  const ben = on.device('ben')
  expect(await on.authority.run('anna', 'insertWorkouts', big)).toMatchObject({
    status: 'rejected',
    code: 'row_invalid',
  })
  expect(await ben.call(workout(uuid(), 'ben'))).toMatchObject({ decided: 1 })
  await expectRows(on, 'workouts', 1)
})

test('each intent reads the writes of those before it in the batch, by id and by query', async () => {
  const on = await stage()
  const anna = on.device('anna')
  const [a, b, c] = [uuid(), uuid(), uuid()]
  const answer = await anna.call(
    workout(a),
    ['updateWorkouts', { id: a, note: 'first' }],
    workout(b),
    ['renameAll', { name: 'Both' }],
    workout(c),
    ['deleteWorkouts', { id: b }],
    ['renameAll', { name: 'Rest' }],
  )
  expect(answer).toMatchObject({ decided: 7, outcomes: [applied(1, 7)] })
  expect(on.foreign('SELECT id, name, note FROM workouts ORDER BY id')).toEqual([
    { id: a, name: 'Rest', note: 'first' },
    { id: c, name: 'Rest', note: null },
  ])
})

test('what a rejected intent wrote is taken back, also when it had to be flushed for its own query', async () => {
  const on = await stage({
    mutators: {
      renameAll: async (tx, { name }) => {
        for (const { id } of await tx.workouts.where({}).all()) await tx.workouts.update(id, { name })
        await tx.workouts.insert({ id: `${name}-1`, ownerId: tx.actor, name, done: false })
        const found = await tx.workouts.where({ name }).orderBy('id').all()
        if (name === 'No') tx.reject('no', { seen: found.length })
      },
    },
  })
  const anna = on.device('anna')
  const id = uuid()
  const answer = await anna.call(
    workout(id),
    ['renameAll', { name: 'No' }],
    ['renameAll', { name: 'Yes' }],
    ['updateWorkouts', { id, note: 'after' }],
  )
  expect(answer.outcomes).toMatchObject([
    applied(1),
    { status: 'rejected', code: 'no', details: { seen: 2 } },
    applied(3, 4),
  ])
  expect(on.foreign('SELECT id, name, note FROM workouts ORDER BY id')).toEqual([
    { id, name: 'Yes', note: 'after' },
    { id: 'Yes-1', name: 'Yes', note: null },
  ])
})

test('tx.sql sees the writes of its batch, is undone with its intent, and cannot end the transaction', async () => {
  const on = await stage({
    mutators: {
      act: async (tx, { how, id }) => {
        await tx.workouts.insert({ id, ownerId: tx.actor, name: 'plain', done: false })
        const [row] = await tx.sql('SELECT count(*) AS n FROM workouts WHERE "ownerId" = ?', [tx.actor])
        await tx.sql('UPDATE workouts SET done = ?, name = ? WHERE id = ?', [true, `seen ${row?.['n']}`, id])
        expect(await tx.workouts.get(id)).toMatchObject({ done: true })
        if (how === 'reject') tx.reject('no')
        if (how === 'commit') await tx.sql('-- done\n /* now */ commit')
      },
    },
  })
  const anna = on.device('anna')
  const [a, b, c] = [uuid(), uuid(), uuid()]
  const answer = await anna.call(
    workout(a),
    ['act', { how: 'reject', id: b }],
    ['act', { how: '', id: c }],
    ['act', { how: 'commit', id: uuid() }],
  )
  expect(answer).toMatchObject({
    decided: 3,
    outcomes: [applied(1), { status: 'rejected', code: 'no' }, applied(3)],
    stop: { sequence: 4, code: 'fault' },
  })
  expect(on.foreign('SELECT id, name, done FROM workouts ORDER BY id')).toEqual([
    { id: a, name: 'Legs', done: 0 },
    { id: c, name: 'seen 2', done: 1 },
  ])
  await anna.pull()
  expect(anna.rows('workouts')).toMatchObject([{ id: a }, { id: c, name: 'seen 2', done: true }])
})

test('[I10] a constraint decides the intent that met it and no other', async () => {
  const on = await stage()
  on.foreign('CREATE UNIQUE INDEX one_name ON workouts (ownerId, name)')
  const anna = on.device('anna')
  const ben = on.device('ben')
  const [a, b, c] = [uuid(), uuid(), uuid()]
  const [answer, other] = await Promise.all([
    anna.call(
      workout(a, 'anna', 'A'),
      workout(b, 'anna', 'A'),
      workout(c, 'anna', 'C'),
      ['updateWorkouts', { id: c, name: 'A' }],
      ['updateWorkouts', { id: c, note: 'kept' }],
    ),
    ben.call(workout(uuid(), 'ben', 'A')),
  ])
  const refused = (from: number) => ({ from, status: 'rejected', code: 'constraint', details: { kind: 'unique' } })
  expect(answer).toMatchObject({ decided: 5, outcomes: [applied(1), refused(2), applied(3), refused(4), applied(5)] })
  expect(other).toMatchObject({ decided: 1, outcomes: [applied(1)] })
  expect(on.foreign("SELECT id, name, note FROM workouts WHERE ownerId = 'anna' ORDER BY id")).toEqual([
    { id: a, name: 'A', note: null },
    { id: c, name: 'C', note: 'kept' },
  ])
})

test('[I10] the culprit is found also when a later intent’s query, or a new look at the grants, met the constraint first', async () => {
  const on = await stage({
    grants: async (actor, tx) => {
      await tx.members.where({ userId: actor }).all()
      return { read: [`user:${actor}`], write: [`user:${actor}`, 'gym:oak'] }
    },
  })
  on.foreign('CREATE UNIQUE INDEX one_name ON workouts (ownerId, name)')
  const refused = { from: 2, status: 'rejected', code: 'constraint' }
  const twins = (actor: string) => [workout(uuid(), actor, 'A'), workout(uuid(), actor, 'A')] as const
  expect(await on.device('anna').call(...twins('anna'), ['renameAll', { name: 'B' }])).toMatchObject({
    outcomes: [applied(1), refused, applied(3)],
  })
  const member = ['insertMembers', { id: uuid(), gymId: 'oak', userId: 'ben', role: 'staff' }] as const
  expect(await on.device('ben').call(...twins('ben'), member, workout(uuid(), 'ben', 'C'))).toMatchObject({
    outcomes: [applied(1), refused, applied(3, 4)],
  })
})

test('[I10] a unique value may pass from one row to another within a batch', async () => {
  const on = await stage()
  on.foreign('CREATE UNIQUE INDEX one_name ON workouts (ownerId, name)')
  const anna = on.device('anna')
  const [a, b, c] = [uuid(), uuid(), uuid()]
  await anna.call(workout(a, 'anna', 'A'), workout(b, 'anna', 'B'))
  const answer = await anna.call(
    ['deleteWorkouts', { id: a }],
    ['updateWorkouts', { id: b, name: 'A' }],
    workout(c, 'anna', 'B'),
  )
  expect(answer).toMatchObject({ decided: 5, outcomes: [applied(3, 5)] })
})

test('a constraint that a mutator’s own SQL meets decides it, even when the mutator catches the error', async () => {
  const on = await stage({
    mutators: {
      act: async (tx, { id }) => {
        await tx
          .sql('INSERT INTO sets (id, "workoutId", reps, kg) VALUES (?, ?, 9007199254740993, 1)', [id, id])
          .catch(() => undefined)
      },
    },
  })
  expect(
    await on.device('anna').call(workout(uuid()), ['act', { how: '', id: uuid() }], workout(uuid())),
  ).toMatchObject({
    decided: 3,
    outcomes: [applied(1), { from: 2, status: 'rejected', code: 'constraint', details: { kind: 'check' } }, applied(3)],
  })
})

test('batches of different devices that wait are merged, and a bad one hurts no other', async () => {
  const on = await stage()
  const devices = Array.from({ length: 20 }, (_, n) => on.device(`actor${n}`))
  const answers = await Promise.all(
    devices.map((device, n) =>
      n % 5 === 4
        ? device.push({ ...(device.make(workout(uuid(), device.actor))[0] as Entry), sequence: 1, id: 'no uuid' })
        : device.call(workout(uuid(), device.actor), workout(uuid(), device.actor)),
    ),
  )
  for (const [n, answer] of answers.entries())
    expect(answer, `device ${n}`).toMatchObject(n % 5 === 4 ? { status: 400 } : { decided: 2 })
  await expectRows(on, 'workouts', 32)
})

test('[I10] when what intents changed cannot be committed, the one that cannot is told from the others', async () => {
  const on = await stage()
  // A total that the aggregate’s table refuses: adoption fails, after every mutator has been content.
  const lift = refuse(on.path, 'INSERT', 'workoutTotals', 'NEW.volume > 1000', 'too heavy')
  const anna = on.device('anna')
  const [light, heavy] = [uuid(), uuid()]
  await anna.call(workout(light), workout(heavy))
  const entries = anna.make(
    ['insertSets', { id: uuid(), workoutId: light, reps: 1, kg: 1 }],
    ['insertSets', { id: uuid(), workoutId: heavy, reps: 1, kg: 2_000 }],
    ['insertSets', { id: uuid(), workoutId: light, reps: 1, kg: 2 }],
  )
  expect(await anna.push(...entries)).toMatchObject({
    decided: 3,
    outcomes: [applied(3)],
    stop: { sequence: 4, code: 'fault' },
  })
  expect(on.foreign('SELECT count(*) AS n FROM sets')).toEqual([{ n: 1 }])
  lift()
  expect(await anna.push(...entries.slice(1))).toMatchObject({ decided: 5, outcomes: [applied(4, 5)] })
})

test('[I18] a stranger who uses another’s client id hears nothing of it, even while nothing can be committed', async () => {
  const on = await stage()
  const [anna, ben] = [on.device('anna'), on.device('ben')]
  const w = uuid()
  await anna.call(workout(w))
  refuse(on.path, 'INSERT', 'workoutTotals', 'NEW.id IS NOT NULL', 'no totals')
  on.foreign('INSERT INTO sets (id, workoutId, reps, kg) VALUES (?, ?, 1, 1)', uuid(), w)
  ben.client = anna.client
  const refused = { status: 409, body: { code: 'forked' } }
  expect(await ben.push(...ben.make(workout(uuid(), 'ben')))).toMatchObject(refused)
  expect(await ben.push()).toMatchObject(refused)
})

test('an empty push says how far the authority is and leaves no trace', async () => {
  const on = await stage()
  const anna = on.device('anna')
  expect(await anna.push()).toMatchObject({ status: 200, decided: 0, outcomes: [] })
  expect(counted(on, 'holdfast_client')).toEqual([{ n: 0 }])
})

test('what a mutator began and did not await belongs to its intent, and ends no process', async () => {
  const on = await stage({
    mutators: {
      act: async (tx, { how, id }) => {
        void tx.workouts
          .insert({ id, ownerId: tx.actor, name: 'Legs', done: false })
          .then(() => tx.workouts.update(id, { name: 'Arms' }))
        void tx.workouts.delete('nothing')
        void tx.sql('no SQL at all').catch(() => undefined)
        if (how === 'reject') tx.reject('no')
      },
    },
  })
  const [a, b] = [uuid(), uuid()]
  const answer = await on
    .device('anna')
    .call(['act', { how: '', id: a }], ['act', { how: 'reject', id: b }], ['updateWorkouts', { id: a, note: 'next' }])
  expect(answer.outcomes).toMatchObject([applied(1), { status: 'rejected', code: 'no' }, applied(3)])
  expect(on.foreign('SELECT id, name, note FROM workouts')).toEqual([{ id: a, name: 'Arms', note: 'next' }])
})

test('[I13] the queue of the writer has a limit, and who comes then is told to come again', async () => {
  const held = createDeferred<void>()
  const on = await stage({
    tuning: { waitingBatches: 2 },
    mutators: {
      act: () => held.promise,
    },
  })
  const pushed = ['a', 'b', 'c'].map((actor) => on.device(actor).call(['act', { how: '', id: uuid() }]))
  const answers = await Promise.all([pushed[2], held.resolve(), pushed[0], pushed[1]])
  expect(answers[0]).toMatchObject({
    status: 503,
    headers: { 'retry-after': '1' },
    body: { code: 'unavailable', retryable: true },
  })
  expect([answers[2], answers[3]]).toMatchObject([{ decided: 1 }, { decided: 1 }])
})
