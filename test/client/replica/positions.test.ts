// Positions that the authority has not given yet: counted on from the highest confirmed one, in pending order, as the authority will.
// That they equal a full recount in every case is rebase.test.ts; here is what it looks like.
import { defineApp, t, table } from 'holdfast'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { createReplica, type PendingIntent, type Replica } from '../../../src/client/replica/replica.ts'
import { app, frame, intent, patch, set, workout } from './app.ts'

const log = (id: string, workoutId: string): PendingIntent =>
  intent('logSet', { id, workoutId, exercise: 'Squat', reps: 5, kg: 100 })
const positions = (replica: Replica): { readonly [id: string]: unknown } =>
  Object.fromEntries(
    [...replica.rows('sets')].sort((a, b) => (a.id < b.id ? -1 : 1)).map((row) => [row.id, row['position']]),
  )

const start = async (): Promise<Replica> => {
  const replica = createReplica(app, 'ada')
  await replica.confirm(
    frame(0, [
      patch('ada', 0, 1, {
        rows: { workouts: [workout('w'), workout('v')], sets: [set('a', 'w', 1), set('b', 'w', 4)] },
      }),
    ]),
    new Set(),
  )
  return replica
}

test('new rows are counted on from the highest confirmed position under their parent', async () => {
  const replica = await start()
  for (const [id, parent] of [
    ['x', 'w'],
    ['y', 'v'],
    ['z', 'w'],
  ] as const)
    await replica.run(log(id, parent), 'call')
  expect(positions(replica)).toEqual({ a: 1, b: 4, x: 5, y: 1, z: 6 })
  expect(['a', 'x', 'y'].map((id) => replica.provisionalOf('sets', id))).toEqual([[], ['position'], ['position']])
})

test('a row that moves is counted under its new parent, and what came after it moves up', async () => {
  const replica = await start()
  await replica.run(log('x', 'w'), 'call')
  await replica.run(log('y', 'w'), 'call')
  const move = intent('moveSet', { id: 'x', workoutId: 'v' })
  const commits: unknown[] = []
  replica.onCommit(({ changes }) =>
    commits.push(
      Object.fromEntries(
        [...(changes.get('sets') ?? [])].map(([id, { before, after }]) => [
          id,
          [before?.['position'], after?.['position']],
        ]),
      ),
    ),
  )
  await replica.run(move, 'call')
  expect(positions(replica)).toEqual({ a: 1, b: 4, x: 1, y: 5 })
  await replica.run(intent('moveSet', { id: 'b', workoutId: 'v' }), 'call')
  expect(positions(replica)).toEqual({ a: 1, b: 2, x: 1, y: 2 })
  // Rows that nobody wrote are told of when their position is another.
  expect(commits).toEqual([
    { x: [5, 1], y: [6, 5] },
    { b: [4, 2], y: [5, 2] },
  ])
  await replica.drop(new Set([move.id]))
  expect(positions(replica)).toEqual({ a: 1, b: 1, x: 2, y: 3 })
})

test('a foreign row that takes the next position pushes the provisional ones on', async () => {
  const replica = await start()
  const mine = [log('x', 'w'), log('y', 'w')]
  for (const made of mine) await replica.run(made, 'call')
  await replica.confirm(frame(0, [patch('ada', 1, 2, { rows: { sets: [set('foreign', 'w', 5)] } })]), new Set())
  expect(positions(replica)).toEqual({ a: 1, b: 4, foreign: 5, x: 6, y: 7 })
  await replica.confirm(
    frame(1, [patch('ada', 2, 3, { rows: { sets: [set('x', 'w', 6)] }, gone: { sets: ['foreign'] } })]),
    new Set([mine[0]?.id as never]),
  )
  expect(positions(replica)).toEqual({ a: 1, b: 4, x: 6, y: 7 })
  expect(replica.provisionalOf('sets', 'x')).toEqual([])
  // The highest one goes: the next highest counts.
  await replica.confirm(frame(1, [patch('ada', 3, 4, { gone: { sets: ['x', 'b'] } })]), new Set())
  expect(positions(replica)).toEqual({ a: 1, y: 2 })
})

test('a row that is deleted and logged again is a new one', async () => {
  const replica = await start()
  await replica.run(log('x', 'w'), 'call')
  await replica.run(intent('deleteSet', { id: 'b' }), 'call')
  expect(positions(replica)).toEqual({ a: 1, x: 2 })
  await replica.run(log('b', 'w'), 'call')
  expect(positions(replica)).toEqual({ a: 1, b: 3, x: 2 })
})

test('[I11] within one run a row comes under its parent when it is moved there, not when it was first changed', async () => {
  const mixed = defineApp({
    tables: app.tables,
    mutators: ({ mutator }) => ({
      mix: mutator(v.object({}), async (tx) => {
        await tx.sets.update('b', { reps: 6 })
        await tx.sets.insert({ id: 'x', workoutId: 'v', exercise: 'Squat', reps: 5, kg: 100 })
        await tx.sets.update('b', { workoutId: 'v' })
      }),
    }),
  })
  const replica = createReplica(mixed, 'ada')
  const rows = { workouts: [workout('w'), workout('v')], sets: [set('a', 'w', 1), set('b', 'w', 4)] }
  await replica.confirm(frame(0, [patch('ada', 0, 1, { rows })]), new Set())
  await replica.run(intent('mix', {}), 'call')
  expect(positions(replica)).toEqual({ a: 1, b: 2, x: 1 })
})

test('mutators neither see positions nor may ask for them', async () => {
  const seen: unknown[] = []
  const spying = defineApp({
    tables: app.tables,
    mutators: ({ mutator }) => ({
      look: mutator(v.object({ column: v.string() }), async (tx, { column }) => {
        seen.push(await tx.sets.get('a'), await tx.sets.where({ [column]: 'w' }).all())
      }),
    }),
  })
  const replica = createReplica(spying, 'ada')
  await replica.confirm(frame(0, [patch('ada', 0, 1, { rows: { sets: [set('a', 'w', 1)] } })]), new Set())
  await replica.run(intent('look', { column: 'workoutId' }), 'call')
  const row = { id: 'a', workoutId: 'w', exercise: 'Squat', reps: 5, kg: 100 }
  expect(seen).toEqual([row, [row]])
  expect(await replica.run(intent('look', { column: 'position' }), 'call')).toMatchObject({
    kept: false,
    error: { message: expect.stringContaining('position is given by the authority') },
  })
})

test('under never-reuse what the authority has given counts, also where a pending intent takes it away', async () => {
  const lists = table({ id: t.id(), owner: t.text() }).scope('user', 'owner')
  const make = (gaps: 'keep' | 'never-reuse') =>
    defineApp({
      tables: {
        lists,
        entries: table({
          id: t.id(),
          listId: t.ref('lists'),
          position: t.appendIndex('listId', { gaps }),
        }).scopeVia('listId'),
      },
      mutators: ({ generated }) => ({ ...generated('entries') }),
    })
  const shown: unknown[] = []
  for (const gaps of ['keep', 'never-reuse'] as const) {
    const replica = createReplica(make(gaps), 'ada')
    const rows = { lists: [{ id: 'l', owner: 'ada' }], entries: [{ id: 'a', listId: 'l', position: 4 }] }
    await replica.confirm(frame(0, [patch('ada', 0, 1, { rows })]), new Set())
    await replica.run(intent('deleteEntries', { id: 'a' }), 'call')
    await replica.run(intent('insertEntries', { id: 'b', listId: 'l' }), 'call')
    await replica.run(intent('insertEntries', { id: 'a', listId: 'l' }), 'call')
    shown.push([...replica.rows('entries')].map(({ id, position }) => [id, position]))
  }
  expect(shown.map((rows) => Object.fromEntries(rows as [string, number][]))).toEqual([
    { b: 1, a: 2 },
    { b: 5, a: 6 },
  ])
})
