// The rules of the transaction, over a source of rows in a map: what each verb demands, writes and refuses.
import type { App, Tx } from 'holdfast'
import { describe, expect, test } from 'vitest'
import { jsonProblem } from '../../src/base/json.ts'
import { comparatorOf, matches } from '../../src/schema/query.ts'
import type { Row } from '../../src/schema/table.ts'
import { createTx, MAX_DETAILS_LENGTH, Rejection, type TxSource } from '../../src/schema/tx.ts'
import { app } from './workouts.ts'

const rootId = '6ba7b810-9dad-41d1-80b4-00c04fd430c8'
const workout = { id: 'w1', ownerId: '42', name: 'Legs', startedAt: 5, isDone: false }
const set = { id: 's1', workoutId: 'w1', exercise: 'Squat', reps: 5, kg: 100 }

function world(rows: { readonly [key: string]: Row } = {}) {
  const held = new Map(Object.entries(rows))
  const source: TxSource = {
    get: (table, id) => held.get(`${table}/${id}`),
    taken: (table, id) => held.has(`${table}/${id}`),
    find: ({ table, where, orderBy, limit }) =>
      [...held]
        .filter(([key, row]) => key.startsWith(`${table}/`) && matches(where, row))
        .map(([, row]) => row)
        .sort(comparatorOf(orderBy))
        .slice(0, limit),
    insert: (table, row) => void held.set(`${table}/${row.id}`, row),
    update: (table, _before, after) => void held.set(`${table}/${after.id}`, after),
    delete: (table, before) => void held.delete(`${table}/${before.id}`),
  }
  const tx = createTx(app as unknown as App, source, { actor: '42', madeAt: 1_000, rootId })
  return { tx: tx as unknown as Tx<typeof app.tables>, held, source }
}

const rejectionOf = async (verb: () => Promise<unknown>): Promise<Rejection> => {
  const error = await verb().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(Rejection)
  return error as Rejection
}

describe('insert', () => {
  test('keeps a whole row: declared columns, null where one was left out, no position', async () => {
    const { tx, held } = world()
    await tx.workouts.insert(workout)
    await tx.sets.insert({ ...set, rpe: undefined } as unknown as typeof set)
    expect(held.get('workouts/w1')).toEqual({ ...workout, note: null, extra: null })
    expect(held.get('sets/s1')).toEqual({ ...set, rpe: null })
    expect(Object.keys(held.get('sets/s1') ?? {})).toEqual(['id', 'workoutId', 'exercise', 'reps', 'kg', 'rpe'])
  })

  test('rejects with row_exists where the id is taken, and changes nothing', async () => {
    const { tx, held } = world({ 'sets/s1': { ...set, reps: 9 } })
    const { code, details } = await rejectionOf(() => tx.sets.insert(set))
    expect({ code, details }).toEqual({ code: 'row_exists', details: { table: 'sets', id: 's1' } })
    expect(held.get('sets/s1')).toMatchObject({ reps: 9 })
  })

  test('rejects with row_invalid and the column that does not fit', async () => {
    const { tx, held } = world()
    const { code, details } = await rejectionOf(() => tx.sets.insert({ ...set, reps: 1.5 }))
    expect({ code, details }).toEqual({
      code: 'row_invalid',
      details: { table: 'sets', id: 's1', problem: expect.stringMatching(/^reps must be a whole number/) },
    })
    expect(held.size).toBe(0)
  })
})

describe('update', () => {
  test('changes the columns that are named; undefined names nothing', async () => {
    const { tx, held } = world({ 'sets/s1': { ...set, rpe: 8 } })
    await tx.sets.update('s1', { reps: 6, kg: undefined, rpe: null } as unknown as { reps: number })
    expect(held.get('sets/s1')).toEqual({ ...set, reps: 6, rpe: null })
  })

  test('[I3] of an absent row is row_gone: nothing resurrects a row silently', async () => {
    const { tx, held } = world()
    const { code, details } = await rejectionOf(() => tx.sets.update('s1', { reps: 6 }))
    expect({ code, details }).toEqual({ code: 'row_gone', details: { table: 'sets', id: 's1' } })
    expect(held.size).toBe(0)
  })

  test('refuses a position, another id, an unknown column', async () => {
    const { tx } = world({ 'sets/s1': set })
    for (const patch of [{ position: 1 }, { id: 's2' }, { weight: 3 }])
      expect((await rejectionOf(() => tx.sets.update('s1', patch as object))).code).toBe('row_invalid')
  })
})

describe('delete, get and where', () => {
  test('delete takes a row away once', async () => {
    const { tx, held } = world({ 'sets/s1': set })
    await tx.sets.delete('s1')
    expect(held.size).toBe(0)
    expect((await rejectionOf(() => tx.sets.delete('s1'))).code).toBe('row_gone')
  })

  test('get gives the row or undefined; where answers by condition, order and limit', async () => {
    const { tx } = world({
      'sets/s1': set,
      'sets/s2': { ...set, id: 's2', kg: 120 },
      'sets/s3': { ...set, id: 's3', workoutId: 'w2' },
    })
    expect(await tx.sets.get('s1')).toEqual(set)
    expect(await tx.sets.get('s9')).toBeUndefined()
    const ofW1 = tx.sets.where({ workoutId: 'w1' })
    expect((await ofW1.orderBy('kg', 'desc').all()).map(({ id }) => id)).toEqual(['s2', 's1'])
    expect((await ofW1.where({ kg: { lt: 110 } }).all()).map(({ id }) => id)).toEqual(['s1'])
    expect((await ofW1.orderBy('kg', 'desc').first())?.id).toBe('s2')
    expect(await ofW1.limit(0).first()).toBeUndefined()
    expect(await ofW1.limit(1).all()).toHaveLength(1)
    expect(() => ofW1.limit(-1)).toThrow(/whole number of rows/)
    expect(() => ofW1.orderBy('kg', 'up' as never)).toThrow(/asc and desc/)
    expect(() => tx.sets.where({ kg: [] as never })).toThrow(/array/)
  })
})

describe('the rest of a transaction', () => {
  test('newId comes from the root and the label alone: the same on every run, here and there', () => {
    const first = world().tx
    const again = world().tx
    expect(first.newId('set 1')).toBe(again.newId('set 1'))
    again.newId('set 0')
    expect(again.newId('set 1')).toBe(first.newId('set 1'))
    expect(first.newId('set 2')).not.toBe(first.newId('set 1'))
    expect(first.newId('')).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('each has tables of its own, each made once, also under a copy that a mutator made of it', async () => {
    const { tx: first } = world({ 'sets/s1': set })
    const { tx: second } = world()
    const { sets } = { ...second }
    expect(await sets.get('s1')).toBeUndefined()
    expect(await first.sets.get('s1')).toEqual(set)
    expect(first.sets).toBe(first.sets)
    expect(sets).toBe(second.sets)
    expect(Object.keys(first)).toEqual(expect.arrayContaining(['actor', 'now', ...Object.keys(app.tables)]))
  })

  test('tells who made the intent and when, and has sql only where there is a database', async () => {
    const { tx } = world()
    expect([tx.actor, tx.now]).toEqual(['42', 1_000])
    await expect(tx.sql('SELECT 1')).rejects.toThrow(/only at the authority: give the mutator another body there/)
  })

  test('reject refuses on purpose, with a code and details that fit on the wire', () => {
    const { tx } = world()
    const rejected = (details?: unknown) => () => tx.reject('too_heavy', details as never)
    expect(rejected()).toThrow(Rejection)
    expect(rejected({ max: 200, list: ['a'] })).toThrow(/rejected the intent: too_heavy/)
    for (const code of ['', 'Too', 'a b', 'x'.repeat(65), '1a', 'é']) expect(() => tx.reject(code)).toThrow(TypeError)
    for (const details of [
      null,
      'text',
      [1],
      5,
      { at: new Date(0) },
      { a: undefined },
      { text: '\ud83d' },
      { big: 'x'.repeat(MAX_DETAILS_LENGTH) },
    ])
      expect(rejected(details), JSON.stringify(details)?.slice(0, 40)).toThrow(/tx\.reject: in details/)
  })

  test('[I12] no rejection has details that a decoder would refuse, whatever the mutator named', async () => {
    const half = `x\ud83d`
    const { tx } = world({ [`sets/${half}`]: { ...set, id: half } })
    for (const rejection of [
      await rejectionOf(() => tx.sets.update('\ud83d\u0000', {})),
      await rejectionOf(() => tx.sets.delete('y'.repeat(1_000_000))),
      await rejectionOf(() => tx.sets.insert({ ...set, id: half })),
      await rejectionOf(() => tx.sets.insert({ ...set, [`\udc00${'k'.repeat(9_000)}`]: 1 } as typeof set)),
      await rejectionOf(() => tx.sets.delete(undefined as never)),
      new Rejection('x', { text: '\ud83d' }),
      new Rejection('x', null as never),
    ]) {
      expect(jsonProblem(rejection.details)).toBeUndefined()
      expect(JSON.stringify(rejection.details).length).toBeLessThanOrEqual(MAX_DETAILS_LENGTH)
    }
  })

  test('a verb that nobody awaits does not end the process when it rejects', async () => {
    const unheard: unknown[] = []
    const listen = (error: unknown) => unheard.push(error)
    process.on('unhandledRejection', listen)
    try {
      const { tx, source } = world({ 'sets/s1': set })
      void tx.sets.insert(set)
      void tx.sets.update('nothing', {})
      void tx.sets.delete('nothing')
      const failing = createTx(
        app as unknown as App,
        {
          ...source,
          get: () => {
            throw new Error('no')
          },
          find: () => {
            throw new Error('no')
          },
        },
        { actor: 'a', madeAt: 0, rootId },
      ) as unknown as typeof tx
      void failing.sets.get('s1')
      void failing.sets.where({}).all()
      void failing.sets.where({}).first()
      await new Promise((resolve) => setImmediate(resolve))
      expect(unheard).toEqual([])
      void Promise.reject(new Error('the guard sees this one'))
      await new Promise((resolve) => setImmediate(resolve))
      expect(unheard).toHaveLength(1)
    } finally {
      process.off('unhandledRejection', listen)
    }
  })
})
