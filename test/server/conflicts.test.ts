// Conflict policies at the authority: what counts as somebody else's change, what becomes of the intent, and what the record says.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type ConflictRecord, defineApp, type Json, t, table } from 'holdfast'
import { createAuthority } from 'holdfast/server'
import { nodeHost, sqlite } from 'holdfast/sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { BaseRow, IntentBase } from '../../src/protocol/base.ts'
import type { Cursor, Patch, Seal } from '../../src/protocol/frame.ts'
import type { OutcomeRange } from '../../src/protocol/outcome.ts'
import type { PushAnswer } from '../../src/protocol/push.ts'
import { anything, post, uuid } from './scenario.ts'

type Edit = { readonly id: string; readonly title?: string; readonly note?: string; readonly done?: boolean }

const app = defineApp({
  tables: {
    lists: table({ id: t.id(), teamId: t.text() }).scope('team', 'teamId'),
    tasks: table({
      id: t.id(),
      listId: t.ref('lists'),
      title: t.text(),
      note: t.text(),
      done: t.boolean(),
      extra: t.json().nullable(),
    }).scopeVia('listId'),
  },
  mutators: ({ mutator, generated }) => ({
    ...generated('lists'),
    ...generated('tasks'),
    /** Changes what it is given. */
    merge: mutator(
      anything<Edit>(),
      async (tx, { id, ...patch }) => {
        await tx.tasks.update(id, patch)
      },
      { conflict: 'fields' },
    ),
    /** Is based on the whole task. */
    judge: mutator(
      anything<Edit>(),
      async (tx, { id, ...patch }) => {
        const task = await tx.tasks.get(id)
        if (task === undefined) return tx.reject('no_task')
        await tx.tasks.update(id, { ...patch, done: true })
      },
      { conflict: 'reject' },
    ),
    /** Reads one task and writes another. */
    copy: mutator(
      anything<{ readonly from: string; readonly to: string }>(),
      async (tx, { from, to }) => {
        const task = await tx.tasks.get(from)
        if (task !== undefined) await tx.tasks.update(to, { title: task.title })
      },
      { conflict: 'reject' },
    ),
    claim: mutator(
      anything<{ readonly id: string; readonly title: string }>(),
      async (tx, { id, title }) => {
        await tx.tasks.insert({ id, listId: 'l', title, note: '', done: false })
      },
      { conflict: 'reject' },
    ),
    remove: mutator(
      anything<{ readonly id: string }>(),
      async (tx, { id }) => {
        await tx.tasks.delete(id)
      },
      { conflict: 'fields' },
    ),
    bySql: mutator(anything<{ readonly id: string; readonly title: string }>(), async (tx, { id, title }) => {
      await tx.sql('UPDATE tasks SET title = ? WHERE id = ?', [title, id])
    }),
    broken: mutator(
      anything<{ readonly id: string }>(),
      async (tx, { id }) => {
        await tx.tasks.update(id, { title: 'never' })
        throw new Error('a mistake')
      },
      { conflict: 'reject' },
    ),
  }),
})

interface Row {
  readonly id: string
  readonly [column: string]: Json
}

interface Call {
  readonly name: string
  readonly args: Json
  readonly base?: IntentBase
  readonly needs?: readonly string[]
  readonly births?: readonly (readonly [string, number])[]
  readonly id?: string
}

/** An authority with one list of a team in which everybody writes, but `reader`. */
async function stage() {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-conflicts-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'data.db')
  const open = async () => {
    const authority = createAuthority({
      app,
      database: sqlite(path, { host: { ...nodeHost(), log: () => undefined } }),
      authenticate: (request) => request.header('authorization'),
      grants: (actor) => ({
        read: ['team:1', `team:${actor}`],
        write: actor === 'reader' ? ['team:reader'] : ['team:1', `team:${actor}`],
      }),
    })
    onTestFinished(() => authority.close())
    await authority.ready
    return authority
  }
  const authority = await open()
  const foreign = (text: string, ...parameters: (string | number | null)[]): readonly Row[] => {
    const db = new DatabaseSync(path)
    try {
      return db.prepare(text).all(...parameters) as unknown as Row[]
    } finally {
      db.close()
    }
  }
  const device = (actor: string) => {
    const made = {
      actor,
      client: uuid(),
      last: 0,
      cursors: new Map<string, Cursor>(),
      rows: new Map<string, Row>(),
      entries: (...calls: readonly Call[]) =>
        calls.map((call) => ({
          sequence: ++made.last,
          id: uuid(),
          version: 1,
          madeAt: 1_700_000_000_000,
          ...call,
        })),
      async send(entries: readonly object[]): Promise<readonly OutcomeRange[]> {
        const body = { protocol: 1, app: app.fingerprint, actor, client: made.client, last: made.last, stored: 0 }
        const answer = await authority.handle(
          post('/sync/push', JSON.stringify({ ...body, intents: entries }), { authorization: actor }),
        )
        if ('open' in answer || answer.status !== 200) throw new Error(JSON.stringify(answer))
        const { outcomes, stop } = JSON.parse(answer.body) as PushAnswer
        if (stop !== undefined) throw new Error(JSON.stringify(stop))
        return outcomes
      },
      async call(...calls: readonly Call[]): Promise<OutcomeRange> {
        const outcomes = await made.send(made.entries(...calls))
        return outcomes.at(-1) as OutcomeRange
      },
      async pull(): Promise<void> {
        const cursors = [...made.cursors.values()]
        const body = {
          protocol: 1,
          app: app.fingerprint,
          actor,
          client: made.client,
          last: made.last,
          stored: 0,
          cursors,
        }
        const answer = await authority.handle(post('/sync/pull', JSON.stringify(body), { authorization: actor }))
        if ('open' in answer || answer.status !== 200) throw new Error(JSON.stringify(answer))
        const { patches } = JSON.parse(answer.body) as { readonly patches: readonly Patch[]; readonly seal: Seal }
        for (const { scope, to, rows, gone } of patches) {
          made.cursors.set(scope, { scope, ...to })
          for (const [name, list] of Object.entries(gone)) for (const id of list) made.rows.delete(`${name}/${id}`)
          for (const [name, list] of Object.entries(rows))
            for (const row of list) made.rows.set(`${name}/${row.id}`, row as Row)
        }
      },
      records: (): readonly ConflictRecord[] =>
        [...made.rows].flatMap(([key, row]) =>
          key.startsWith('holdfastConflicts/') ? [row as unknown as ConflictRecord] : [],
        ),
      /** What this device would say now of a task. */
      base(id: string, more: Partial<BaseRow> = {}): IntentBase {
        const cursor = made.cursors.get('team:1') as Cursor
        const at = made.rows.has(`tasks/${id}`) ? 0 : -1
        return { places: [cursor], rows: [{ table: 'tasks', id, at, ...more }] }
      },
    }
    return made
  }
  const task = (id: string) => foreign('SELECT * FROM tasks WHERE id = ?', id)[0]
  await authority.run('a', 'insertLists', { id: 'l', teamId: '1' })
  for (const id of ['t', 'u'])
    await authority.run('a', 'insertTasks', { id, listId: 'l', title: 'old', note: 'old', done: false })
  const [anna, ben] = [device('anna'), device('ben')]
  await anna.pull()
  await ben.pull()
  return { authority, foreign, device, task, anna, ben, path, open }
}

const edit = (name: string, args: Edit, base?: IntentBase): Call => ({
  name,
  args: args as Json,
  ...(base && { base }),
})

describe('the policy fields', () => {
  test('columns of two people are both kept, and that is no conflict', async () => {
    const { anna, ben, task } = await stage()
    const base = ben.base('t', { was: { note: 'old' } })
    await anna.call(edit('updateTasks', { id: 't', title: 'Anna' }))
    expect(await ben.call(edit('merge', { id: 't', note: 'Ben' }, base))).toMatchObject({ status: 'applied' })
    expect(task('t')).toMatchObject({ title: 'Anna', note: 'Ben' })
    await ben.pull()
    expect(ben.records()).toEqual([])
  })

  test('a column that both changed is as the later decision says, and the record reaches the device that lost', async () => {
    const { anna, ben, task } = await stage()
    const base = ben.base('t', { was: { title: 'old', note: 'old' } })
    await anna.call(edit('updateTasks', { id: 't', title: 'Anna' }))
    const outcome = await ben.call(edit('merge', { id: 't', title: 'Ben', note: 'Ben' }, base))
    expect(outcome).toMatchObject({ status: 'conflict', code: 'conflict_merged', details: { policy: 'fields' } })
    expect(task('t')).toMatchObject({ title: 'Ben', note: 'Ben' })
    await anna.pull()
    const [record] = anna.records()
    expect(outcome.details).toEqual({ policy: 'fields', records: [record?.id] })
    expect(record).toMatchObject({
      scope: 'team:1',
      mutator: 'merge',
      policy: 'fields',
      tableName: 'tasks',
      rowId: 't',
      base: { title: 'old' },
      theirs: { title: 'Anna' },
      mine: { title: 'Ben' },
      mineBy: 'ben',
      mineClient: ben.client,
      mineAt: 1_700_000_000_000,
      theirsBy: 'anna',
      theirsClient: anna.client,
      lost: 'theirs',
      loser: anna.client,
      restored: null,
    })
    expect(record?.theirsAt).toBeLessThanOrEqual(record?.at ?? 0)
  })

  test('what was restored stands in the row and in the record, and the other side can be put back', async () => {
    const { anna, ben, task } = await stage()
    const base = ben.base('t', { was: { title: 'old' } })
    await anna.call(edit('updateTasks', { id: 't', title: 'Anna' }))
    await ben.call(edit('merge', { id: 't', title: 'Ben' }, base))
    await anna.pull()
    const [{ id } = { id: '' }] = anna.records()
    expect(await anna.call({ name: 'restoreConflict', args: { id } })).toMatchObject({ status: 'applied' })
    expect(task('t')).toMatchObject({ title: 'Anna' })
    await ben.pull()
    expect(ben.records()).toMatchObject([{ id, restored: 'theirs', restoredBy: 'anna', restoredAt: 1_700_000_000_000 }])
    await ben.call({ name: 'restoreConflict', args: { id, values: 'mine' } })
    expect(task('t')).toMatchObject({ title: 'Ben' })
    await ben.call({ name: 'dismissConflict', args: { id } })
    await anna.pull()
    expect(anna.records()).toEqual([])
  })

  test('a column that a form only sends along stays as the others made it', async () => {
    const { anna, ben, task } = await stage()
    const base = ben.base('t', { was: { note: 'old' }, same: { title: 'old' } })
    await anna.call(edit('updateTasks', { id: 't', title: 'Anna' }))
    expect(await ben.call(edit('merge', { id: 't', title: 'old', note: 'Ben' }, base))).toMatchObject({
      status: 'applied',
    })
    expect(task('t')).toMatchObject({ title: 'Anna', note: 'Ben' })
  })

  test('both meant the same: no conflict', async () => {
    const { anna, ben } = await stage()
    const base = ben.base('t', { was: { title: 'old' } })
    await anna.call(edit('updateTasks', { id: 't', title: 'same' }))
    expect(await ben.call(edit('merge', { id: 't', title: 'same' }, base))).toMatchObject({ status: 'applied' })
  })

  test('a row that is deleted over somebody’s change comes back whole', async () => {
    const { anna, ben, task } = await stage()
    const base = ben.base('t')
    await anna.call(edit('updateTasks', { id: 't', title: 'Anna' }))
    expect(await ben.call({ name: 'remove', args: { id: 't' }, base })).toMatchObject({ status: 'conflict' })
    expect(task('t')).toBeUndefined()
    await anna.pull()
    const [record] = anna.records()
    expect(record).toMatchObject({ mine: null, theirs: { title: 'Anna', note: 'old', listId: 'l', done: false } })
    await anna.call({ name: 'restoreConflict', args: { id: record?.id ?? '' } })
    expect(task('t')).toMatchObject({ title: 'Anna', note: 'old', listId: 'l' })
    await anna.call({ name: 'restoreConflict', args: { id: record?.id ?? '', values: 'mine' } })
    expect(task('t')).toBeUndefined()
  })

  test('a row that is gone rejects the mutator as ever, and a restored value has nowhere to go', async () => {
    const { anna, ben } = await stage()
    const [base, later] = [ben.base('t', { was: { title: 'old' } }), ben.base('t', { was: { title: 'old' } })]
    await anna.call(edit('updateTasks', { id: 't', title: 'Anna' }))
    await ben.call(edit('merge', { id: 't', title: 'Ben' }, base))
    await anna.call({ name: 'deleteTasks', args: { id: 't' } })
    expect(await ben.call(edit('merge', { id: 't', title: 'Ben' }, later))).toMatchObject({ code: 'row_gone' })
    await anna.pull()
    expect(await anna.call({ name: 'restoreConflict', args: { id: anna.records()[0]?.id ?? '' } })).toMatchObject({
      status: 'rejected',
      code: 'row_gone',
      details: { table: 'tasks', id: 't' },
    })
  })

  test('a base whose values were left out counts every column that was overwritten', async () => {
    const { anna, ben } = await stage()
    const base = ben.base('t')
    await anna.call(edit('updateTasks', { id: 't', note: 'Anna' }))
    await ben.call(edit('merge', { id: 't', title: 'Ben' }, base))
    await ben.pull()
    expect(ben.records()).toMatchObject([{ base: {}, theirs: { title: 'old' }, mine: { title: 'Ben' } }])
  })
})

describe('the policy reject', () => {
  test('the intent is not run, and its values are in the record', async () => {
    const { anna, ben, task } = await stage()
    const base = ben.base('t', { was: { title: 'old', done: false } })
    await anna.call(edit('updateTasks', { id: 't', note: 'Anna' }))
    const outcome = await ben.call(edit('judge', { id: 't', title: 'Ben' }, base))
    expect(outcome).toMatchObject({ status: 'conflict', code: 'conflict_rejected', details: { policy: 'reject' } })
    expect(task('t')).toMatchObject({ title: 'old', note: 'Anna', done: 0 })
    await ben.pull()
    const [record] = ben.records()
    expect(record).toMatchObject({
      lost: 'mine',
      loser: ben.client,
      mine: { title: 'Ben', done: true },
      theirs: { title: 'old', done: false },
      base: { title: 'old', done: false },
      theirsBy: 'anna',
    })
    await ben.call({ name: 'restoreConflict', args: { id: record?.id ?? '' } })
    expect(task('t')).toMatchObject({ title: 'Ben', note: 'Anna', done: 1 })
  })

  test('without a change by others it is applied; without a base it runs on what is true', async () => {
    const { anna, ben } = await stage()
    expect(await ben.call(edit('judge', { id: 't', title: 'Ben' }, ben.base('t')))).toMatchObject({ status: 'applied' })
    await anna.call(edit('updateTasks', { id: 't', note: 'Anna' }))
    expect(await ben.call(edit('judge', { id: 't', title: 'Ben' }))).toMatchObject({ status: 'applied' })
  })

  test('a row that was only read counts, and the record is of the row that was to be written', async () => {
    const { anna, ben, task } = await stage()
    const { places, rows } = ben.base('t')
    const base = { places, rows: [...rows, ...ben.base('u', { was: { title: 'old' } }).rows] }
    await anna.call(edit('updateTasks', { id: 't', title: 'Anna' }))
    expect(await ben.call({ name: 'copy', args: { from: 't', to: 'u' }, base })).toMatchObject({ status: 'conflict' })
    expect(task('u')).toMatchObject({ title: 'old' })
    await ben.pull()
    expect(ben.records()).toMatchObject([
      { rowId: 'u', mine: { title: 'Anna' }, theirs: { title: 'old' }, theirsBy: 'anna' },
    ])
  })

  test('a row that was absent and is there now by others', async () => {
    const { anna, ben, task } = await stage()
    const base = ben.base('x')
    await anna.call({ name: 'claim', args: { id: 'x', title: 'Anna' } })
    expect(await ben.call({ name: 'claim', args: { id: 'x', title: 'Ben' }, base })).toMatchObject({
      status: 'conflict',
      code: 'conflict_rejected',
    })
    await ben.pull()
    expect(ben.records()).toMatchObject([{ rowId: 'x', mine: { title: 'Ben' }, theirs: { title: 'Anna' } }])
    await ben.call({ name: 'restoreConflict', args: { id: ben.records()[0]?.id ?? '' } })
    expect(task('x')).toMatchObject({ title: 'Ben' })
  })

  test('a row that others deleted leaves a record that says so', async () => {
    const { anna, ben } = await stage()
    const base = ben.base('t', { was: { title: 'old' } })
    await anna.call({ name: 'deleteTasks', args: { id: 't' } })
    expect(await ben.call(edit('judge', { id: 't', title: 'Ben' }, base))).toMatchObject({ status: 'conflict' })
    await ben.pull()
    expect(ben.records()).toMatchObject([
      { rowId: 't', mine: {}, theirs: null, base: { title: 'old' }, theirsBy: 'anna' },
    ])
    expect(await ben.call({ name: 'restoreConflict', args: { id: ben.records()[0]?.id ?? '' } })).toMatchObject({
      code: 'row_gone',
    })
  })

  test('an intent that needs a rejected one is withdrawn, one that needs a merged one is not', async () => {
    const { anna, ben } = await stage()
    const [base, merge] = [ben.base('t'), ben.base('u', { was: { title: 'old' } })]
    await anna.call(edit('updateTasks', { id: 't', title: 'Anna' }), edit('updateTasks', { id: 'u', title: 'Anna' }))
    const [refused, merged] = ben.entries(
      edit('judge', { id: 't', title: 'Ben' }, base),
      edit('merge', { id: 'u', title: 'Ben' }, merge),
    )
    const outcomes = await ben.send([
      refused ?? {},
      merged ?? {},
      ...ben.entries(
        { ...edit('updateTasks', { id: 'u', note: 'after' }), needs: [merged?.id ?? ''] },
        { ...edit('updateTasks', { id: 'u', note: 'never' }), needs: [refused?.id ?? ''] },
      ),
    ])
    expect(outcomes.map(({ status, code }) => code ?? status)).toEqual([
      'conflict_rejected',
      'conflict_merged',
      'applied',
      'dependency',
    ])
  })

  test('a mutator that fails is a conflict all the same, and nothing stops', async () => {
    const { anna, ben, task } = await stage()
    const base = ben.base('t')
    await anna.call(edit('updateTasks', { id: 't', title: 'Anna' }))
    expect(await ben.call({ name: 'broken', args: { id: 't' }, base })).toMatchObject({ code: 'conflict_rejected' })
    expect(task('t')).toMatchObject({ title: 'Anna' })
  })

  test('[I3] the outcome is recorded: asked again, it is the same', async () => {
    const { anna, ben } = await stage()
    const base = ben.base('t')
    await anna.call(edit('updateTasks', { id: 't', title: 'Anna' }))
    const entries = ben.entries(edit('judge', { id: 't', title: 'Ben' }, base))
    const [first] = await ben.send(entries)
    expect(await ben.send(entries)).toEqual([{ ...first, repeated: true }])
  })
})

describe('who counts as somebody else', () => {
  test('not the device itself, in one batch or in several', async () => {
    const { ben } = await stage()
    const base = ben.base('t', { was: { title: 'old' } })
    const outcomes = await ben.send(
      ben.entries(edit('judge', { id: 't', title: '1' }, base), edit('judge', { id: 't', title: '2' }, base)),
    )
    expect(outcomes).toMatchObject([{ status: 'applied', from: 1, to: 2 }])
    expect(await ben.call(edit('judge', { id: 't', title: '3' }, base))).toMatchObject({ status: 'applied' })
    await ben.call({ name: 'bySql', args: { id: 't', title: '4' } })
    expect(await ben.call(edit('judge', { id: 't', title: '5' }, base))).toMatchObject({ status: 'applied' })
  })

  test('nor the same device in an earlier birth of its store; but another copy of that birth is', async () => {
    const { device, ben } = await stage()
    const base = ben.base('t')
    await ben.call(edit('judge', { id: 't', title: '1' }, base))
    const [reborn, copy] = [device('ben'), device('ben')]
    expect(
      await reborn.call({ ...edit('judge', { id: 't', title: '2' }, base), births: [[ben.client, 2]] }),
    ).toMatchObject({ status: 'applied' })
    expect(
      await copy.call({ ...edit('judge', { id: 't', title: '2' }, base), births: [[ben.client, 1]] }),
    ).toMatchObject({ status: 'conflict' })
  })

  test('what others did before one’s own last write still counts', async () => {
    const { anna, ben } = await stage()
    const base = ben.base('t', { was: { title: 'old' } })
    await anna.call(edit('updateTasks', { id: 't', note: 'Anna' }))
    await ben.call(edit('updateTasks', { id: 't', done: true }))
    await ben.call(edit('updateTasks', { id: 't', done: false }))
    expect(await ben.call(edit('judge', { id: 't', title: 'Ben' }, base))).toMatchObject({ status: 'conflict' })
    await ben.pull()
    expect(ben.records()).toMatchObject([{ theirsBy: 'anna', theirsClient: anna.client }])
    expect(await ben.call(edit('judge', { id: 't', title: 'Ben' }, ben.base('t')))).toMatchObject({ status: 'applied' })
  })

  test('another device of the same actor', async () => {
    const { device, ben } = await stage()
    const base = ben.base('t')
    await device('ben').call(edit('updateTasks', { id: 't', title: 'other' }))
    expect(await ben.call(edit('judge', { id: 't', title: 'Ben' }, base))).toMatchObject({ status: 'conflict' })
  })

  test('plain SQL, adopted or not, about which nothing is known', async () => {
    const { authority, ben, foreign } = await stage()
    for (const adopt of [false, true]) {
      await ben.pull()
      const base = ben.base('t', { was: { title: 'old' } })
      foreign('UPDATE tasks SET note = ? WHERE id = ?', `foreign ${adopt}`, 't')
      if (adopt) await authority.run('a', 'updateTasks', { id: 'u', note: 'x' })
      expect(await ben.call(edit('judge', { id: 't', title: 'Ben' }, base))).toMatchObject({ status: 'conflict' })
    }
    await ben.pull()
    expect(ben.records()).toMatchObject([{ theirsBy: null, loser: ben.client }, { theirsBy: null }])
  })

  test('plain SQL between two writes of the device', async () => {
    const { ben, foreign } = await stage()
    const base = ben.base('t')
    await ben.call(edit('updateTasks', { id: 't', title: '1' }))
    foreign('UPDATE tasks SET note = ? WHERE id = ?', 'foreign', 't')
    await ben.call(edit('updateTasks', { id: 't', title: '2' }))
    expect(await ben.call(edit('judge', { id: 't', title: 'Ben' }, base))).toMatchObject({ status: 'conflict' })
  })

  test('two who push at once: the second in the commit meets the first', async () => {
    const { anna, ben, task } = await stage()
    const [a, b] = [anna.base('t', { was: { title: 'old' } }), ben.base('t', { was: { title: 'old' } })]
    const [first, second] = await Promise.all([
      anna.call(edit('merge', { id: 't', title: 'Anna' }, a)),
      ben.call(edit('merge', { id: 't', title: 'Ben' }, b)),
    ])
    expect([first.status, second.status]).toEqual(['applied', 'conflict'])
    expect(task('t')).toMatchObject({ title: 'Ben' })
    await anna.pull()
    expect(anna.records()).toMatchObject([{ theirs: { title: 'Anna' }, theirsBy: 'anna', loser: anna.client }])
    // Both wrote in one version: to the first, the second is somebody else.
    expect(await anna.call(edit('judge', { id: 't', title: 'Anna' }, a))).toMatchObject({ status: 'conflict' })
  })

  test('a row that follows its parent to another scope: by others a conflict, by the device itself none', async () => {
    const { authority, device, anna, foreign } = await stage()
    const dora = device('dora')
    await dora.pull()
    const base = dora.base('t')
    await dora.call({ name: 'updateLists', args: { id: 'l', teamId: 'dora' } })
    expect(await dora.call(edit('judge', { id: 't', title: 'Dora' }, base))).toMatchObject({ status: 'applied' })
    foreign('UPDATE lists SET teamId = ? WHERE id = ?', '1', 'l')
    await authority.run('a', 'insertLists', { id: 'other', teamId: '1' })
    expect(await dora.call(edit('judge', { id: 't', title: 'Dora' }, base))).toMatchObject({ status: 'conflict' })
    expect(await anna.call(edit('judge', { id: 't', title: 'Anna' }, anna.base('t')))).toMatchObject({
      status: 'conflict',
    })
  })
})

describe('bases that do not fit', () => {
  test('of another history only the values count', async () => {
    const { ben } = await stage()
    const { places, rows } = ben.base('t', { was: { title: 'old' } })
    const elsewhere = places.map((place) => ({ ...place, mark: 'ffff' }))
    const strange = { places: elsewhere, rows }
    expect(await ben.call(edit('judge', { id: 't', title: 'Ben' }, strange))).toMatchObject({ status: 'applied' })
    const different = { places: elsewhere, rows: [{ table: 'tasks', id: 'u', at: 0, was: { title: 'lost' } }] }
    expect(await ben.call(edit('judge', { id: 'u', title: 'Ben' }, different))).toMatchObject({ status: 'conflict' })
  })

  test('[I9] no record comes into a scope in which the actor does not write, and nothing is told of what is not seen', async () => {
    const { authority, device, foreign } = await stage()
    const reader = device('reader')
    await reader.pull()
    await authority.run('a', 'updateTasks', { id: 't', title: 'A' })
    const base = { places: [...reader.cursors.values()], rows: [{ table: 'tasks', id: 't', at: 0 }] }
    expect(await reader.call(edit('judge', { id: 't', title: 'R' }, base))).toMatchObject({
      status: 'conflict',
      details: { records: [] },
    })
    const claimed = {
      places: [{ scope: 'team:secret', version: 1, mark: 'aa' }],
      rows: [{ table: 'tasks', id: 'zz', at: 0 }],
    }
    const outcome = await reader.call(edit('judge', { id: 'zz', title: 'R' }, claimed as unknown as IntentBase))
    expect(outcome).toMatchObject({ status: 'conflict', details: { records: [] } })
    expect(foreign('SELECT * FROM holdfastConflicts')).toEqual([])
  })

  test('tables and rows that there are not are no conflict', async () => {
    const { ben } = await stage()
    const { places } = ben.base('t')
    const rows = [
      { table: 'nothing', id: 'x', at: 0 },
      { table: 'holdfastConflicts', id: 'x', at: 0 },
      { table: 'tasks', id: 'none', at: -1 },
    ]
    expect(await ben.call(edit('judge', { id: 't', title: 'Ben' }, { places, rows }))).toMatchObject({
      status: 'applied',
    })
  })

  test('a record is never larger than a row may be, nor nested deeper', async () => {
    const { ben, foreign } = await stage()
    const base = ben.base('t', { was: { title: 'old', note: 'old', extra: null } })
    const deep = `${'['.repeat(32)}${']'.repeat(32)}`
    foreign('UPDATE tasks SET title = ?, note = ?, extra = ? WHERE id = ?', 'é', 'n'.repeat(1_000_000), deep, 't')
    const args = { id: 't', title: 'Ben', note: 'b'.repeat(200_000), extra: [] }
    expect(await ben.call({ name: 'merge', args, base })).toMatchObject({ status: 'conflict' })
    await ben.pull()
    const [record] = ben.records()
    expect(JSON.stringify(record).length).toBeLessThan(1_048_576)
    // What was lost stays, as far as it can; what stands in the row and what was before go first.
    expect(record).toMatchObject({ base: {}, mine: {}, theirs: { title: 'é' } })
    expect(Object.keys(record?.theirs ?? {})).toEqual(['title', 'note'])
    await ben.call({ name: 'restoreConflict', args: { id: record?.id ?? '' } })
    expect(foreign('SELECT length(note) AS size FROM tasks WHERE id = ?', 't')).toEqual([{ size: 1_000_000 }])
  })
})

test('what an actor left in records of others is erased with the actor', async () => {
  const { authority, anna, ben, foreign } = await stage()
  for (const id of ['t', 'u']) {
    const base = ben.base(id, { was: { title: 'old' } })
    await (id === 't'
      ? anna.call(edit('updateTasks', { id, title: 'x' }))
      : authority.run('a', 'updateTasks', { id, title: 'x' }))
    await ben.call(edit('merge', { id, title: 'Ben' }, base))
  }
  await anna.pull()
  expect(anna.records()).toHaveLength(2)
  expect(await authority.erase('anna')).toMatchObject({ rows: 1 })
  expect(foreign('SELECT theirsBy FROM holdfastConflicts')).toEqual([{ theirsBy: 'a' }])
  expect(foreign("SELECT * FROM holdfast_author WHERE actor = 'anna' OR others_actor = 'anna'")).toEqual([])
  await ben.pull()
  expect(ben.records()).toMatchObject([{ theirsBy: 'a' }])
})

test('a policy that there is not is refused at the start', () => {
  const wrong = defineApp({
    tables: { lists: table({ id: t.id(), teamId: t.text() }).scope('team', 'teamId') },
    mutators: ({ mutator }) => ({
      drop: mutator(anything(), async () => undefined, { conflict: 'field' as 'fields' }),
    }),
  })
  expect(() =>
    createAuthority({
      app: wrong,
      database: sqlite(':memory:'),
      authenticate: () => undefined,
      grants: () => ({ read: [], write: [] }),
    }),
  ).toThrow(/drop has the conflict policy "field"; there are rerun, reject, fields/)
})

test('an app without a policy has neither records nor their mutators, and nobody’s authorship is kept', async () => {
  const plain = defineApp({
    tables: { lists: table({ id: t.id(), teamId: t.text() }).scope('team', 'teamId') },
    mutators: ({ generated }) => generated('lists'),
  })
  expect(plain.tableNames).toEqual(['lists'])
  expect(Object.keys(plain.mutators)).toEqual(['insertLists', 'updateLists', 'deleteLists'])
  expect(app.tableNames).toEqual(['lists', 'tasks', 'holdfastConflicts'])
})
