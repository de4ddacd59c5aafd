// Item 4, scopes and rights: rows that a deleted parent has left behind. They lie in no scope; who inserts a row under the parent's old id
// would take them along, so that is allowed only where they lay last, and to the batch that made them. To everybody else the id is taken. I9.
import { expectSame } from '../contract.ts'
import { board, card, change, list, remove, step, task } from './app.ts'
import { told } from './device.ts'
import type { AuthorityCase } from './ground.ts'
import { expectReplica } from './judge.ts'
import { expectMatch, onStage, type Stage } from './stage.ts'

const on = (title: string, run: (stage: Stage) => Promise<void>) => onStage(4, `[I9] ${title}`, run)

const join = (stage: Stage, id: string, team: string, user: string) =>
  stage.sql('INSERT INTO members (id, "teamId", "userId", role) VALUES (?, ?, ?, ?)', id, team, user, 'writer')

/** The cases. */
export const straysCases: readonly AuthorityCase[] = [
  on('what another inserted and left behind in the same commit is not taken', async (stage) => {
    const [anna, ben] = [stage.device('anna'), stage.device('ben')]
    const [, hers] = await Promise.all([
      ben.call(list('x', 'ben'), task('t', 'x', { label: 'a secret' }), remove('Lists', 'x')),
      anna.call(list('x', 'anna')),
    ])
    expectSame(told(hers), ['row_exists'], 'what anna is told')
    await expectReplica(stage, anna)
    expectSame(anna.rows('tasks'), [], 'what anna has')
  }),
  on('what lay in a scope once, and elsewhere last, is not taken into the first', async (stage) => {
    for (const [id, team, user] of [
      ['m1', 'elm', 'anna'],
      ['m2', 'elm', 'ben'],
      ['m3', 'oak', 'ben'],
    ] as const)
      await join(stage, id, team, user)
    const [anna, ben] = [stage.device('anna'), stage.device('ben')]
    await anna.call(board('b', 'elm'), card('c', 'b'))
    await ben.call(change('Boards', 'b', { teamId: 'oak' }), change('Cards', 'c', { label: 'a secret of oak' }))
    await ben.call(remove('Boards', 'b'))
    expectSame(told(await anna.call(board('b', 'elm'))), ['row_exists'], 'what anna is told')
    expectSame(told(await ben.call(board('b', 'oak'))), ['applied'], 'what ben is told')
    await expectReplica(stage, anna)
    await expectReplica(stage, ben)
    expectMatch(ben.rows('cards'), [{ id: 'c', label: 'a secret of oak' }], 'what ben has back')
  }),
  on('an id that a row of one’s own had once gives no right to the row that has it now', async (stage) => {
    const [anna, ben] = [stage.device('anna'), stage.device('ben')]
    await anna.call(list('hers', 'anna'), task('t', 'hers'))
    await anna.call(remove('Tasks', 't'))
    await ben.call(list('x', 'ben'), task('t', 'x', { label: 'a secret' }))
    await ben.call(remove('Lists', 'x'))
    expectSame(told(await anna.call(list('x', 'anna'))), ['row_exists'], 'what anna is told')
  }),
  on('what was left behind, taken away and made anew by another lies where that one made it', async (stage) => {
    const [anna, ben] = [stage.device('anna'), stage.device('ben')]
    await anna.call(list('x', 'anna'), task('t', 'x'))
    await anna.call(remove('Lists', 'x'))
    await stage.sql('DELETE FROM tasks')
    await anna.pull()
    await ben.call(list('y', 'ben'), task('t', 'y', { label: 'a secret' }))
    await ben.call(remove('Lists', 'y'))
    expectSame(told(await anna.call(list('y', 'anna'))), ['row_exists'], 'what anna is told')
    expectSame(told(await ben.call(list('y', 'ben'))), ['applied'], 'what ben is told')
  }),
  on('a batch that makes rows, leaves them behind and comes back has them again', async (stage) => {
    const anna = stage.device('anna')
    const answer = await anna.call(
      list('x', 'anna'),
      task('t', 'x'),
      step('s', 't'),
      ['sweep', { listId: 'x', below: 0 }],
      remove('Lists', 'x'),
      list('x', 'anna', { title: 'again' }),
    )
    expectSame(told(answer), Array(6).fill('applied'), 'the outcomes')
    await expectReplica(stage, anna)
    expectMatch(anna.rows('steps'), [{ id: 's' }], 'the steps')
  }),
  on('what plain SQL puts under another parent is left behind there from then on', async (stage) => {
    const [anna, ben] = [stage.device('anna'), stage.device('ben')]
    await anna.call(list('x', 'anna'), task('t', 'x'))
    await anna.call(remove('Lists', 'x'))
    await ben.call(list('y', 'ben'))
    await stage.sql('UPDATE tasks SET "listId" = ?, position = NULL', 'y')
    await ben.pull()
    expectMatch(ben.rows('tasks'), [{ id: 't' }], 'what ben has')
    await ben.call(remove('Lists', 'y'))
    expectSame(told(await anna.call(list('y', 'anna'))), ['row_exists'], 'what anna is told')
    expectSame(told(await ben.call(list('y', 'ben'))), ['applied'], 'what ben is told')
  }),
]
