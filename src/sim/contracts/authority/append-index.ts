// Item 7, append indexes: a child's position is the last one under its parent plus one, in the order in which children came there, by
// whomever and however many at once. Deletes renumber nothing; who moves or comes back goes to the end. I11.
import { expectSame, expectThat } from '../contract.ts'
import { change, list, remove, step, task } from './app.ts'
import { type Call, type Device, told } from './device.ts'
import type { AuthorityCase } from './ground.ts'
import { expectReplica } from './judge.ts'
import { expectMatch, onStage, type Stage, type StageOptions } from './stage.ts'

const on = (title: string, run: (stage: Stage) => Promise<void>, options: StageOptions = {}) =>
  onStage(7, `[I11] ${title}`, run, options)

/** The tasks of a list with their positions, in order: «a1 b2». */
async function places(stage: Stage, listId: string): Promise<string> {
  const rows = (await stage.rows('tasks')).filter((row) => row['listId'] === listId)
  rows.sort((a, b) => Number(a['position']) - Number(b['position']))
  return rows.map(({ id, position }) => `${id}${position}`).join(' ')
}

/** Lists v and w; a and b stand in w, x and y in v. */
async function withTwo(stage: Stage): Promise<Device> {
  const anna = stage.device('anna')
  await anna.call(list('v', 'anna'), list('w', 'anna'), task('a', 'w'), task('b', 'w'), task('x', 'v'), task('y', 'v'))
  return anna
}
const move = (id: string, listId: string): Call => change('Tasks', id, { listId })

/** What a batch makes of the two lists; the same in one batch, in a commit each, and from a device each in one commit. */
const ends = (what: string, calls: readonly Call[], v: string, w: string) =>
  on(what, async (stage) => {
    const anna = await withTwo(stage)
    expectThat(!told(await anna.call(...calls)).includes('row_gone'), 'nothing is missing')
    expectSame([await places(stage, 'v'), await places(stage, 'w')], [v, w], 'the places')
    await expectReplica(stage, anna)
  })

/** The cases. */
export const appendIndexCases: readonly AuthorityCase[] = [
  ends(
    'children come behind those that are there, in the order of the intents',
    [task('c', 'w'), task('d', 'w')],
    'x1 y2',
    'a1 b2 c3 d4',
  ),
  ends('each parent counts by itself', [task('c', 'w'), task('z', 'v'), task('d', 'w')], 'x1 y2 z3', 'a1 b2 c3 d4'),
  ends('a delete renumbers nothing', [remove('Tasks', 'a'), task('c', 'w')], 'x1 y2', 'b2 c3'),
  ends('a child that moves goes to the end, and who stays keeps the place', [move('x', 'w')], 'y2', 'a1 b2 x3'),
  ends(
    'moved and inserted ones stand in the order in which they came',
    [task('c', 'w'), move('x', 'w'), task('d', 'w')],
    'y2',
    'a1 b2 c3 x4 d5',
  ),
  ends('away and back is at the end', [move('a', 'v'), move('a', 'w')], 'x1 y2', 'b2 a3'),
  ends('two that change places', [move('a', 'v'), move('x', 'w')], 'y2 a3', 'b2 x3'),
  ends(
    'a move to where it is changes nothing',
    [move('a', 'w'), change('Tasks', 'a', { points: 9 })],
    'x1 y2',
    'a1 b2',
  ),
  ends(
    'a child that is deleted and inserted again is at the end',
    [remove('Tasks', 'a'), task('c', 'w'), task('a', 'w')],
    'x1 y2',
    'b2 c3 a4',
  ),
  ends(
    'an intent that is refused in the middle leaves no gap and disturbs no order',
    [task('c', 'w'), ['act', { how: 'move and refuse', id: 'a' }], move('x', 'w'), task('c', 'w'), task('d', 'w')],
    'y2',
    'a1 b2 c3 x4 d5',
  ),
  ends(
    'a query between the writes disturbs no order',
    [
      task('c', 'v'),
      task('d', 'w'),
      ['sweep', { listId: 'w', below: 0 }],
      move('x', 'w'),
      ['sweep', { listId: 'v', below: 0 }],
      move('c', 'w'),
    ],
    'y2',
    'a1 b2 d3 x4 c5',
  ),
  on(
    'one mutator that inserts and moves several gives places in the order of its writes',
    async (stage) => {
      const anna = await withTwo(stage)
      await anna.call(['act', {}])
      expectSame([await places(stage, 'v'), await places(stage, 'w')], ['y2', 'a1 b2 d3 x4 c5'], 'the places')
    },
    {
      mutators: {
        act: async (tx) => {
          const one = { listId: 'w', label: '', points: 1, hours: 1 }
          await tx.tasks.insert({ ...one, id: 'd' })
          await tx.tasks.update('x', { listId: 'w' })
          await tx.tasks.insert({ ...one, id: 'c' })
        },
      },
    },
  ),
  on('children two steps down count under their own parents', async (stage) => {
    const anna = await withTwo(stage)
    await anna.call(step('s', 'a'), step('t', 'b'), step('u', 'a'), change('Steps', 't', { taskId: 'a' }))
    expectMatch(
      await stage.rows('steps'),
      [
        { id: 's', position: 1 },
        { id: 't', position: 3 },
        { id: 'u', position: 2 },
      ],
      'the steps',
    )
  }),
  on('a batch that a constraint makes to be decided one by one ends in the same order', async (stage) => {
    await stage.sql('CREATE UNIQUE INDEX one_label ON steps (label)')
    const anna = await withTwo(stage)
    const calls = [
      step('s', 'a', { label: 'same' }),
      task('c', 'w'),
      move('x', 'w'),
      step('t', 'a', { label: 'same' }),
      task('d', 'w'),
    ]
    expectSame(
      told(await anna.call(...calls)),
      ['applied', 'applied', 'applied', 'constraint', 'applied'],
      'the outcomes',
    )
    expectSame(await places(stage, 'w'), 'a1 b2 c3 x4 d5', 'the places')
  }),
  ...(
    [
      ['insert', (): Call => task('c', 'w', { position: 7 })],
      ['update', (): Call => change('Tasks', 'a', { position: 7 })],
    ] as const
  ).map(([verb, callOf]) =>
    on(`a device cannot ${verb} a position`, async (stage) => {
      const anna = await withTwo(stage)
      expectSame(told(await anna.call(callOf())), ['arguments_invalid'], 'the outcome')
      expectSame(await places(stage, 'w'), 'a1 b2', 'the places')
    }),
  ),
  on(
    'a mutator sees no positions and can write none',
    async (stage) => {
      const anna = await withTwo(stage)
      expectSame(told(await anna.call(['act', {}])), ['row_invalid'], 'the outcome')
      expectSame(await places(stage, 'w'), 'a1 b2', 'the places')
    },
    {
      mutators: {
        act: async (tx) => {
          const row = await tx.tasks.get('a')
          if (Object.hasOwn(row ?? {}, 'position')) throw new Error('it has a position')
          await tx.tasks.update('a', { position: 9 } as never)
        },
      },
    },
  ),
  on('what plain SQL inserts without a position comes behind what the intents of the commit brought', async (stage) => {
    const anna = await withTwo(stage)
    await stage.sql('INSERT INTO tasks (id, "listId", label, points, hours) VALUES (?, ?, ?, 1, 1)', 'q', 'w', '')
    await anna.call(task('c', 'w'))
    expectSame(await places(stage, 'w'), 'a1 b2 c3 q4', 'the places')
  }),
  on('what plain SQL inserts with a free position keeps it, and the next one comes behind', async (stage) => {
    const anna = await withTwo(stage)
    await stage.sql(
      'INSERT INTO tasks (id, "listId", position, label, points, hours) VALUES (?, ?, 40, ?, 1, 1)',
      'q',
      'w',
      '',
    )
    await anna.call(task('c', 'w'))
    expectSame(await places(stage, 'w'), 'a1 b2 q40 c41', 'the places')
  }),
  on('the database refuses a position that is taken, whoever writes it', async (stage) => {
    const anna = await withTwo(stage)
    const taken = stage.sql(
      'INSERT INTO tasks (id, "listId", position, label, points, hours) VALUES (?, ?, 2, ?, 1, 1)',
      'q',
      'w',
      '',
    )
    expectThat(
      await taken.then(
        () => false,
        () => true,
      ),
      'the insert is refused',
    )
    const moved = stage.sql('UPDATE tasks SET position = 1 WHERE id = ?', 'b')
    expectThat(
      await moved.then(
        () => false,
        () => true,
      ),
      'the update is refused',
    )
    await expectReplica(stage, anna)
  }),
  on('plain SQL that takes a position away, or moves a row, sends it to the end', async (stage) => {
    const anna = await withTwo(stage)
    await stage.sql('UPDATE tasks SET position = NULL WHERE id = ?', 'a')
    await anna.pull()
    expectSame(await places(stage, 'w'), 'b2 a3', 'the places without a position')
    // Its place 2 is taken there: the statement has to give its own up.
    await stage.sql('UPDATE tasks SET "listId" = ?, position = NULL WHERE id = ?', 'w', 'y')
    await stage.sql('UPDATE tasks SET "listId" = ? WHERE id = ?', 'w', 'x')
    await expectReplica(stage, anna)
    expectSame([await places(stage, 'v'), await places(stage, 'w')], ['', 'b2 a3 y4 x5'], 'the places')
  }),
  on(
    '64 devices that append a hundred each under one parent get 6,400 places, each device in its order',
    async (stage) => {
      await stage.device('anna').call(list('w', 'anna'))
      const devices = Array.from({ length: 64 }, () => stage.device('anna'))
      const appended = devices.map(async (device, n) => {
        for (let batch = 0; batch < 4; batch++)
          await device.call(...Array.from({ length: 25 }, (_, k) => task(`t${n}-${batch * 25 + k}`, 'w')))
      })
      await Promise.all(appended)
      const positions = new Map((await stage.rows('tasks')).map(({ id, position }) => [id, Number(position)]))
      const all = [...positions.values()].sort((a, b) => a - b)
      expectSame([all.length, all[0], all.at(-1), new Set(all).size], [6_400, 1, 6_400, 6_400], 'the places')
      for (const n of devices.keys()) {
        const own = Array.from({ length: 100 }, (_, k) => positions.get(`t${n}-${k}`) ?? 0)
        expectThat(
          own.every((place, k) => k === 0 || place > (own[k - 1] ?? 0)),
          `device ${n} finds its order`,
        )
      }
    },
  ),
  on('two processes that append under one parent at once give each place once', async (stage) => {
    await stage.device('anna').call(list('w', 'anna'))
    const other = await stage.another()
    const devices = [stage, other, stage, other].map((each) => each.device('anna'))
    for (let round = 0; round < 5; round++)
      await Promise.all(
        devices.map((device, n) => device.call(...['p', 'q', 'r'].map((id) => task(`${id}${n}${round}`, 'w')))),
      )
    const all = (await stage.rows('tasks')).map(({ position }) => Number(position)).sort((a, b) => a - b)
    expectSame(
      all,
      Array.from({ length: 60 }, (_, n) => n + 1),
      'the places',
    )
  }),
]
