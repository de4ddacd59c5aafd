// The order of rows under their parents: as they came there by decided intents, inserted or moved, however intents are put into
// batches, flushes and commits.
import fc from 'fast-check'
import { count, defineApp, t, table } from 'holdfast'
import { createAuthority } from 'holdfast/server'
import { expect, onTestFinished, test } from 'vitest'
import { freshBase, onPostgres, openBase, refuse } from './bases.ts'
import { anything, type Call, type Stage, stage, uuid } from './scenario.ts'

type Step =
  | { readonly do: 'insert' | 'move'; readonly id: string; readonly to: string }
  | { readonly do: 'delete'; readonly id: string }
  | { readonly do: 'change'; readonly id: string }
  /** Moves a row with a query before and one after, for which what was written before has to be in SQL. */
  | { readonly do: 'ask'; readonly id: string; readonly to: string }
  /** Takes a row away, brings it back, adds another, and is refused in the end; or the same with a query on the way. */
  | { readonly do: 'refused' | 'refused late'; readonly id: string; readonly to: string }

const insert = (id: string, to: string): Step => ({ do: 'insert', id, to })
const move = (id: string, to: string): Step => ({ do: 'move', id, to })
const take = (id: string): Step => ({ do: 'delete', id })
const change = (id: string): Step => ({ do: 'change', id })
const refused = (id: string, to: string): Step => ({ do: 'refused', id, to })
const refusedLate = (id: string, to: string): Step => ({ do: 'refused late', id, to })
const ask = (id: string, to: string): Step => ({ do: 'ask', id, to })

function callOf(step: Step): Call {
  switch (step.do) {
    case 'insert':
      return ['insertSets', { id: step.id, workoutId: step.to, reps: 1, kg: 1 }]
    case 'move':
      return ['updateSets', { id: step.id, workoutId: step.to }]
    case 'delete':
      return ['deleteSets', { id: step.id }]
    case 'change':
      return ['updateSets', { id: step.id, kg: 2 }]
    case 'ask':
    case 'refused':
    case 'refused late':
      return ['act', { how: `${step.do} ${step.to}`, id: step.id }]
  }
}

/** What ought to become of the lists: whoever comes goes to the end, and only what is allowed happens. */
function play(lists: ReadonlyMap<string, string[]>, steps: readonly Step[]): void {
  const listOf = (id: string) => [...lists.values()].find((list) => list.includes(id))
  for (const step of steps) {
    if (step.do === 'refused' || step.do === 'refused late' || step.do === 'change') continue
    const from = listOf(step.id)
    const to = step.do === 'delete' ? undefined : lists.get(step.to)
    if ((step.do === 'insert') === (from !== undefined) || from === to) continue
    from?.splice(from.indexOf(step.id), 1)
    to?.push(step.id)
  }
}

const open = (): Promise<Stage> =>
  stage({
    grants: () => ({ read: ['user:anna'], write: ['user:anna', 'gym:oak'] }),
    mutators: {
      act: async (tx, { how, id }) => {
        const row = await tx.sets.get(id)
        if (row === undefined) return tx.reject('no')
        const workoutId = how.slice(-1)
        if (how.startsWith('ask')) {
          await tx.sets.update(id, { kg: 3 })
          await tx.sets.where({ kg: 3 }).all()
          await tx.sets.update(id, { workoutId })
          await tx.sets.where({ kg: 3 }).all()
          return
        }
        await tx.sets.update(id, { workoutId })
        await tx.sets.delete(id)
        await tx.sets.insert({ id: `${id} and more`, workoutId: row.workoutId, reps: 1, kg: 1 })
        if (how.startsWith('refused late')) await tx.sets.where({}).all()
        await tx.sets.insert(row)
        return tx.reject('no')
      },
    },
  })

function listsOn({ foreign }: Stage): Map<string, string[]> {
  const lists = new Map<string, string[]>()
  for (const row of foreign('SELECT id FROM workouts')) lists.set((row as { readonly id: string }).id, [])
  const positions = new Set<string>()
  for (const row of foreign('SELECT id, workoutId, position FROM sets ORDER BY position')) {
    const { id, workoutId, position } = row as { id: string; workoutId: string; position: number | null }
    expect(position, `the position of ${id}`).toEqual(expect.any(Number))
    positions.add(`${workoutId} ${position}`)
    lists.get(workoutId)?.push(id)
  }
  expect(positions.size).toBe([...lists.values()].flat().length)
  return lists
}

const workouts: readonly Call[] = ['v', 'w'].map((id) => [
  'insertWorkouts',
  { id, ownerId: 'anna', name: 'Legs', done: false },
])

/** The ways in which the same intents can reach the database. */
const ways: { readonly [way: string]: (on: Stage, steps: readonly Step[]) => Promise<unknown> } = {
  'in one batch': (on, steps) => on.device('anna').call(...steps.map(callOf)),
  'in one commit, each from another device': (on, steps) =>
    Promise.all(steps.map((step) => on.device('anna').call(callOf(step)))),
  'in a commit each': async (on, steps) => {
    for (const step of steps) await on.device('anna').call(callOf(step))
  },
  'in one batch, in which a constraint refuses another intent': async (on, steps) => {
    on.foreign('CREATE UNIQUE INDEX one_gym ON notes (gymId)')
    const note = (): Call => ['insertNotes', { id: uuid(), gymId: 'oak', text: '' }]
    const answer = await on.device('anna').call(note(), ...steps.map(callOf), note())
    expect(answer.outcomes.at(-1)).toMatchObject({ status: 'rejected', code: 'constraint' })
    on.foreign('DELETE FROM notes')
    on.foreign('DROP INDEX one_gym')
  },
}

const before = [insert('a', 'w'), insert('b', 'w'), insert('x', 'v'), insert('y', 'v')]

test.each<[string, readonly Step[], { readonly v: string; readonly w: string }]>([
  ['a row moved between inserted ones', [insert('c', 'w'), move('x', 'w'), insert('d', 'w')], { v: 'y', w: 'abcxd' }],
  ['rows moved the other way round', [move('y', 'w'), move('x', 'w')], { v: '', w: 'abyx' }],
  ['inserted, then moved', [insert('c', 'v'), insert('d', 'w'), move('c', 'w')], { v: 'xy', w: 'abdc' }],
  ['moved, then changed', [move('x', 'w'), insert('c', 'w'), change('x')], { v: 'y', w: 'abxc' }],
  ['changed, then moved', [change('x'), insert('c', 'w'), move('x', 'w')], { v: 'y', w: 'abcx' }],
  ['away and back', [move('a', 'v'), move('a', 'w')], { v: 'xy', w: 'ba' }],
  ['away and back, past one that came', [move('a', 'v'), insert('c', 'w'), move('a', 'w')], { v: 'xy', w: 'bca' }],
  ['two that change places', [move('a', 'v'), move('x', 'w')], { v: 'ya', w: 'bx' }],
  ['moved to where it is', [insert('c', 'w'), move('a', 'w')], { v: 'xy', w: 'abc' }],
  ['the last one leaves', [move('b', 'v'), insert('c', 'w')], { v: 'xyb', w: 'ac' }],
  [
    'deleted and inserted again',
    [move('x', 'w'), take('x'), insert('c', 'w'), insert('x', 'w')],
    { v: 'y', w: 'abcx' },
  ],
  ['deleted after all', [move('x', 'w'), insert('c', 'w'), take('x'), move('y', 'w')], { v: '', w: 'abcy' }],
  [
    'refused on the way',
    [insert('c', 'w'), move('x', 'w'), refused('x', 'v'), refused('c', 'v'), insert('d', 'w')],
    { v: 'y', w: 'abcxd' },
  ],
  [
    'refused on the way, after a query',
    [insert('c', 'w'), move('x', 'w'), refusedLate('c', 'v'), refusedLate('a', 'v'), insert('d', 'w')],
    { v: 'y', w: 'abcxd' },
  ],
  [
    'a query on the way',
    [insert('c', 'v'), insert('d', 'w'), ask('x', 'w'), insert('e', 'w'), ask('c', 'w'), ask('a', 'w')],
    { v: 'y', w: 'abdxec' },
  ],
  [
    'inserted again, then changed',
    [take('a'), insert('a', 'w'), ask('x', 'w'), insert('c', 'w'), change('a')],
    { v: 'y', w: 'baxc' },
  ],
])('[I11] rows stand in the order in which they came: %s', async (_what, steps, { v, w }) => {
  for (const [way, send] of Object.entries(ways)) {
    const on = await open()
    await on.device('anna').call(...workouts, ...before.map(callOf))
    await send(on, steps)
    expect([...listsOn(on)], way).toEqual([
      ['v', [...v]],
      ['w', [...w]],
    ])
  }
})

test('[I11] rows stand in the order in which they came, whatever came, in batches, flushes and commits of any size', async () => {
  const ids = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const to = fc.constantFrom('v', 'w')
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('insert' as const), id: ids, to }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('move' as const, 'ask' as const), id: ids, to }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('delete' as const, 'change' as const), id: ids }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constantFrom('refused' as const, 'refused late' as const), id: ids, to }),
    },
  )
  const rounds = fc.array(
    fc.record({ way: fc.constantFrom(...Object.keys(ways)), steps: fc.array(step, { minLength: 1, maxLength: 12 }) }),
    { minLength: 1, maxLength: 4 },
  )
  await fc.assert(
    fc.asyncProperty(rounds, async (rounds) => {
      const on = await open()
      const lists = new Map<string, string[]>([
        ['v', []],
        ['w', []],
      ])
      await on.device('anna').call(...workouts)
      for (const { way, steps } of rounds) {
        await ways[way]?.(on, steps)
        play(lists, steps)
        expect(listsOn(on)).toEqual(lists)
      }
      await on.authority.close()
    }),
    { numRuns: onPostgres() ? 15 : 60 },
  )
}, 120_000)

test('a row that is deleted and inserted again is another one to the database too, and a new one is written once', async () => {
  const on = await open()
  const anna = on.device('anna')
  await anna.call(...workouts, ...before.map(callOf))
  on.foreign('ALTER TABLE sets ADD COLUMN tint TEXT')
  on.foreign("UPDATE sets SET tint = 'red'")
  refuse(on.path, 'UPDATE', 'sets', "NEW.id = 'c'", 'written twice')
  expect(await anna.call(callOf(take('a')), callOf(insert('a', 'v')), callOf(insert('c', 'v')))).toMatchObject({
    outcomes: [{ status: 'applied', from: 7, to: 9 }],
  })
  expect(on.foreign('SELECT id, tint FROM sets ORDER BY id').slice(0, 3)).toEqual([
    { id: 'a', tint: null },
    { id: 'b', tint: 'red' },
    { id: 'c', tint: null },
  ])
})

test('[I11] what plain SQL moved comes at its adoption, after what intents brought, in the order of its marks', async () => {
  const on = await open()
  const anna = on.device('anna')
  await anna.call(...workouts, ...before.map(callOf))
  on.foreign("UPDATE sets SET kg = 4 WHERE id = 'x'")
  on.foreign("UPDATE sets SET workoutId = 'w', position = NULL WHERE id = 'y'")
  on.foreign("INSERT INTO sets (id, workoutId, reps, kg) VALUES ('z', 'w', 1, 1)")
  on.foreign("UPDATE sets SET workoutId = 'w', position = NULL WHERE id = 'x'")
  on.foreign("UPDATE sets SET position = NULL WHERE id = 'b'")
  on.foreign("UPDATE sets SET kg = 5 WHERE id = 'y'")
  await anna.call(callOf(insert('c', 'w')), callOf(change('z')), callOf(move('a', 'v')), callOf(move('a', 'w')))
  expect(listsOn(on).get('w')).toEqual(['c', 'a', 'y', 'z', 'x', 'b'])
})

test('[I11] a row with two parents that moves under one keeps its place under the other', async () => {
  const twice = defineApp({
    tables: {
      owners: table({ id: t.id(), name: t.text() }).scope('user', 'name'),
      tasks: table({
        id: t.id(),
        ownerId: t.ref('owners'),
        listId: t.ref('owners'),
        inOwner: t.appendIndex('ownerId'),
        inList: t.appendIndex('listId'),
      }).scopeVia('ownerId'),
    },
    aggregates: ({ aggregate }) => ({ totals: aggregate('tasks').by('ownerId').values({ tasks: count() }) }),
    mutators: ({ mutator }) => ({
      act: mutator(anything<null>(), async (tx) => {
        for (const id of ['p', 'q']) await tx.owners.insert({ id, name: 'anna' })
        await tx.tasks.insert({ id: 'a', ownerId: 'p', listId: 'p' })
        await tx.tasks.insert({ id: 'b', ownerId: 'p', listId: 'p' })
        await tx.tasks.insert({ id: 'c', ownerId: 'q', listId: 'q' })
        await tx.tasks.update('a', { ownerId: 'q' })
        await tx.tasks.update('c', { listId: 'p' })
      }),
    }),
  })
  const database = openBase(freshBase())
  const authority = createAuthority({
    app: twice,
    database,
    authenticate: () => undefined,
    grants: () => ({ read: ['user:anna'], write: ['user:anna'] }),
  })
  onTestFinished(() => authority.close())
  await authority.ready
  expect(await authority.run('anna', 'act', null)).toMatchObject({ status: 'applied' })
  expect(
    await database.read((sql) => sql.all('SELECT id, "ownerId", "inOwner", "listId", "inList" FROM tasks ORDER BY id')),
  ).toMatchObject([
    { id: 'a', ownerId: 'q', inOwner: 2, listId: 'p', inList: 1 },
    { id: 'b', ownerId: 'p', inOwner: 1, listId: 'p', inList: 2 },
    { id: 'c', ownerId: 'q', inOwner: 1, listId: 'p', inList: 3 },
  ])
})
