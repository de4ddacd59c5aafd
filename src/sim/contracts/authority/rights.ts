// Item 4, scopes and rights: what an actor may write and what its mutators see, row by row. A write is taken only where the row may be
// written before and after it; what is forbidden to see looks as if it were not there, down to the details of the refusal. I9.
import { expectSame, expectThat } from '../contract.ts'
import { board, card, change, list, member, remove, step, task } from './app.ts'
import { type Call, type Pushed, told } from './device.ts'
import type { AuthorityCase } from './ground.ts'
import { expectReplica } from './judge.ts'
import { expectMatch, onStage, type Stage, type StageOptions } from './stage.ts'

const on = (title: string, run: (stage: Stage) => Promise<void>, options: StageOptions = {}) =>
  onStage(4, `[I9] ${title}`, run, options)

/** Ben has a list with a task and a step; anna has one too. */
async function withBoth(stage: Stage) {
  const [anna, ben] = [stage.device('anna'), stage.device('ben')]
  await ben.call(list('his', 'ben'), task('hisTask', 'his'), step('hisStep', 'hisTask'))
  await anna.call(list('hers', 'anna'), task('herTask', 'hers'))
  return { anna, ben }
}

/** The oak team has a board with a card; anna is a reader there and a writer at elm, ben a writer in both. */
async function withTeams(stage: Stage) {
  const join = 'INSERT INTO members (id, "teamId", "userId", role) VALUES (?, ?, ?, ?)'
  await stage.sql(join, 'm1', 'oak', 'ben', 'writer')
  await stage.sql(join, 'm2', 'elm', 'ben', 'writer')
  await stage.sql(join, 'm3', 'oak', 'anna', 'reader')
  await stage.sql(join, 'm4', 'elm', 'anna', 'writer')
  const [anna, ben] = [stage.device('anna'), stage.device('ben')]
  await ben.call(board('oaks', 'oak'), card('c', 'oaks'), board('elms', 'elm'), card('e', 'elms'))
  return { anna, ben }
}

/** What a refusal says, with the ids taken out. */
const words = ({ outcomes }: Pushed, index: number, ...ids: readonly string[]): string =>
  ids.reduce(
    (text, id) => text.replaceAll(JSON.stringify(id), 'ID'),
    JSON.stringify({ ...outcomes[index], from: 0, to: 0 }),
  )

/** A verb on a row of somebody else, and the same on one that was never there: both are refused in the same words. */
const looksAbsent = (what: string, callOf: (id: string) => Call, id: string, code = 'row_gone') =>
  on(`${what} looks as if the row were not there`, async (stage) => {
    const { anna, ben } = await withBoth(stage)
    const before = [await stage.rows('lists'), await stage.rows('tasks'), await stage.rows('steps')]
    const answer = await anna.call(callOf(id), callOf('absent'))
    expectSame(told(answer), [code, code], 'the outcomes')
    expectSame(words(answer, 0, id, 'absent'), words(answer, 1, id, 'absent'), 'what the two refusals say')
    expectSame([await stage.rows('lists'), await stage.rows('tasks'), await stage.rows('steps')], before, 'the rows')
    await expectReplica(stage, ben)
  })

/** What a mutator at the authority saw, kept as the title of a list of the one who asked. */
const sees = (title: string, look: (tx: never) => Promise<unknown>, expected: unknown) =>
  on(
    title,
    async (stage) => {
      const { anna } = await withBoth(stage)
      expectSame(told(await anna.call(['act', {}])), ['applied'], 'the outcome')
      expectSame(
        JSON.parse(String((await stage.rows('lists')).find(({ id }) => id === 'seen')?.['title'])),
        expected,
        'what was seen',
      )
    },
    {
      mutators: {
        act: async (tx) => {
          const title = JSON.stringify((await look(tx as never)) ?? null)
          await tx.lists.insert({ id: 'seen', ownerId: tx.actor, title, done: false })
        },
      },
    },
  )
type AnyTx = {
  readonly [table: string]: {
    get(id: string): Promise<unknown>
    where(filter: object): {
      all(): Promise<readonly { readonly id: string }[]>
      first(): Promise<{ readonly id: string } | undefined>
      orderBy(column: string): { limit(rows: number): { all(): Promise<readonly { readonly id: string }[]> } }
    }
  }
}
const ids = (rows: readonly { readonly id: string }[] | undefined) => rows?.map(({ id }) => id)

/** The cases. */
export const rightsCases: readonly AuthorityCase[] = [
  on('a row is not inserted into the scope of another', async (stage) => {
    const { anna, ben } = await withBoth(stage)
    expectSame(told(await anna.call(list('x', 'ben'))), ['forbidden'], 'the outcome')
    await expectReplica(stage, ben)
    expectMatch(ben.rows('lists'), [{ id: 'his' }], 'what ben has')
  }),
  looksAbsent('an update of another’s row', (id) => change('Lists', id, { title: 'mine' }), 'his'),
  looksAbsent('taking another’s row by an update', (id) => change('Lists', id, { ownerId: 'anna' }), 'his'),
  looksAbsent(
    'an update with an impossible value of another’s row',
    (id) => change('Lists', id, { nonsense: 1 }),
    'his',
    'arguments_invalid',
  ),
  looksAbsent('a delete of another’s row', (id) => remove('Lists', id), 'his'),
  looksAbsent('a delete two steps below another’s row', (id) => remove('Steps', id), 'hisStep'),
  looksAbsent('an update one step below another’s row', (id) => change('Tasks', id, { points: 9 }), 'hisTask'),
  looksAbsent('a child under another’s row', (id) => task('x', id), 'his'),
  looksAbsent('a grandchild under another’s row', (id) => step('x', id), 'hisTask'),
  looksAbsent('one’s own child moved under another’s row', (id) => change('Tasks', 'herTask', { listId: id }), 'his'),
  looksAbsent('another’s child moved under one’s own row', (id) => change('Tasks', id, { listId: 'hers' }), 'hisTask'),
  on('one’s own row is not given to another', async (stage) => {
    const { anna } = await withBoth(stage)
    expectSame(told(await anna.call(change('Lists', 'hers', { ownerId: 'ben' }))), ['forbidden'], 'the outcome')
    await expectReplica(stage, anna)
    expectMatch(anna.rows('lists'), [{ id: 'hers', ownerId: 'anna' }], 'what anna has')
  }),
  on('a bad intent in the middle of a batch is refused alone', async (stage) => {
    const { anna, ben } = await withBoth(stage)
    const answer = await anna.call(
      task('a', 'hers'),
      remove('Lists', 'his'),
      task('b', 'hers'),
      change('Lists', 'hers', { ownerId: 'ben' }),
      step('c', 'a'),
    )
    expectSame(told(answer), ['applied', 'row_gone', 'applied', 'forbidden', 'applied'], 'the outcomes')
    await expectReplica(stage, anna)
    await expectReplica(stage, ben)
    expectMatch(ben.rows('steps'), [{ id: 'hisStep' }], 'what ben has')
  }),
  on(
    'a mutator that writes one row too many loses all that it wrote',
    async (stage) => {
      const { anna } = await withBoth(stage)
      expectSame(told(await anna.call(['act', {}])), ['forbidden'], 'the outcome')
      await expectReplica(stage, anna)
      expectMatch(anna.rows('lists'), [{ id: 'hers', title: 'a list' }], 'what anna has')
    },
    {
      mutators: {
        act: async (tx) => {
          await tx.lists.update('hers', { title: 'changed' })
          await tx.lists.insert({ id: 'more', ownerId: tx.actor, title: '', done: false })
          await tx.lists.insert({ id: 'x', ownerId: 'ben', title: '', done: false })
        },
      },
    },
  ),
  on('an id that another has taken is taken, and nothing of the row is told or changed', async (stage) => {
    const { anna, ben } = await withBoth(stage)
    const answer = await anna.call(list('his', 'anna'))
    expectSame(told(answer), ['row_exists'], 'the outcome')
    expectThat(!JSON.stringify(answer.body).includes('ben'), 'the answer says nothing of ben')
    await expectReplica(stage, ben)
    expectMatch(ben.rows('lists'), [{ id: 'his', ownerId: 'ben' }], 'what ben has')
  }),
  on('a query of a mutator deletes nothing of others', async (stage) => {
    const { anna, ben } = await withBoth(stage)
    await anna.call(['sweep', { listId: 'his', below: 100 }], ['sweep', { listId: 'hers', below: 100 }])
    await expectReplica(stage, ben)
    expectMatch(ben.rows('tasks'), [{ id: 'hisTask' }], 'what ben has')
    expectSame((await stage.rows('tasks')).length, 1, 'how many tasks there are')
  }),
  sees('a mutator gets another’s row as absent', (tx: AnyTx) => tx['lists']?.get('his') as Promise<unknown>, null),
  sees(
    'a query without conditions finds the rows that the actor may see',
    async (tx: AnyTx) => ids(await tx['lists']?.where({}).all()),
    ['hers'],
  ),
  sees(
    'a query for another’s row by its id finds none',
    async (tx: AnyTx) => (await tx['lists']?.where({ id: 'his' }).first()) ?? 'none',
    'none',
  ),
  sees(
    'a query below another’s row finds none, also by its parent’s id',
    async (tx: AnyTx) => [
      ids(await tx['tasks']?.where({ listId: 'his' }).all()),
      ids(await tx['steps']?.where({}).all()),
    ],
    [[], []],
  ),
  sees(
    'a limit counts what the actor may see',
    async (tx: AnyTx) => ids(await tx['tasks']?.where({}).orderBy('id').limit(1).all()),
    ['herTask'],
  ),
  on('who may only read a scope changes nothing there, and is told so', async (stage) => {
    const { anna } = await withTeams(stage)
    await expectReplica(stage, anna)
    expectMatch(anna.rows('cards'), [{ id: 'c' }, { id: 'e' }], 'what anna reads')
    const answer = await anna.call(
      board('x', 'oak'),
      change('Boards', 'oaks', { title: 'mine' }),
      card('y', 'oaks'),
      change('Cards', 'c', { effort: 9 }),
      remove('Cards', 'c'),
      remove('Boards', 'oaks'),
      card('z', 'elms'),
    )
    expectSame(told(answer), [...Array(6).fill('forbidden'), 'applied'], 'the outcomes')
  }),
  on('a row is not moved into a scope that may only be read, nor out of one', async (stage) => {
    const { anna } = await withTeams(stage)
    const answer = await anna.call(
      change('Boards', 'elms', { teamId: 'oak' }),
      change('Cards', 'e', { boardId: 'oaks' }),
      change('Boards', 'oaks', { teamId: 'elm' }),
      change('Cards', 'c', { boardId: 'elms' }),
    )
    expectSame(told(answer), Array(4).fill('forbidden'), 'the outcomes')
    expectMatch(
      await stage.rows('boards'),
      [
        { id: 'elms', teamId: 'elm' },
        { id: 'oaks', teamId: 'oak' },
      ],
      'the boards',
    )
  }),
  on('who may write in both scopes moves a row, and the right to its children moves with it', async (stage) => {
    const { anna, ben } = await withTeams(stage)
    await anna.pull()
    expectSame(
      told(await ben.call(change('Boards', 'oaks', { teamId: 'elm' }), change('Boards', 'elms', { teamId: 'oak' }))),
      ['applied', 'applied'],
      'what ben is told',
    )
    const answer = await anna.call(change('Cards', 'c', { effort: 9 }), change('Cards', 'e', { effort: 9 }))
    expectSame(told(answer), ['applied', 'forbidden'], 'what anna is told')
    await expectReplica(stage, anna)
  }),
  on('the right to children moves with their parent within one batch', async (stage) => {
    const { ben } = await withTeams(stage)
    await stage.sql('UPDATE members SET role = ? WHERE id = ?', 'reader', 'm2')
    const answer = await ben.call(
      change('Cards', 'c', { effort: 5 }),
      change('Boards', 'oaks', { teamId: 'elm' }),
      change('Boards', 'oaks', { title: 'still mine' }),
    )
    expectSame(told(answer), ['applied', 'forbidden', 'applied'], 'the outcomes')
  }),
  on(
    'who may only write a scope does so, sees it in mutators, and is sent nothing of it',
    async (stage) => {
      const writer = stage.device('writer')
      expectSame(
        told(await writer.call(list('drop', 'box'), change('Lists', 'drop', { title: 'again' }))),
        ['applied', 'applied'],
        'the outcomes',
      )
      await expectReplica(stage, writer)
      expectSame([...writer.held.keys()], ['user:writer'], 'the scopes that are sent')
    },
    { grants: (actor) => ({ read: [`user:${actor}`], write: ['user:box'] }) },
  ),
  on('who takes the id of a deleted parent does not take what is left under it', async (stage) => {
    const { anna, ben } = await withBoth(stage)
    await ben.call(remove('Lists', 'his'))
    expectSame(told(await anna.call(list('his', 'anna'))), ['row_exists'], 'what anna is told')
    await expectReplica(stage, anna)
    expectMatch(anna.rows('tasks'), [{ id: 'herTask' }], 'what anna has')
    expectSame(told(await ben.call(list('his', 'ben'))), ['applied'], 'what ben is told')
    await expectReplica(stage, ben)
    expectMatch(ben.rows('steps'), [{ id: 'hisStep' }], 'what ben has back')
  }),
  on('the id of a row that was deleted with nothing left under it is free for anybody', async (stage) => {
    const { anna, ben } = await withBoth(stage)
    await ben.call(remove('Steps', 'hisStep'), remove('Tasks', 'hisTask'), remove('Lists', 'his'))
    expectSame(told(await anna.call(list('his', 'anna'))), ['applied'], 'the outcome')
    await expectReplica(stage, anna)
  }),
  on('code of the server runs a mutator under the rights of the actor that it names', async (stage) => {
    await withBoth(stage)
    const run = stage.authority.run as (
      actor: string,
      name: string,
      args: unknown,
    ) => Promise<{ readonly code?: string }>
    expectMatch(
      await run('anna', 'updateLists', { id: 'his', title: 'mine' }),
      { code: 'row_gone' },
      'what anna is told',
    )
    expectMatch(
      await run('ben', 'updateLists', { id: 'his', title: 'mine' }),
      { status: 'applied' },
      'what ben is told',
    )
  }),
  on('a member is not made by who may not write in the team', async (stage) => {
    const { anna } = await withTeams(stage)
    expectSame(
      told(await anna.call(member('m9', 'oak', 'anna', 'writer'), change('Members', 'm3', { role: 'writer' }))),
      ['forbidden', 'forbidden'],
      'the outcomes',
    )
  }),
]
