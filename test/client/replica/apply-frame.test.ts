// Frames on the confirmed rows: whole or not at all, whose a row is, and where a scope stands.
import { defineApp, t, table } from 'holdfast'
import { expect, test } from 'vitest'
import { createReplica, type Replica } from '../../../src/client/replica/replica.ts'
import { app, frame, intent, patch, place, scope, set, workout } from './app.ts'

const within = (name: string) => ({ ...place(2), within: { table: name, id: 's' } })
const ids = (replica: Replica, name = 'workouts'): string[] => [...replica.confirmedRows(name).keys()].sort()

test('[I5] a row that moves between scopes is there once, whichever patch comes first', async () => {
  for (const isReversed of [false, true]) {
    const replica = createReplica(app, 'ada')
    await replica.confirm(
      frame(0, [patch('ada', 0, 1, { rows: { workouts: [workout('w')] } }), patch('bob', 0, 1, {})], ['ada', 'bob']),
      new Set(),
    )
    const patches = [
      patch('ada', 1, 2, { gone: { workouts: ['w'] } }),
      patch('bob', 1, 2, { rows: { workouts: [workout('w', { ownerId: 'bob' })] } }),
    ]
    await replica.confirm(frame(0, isReversed ? patches.reverse() : patches, ['ada', 'bob']), new Set())
    expect(replica.get('workouts', 'w')).toMatchObject({ ownerId: 'bob' })
    // It is bob's now: ada's leaving does not take it along, bob's does.
    await replica.confirm(frame(0, [], ['bob']), new Set())
    expect(ids(replica)).toEqual(['w'])
    await replica.confirm(frame(0, [], []), new Set())
    expect(ids(replica)).toEqual([])
  }
})

test('[I5] a row that moves while pages are being read is where the last page says', async () => {
  for (const isReversed of [false, true]) {
    const replica = createReplica(app, 'ada')
    await replica.confirm(
      frame(
        0,
        [patch('ada', 0, 1, { rows: { workouts: [workout('other')] } }), patch('bob', 0, 1, {})],
        ['ada', 'bob'],
      ),
      new Set(),
    )
    const first = patch('bob', 1, 2, { rows: { workouts: [workout('w', { ownerId: 'bob' })] } })
    const last = [
      patch('ada', 1, 2, { rows: { workouts: [workout('w')] } }),
      patch('bob', 2, 3, { gone: { workouts: ['w'] } }),
    ]
    await replica.confirm(frame(0, [first, ...(isReversed ? last.reverse() : last)], ['ada', 'bob']), new Set())
    expect(replica.get('workouts', 'w')).toEqual(workout('w'))
    await replica.confirm(frame(0, [], ['ada']), new Set())
    expect(ids(replica)).toEqual(['other', 'w'])
  }
})

test('a row of the same content that changes hands changes nothing that is shown', async () => {
  const replica = createReplica(app, 'ada')
  await replica.confirm(
    frame(0, [patch('ada', 0, 1, { rows: { sets: [set('s', 'w', 1)] } }), patch('bob', 0, 1, {})], ['ada', 'bob']),
    new Set(),
  )
  const before = replica.get('sets', 's')
  let changed = -1
  replica.onCommit(({ changes }) => {
    changed = changes.size
  })
  await replica.confirm(
    frame(
      0,
      [patch('bob', 1, 2, { rows: { sets: [set('s', 'w', 1)] } }), patch('ada', 1, 2, { gone: { sets: ['s'] } })],
      ['ada', 'bob'],
    ),
    new Set(),
  )
  expect(changed).toBe(0)
  expect(replica.get('sets', 's')).toBe(before)
  await replica.confirm(frame(0, [], ['ada']), new Set())
  expect(ids(replica, 'sets')).toEqual([])
})

test('what another scope says is gone stays', async () => {
  const replica = createReplica(app, 'ada')
  await replica.confirm(
    frame(0, [patch('ada', 0, 1, { rows: { workouts: [workout('w')] } })], ['ada', 'bob']),
    new Set(),
  )
  await replica.confirm(frame(0, [patch('bob', 0, 1, { gone: { workouts: ['w'] } })], ['ada', 'bob']), new Set())
  expect(ids(replica)).toEqual(['w'])
  await replica.confirm(frame(0, [patch('ada', 1, 2, { gone: { workouts: ['w'] } })], ['ada', 'bob']), new Set())
  expect(ids(replica)).toEqual([])
})

test('a scope that begins again loses what it had, also what the same frame said before', async () => {
  const replica = createReplica(app, 'ada')
  await replica.confirm(
    frame(
      0,
      [
        patch('ada', 0, 1, { rows: { workouts: [workout('w1'), workout('w2')] } }),
        patch('bob', 0, 1, { rows: { workouts: [workout('b')] } }),
      ],
      ['ada', 'bob'],
    ),
    new Set(),
  )
  await replica.confirm(
    frame(
      0,
      [
        patch('ada', 1, 2, { rows: { workouts: [workout('w3')] } }),
        patch('ada', 0, 7, { reset: true, rows: { workouts: [workout('w2', { name: 'other' })] } }),
      ],
      ['ada', 'bob'],
    ),
    new Set(),
  )
  expect(ids(replica)).toEqual(['b', 'w2'])
  expect(replica.get('workouts', 'w2')).toMatchObject({ name: 'other' })
  expect(replica.cursors()).toEqual([
    { scope: scope('ada'), ...place(7) },
    { scope: scope('bob'), ...place(1) },
  ])
})

test('a scope that is not listed leaves with its rows and its cursor, even if the frame brings something of it', async () => {
  const replica = createReplica(app, 'ada')
  await replica.confirm(
    frame(
      0,
      [
        patch('ada', 0, 1, { rows: { workouts: [workout('w')] } }),
        patch('bob', 0, 1, { rows: { workouts: [workout('b')] } }),
      ],
      ['ada', 'bob'],
    ),
    new Set(),
  )
  await replica.confirm(frame(0, [patch('bob', 1, 2, { rows: { workouts: [workout('b2')] } })], ['ada']), new Set())
  expect(ids(replica)).toEqual(['w'])
  expect(replica.cursors()).toEqual([{ scope: scope('ada'), ...place(1) }])
  // It comes back from the beginning.
  await replica.confirm(
    frame(0, [patch('bob', 0, 3, { rows: { workouts: [workout('b3')] } })], ['ada', 'bob']),
    new Set(),
  )
  expect(ids(replica)).toEqual(['b3', 'w'])
})

test('several patches of one scope chain, and the last word counts', async () => {
  const replica = createReplica(app, 'ada')
  await replica.confirm(
    frame(0, [
      patch('ada', 0, 1, { rows: { workouts: [workout('w1'), workout('w2')] } }),
      patch('ada', 1, 2, { gone: { workouts: ['w1'] }, rows: { workouts: [workout('w2', { name: 'later' })] } }),
    ]),
    new Set(),
  )
  expect([...replica.rows('workouts')]).toEqual([workout('w2', { name: 'later' })])
})

test('[I6] a frame that does not begin where the device stands is refused whole, and says so', async () => {
  const replica = createReplica(app, 'ada')
  await replica.confirm(frame(0, [patch('ada', 0, 2, { rows: { workouts: [workout('w')] } })]), new Set())
  const wrong = [
    [patch('ada', 1, 3, {})],
    [patch('ada', 2, 3, { rows: { workouts: [workout('x')] } }), patch('ada', 2, 4, {})],
    [patch('ada', 2, 3, {}), patch('bob', 1, 2, {})],
    [{ ...patch('ada', 2, 3, {}), from: { version: 2, mark: 'ff' } }],
    [{ ...patch('ada', 2, 3, {}), from: { ...place(2), within: { table: 'sets', id: 's' } } }],
    [
      { ...patch('ada', 2, 3, {}), to: within('sets') },
      { ...patch('ada', 2, 3, {}), from: within('workouts') },
    ],
    [{ ...patch('ada', 2, 3, {}), reset: true as const }],
  ]
  const before = [...replica.cursors()]
  for (const patches of wrong) {
    await expect(replica.confirm(frame(5, patches), new Set())).rejects.toMatchObject({
      code: 'frame_gap',
      phase: 'merge',
      remedy: 'recover',
    })
    expect(ids(replica)).toEqual(['w'])
    expect(replica.cursors()).toEqual(before)
    expect(replica.decided).toBe(0)
  }
  await replica.confirm(frame(5, [patch('ada', 2, 3, {})]), new Set())
  expect(replica.decided).toBe(5)
})

test('[I6] a row that does not fit its table refuses the whole frame and names the column', async () => {
  const odd = defineApp({
    tables: {
      all: table({
        id: t.id(),
        owner: t.text(),
        real: t.real(),
        whole: t.integer(),
        yes: t.boolean(),
        at: t.timestamp(),
        any: t.json(),
        other: t.ref('all').nullable(),
        n: t.integer().nullable(),
      }).scope('user', 'owner'),
    },
  })
  const good = {
    id: 'a',
    owner: 'ada',
    real: 1.5,
    whole: 2,
    yes: true,
    at: 5,
    any: { deep: [1] },
    other: null,
    n: null,
  }
  const bad: readonly [string, unknown][] = [
    ['owner', 5],
    ['owner', null],
    ['owner', undefined],
    ['real', '1.5'],
    ['real', null],
    ['whole', 2.5],
    ['whole', 2 ** 53],
    ['yes', 1],
    ['at', 'yesterday'],
    ['any', null],
    ['other', 7],
    ['n', 0.5],
  ]
  const replica = createReplica(odd, 'ada')
  for (const [column, value] of bad) {
    const row = { ...good, id: 'b', [column]: value }
    const refused = replica.confirm(
      frame(0, [patch('ada', 0, 1, { rows: { all: [good as never, row as never] } })]),
      new Set(),
    )
    await expect(refused).rejects.toMatchObject({
      code: 'malformed',
      details: { table: 'all', id: 'b', problem: expect.stringContaining(column) },
    })
    expect(replica.isComplete).toBe(false)
    expect(ids(replica, 'all')).toEqual([])
  }
  // What this app does not know is let through: a newer authority has more tables and columns.
  const newer = { ...good, colour: 'red' } as never
  await replica.confirm(
    frame(0, [patch('ada', 0, 1, { rows: { all: [newer], unheardOf: [{ id: 'x' }] }, gone: { unheardOf: ['y'] } })]),
    new Set(),
  )
  expect(ids(replica, 'all')).toEqual(['a'])
})

test('a refused frame leaves the pending intents alone and the lane goes on', async () => {
  const replica = createReplica(app, 'ada')
  await replica.confirm(frame(0, [patch('ada', 0, 1, {})]), new Set())
  const start = intent('startWorkout', { id: 'w', name: 'Push' })
  await replica.run(start, 'call')
  const refused = replica.confirm(frame(1, [patch('ada', 5, 6, {})]), new Set([start.id]))
  const next = replica.run(intent('bump', { id: 'w' }), 'call')
  await expect(refused).rejects.toMatchObject({ code: 'frame_gap' })
  expect(await next).toMatchObject({ kept: true, picture: 'shown' })
  expect(replica.pending()).toHaveLength(2)
  expect(replica.get('workouts', 'w')).toMatchObject({ count: 1 })
})
