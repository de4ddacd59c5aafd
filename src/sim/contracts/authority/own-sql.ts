// Item 3, any writer: what a mutator does at the authority with `tx.sql`. The statement belongs to its intent, sees what came before
// it and is seen by what comes after, reaches devices like any other write, and cannot reach past the transaction. I10, I11.
import { expectSame, expectThat } from '../contract.ts'
import { change, list, step, task } from './app.ts'
import { type Call, told } from './device.ts'
import type { AuthorityCase } from './ground.ts'
import { expectReplica } from './judge.ts'
import { expectMatch, onStage, type Stage, type StageOptions } from './stage.ts'

type Act = NonNullable<NonNullable<StageOptions['mutators']>['act']>

/** A case whose mutator `act` has this body at the authority. */
const acting = (title: string, act: Act, run: (stage: Stage) => Promise<void>) =>
  onStage(3, title, run, { mutators: { act } })
const act = (id: string, how = ''): Call => ['act', { id, how }]

/** The cases. */
export const ownSqlCases: readonly AuthorityCase[] = [
  acting(
    '[I10] what tx.sql writes reaches devices like any other row',
    async (tx, { id }) => {
      await tx.sql('INSERT INTO lists (id, "ownerId", title, done) VALUES (?, ?, ?, ?)', [
        String(id),
        tx.actor,
        'own SQL',
        true,
      ])
    },
    async (stage) => {
      const anna = stage.device('anna')
      expectSame(told(await anna.call(act('l'), task('a', 'l'))), ['applied', 'applied'], 'the outcomes')
      await expectReplica(stage, anna)
      expectMatch(anna.rows('lists'), [{ id: 'l', title: 'own SQL', done: true }], 'the lists')
    },
  ),
  acting(
    '[I10] a parent that tx.sql deletes takes its children from devices',
    async (tx) => {
      await tx.sql('DELETE FROM lists')
    },
    async (stage) => {
      const anna = stage.device('anna')
      await anna.call(list('l', 'anna'), task('a', 'l'), step('s', 'a'))
      await anna.pull()
      await anna.call(act(''))
      await expectReplica(stage, anna)
      expectSame([...(anna.held.get('user:anna') ?? [])], [], 'what is left')
    },
  ),
  acting(
    'tx.sql sees what intents before it in the batch wrote, and is seen by those after it',
    async (tx, { id }) => {
      const [row] = await tx.sql('SELECT count(*) AS n FROM tasks')
      await tx.sql('UPDATE tasks SET label = ? WHERE id = ?', [`one of ${Number(row?.['n'])}`, String(id)])
      const seen = await tx.tasks.get(String(id))
      await tx.tasks.update(String(id), { label: `${seen?.label}!` })
    },
    async (stage) => {
      const anna = stage.device('anna')
      await anna.call(list('l', 'anna'), task('a', 'l'), task('b', 'l'), act('a'), [
        'addPoints',
        { id: 'a', points: 4 },
      ])
      await expectReplica(stage, anna)
      expectMatch(anna.rows('tasks'), [{ id: 'a', label: 'one of 2!', points: 5 }, { id: 'b' }], 'the tasks')
    },
  ),
  acting(
    '[I10] what tx.sql wrote is undone when its intent is rejected, and nothing else is',
    async (tx, { how }) => {
      await tx.sql('UPDATE tasks SET points = 100')
      await tx.sql('DELETE FROM steps')
      if (how === 'reject') tx.reject('not_today')
    },
    async (stage) => {
      const anna = stage.device('anna')
      const outcome = await anna.call(
        list('l', 'anna'),
        task('a', 'l'),
        step('s', 'a'),
        act('', 'reject'),
        task('b', 'l'),
      )
      expectSame(told(outcome), ['applied', 'applied', 'applied', 'not_today', 'applied'], 'the outcomes')
      await expectReplica(stage, anna)
      expectMatch(anna.rows('listTotals'), [{ tasks: 2, points: 2 }], 'the totals')
      expectMatch(anna.rows('steps'), [{ id: 's' }], 'the steps')
    },
  ),
  acting(
    'a constraint that tx.sql meets decides its intent, even when the mutator catches the error, and no other',
    async (tx, { id }) => {
      await tx
        .sql('INSERT INTO steps (id, "taskId", label) VALUES (?, ?, ?)', [String(id), 'a', ''])
        .catch(() => undefined)
      await tx.lists.update('l', { title: 'went on' }).catch(() => undefined)
    },
    async (stage) => {
      const anna = stage.device('anna')
      const answer = await anna.call(list('l', 'anna'), task('a', 'l'), step('s', 'a'), act('s'), step('t', 'a'))
      expectSame(told(answer), ['applied', 'applied', 'applied', 'constraint', 'applied'], 'the outcomes')
      expectMatch(answer.outcomes[1], { details: { kind: 'unique' } }, 'the refusal')
      await expectReplica(stage, anna)
      expectMatch(anna.rows('lists'), [{ title: 'a list' }], 'the lists')
    },
  ),
  ...['commit', '  -- a comment\nROLLBACK', '/* so */ begin', 'SAVEPOINT mine', 'release mine'].map((text) =>
    acting(
      `tx.sql refuses «${text.trim().replaceAll('\n', ' ')}»: the transaction is not the mutator’s`,
      async (tx) => {
        await tx.sql(text)
      },
      async (stage) => {
        const anna = stage.device('anna')
        const answer = await anna.call(list('l', 'anna'), act(''))
        expectMatch(answer, { decided: 1, stop: { sequence: 2, code: 'fault' } }, 'the answer')
        expectThat(!JSON.stringify(answer.body).includes('tx.sql'), 'nothing of the inside is told')
        await expectReplica(stage, anna)
      },
    ),
  ),
  acting(
    '[I11] rows that tx.sql inserts get positions, and those it moves go to the end',
    async (tx) => {
      await tx.sql('INSERT INTO tasks (id, "listId", label, points, hours) VALUES (?, ?, ?, 1, 1)', ['c', 'l', ''])
      await tx.sql('UPDATE tasks SET "listId" = ?, position = NULL WHERE id = ?', ['l', 'x'])
    },
    async (stage) => {
      const anna = stage.device('anna')
      await anna.call(list('l', 'anna'), list('m', 'anna'), task('a', 'l'), task('x', 'm'))
      await anna.call(act(''))
      await expectReplica(stage, anna)
      const places = anna.rows('tasks').map(({ id, listId, position }) => `${id} ${listId} ${position}`)
      expectSame(places, ['a l 1', 'c l 2', 'x l 3'], 'the places')
    },
  ),
  acting(
    '[I9] tx.sql asks no rights: what it writes elsewhere is told there, and never to who wrote it',
    async (tx, { id }) => {
      await tx.sql('UPDATE lists SET title = ? WHERE id = ?', ['seen by the server', String(id)])
    },
    async (stage) => {
      const [anna, ben] = [stage.device('anna'), stage.device('ben')]
      await ben.call(list('his', 'ben'))
      expectSame(
        told(await anna.call(act('his'), change('Lists', 'his', { title: 'mine' }))),
        ['applied', 'row_gone'],
        'what anna is told',
      )
      await expectReplica(stage, anna)
      await expectReplica(stage, ben)
      expectMatch(ben.rows('lists'), [{ title: 'seen by the server' }], 'what ben has')
      expectSame(anna.rows('lists'), [], 'what anna has')
    },
  ),
]
