// Item 7, aggregates: derived rows are what their rows add up to after every commit, and travel with it. A group that has no row has
// none; groups follow their rows from parent to parent and from scope to scope; what is declared later is computed at the start. I11.
import { count, defineApp, sum, t, table } from '../../../schema/index.ts'
import { expectSame } from '../contract.ts'
import { app, change, list, remove, task } from './app.ts'
import { told } from './device.ts'
import type { AuthorityCase } from './ground.ts'
import { expectReplica } from './judge.ts'
import { expectMatch, onStage, type Stage, type StageOptions } from './stage.ts'

const on = (title: string, run: (stage: Stage) => Promise<void>, options: StageOptions = {}) =>
  onStage(7, `[I11] ${title}`, run, options)

const totals = async (stage: Stage) =>
  (await stage.rows('listTotals')).map(({ id, tasks, points, hours }) => `${id}: ${tasks} ${points} ${hours}`)
const mayAll: StageOptions = { grants: () => ({ read: ['user:anna', 'user:ben'], write: ['user:anna', 'user:ben'] }) }

const { lists, tasks } = app.tables
const later = defineApp({
  tables: { lists, tasks: table({ ...tasks.columns, place: t.appendIndex('listId') }).scopeVia('listId') },
  aggregates: ({ aggregate }) => ({
    // Declared otherwise, and declared for the first time.
    listTotals: aggregate('tasks')
      .by('listId')
      .values({ longest: sum((row) => row.hours * 10) }),
    taskCounts: aggregate('tasks').by('listId').values({ tasks: count() }),
  }),
})

/** The cases. */
export const aggregatesCases: readonly AuthorityCase[] = [
  on('totals follow inserts, updates, moves and deletes of one batch', async (stage) => {
    const anna = stage.device('anna')
    await anna.call(
      list('l', 'anna'),
      list('m', 'anna'),
      task('a', 'l', { points: 3, hours: 0.25 }),
      task('b', 'l', { points: 4, hours: 1.5 }),
      task('c', 'm', { points: 10, hours: 0 }),
      change('Tasks', 'a', { points: 5 }),
      change('Tasks', 'b', { listId: 'm' }),
      remove('Tasks', 'c'),
    )
    expectSame(await totals(stage), ['l: 1 5 0.25', 'm: 1 4 1.5'], 'the totals')
    await expectReplica(stage, anna)
  }),
  on('totals come in the frame of the commit that changed them', async (stage) => {
    const anna = stage.device('anna')
    await anna.call(list('l', 'anna'), list('m', 'anna'), task('a', 'l'), task('b', 'm'))
    await anna.pull()
    await anna.call(change('Tasks', 'a', { listId: 'm' }))
    const { patches } = await anna.page()
    expectMatch(
      patches,
      [{ rows: { tasks: [{ id: 'a' }], listTotals: [{ id: 'm', tasks: 2 }] }, gone: { listTotals: ['l'] } }],
      'the patches',
    )
  }),
  on('a group whose last row went has no row', async (stage) => {
    const anna = stage.device('anna')
    await anna.call(list('l', 'anna'), task('a', 'l'))
    await anna.pull()
    await anna.call(remove('Tasks', 'a'))
    expectSame(await totals(stage), [], 'the totals')
    await expectReplica(stage, anna)
    expectSame(anna.rows('listTotals'), [], 'the totals on the device')
  }),
  on('what a rejected intent wrote is in no total', async (stage) => {
    const anna = stage.device('anna')
    await anna.call(list('l', 'anna'), task('a', 'l'), ['act', { id: 'm', how: 'reject' }], task('b', 'nowhere'))
    expectSame(await totals(stage), ['l: 1 1 0.5'], 'the totals')
    expectMatch(await stage.rows('ownerTotals'), [{ id: 'anna', lists: 1 }], 'the totals of owners')
  }),
  on('tenths add up as they do on paper', async (stage) => {
    const anna = stage.device('anna')
    const tenths = [0.1, 0.2, 0.7, 0.01, 0.29, 1.1, 2.2]
    await anna.call(list('l', 'anna'), ...tenths.map((hours, n) => task(`t${n}`, 'l', { hours })))
    expectSame(await totals(stage), ['l: 7 7 4.6'], 'the totals')
  }),
  on('a total does not depend on the order in which its rows came', async (stage) => {
    const anna = stage.device('anna')
    const hours = [0.07, 1234567.89, -0.005, 2.675, -1234567.89, 0.1]
    await anna.call(list('l', 'anna'), list('m', 'anna'))
    for (const [n, each] of hours.entries()) await anna.call(task(`a${n}`, 'l', { hours: each }))
    await anna.call(...[...hours.entries()].reverse().map(([n, each]) => task(`b${n}`, 'm', { hours: each })))
    const [one, other] = (await totals(stage)).map((text) => text.slice(3))
    expectSame(one, other, 'the totals')
  }),
  on('whole numbers add up beyond what a number holds exactly, and come back', async (stage) => {
    const anna = stage.device('anna')
    const points = Number.MAX_SAFE_INTEGER
    await anna.call(
      list('l', 'anna'),
      task('a', 'l', { points }),
      task('b', 'l', { points }),
      task('c', 'l', { points: 5 }),
    )
    await anna.call(remove('Tasks', 'a'), remove('Tasks', 'b'))
    expectSame(await totals(stage), ['l: 1 5 0.5'], 'the totals')
  }),
  on(
    'a row that moves to another owner leaves the one total and joins the other',
    async (stage) => {
      const [anna, ben] = [stage.device('anna'), stage.device('ben')]
      await anna.call(list('l', 'anna'), list('m', 'anna'), task('a', 'm'))
      await Promise.all([anna.pull(), ben.pull()])
      await anna.call(change('Lists', 'm', { ownerId: 'ben' }))
      await expectReplica(stage, anna)
      await expectReplica(stage, ben)
      expectMatch(
        await stage.rows('ownerTotals'),
        [
          { id: 'anna', lists: 1 },
          { id: 'ben', lists: 1 },
        ],
        'the totals of owners',
      )
      expectMatch(ben.rows('listTotals'), [{ id: 'm', tasks: 1 }], 'the totals that came along')
    },
    mayAll,
  ),
  on('totals of a deleted parent leave its scope, and come back with it as its rows are then', async (stage) => {
    const anna = stage.device('anna')
    await anna.call(list('l', 'anna'), task('a', 'l'), task('b', 'l'))
    await anna.pull()
    await anna.call(remove('Lists', 'l'))
    await expectReplica(stage, anna)
    expectSame(anna.rows('listTotals'), [], 'the totals without the parent')
    await stage.sql('DELETE FROM tasks WHERE id = ?', 'a')
    await anna.call(list('l', 'anna'))
    await expectReplica(stage, anna)
    expectMatch(anna.rows('listTotals'), [{ id: 'l', tasks: 1 }], 'the totals with it')
  }),
  on('a hundred and fifty groups of one batch are all computed', async (stage) => {
    const anna = stage.device('anna')
    const ids = Array.from({ length: 150 }, (_, n) => `l${n}`)
    await anna.call(
      ...ids.map((id) => list(id, 'anna')),
      ...ids.flatMap((id, n) => [task(`a${n}`, id), task(`b${n}`, id, { points: n })]),
    )
    expectSame((await totals(stage)).length, 150, 'how many totals there are')
    await expectReplica(stage, anna)
  }),
  on(
    'a total is written by nobody: the app has no verb for it, on the wire or in a mutator',
    async (stage) => {
      const anna = stage.device('anna')
      expectMatch(
        await anna.call(['insertListTotals', { id: 'l', tasks: 9 }]),
        { decided: 0, stop: { code: 'version_unknown' } },
        'the answer',
      )
      anna.last = 0
      expectSame(told(await anna.call(['act', {}])), ['applied'], 'the outcome')
    },
    {
      mutators: {
        act: async (tx) => {
          if (Object.hasOwn(tx, 'listTotals')) throw new Error('it has a table of totals')
        },
      },
    },
  ),
  on('an intent that a total refuses to be written for is told from the others', async (stage) => {
    // Whatever the app’s own constraint on a total, the intents beside it are decided.
    const check =
      stage.database.dialect.name === 'sqlite' ? undefined : 'ALTER TABLE "listTotals" ADD CHECK (points < 1000)'
    await stage.sql(
      check ??
        "CREATE TRIGGER too_many BEFORE INSERT ON listTotals WHEN NEW.points >= 1000 BEGIN SELECT RAISE(ABORT, 'too many'); END",
    )
    const anna = stage.device('anna')
    await anna.call(list('l', 'anna'), list('m', 'anna'))
    const entries = anna.make(task('a', 'l'), task('b', 'm', { points: 2_000 }), task('c', 'l'))
    expectMatch(await anna.push(...entries), { decided: 3, stop: { sequence: 4, code: 'fault' } }, 'the answer')
    expectSame(await totals(stage), ['l: 1 1 0.5'], 'the totals')
    await expectReplica(stage, anna)
  }),
  on(
    'an aggregate that is declared later or otherwise, and a position that is declared later, are there after the start',
    async (stage) => {
      const anna = stage.device('anna')
      await anna.call(list('l', 'anna'), task('a', 'l'), task('b', 'l', { hours: 2 }))
      await stage.authority.close()
      const next = await stage.another({ app: later as never, grants: () => ({ read: ['user:anna'], write: [] }) })
      const fresh = next.device('anna')
      await fresh.pull()
      expectMatch(fresh.rows('listTotals'), [{ id: 'l', longest: 25 }], 'the totals that are declared otherwise')
      expectMatch(fresh.rows('taskCounts'), [{ id: 'l', tasks: 2 }], 'the totals that are declared later')
      expectMatch(
        fresh.rows('tasks'),
        [
          { id: 'a', place: 1 },
          { id: 'b', place: 2 },
        ],
        'the places',
      )
    },
  ),
]
