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

test('[I18] a client id that belongs to another actor is answered forked', async () => {
  const { device } = await stage()
  const anna = device('anna')
  await anna.call(workout(uuid()))
  const ben = device('ben')
  ben.client = anna.client
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

test('[I13] an intent that writes more than its bounds is rejected: rows, bytes', async () => {
  const on = await stage({
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
        const [row] = await tx.sql('SELECT count(*) AS n FROM workouts WHERE ownerId = ?', [tx.actor])
        await tx.sql('UPDATE workouts SET done = ?, name = ? WHERE id = ?', [true, `seen ${row?.['n']}`, id])
        expect(await tx.workouts.get(id)).toMatchObject({ done: true })
        if (how === 'reject') tx.reject('no')
        if (how === 'commit') await tx.sql(' commit')
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
          .sql("INSERT INTO workouts (id, ownerId, name, done) VALUES (?, ?, 'sql', 7)", [id, tx.actor])
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
  on.foreign(
    "CREATE TRIGGER too_heavy BEFORE INSERT ON workoutTotals WHEN NEW.volume > 1000 BEGIN SELECT RAISE(ABORT, 'too heavy'); END",
  )
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
  on.foreign('DROP TRIGGER too_heavy')
  expect(await anna.push(...entries.slice(1))).toMatchObject({ decided: 5, outcomes: [applied(4, 5)] })
})

test('an empty push says how far the authority is and leaves no trace', async () => {
  const on = await stage()
  const anna = on.device('anna')
  expect(await anna.push()).toMatchObject({ status: 200, decided: 0, outcomes: [] })
  expect(counted(on, 'holdfast_client')).toEqual([{ n: 0 }])
})
