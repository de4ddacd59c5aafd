// One run of a mutator on the device: what is refused at the first call, what is kept without a picture, and what is left of a run
// that does not keep to its microtasks.
import { defineApp, t, table } from 'holdfast'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { SyncError } from '../../../src/base/errors.ts'
import { createReplica, type Replica } from '../../../src/client/replica/replica.ts'
import { Rejection } from '../../../src/schema/tx.ts'
import { frame, intent, patch, workout, app as workouts } from './app.ts'

/** What the mutators below wait for; each test makes its own. */
let gate: Promise<void> = Promise.resolve()
/** Who was answered after the gate. */
const answeredLate: string[] = []

const app = defineApp({
  tables: {
    notes: table({ id: t.id(), owner: t.text(), text: t.text(), tags: t.json<readonly string[]>() }).scope(
      'user',
      'owner',
    ),
    links: table({ id: t.id(), owner: t.text(), noteId: t.ref('notes') }).scope('user', 'owner'),
  },
  mutators: ({ mutator }) => ({
    add: mutator(v.object({ id: v.string(), text: v.string() }), async (tx, { id, text }) => {
      await tx.notes.insert({ id, owner: tx.actor, text, tags: ['new'] })
    }),
    edit: mutator(v.object({ id: v.string(), text: v.string() }), async (tx, { id, text }) => {
      await tx.notes.update(id, { text })
    }),
    link: mutator(v.object({ id: v.string(), noteId: v.string() }), async (tx, { id, noteId }) => {
      await tx.links.insert({ id, owner: tx.actor, noteId })
    }),
    waits: mutator(v.object({ id: v.string() }), async (tx, { id }) => {
      await tx.notes.get(id)
      await gate
      await tx.notes.insert({ id: `${id}-late`, owner: tx.actor, text: 'late', tags: [] })
      answeredLate.push(id)
    }),
    waitsIfThere: mutator(v.object({ id: v.string() }), async (tx, { id }) => {
      if ((await tx.notes.get(id)) !== undefined) await gate
      await tx.notes.insert({ id: `${id}-copy`, owner: tx.actor, text: 'copy', tags: [] })
    }),
    throws: mutator(v.object({}), async () => {
      throw new Error('by mistake')
    }),
    throwsAtOnce: mutator(v.object({}), () => {
      throw new Error('by mistake')
    }),
    rejects: mutator(v.object({}), async (tx) => tx.reject('too_early', { until: 5 })),
    catches: mutator(v.object({ id: v.string() }), async (tx, { id }) => {
      await tx.notes.get(id).catch(() => undefined)
      await tx.notes.insert({ id: `${id}-guess`, owner: tx.actor, text: 'a guess', tags: [] })
    }),
    lists: mutator(v.object({ id: v.string() }), async (tx, { id }) => {
      const all = await tx.notes.where({ owner: tx.actor }).all()
      await tx.notes.insert({ id, owner: tx.actor, text: String(all.length), tags: [] })
    }),
    countsLinksOf: mutator(v.object({ id: v.string() }), async (tx, { id }) => {
      const note = await tx.notes.get(id)
      const links = note === undefined ? [] : await tx.links.where({ owner: note.owner }).all()
      await tx.notes.insert({ id: `${id}-links`, owner: tx.actor, text: String(links.length), tags: [] })
    }),
    spoils: mutator(v.object({ id: v.string() }), async (tx, { id }) => {
      const note = await tx.notes.get(id)
      ;(note?.tags as string[] | undefined)?.push('spoilt')
    }),
    spoilsRow: mutator(v.object({ id: v.string() }), async (tx, { id }) => {
      Object.assign((await tx.notes.get(id)) ?? {}, { text: 'spoilt' })
    }),
    spoilsFound: mutator(v.object({ id: v.string() }), async (tx, { id }) => {
      Object.assign((await tx.notes.where({ id }).first()) ?? {}, { text: 'spoilt' })
    }),
    spoilsInput: mutator(v.object({ tags: v.array(v.string()) }), async (_tx, input) => {
      input.tags.push('spoilt')
    }),
    asksWrongly: mutator(v.object({ column: v.string() }), async (tx, { column }) => {
      await tx.notes.where({ [column]: 'x' } as never).all()
    }),
    newer: mutator(
      v.object({ id: v.string(), text: v.string() }),
      async (tx, { id, text }) => {
        await tx.notes.insert({ id, owner: tx.actor, text, tags: [] })
      },
      { version: 3, upgrades: { 2: (args) => ({ ...(args as object), text: 'upgraded' }) } },
    ),
  }),
})

const note = (id: string, text = 'text') => ({ id, owner: 'ada', text, tags: ['old'] })
const heard = async (rows: readonly ReturnType<typeof note>[] = []): Promise<Replica> => {
  const replica = createReplica(app, 'ada')
  await replica.confirm(frame(0, [patch('ada', 0, 1, { rows: { notes: rows } })]), new Set())
  return replica
}

/** The end of a turn: all microtasks are done. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a first run that throws, rejects or has arguments that do not fit is refused, and nothing is kept of it', async () => {
  const replica = await heard()
  const commits: unknown[] = []
  replica.onCommit((commit) => commits.push(commit))
  const error = async (name: string, args: object) => {
    const made = intent(name, args as never)
    const result = await replica.run(made, 'call')
    expect(replica.pending()).toEqual([])
    return result.kept ? undefined : result.error
  }
  expect(await error('throws', {})).toMatchObject({
    name: 'SyncError',
    code: 'mutator_threw',
    message: expect.stringContaining('by mistake'),
  })
  expect(await error('throwsAtOnce', {})).toMatchObject({ code: 'mutator_threw' })
  expect(await error('rejects', {})).toBeInstanceOf(Rejection)
  expect(await error('rejects', {})).toMatchObject({ code: 'too_early', details: { until: 5 } })
  expect(await error('add', { id: 5 })).toMatchObject({
    code: 'arguments_invalid',
    details: { problems: [expect.stringContaining('id'), expect.stringContaining('text')] },
  })
  expect(await error('unheardOf', {})).toMatchObject({ code: 'mutator_unknown' })
  expect(await error('asksWrongly', { column: 'colour' })).toMatchObject({
    code: 'mutator_threw',
    message: expect.stringContaining('notes has no column "colour"; it has id, owner, text, tags'),
  })
  expect(await error('asksWrongly', { column: 'tags' })).toMatchObject({
    message: expect.stringContaining('holds JSON'),
  })
  expect(await error('edit', { id: 'absent', text: 'x' })).toMatchObject({ code: 'row_gone' })
  expect(commits).toEqual([])
})

test('what is kept already is never refused: it is in doubt, or unfit, and shows nothing', async () => {
  const replica = await heard([note('n')])
  const picture = async (name: string, args: object, version = 1) => {
    const result = await replica.run(intent(name, args as never, { version }), 'stored')
    return result.kept ? result.picture : 'refused'
  }
  expect(await picture('throws', {})).toBe('in-doubt')
  expect(await picture('rejects', {})).toBe('in-doubt')
  expect(await picture('edit', { id: 'absent', text: 'x' })).toBe('in-doubt')
  expect(await picture('add', { id: 5 })).toBe('in-doubt')
  expect(await picture('unheardOf', {})).toBe('unfit')
  expect(await picture('newer', { id: 'x' }, 1)).toBe('unfit')
  expect(await picture('newer', { id: 'x' }, 4)).toBe('unfit')
  expect([...replica.rows('notes')]).toEqual([note('n')])
  expect(await picture('newer', { id: 'x' }, 2)).toBe('shown')
  expect(replica.get('notes', 'x')).toMatchObject({ text: 'upgraded' })
  expect(replica.pending()).toHaveLength(8)
})

test('an intent that is in doubt shows as soon as what it read allows it', async () => {
  const replica = await heard()
  const edit = intent('edit', { id: 'n', text: 'edited' })
  await replica.run(edit, 'stored')
  expect(replica.picture(edit.id)).toBe('in-doubt')
  await replica.confirm(frame(0, [patch('ada', 1, 2, { rows: { notes: [note('n')] } })]), new Set())
  expect(replica.picture(edit.id)).toBe('shown')
  expect(replica.get('notes', 'n')).toMatchObject({ text: 'edited' })
  await replica.confirm(frame(0, [patch('ada', 2, 3, { gone: { notes: ['n'] } })]), new Set())
  expect(replica.picture(edit.id)).toBe('in-doubt')
  expect(replica.get('notes', 'n')).toBeUndefined()
})

test('before the first frame an absent row or a range makes a run blind, even if the mutator goes on; an insert shows', async () => {
  const replica = createReplica(app, 'ada')
  const run = async (name: string, args: object) => {
    const made = intent(name, args as never)
    const result = await replica.run(made, 'call')
    return { id: made.id, picture: result.kept ? result.picture : result.error.code }
  }
  expect((await run('add', { id: 'n', text: 'mine' })).picture).toBe('shown')
  expect((await run('edit', { id: 'n', text: 'mine too' })).picture).toBe('shown')
  const edit = await run('edit', { id: 'elsewhere', text: 'x' })
  const caught = await run('catches', { id: 'elsewhere' })
  const lists = await run('lists', { id: 'sum' })
  expect([edit.picture, caught.picture, lists.picture]).toEqual(['blind', 'blind', 'blind'])
  expect([...replica.rows('notes')].map((row) => row.id)).toEqual(['n'])
  // With the first frame they see.
  await replica.confirm(
    frame(0, [patch('ada', 0, 1, { rows: { notes: [note('elsewhere'), note('other')] } })]),
    new Set(),
  )
  expect([edit, caught, lists].map(({ id }) => replica.picture(id))).toEqual(['shown', 'shown', 'shown'])
  expect(replica.get('notes', 'elsewhere')).toMatchObject({ text: 'x' })
  expect(replica.get('notes', 'sum')).toMatchObject({ text: '4' })
  // And from then on, absent is absent.
  expect((await run('edit', { id: 'nowhere', text: 'x' })).picture).toBe('row_gone')
})

test('[I5] a run that goes on to a table which nobody had read finds there what the same frame brought', async () => {
  const replica = await heard()
  await replica.run(intent('countsLinksOf', { id: 'n' }), 'call')
  expect(replica.get('notes', 'n-links')).toMatchObject({ text: '0' })
  const links = ['a', 'b'].map((id) => ({ id, owner: 'ada', noteId: 'n' }))
  await replica.confirm(frame(0, [patch('ada', 1, 2, { rows: { notes: [note('n')], links } })]), new Set())
  expect(replica.get('notes', 'n-links')).toMatchObject({ text: '2' })
})

test('a first run that waits for something else is refused at the end of its turn, and those behind it go on', async () => {
  const replica = await heard()
  let open = (): void => undefined
  gate = new Promise((resolve) => {
    open = resolve
  })
  const waiting = replica.run(intent('waits', { id: 'n' }), 'call')
  const behind = replica.run(intent('add', { id: 'm', text: 'behind' }), 'call')
  await turn()
  expect(replica.isRunning()).toBe(true)
  expect([...replica.rows('notes')]).toEqual([])
  expect(replica.expireRun()).toBe(true)
  expect(await waiting).toMatchObject({ kept: false, error: { code: 'mutator_waited' } })
  expect(await behind).toMatchObject({ kept: true, picture: 'shown' })
  expect(replica.expireRun()).toBe(false)
  // What it does later reaches nothing.
  open()
  await turn()
  expect([...replica.rows('notes')].map((row) => row.id)).toEqual(['m'])
  expect(answeredLate).toEqual([])
})

test('a stored run that waits is kept in doubt, and one that begins to wait in a rebase does not hold the frame up', async () => {
  const replica = await heard()
  gate = new Promise(() => undefined)
  const stored = intent('waits', { id: 'n' })
  const kept = replica.run(stored, 'stored')
  await turn()
  replica.expireRun()
  expect(await kept).toMatchObject({ kept: true, picture: 'in-doubt' })
  const copies = intent('waitsIfThere', { id: 'm' })
  await replica.run(copies, 'call')
  expect(replica.get('notes', 'm-copy')).toMatchObject({ text: 'copy' })
  const confirmed = replica.confirm(frame(0, [patch('ada', 1, 2, { rows: { notes: [note('m')] } })]), new Set())
  await turn()
  // Nobody sees a part of the rebase meanwhile.
  expect([...replica.rows('notes')].map((row) => row.id)).toEqual(['m-copy'])
  expect(replica.expireRun()).toBe(true)
  await confirmed
  expect(replica.picture(copies.id)).toBe('in-doubt')
  expect([...replica.rows('notes')].map((row) => row.id)).toEqual(['m'])
})

test('[I6] a mutator cannot change what it was given: neither rows nor arguments', async () => {
  const replica = await heard([note('n')])
  for (const name of ['spoils', 'spoilsRow', 'spoilsFound'])
    expect(await replica.run(intent(name, { id: 'n' }), 'call'), name).toMatchObject({
      kept: false,
      error: { code: 'mutator_threw' },
    })
  const args = { tags: ['a'] }
  expect(await replica.run(intent('spoilsInput', args), 'call')).toMatchObject({
    kept: false,
    error: { code: 'mutator_threw' },
  })
  expect(args).toEqual({ tags: ['a'] })
  expect(replica.confirmedRows('notes').get('n')).toEqual(note('n'))
})

test('an intent needs those pending ones whose inserted rows it reads, writes or refers to', async () => {
  const replica = createReplica(workouts, 'ada')
  await replica.confirm(frame(0, [patch('ada', 0, 1, { rows: { workouts: [workout('old')] } })]), new Set())
  const run = async (name: string, args: object) => {
    const made = intent(name, args as never)
    const result = await replica.run(made, 'call')
    return { id: made.id, needs: result.kept ? result.needs : undefined }
  }
  const started = await run('startWorkout', { id: 'w', name: 'Push' })
  expect(started.needs).toEqual([])
  const logged = await run('logSet', { id: 's', workoutId: 'w', exercise: 'Squat', reps: 5, kg: 100 })
  expect(logged.needs).toEqual([started.id])
  expect((await run('rename', { id: 'w', name: 'Pull' })).needs).toEqual([started.id])
  expect((await run('moveSet', { id: 's', workoutId: 'old' })).needs).toEqual([logged.id])
  expect((await run('moveSet', { id: 's', workoutId: 'w' })).needs).toEqual([logged.id, started.id])
  // A range: each row that it found.
  expect((await run('nameByBest', { id: 'w' })).needs).toEqual([logged.id, started.id])
  expect((await run('rename', { id: 'old', name: 'Legs' })).needs).toEqual([])
  expect((await run('bump', { id: 'old' })).needs).toEqual([])
  expect((await run('deleteSet', { id: 's' })).needs).toEqual([logged.id])
  // The row is another one after that.
  const again = await run('logSet', { id: 's', workoutId: 'old', exercise: 'Squat', reps: 5, kg: 100 })
  expect(again.needs).toEqual([])
  expect((await run('deleteSet', { id: 's' })).needs).toEqual([again.id])
  // Once retired, nobody needs it any more.
  await replica.confirm(
    frame(1, [patch('ada', 1, 2, { rows: { workouts: [workout('w', { name: 'Push' })] } })]),
    new Set([started.id]),
  )
  expect((await run('rename', { id: 'w', name: 'Core' })).needs).toEqual([])
})

test('a run that writes more rows than one run may is refused', async () => {
  const many = defineApp({
    tables: { notes: table({ id: t.id(), owner: t.text() }).scope('user', 'owner') },
    mutators: ({ mutator }) => ({
      fill: mutator(v.object({ rows: v.number() }), async (tx, { rows }) => {
        for (let index = 0; index < rows; index++) await tx.notes.insert({ id: tx.newId(String(index)), owner: 'ada' })
      }),
    }),
  })
  const replica = createReplica(many, 'ada')
  expect(await replica.run(intent('fill', { rows: 10_000 }), 'call')).toMatchObject({ kept: true })
  expect(await replica.run(intent('fill', { rows: 10_001 }), 'call')).toMatchObject({
    kept: false,
    error: expect.any(SyncError),
  })
})

test('an intent that is pending already is not run again', async () => {
  const replica = await heard()
  const add = intent('add', { id: 'n', text: 'once' })
  await replica.run(add, 'call')
  expect(await replica.run(add, 'stored')).toMatchObject({ kept: true, picture: 'shown' })
  expect(replica.counters.runs).toBe(1)
  expect(replica.keysOf(add.id)).toEqual([['notes', 'n']])
})
