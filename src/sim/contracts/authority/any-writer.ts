// Item 3, any writer: what another program does with plain SQL counts as if the authority had done it, from its adoption on. Rows
// come, change, move and go; children follow; versions, positions and aggregates are what they would be otherwise. I7, I10, I11.
import { expectSame, expectThat } from '../contract.ts'
import { card, list, step, task } from './app.ts'
import type { AuthorityCase } from './ground.ts'
import { expectReplica } from './judge.ts'
import { expectMatch, onStage, type Stage } from './stage.ts'

const on = (title: string, run: (stage: Stage) => Promise<void>, options = {}) => onStage(3, title, run, options)

const insertList = ({ sql }: Stage, id: string, ownerId: string, title = 'by SQL') =>
  sql('INSERT INTO lists (id, "ownerId", title, done) VALUES (?, ?, ?, ?)', id, ownerId, title, false)
const insertTask = ({ sql }: Stage, id: string, listId: string, points = 3) =>
  sql(
    'INSERT INTO tasks (id, "listId", label, points, hours) VALUES (?, ?, ?, ?, ?)',
    id,
    listId,
    'by SQL',
    points,
    0.25,
  )
const versionOf = async ({ sql }: Stage, scope: string) =>
  Number((await sql('SELECT version FROM holdfast_scope WHERE scope = ?', scope))[0]?.['version'] ?? 0)

/** Anna has a list with two tasks and a step, and her device holds them. */
async function withTree(stage: Stage) {
  const anna = stage.device('anna')
  await anna.call(list('l', 'anna'), task('a', 'l'), task('b', 'l'), step('s', 'a'))
  await anna.pull()
  return anna
}

/** The cases. */
export const anyWriterCases: readonly AuthorityCase[] = [
  on('[I10] a row that plain SQL inserts comes with the next pull', async (stage) => {
    const anna = stage.device('anna')
    await anna.pull()
    await insertList(stage, 'l', 'anna')
    await expectReplica(stage, anna)
    expectMatch(anna.rows('lists'), [{ id: 'l', title: 'by SQL', note: null, done: false, extra: null }], 'the rows')
  }),
  on('[I10] a row that plain SQL changes comes alone, from where the device stands', async (stage) => {
    const anna = await withTree(stage)
    await stage.sql('UPDATE tasks SET label = ? WHERE id = ?', 'changed', 'b')
    const { patches } = await anna.page()
    expectMatch(patches, [{ from: { version: 1 }, to: { version: 2 }, gone: {} }], 'the patches')
    expectMatch(patches[0]?.rows['tasks'], [{ id: 'b', label: 'changed', position: 2 }], 'the changed tasks')
    expectSame(patches[0]?.rows['steps'], undefined, 'the changed steps')
  }),
  on('[I10] a row that plain SQL deletes leaves the device', async (stage) => {
    const anna = await withTree(stage)
    await stage.sql('DELETE FROM tasks WHERE id = ?', 'b')
    expectMatch((await anna.page()).patches, [{ gone: { tasks: ['b'] } }], 'the patches')
    await expectReplica(stage, anna)
  }),
  on('[I7] [I10] one commit of another program over several tables is one version and one frame', async (stage) => {
    const anna = await withTree(stage)
    await stage.foreign.transaction(async (all) => {
      await all('UPDATE lists SET title = ? WHERE id = ?', ['all new', 'l'])
      await all('UPDATE tasks SET points = 9')
      await all('DELETE FROM steps')
    })
    const { patches, seal } = await anna.page()
    expectMatch(patches, [{ to: { version: 2 }, gone: { steps: ['s'] } }], 'the patches')
    expectMatch(patches[0]?.rows['listTotals'], [{ id: 'l', points: 18 }], 'the totals')
    expectThat(seal !== undefined, 'the page is sealed')
  }),
  on('what another program rolls back has never been', async (stage) => {
    const anna = await withTree(stage)
    await stage.foreign
      .transaction(async (all) => {
        await all('DELETE FROM lists')
        throw new Error('changed its mind')
      })
      .catch(() => undefined)
    expectSame((await anna.page()).patches, [], 'the patches')
  }),
  on('[I7] many foreign commits before a pull are adopted as one version', async (stage) => {
    const anna = await withTree(stage)
    for (let turn = 0; turn < 5; turn++) await stage.sql('UPDATE lists SET title = ?', `turn ${turn}`)
    await expectReplica(stage, anna)
    expectSame(await versionOf(stage, 'user:anna'), 2, 'the version')
    expectMatch(anna.rows('lists'), [{ title: 'turn 4' }], 'the list')
  }),
  on('[I7] what waits is adopted with the authority’s own batch, in the same version', async (stage) => {
    const anna = await withTree(stage)
    await stage.sql('UPDATE lists SET title = ?', 'foreign')
    await anna.call(task('c', 'l'))
    expectSame(await versionOf(stage, 'user:anna'), 2, 'the version')
    const marks = await stage.sql('SELECT DISTINCT mark FROM holdfast_commit WHERE version = 2')
    expectSame(marks.length, 1, 'how many marks the commit has')
    await expectReplica(stage, anna)
  }),
  on('[I9] [I10] a row that plain SQL gives to another owner leaves the one and comes to the other', async (stage) => {
    const [anna, ben] = [stage.device('anna'), stage.device('ben')]
    await anna.call(list('l', 'anna'), list('m', 'anna'))
    await Promise.all([anna.pull(), ben.pull()])
    await stage.sql('UPDATE lists SET "ownerId" = ? WHERE id = ?', 'ben', 'l')
    await expectReplica(stage, anna)
    await expectReplica(stage, ben)
    expectMatch(anna.rows('lists'), [{ id: 'm' }], 'what anna has')
    expectMatch(ben.rows('lists'), [{ id: 'l' }], 'what ben has')
    expectMatch(anna.rows('ownerTotals'), [{ id: 'anna', lists: 1 }], 'her total')
  }),
  on('[I10] children follow a parent that moves to another scope, two steps down', async (stage) => {
    const [anna, ben] = [await withTree(stage), stage.device('ben')]
    await ben.pull()
    await stage.sql('UPDATE lists SET "ownerId" = ? WHERE id = ?', 'ben', 'l')
    await expectReplica(stage, anna)
    await expectReplica(stage, ben)
    expectSame([...(anna.held.get('user:anna') ?? [])], [], 'what anna has')
    expectMatch(ben.rows('tasks'), [{ id: 'a' }, { id: 'b' }], 'the tasks that ben has')
    expectMatch(ben.rows('steps'), [{ id: 's', position: 1 }], 'the steps that ben has')
    expectMatch(ben.rows('listTotals'), [{ id: 'l', tasks: 2 }], 'the totals that ben has')
  }),
  on('[I10] a subtree that comes back to a scope is there again, once', async (stage) => {
    const anna = await withTree(stage)
    for (const owner of ['ben', 'anna']) {
      await stage.sql('UPDATE lists SET "ownerId" = ?', owner)
      await expectReplica(stage, anna)
    }
    const log = await stage.sql("SELECT gone FROM holdfast_log WHERE id = 's' AND scope = 'user:anna'")
    expectSame(
      log.map(({ gone }) => Number(gone)),
      [0],
      'what the log says of the step',
    )
  }),
  on('[I10] deleting a parent takes its children and their totals from every device', async (stage) => {
    const [phone, tablet] = [await withTree(stage), stage.device('anna')]
    await tablet.pull()
    await stage.sql('DELETE FROM lists WHERE id = ?', 'l')
    for (const device of [phone, tablet]) {
      await expectReplica(stage, device)
      expectSame([...(device.held.get('user:anna') ?? [])], [], 'what the device holds')
    }
  }),
  on('[I10] a parent that is inserted again brings back what still refers to it', async (stage) => {
    const anna = await withTree(stage)
    await stage.sql('DELETE FROM lists')
    await anna.pull()
    await insertList(stage, 'l', 'anna', 'again')
    await expectReplica(stage, anna)
    expectMatch(anna.rows('steps'), [{ id: 's' }], 'the steps')
    expectMatch(anna.rows('listTotals'), [{ id: 'l', tasks: 2 }], 'the totals')
  }),
  on('[I10] children that come before their parent appear with it', async (stage) => {
    const anna = stage.device('anna')
    await insertTask(stage, 'a', 'l')
    await anna.pull()
    expectSame(anna.rows('tasks'), [], 'the tasks before')
    await insertList(stage, 'l', 'anna')
    await expectReplica(stage, anna)
    expectMatch(anna.rows('tasks'), [{ id: 'a', position: 1 }], 'the tasks after')
  }),
  on('[I10] a child that moves under a parent of another scope takes its own children along', async (stage) => {
    const [anna, ben] = [await withTree(stage), stage.device('ben')]
    await ben.call(list('m', 'ben'), task('x', 'm'))
    await ben.pull()
    await stage.sql('UPDATE tasks SET "listId" = ?, position = NULL WHERE id = ?', 'm', 'a')
    await expectReplica(stage, anna)
    await expectReplica(stage, ben)
    expectMatch(
      ben.rows('tasks'),
      [
        { id: 'a', position: 2 },
        { id: 'x', position: 1 },
      ],
      'the tasks that ben has',
    )
    expectMatch(ben.rows('steps'), [{ id: 's' }], 'the steps that ben has')
  }),
  on('[I11] a total follows rows that plain SQL inserts, changes, moves and deletes', async (stage) => {
    const anna = stage.device('anna')
    await anna.call(list('l', 'anna'), list('m', 'anna'))
    const totals = async () => {
      await expectReplica(stage, anna)
      return anna.rows('listTotals').map(({ id, tasks, points }) => `${id} ${tasks} ${points}`)
    }
    await insertTask(stage, 'a', 'l', 3)
    await insertTask(stage, 'b', 'l', 4)
    expectSame(await totals(), ['l 2 7'], 'after inserts')
    await stage.sql('UPDATE tasks SET points = 10 WHERE id = ?', 'a')
    expectSame(await totals(), ['l 2 14'], 'after an update')
    await stage.sql('UPDATE tasks SET "listId" = ?, position = NULL WHERE id = ?', 'm', 'a')
    expectSame(await totals(), ['l 1 4', 'm 1 10'], 'after a move')
    await stage.sql('DELETE FROM tasks WHERE id = ?', 'b')
    expectSame(await totals(), ['m 1 10'], 'after a delete')
  }),
  on('[I10] an id that plain SQL changes is a row that went and another that came', async (stage) => {
    const anna = await withTree(stage)
    await stage.sql('UPDATE steps SET id = ? WHERE id = ?', 't', 's')
    expectMatch(
      (await anna.page()).patches,
      [{ gone: { steps: ['s'] }, rows: { steps: [{ id: 't' }] } }],
      'the patches',
    )
    await expectReplica(stage, anna)
  }),
  on('a row whose value makes no scope is on no device, and is back when it makes one', async (stage) => {
    const anna = stage.device('anna')
    await anna.call(list('l', 'anna'))
    await anna.pull()
    await stage.sql('UPDATE lists SET "ownerId" = ?', 'x'.repeat(300))
    await anna.pull()
    expectSame(anna.rows('lists'), [], 'the lists')
    await stage.sql('UPDATE lists SET "ownerId" = ?', 'anna')
    await expectReplica(stage, anna)
    expectMatch(anna.rows('lists'), [{ id: 'l' }], 'the lists again')
  }),
  on('[I10] what was written while no authority ran is adopted by the next one', async (stage) => {
    const anna = await withTree(stage)
    await stage.authority.close()
    await stage.sql('UPDATE lists SET title = ?', 'written at night')
    await insertTask(stage, 'c', 'l')
    const next = await stage.another()
    const same = next.device('anna', anna.client)
    same.last = anna.last
    for (const [scope, place] of anna.cursors) same.cursors.set(scope, place)
    for (const [scope, rows] of anna.held) same.held.set(scope, rows)
    await expectReplica(next, same)
    expectMatch(same.rows('tasks'), [{ id: 'a' }, { id: 'b' }, { id: 'c', position: 3 }], 'the tasks')
  }),
  on('columns that the app does not declare stay in the database and are told to nobody', async (stage) => {
    const anna = await withTree(stage)
    await stage.sql('ALTER TABLE lists ADD COLUMN secret TEXT')
    await stage.sql('UPDATE lists SET secret = ?', 'do not tell')
    const { patches } = await anna.page()
    expectThat(!JSON.stringify(patches).includes('secret'), 'the patch says nothing of the column')
    await expectReplica(stage, anna)
  }),
  on('[I13] three thousand rows of one foreign statement come with the pull, all at one version', async (stage) => {
    const anna = stage.device('anna')
    await anna.pull()
    await stage.sql(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO lists (id, "ownerId", title, done) SELECT 'w' || i, 'anna', 'many', done FROM n, (SELECT ${stage.database.dialect.name === 'sqlite' ? '0' : 'false'} AS done) AS d`,
    )
    await expectReplica(stage, anna)
    expectSame([anna.rows('lists').length, await versionOf(stage, 'user:anna')], [3000, 1], 'rows and version')
  }),
  on('[I17] what plain SQL writes reaches a connected device within a second', async (stage) => {
    const anna = await withTree(stage)
    const stream = await anna.live()
    await stream.until(() => stream.seals.length === 1, 'the first seal')
    await stage.sql('UPDATE lists SET title = ?', 'seen at once')
    stage.clock.move(1_000)
    await stream.until(() => anna.rows('lists')[0]?.['title'] === 'seen at once', 'the new title')
    expectSame(stream.events, ['seal', 'patch', 'seal'], 'the events')
  }),
  on('[I9] what plain SQL does to the table of members changes what a device may hold', async (stage) => {
    const anna = stage.device('anna')
    await stage.authority.run('ben', 'act', { id: 'x', how: 'keeps the grants watched' } as never)
    await stage.sql('INSERT INTO boards (id, "teamId", title) VALUES (?, ?, ?)', 'b', 'oak', 'a board')
    await anna.pull()
    expectSame(anna.rows('boards'), [], 'the boards of a stranger')
    const join = 'INSERT INTO members (id, "teamId", "userId", role) VALUES (?, ?, ?, ?)'
    await stage.sql(join, 'm', 'oak', 'anna', 'writer')
    await anna.call(card('c', 'b'))
    await expectReplica(stage, anna)
    expectMatch(anna.rows('cards'), [{ id: 'c', position: 1 }], 'the cards of a member')
    await stage.sql('DELETE FROM members')
    await anna.pull()
    expectSame([anna.rows('boards'), anna.rows('cards')], [[], []], 'what is left')
  }),
  on('[I10] two processes on one database: what one decides, the other’s devices see', async (stage) => {
    const other = await stage.another()
    const [here, there] = [stage.device('anna'), other.device('anna')]
    await here.call(list('l', 'anna'))
    await there.call(task('a', 'l'))
    await here.call(task('b', 'l'))
    for (const device of [here, there]) await expectReplica(stage, device)
    expectMatch(
      there.rows('tasks'),
      [
        { id: 'a', position: 1 },
        { id: 'b', position: 2 },
      ],
      'the tasks',
    )
  }),
]
