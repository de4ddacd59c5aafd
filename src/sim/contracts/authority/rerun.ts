// Item 8, conflicts: what became of two writes that did not know of each other. By default an intent runs again on what is true when it
// is decided: what commutes is kept, what was changed column by column is kept, what is no longer possible is refused. I3, I10.
import { expectSame } from '../contract.ts'
import { change, list, remove, task } from './app.ts'
import { told } from './device.ts'
import type { AuthorityCase } from './ground.ts'
import { expectReplica } from './judge.ts'
import { expectMatch, onStage, type Stage, type StageOptions } from './stage.ts'

const on = (title: string, run: (stage: Stage) => Promise<void>, options: StageOptions = {}) =>
  onStage(8, title, run, options)

/** A list with a task, which a phone and a tablet hold; both write without having heard of each other. */
async function withTwo(stage: Stage) {
  const [phone, tablet] = [stage.device('anna'), stage.device('anna')]
  await phone.call(list('l', 'anna', { title: 'old', note: 'old' }), task('t', 'l', { points: 1, hours: 1 }))
  await Promise.all([phone.pull(), tablet.pull()])
  return { phone, tablet }
}

/** The cases. */
export const rerunCases: readonly AuthorityCase[] = [
  on('two that add to one value both count', async (stage) => {
    const { phone, tablet } = await withTwo(stage)
    await phone.call(['addPoints', { id: 't', points: 10 }])
    expectSame(told(await tablet.call(['addPoints', { id: 't', points: 100 }])), ['applied'], 'the outcome')
    for (const device of [phone, tablet]) {
      await expectReplica(stage, device)
      expectMatch(device.rows('tasks'), [{ points: 111 }], 'the points')
    }
  }),
  on('two that change different columns of a row both keep theirs', async (stage) => {
    const { phone, tablet } = await withTwo(stage)
    await phone.call(change('Lists', 'l', { title: 'from the phone' }))
    await tablet.call(change('Lists', 'l', { note: 'from the tablet' }))
    expectMatch(await stage.rows('lists'), [{ title: 'from the phone', note: 'from the tablet' }], 'the list')
  }),
  on(
    'of two that set one column, the one decided later stands, by the authority’s order and no clock',
    async (stage) => {
      const { phone, tablet } = await withTwo(stage)
      const [late] = phone.make(['updateLists', { id: 'l', title: 'made late' }, { madeAt: 2_000_000_000_000 }])
      if (late !== undefined) await phone.push(late)
      await tablet.call(['updateLists', { id: 'l', title: 'decided late' }, { madeAt: 0 }])
      expectMatch(await stage.rows('lists'), [{ title: 'decided late' }], 'the list')
    },
  ),
  on('a change of a row that another has deleted is refused, and the row stays gone', async (stage) => {
    const { phone, tablet } = await withTwo(stage)
    await phone.call(remove('Tasks', 't'))
    const answer = await tablet.call(change('Tasks', 't', { points: 5 }), remove('Tasks', 't'))
    expectSame(told(answer), ['row_gone', 'row_gone'], 'the outcomes')
    expectMatch(answer.outcomes[0], { status: 'rejected', details: { table: 'tasks', id: 't' } }, 'what it says')
    await expectReplica(stage, tablet)
    expectSame(tablet.rows('tasks'), [], 'the tasks')
  }),
  on('a child under a parent that another has deleted is refused', async (stage) => {
    const { phone, tablet } = await withTwo(stage)
    await phone.call(remove('Lists', 'l'))
    expectSame(told(await tablet.call(task('u', 'l'))), ['row_gone'], 'the outcome')
    await expectReplica(stage, tablet)
  }),
  on('of two that insert one id the first stands, and the second is refused', async (stage) => {
    const { phone, tablet } = await withTwo(stage)
    await phone.call(list('m', 'anna', { title: 'first' }))
    expectSame(told(await tablet.call(list('m', 'anna', { title: 'second' }))), ['row_exists'], 'the outcome')
    expectMatch(await stage.rows('lists'), [{ id: 'l' }, { id: 'm', title: 'first' }], 'the lists')
  }),
  on('a row that was deleted and made anew meanwhile is changed as it is now', async (stage) => {
    const { phone, tablet } = await withTwo(stage)
    await phone.call(remove('Tasks', 't'), task('t', 'l', { label: 'another', points: 50 }))
    await tablet.call(['addPoints', { id: 't', points: 1 }])
    expectMatch(await stage.rows('tasks'), [{ label: 'another', points: 51 }], 'the task')
  }),
  on('a mutator that works on what a query finds finds what is there now', async (stage) => {
    const { phone, tablet } = await withTwo(stage)
    await phone.call(task('u', 'l', { points: 2 }), change('Tasks', 't', { points: 90 }))
    await tablet.call(['sweep', { listId: 'l', below: 10 }])
    expectMatch(await stage.rows('tasks'), [{ id: 't', points: 90 }], 'the tasks')
  }),
  on('a mutator that may no longer do what it did on its device says so in its own words', async (stage) => {
    const { phone, tablet } = await withTwo(stage)
    await phone.call(remove('Tasks', 't'))
    const answer = await tablet.call(['addPoints', { id: 't', points: 1 }])
    expectMatch(answer.outcomes, [{ status: 'rejected', code: 'no_task' }], 'the outcomes')
  }),
  on('a row that another has moved to another parent is changed where it is', async (stage) => {
    const { phone, tablet } = await withTwo(stage)
    await phone.call(list('m', 'anna'), change('Tasks', 't', { listId: 'm' }))
    expectSame(told(await tablet.call(change('Tasks', 't', { label: 'renamed' }))), ['applied'], 'the outcome')
    await expectReplica(stage, tablet)
    expectMatch(tablet.rows('tasks'), [{ listId: 'm', label: 'renamed' }], 'the task')
  }),
]
