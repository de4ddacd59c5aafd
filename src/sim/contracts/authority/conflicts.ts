// Item 8, conflicts: mutators with a policy. An intent says on what it was based; where others have changed that since, it is refused or
// merged by columns, nothing is lost without a record of both sides, and one action puts the lost side back. I3, I9.
import type { Json } from '../../../base/json.ts'
import { defineApp, t, table } from '../../../schema/index.ts'
import { expectSame, expectThat } from '../contract.ts'
import { fits, having } from './app.ts'
import { type Call, type Device, told } from './device.ts'
import type { AuthorityCase } from './ground.ts'
import { expectReplica } from './judge.ts'
import { expectMatch, onStage, type Stage } from './stage.ts'

type Edit = { readonly id: string; readonly title?: string; readonly note?: string }
const noted = defineApp({
  tables: {
    pads: table({ id: t.id(), teamId: t.text() }).scope('team', 'teamId'),
    notes: table({ id: t.id(), padId: t.ref('pads'), title: t.text(), note: t.text() }).scopeVia('padId'),
  },
  mutators: ({ mutator, generated }) => ({
    ...generated('pads'),
    ...generated('notes'),
    merge: mutator(fits<Edit>(), async (tx, { id, ...patch }) => tx.notes.update(id, patch), { conflict: 'fields' }),
    judge: mutator(fits<Edit>(), async (tx, { id, ...patch }) => tx.notes.update(id, patch), { conflict: 'reject' }),
    drop: mutator(fits<{ readonly id: string }>(), async (tx, { id }) => tx.notes.delete(id), { conflict: 'fields' }),
  }),
})

const edit = (name: 'merge' | 'judge' | 'updateNotes', patch: { readonly [column: string]: Json }): Call => [
  name,
  { id: 'n', ...patch },
]
/** What a device says of the note: where it stands, and what the columns were that it changes. */
const base = (
  device: Device,
  was?: { readonly [column: string]: Json },
  same?: { readonly [column: string]: Json },
) => ({
  places: [{ scope: 'team:oak', ...device.cursors.get('team:oak') }],
  rows: [{ table: 'notes', id: 'n', at: 0, ...(was && { was }), ...(same && { same }) }],
})
const note = async (stage: Stage) => (await stage.rows('notes')).find(({ id }) => id === 'n')
const records = (device: Device) => device.rows('holdfastConflicts')

/** A note of a team, on the devices of anna and ben; both write without having heard of each other. */
const on = (title: string, run: (stage: Stage, anna: Device, ben: Device) => Promise<void>) =>
  onStage(
    8,
    title,
    async (stage) => {
      const [anna, ben] = [stage.device('anna'), stage.device('ben')]
      await anna.call(
        ['insertPads', { id: 'p', teamId: 'oak' }],
        ['insertNotes', { id: 'n', padId: 'p', title: 'old', note: 'old' }],
      )
      await Promise.all([anna.pull(), ben.pull()])
      await run(stage, anna, ben)
      await expectReplica(stage, anna)
      await expectReplica(stage, ben)
    },
    {
      app: noted as never,
      grants: (actor) => ({ read: ['team:oak'], write: actor === 'reader' ? [] : ['team:oak'] }),
    },
  )

/** The cases. */
export const conflictsCases: readonly AuthorityCase[] = [
  on(
    'merged by columns: what two changed in different ones is kept, and that is no conflict',
    async (stage, anna, ben) => {
      await anna.call(edit('updateNotes', { title: 'anna' }))
      const answer = await ben.call(having(edit('merge', { note: 'ben' }), { base: base(ben, { note: 'old' }) }))
      expectSame(told(answer), ['applied'], 'the outcome')
      expectMatch(await note(stage), { title: 'anna', note: 'ben' }, 'the note')
    },
  ),
  on(
    'merged by columns: of one that both changed the later decision stands, and the record reaches who lost',
    async (stage, anna, ben) => {
      await anna.call(edit('updateNotes', { title: 'anna' }))
      const answer = await ben.call(
        having(edit('merge', { title: 'ben', note: 'ben' }), { base: base(ben, { title: 'old', note: 'old' }) }),
      )
      expectMatch(
        answer.outcomes,
        [{ status: 'conflict', code: 'conflict_merged', details: { policy: 'fields' } }],
        'the outcome',
      )
      expectMatch(await note(stage), { title: 'ben', note: 'ben' }, 'the note')
      await anna.pull()
      expectMatch(
        records(anna),
        [
          {
            tableName: 'notes',
            rowId: 'n',
            mine: { title: 'ben' },
            theirs: { title: 'anna' },
            base: { title: 'old' },
            mineBy: 'ben',
            theirsBy: 'anna',
            lost: 'theirs',
            loser: anna.client,
          },
        ],
        'the record',
      )
    },
  ),
  on('merged by columns: one that a form only sent along stays as the others made it', async (stage, anna, ben) => {
    await anna.call(edit('updateNotes', { title: 'anna' }))
    const answer = await ben.call(
      having(edit('merge', { title: 'old', note: 'ben' }), { base: base(ben, { note: 'old' }, { title: 'old' }) }),
    )
    expectSame(told(answer), ['applied'], 'the outcome')
    expectMatch(await note(stage), { title: 'anna', note: 'ben' }, 'the note')
  }),
  on('merged by columns: who meant the same is in no conflict', async (_stage, anna, ben) => {
    await anna.call(edit('updateNotes', { title: 'same' }))
    expectSame(
      told(await ben.call(having(edit('merge', { title: 'same' }), { base: base(ben, { title: 'old' }) }))),
      ['applied'],
      'the outcome',
    )
  }),
  on(
    'one action restores what was lost, another takes it back, a third lets the record go',
    async (stage, anna, ben) => {
      await anna.call(edit('updateNotes', { title: 'anna' }))
      await ben.call(having(edit('merge', { title: 'ben' }), { base: base(ben, { title: 'old' }) }))
      await anna.pull()
      const id = records(anna)[0]?.id ?? ''
      expectSame(told(await anna.call(['restoreConflict', { id }])), ['applied'], 'the outcome')
      expectMatch(await note(stage), { title: 'anna' }, 'the note')
      await ben.pull()
      expectMatch(records(ben), [{ restored: 'theirs', restoredBy: 'anna' }], 'the record')
      await ben.call(['restoreConflict', { id, values: 'mine' }])
      expectMatch(await note(stage), { title: 'ben' }, 'the note again')
      await ben.call(['dismissConflict', { id }])
      await anna.pull()
      expectSame(records(anna), [], 'the records')
    },
  ),
  onStage(
    8,
    'who moves a row out of a scope and back hides nothing of what others did before, and sees what they did meanwhile',
    async (stage) => {
      const [anna, ben] = [stage.device('anna'), stage.device('ben')]
      const [oak, elm]: readonly [Call, Call] = [
        edit('updateNotes', { padId: 'p' }),
        edit('updateNotes', { padId: 'q' }),
      ]
      await anna.call(
        ['insertPads', { id: 'p', teamId: 'oak' }],
        ['insertPads', { id: 'q', teamId: 'elm' }],
        ['insertNotes', { id: 'n', padId: 'p', title: 'old', note: 'old' }],
      )
      await ben.pull()
      for (const before of [true, false]) {
        const seen = base(ben)
        if (before) await anna.call(edit('updateNotes', { title: 'before' }))
        await ben.call(elm)
        if (!before) await anna.call(edit('updateNotes', { title: 'meanwhile' }))
        await ben.call(oak)
        const answer = await ben.call(having(edit('judge', { note: 'ben' }), { base: seen }))
        expectSame(told(answer), ['conflict_rejected'], 'the outcome')
        await ben.pull()
      }
      const seen = base(ben)
      await ben.call(elm, oak, elm)
      await ben.call(oak)
      const answer = await ben.call(having(edit('judge', { note: 'ben' }), { base: seen }))
      expectSame(told(answer), ['applied'], 'the outcome where nobody else was')
      await ben.call(elm)
      await anna.call(['deleteNotes', { id: 'n' }])
      const gone = await ben.call(having(edit('judge', { note: 'ben' }), { base: seen }))
      expectSame(told(gone), ['conflict_rejected'], 'the outcome where it went elsewhere')
    },
    {
      app: noted as never,
      grants: () => ({ read: ['team:oak', 'team:elm'], write: ['team:oak', 'team:elm'] }),
    },
  ),
  on('a row that is deleted over somebody’s change comes back whole', async (stage, anna, ben) => {
    await anna.call(edit('updateNotes', { title: 'anna' }))
    expectMatch(
      (await ben.call(having(['drop', { id: 'n' }], { base: base(ben) }))).outcomes,
      [{ status: 'conflict' }],
      'the outcome',
    )
    expectSame(await note(stage), undefined, 'the note')
    await anna.pull()
    await anna.call(['restoreConflict', { id: records(anna)[0]?.id ?? '' }])
    expectMatch(await note(stage), { title: 'anna', note: 'old', padId: 'p' }, 'the note again')
  }),
  on('refused: the intent does not run, and its values are in the record', async (stage, anna, ben) => {
    await anna.call(edit('updateNotes', { note: 'anna' }))
    const answer = await ben.call(having(edit('judge', { title: 'ben' }), { base: base(ben, { title: 'old' }) }))
    expectMatch(
      answer.outcomes,
      [{ status: 'conflict', code: 'conflict_rejected', details: { policy: 'reject' } }],
      'the outcome',
    )
    expectMatch(await note(stage), { title: 'old', note: 'anna' }, 'the note')
    await ben.pull()
    expectMatch(
      records(ben),
      [{ lost: 'mine', loser: ben.client, mine: { title: 'ben' }, theirsBy: 'anna' }],
      'the record',
    )
  }),
  on('refused: without a change by others, or without a base, it runs', async (stage, anna, ben) => {
    expectSame(
      told(await ben.call(having(edit('judge', { title: 'ben' }), { base: base(ben, { title: 'old' }) }))),
      ['applied'],
      'the outcome',
    )
    await anna.call(edit('updateNotes', { note: 'anna' }))
    expectSame(told(await ben.call(edit('judge', { title: 'again' }))), ['applied'], 'the outcome without a base')
    expectMatch(await note(stage), { title: 'again' }, 'the note')
  }),
  on('one’s own earlier intents are no conflict, in the batch and in later ones', async (stage, _anna, ben) => {
    const at = base(ben, { title: 'old' })
    const answer = await ben.call(
      having(edit('judge', { title: 'one' }), { base: at }),
      having(edit('judge', { title: 'two' }), { base: at }),
    )
    expectSame(told(answer), ['applied', 'applied'], 'the outcomes')
    expectSame(
      told(await ben.call(having(edit('judge', { title: 'three' }), { base: at }))),
      ['applied'],
      'the outcome later',
    )
    expectMatch(await note(stage), { title: 'three' }, 'the note')
  }),
  on('plain SQL counts as somebody else, adopted or not', async (stage, _anna, ben) => {
    await stage.sql('UPDATE notes SET title = ?', 'by SQL')
    const answer = await ben.call(having(edit('merge', { title: 'ben' }), { base: base(ben, { title: 'old' }) }))
    expectMatch(answer.outcomes, [{ status: 'conflict' }], 'the outcome')
    await ben.pull()
    expectMatch(records(ben), [{ theirs: { title: 'by SQL' }, theirsBy: null }], 'the record')
  }),
  on(
    '[I3] a conflict is an outcome like any: repeated, it is the same, and makes no second record',
    async (stage, anna, ben) => {
      const at = base(ben, { title: 'old' })
      await anna.call(edit('updateNotes', { title: 'anna' }))
      const entries = ben.make(having(edit('merge', { title: 'ben' }), { base: at }))
      const first = await ben.push(...entries)
      const again = await ben.push(...entries)
      expectMatch(
        again.outcomes,
        [{ status: 'conflict', code: 'conflict_merged', details: first.outcomes[0]?.details, repeated: true }],
        'the outcome again',
      )
      expectSame((await stage.rows('holdfastConflicts')).length, 1, 'records')
    },
  ),
  on(
    '[I9] a record lies in the scope of its row, and is settled by those who may write there',
    async (stage, anna, ben) => {
      await anna.call(edit('updateNotes', { title: 'anna' }))
      await ben.call(having(edit('merge', { title: 'ben' }), { base: base(ben, { title: 'old' }) }))
      const reader = stage.device('reader')
      await reader.pull()
      const id = records(reader)[0]?.id ?? ''
      expectThat(id !== '', 'who may read the row may read the record')
      expectSame(
        told(await reader.call(['restoreConflict', { id }], ['dismissConflict', { id }])),
        ['forbidden', 'forbidden'],
        'the outcomes',
      )
      expectMatch(await note(stage), { title: 'ben' }, 'the note')
    },
  ),
]
