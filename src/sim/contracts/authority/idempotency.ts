// Item 5, idempotency: each intent of a batch is decided once, whatever is repeated, lost, reordered or sent at once, and its outcome
// never changes. An id belongs to its actor and to one content; who uses another's hears nothing of it. I3.
import { expectSame, expectThat } from '../contract.ts'
import { having, list, task } from './app.ts'
import { type Call, type Device, type Entry, told } from './device.ts'
import type { AuthorityCase } from './ground.ts'
import { expectReplica } from './judge.ts'
import { expectMatch, onStage, type Stage, type StageOptions } from './stage.ts'

const on = (title: string, run: (stage: Stage) => Promise<void>, options: StageOptions = {}) =>
  onStage(5, `[I3] ${title}`, run, options)

const counted = async (stage: Stage, table: string) => (await stage.rows(table)).length
const refused = (id = 'r'): Call => ['act', { id, how: 'reject' }]
const again = (words: readonly string[]) => words.map((word) => `${word} repeated`)

/** A list with a task that has points, to which an intent adds: a run that was doubled shows. */
async function withPoints(stage: Stage) {
  const anna = stage.device('anna')
  await anna.call(list('l', 'anna'), task('t', 'l', { points: 0 }))
  const points = async () => Number((await stage.rows('tasks')).find(({ id }) => id === 't')?.['points'])
  return { anna, points }
}
const add = (points = 1): Call => ['addPoints', { id: 't', points }]

/** The cases. */
export const idempotencyCases: readonly AuthorityCase[] = [
  on('a batch that is sent twice is decided once, and the second answer repeats the first', async (stage) => {
    const { anna, points } = await withPoints(stage)
    const entries = anna.make(add(), refused(), add(5), list('l', 'anna'))
    const first = await anna.push(...entries)
    expectSame(told(first), ['applied', 'not_today', 'applied', 'row_exists'], 'the outcomes')
    const second = await anna.push(...entries)
    expectSame(told(second), again(told(first)), 'the outcomes again')
    const bare = ({ outcomes }: typeof first) => outcomes.map(({ repeated: _, ...range }) => range)
    expectSame(bare(second), bare(first), 'codes and details')
    expectSame([second.decided, await points()], [6, 6], 'decided, and points')
  }),
  on('the same batch sent eight times at once is decided once', async (stage) => {
    const { anna, points } = await withPoints(stage)
    const entries = anna.make(add(), add(), add())
    const answers = await Promise.all(Array.from({ length: 8 }, () => anna.push(...entries)))
    expectSame(
      answers.map(({ decided }) => decided),
      Array(8).fill(5),
      'what each says is decided',
    )
    expectSame(answers.filter((answer) => told(answer).includes('applied')).length, 1, 'how many say that it is new')
    expectSame(await points(), 3, 'points')
  }),
  on('the same batch sent at once to two processes is decided once', async (stage) => {
    const { anna, points } = await withPoints(stage)
    const other = await stage.another()
    const entries = anna.make(...Array.from({ length: 20 }, () => add()))
    const there = other.device('anna', anna.client)
    there.last = anna.last
    const answers = await Promise.all([anna, there, anna, there].map((device) => device.push(...entries)))
    expectSame(
      answers.map(({ decided }) => decided),
      Array(4).fill(22),
      'what each says is decided',
    )
    expectSame(answers.filter((answer) => told(answer).includes('applied')).length, 1, 'how many say that it is new')
    expectSame(await points(), 20, 'points')
  }),
  on('a batch of which half was decided resumes, and repeats nothing', async (stage) => {
    const { anna, points } = await withPoints(stage)
    const entries = anna.make(add(1), add(2), add(4), add(8))
    await anna.push(...entries.slice(0, 2))
    expectSame(
      told(await anna.push(...entries)),
      ['applied repeated', 'applied repeated', 'applied', 'applied'],
      'the outcomes',
    )
    expectSame(await points(), 15, 'points')
  }),
  on('outcomes outlive the process that gave them', async (stage) => {
    const { anna, points } = await withPoints(stage)
    const entries = anna.make(add(), refused())
    const first = told(await anna.push(...entries))
    await stage.authority.close()
    const next = await stage.another()
    const same = next.device('anna', anna.client)
    same.last = anna.last
    expectSame(told(await same.push(...entries)), again(first), 'the outcomes again')
    expectSame(await points(), 1, 'points')
  }),
  on('an intent that was refused stays refused when what was wrong is right', async (stage) => {
    const anna = stage.device('anna')
    const [entry] = anna.make(task('t', 'l')) as [Entry]
    expectSame(told(await anna.push(entry)), ['row_gone'], 'the outcome')
    await stage.device('anna').call(list('l', 'anna'))
    expectSame(told(await anna.push(entry)), ['row_gone repeated'], 'the outcome again')
    expectSame(await counted(stage, 'tasks'), 0, 'tasks')
  }),
  on('an id that is used again for the same content gives the outcome, at any later number', async (stage) => {
    const { anna, points } = await withPoints(stage)
    const id = stage.newId()
    const answer = await anna.call(having(add(), { id }), having(add(), { id }), add(10))
    expectSame(told(answer), ['applied', 'applied repeated', 'applied'], 'the outcomes')
    expectSame(told(await anna.call(having(add(), { id }))), ['applied repeated'], 'the outcome later')
    expectSame(await points(), 11, 'points')
  }),
  on('the order of keys and the time made make no other content', async (stage) => {
    const { anna, points } = await withPoints(stage)
    const id = stage.newId()
    const answer = await anna.call(
      ['addPoints', { id: 't', points: 1 }, { id, madeAt: 1 }],
      ['addPoints', { points: 1, id: 't' }, { id, madeAt: 2 }],
    )
    expectSame(told(answer), ['applied', 'applied repeated'], 'the outcomes')
    expectSame(await points(), 1, 'points')
  }),
  ...(
    [
      ['arguments', (id: string): Call => ['addPoints', { id: 't', points: 2 }, { id }]],
      ['a mutator', (id: string): Call => ['sweep', { id: 't', points: 1 }, { id }]],
      ['a version', (id: string): Call => ['addPoints', { id: 't', points: 1 }, { id, version: 2 }]],
    ] as const
  ).map(([what, other]) =>
    on(`an id that is used again for other content (${what}) is refused, and the sequence goes on`, async (stage) => {
      const { anna, points } = await withPoints(stage)
      const id = stage.newId()
      const answer = await anna.call(['addPoints', { id: 't', points: 1 }, { id }], other(id), add(10))
      expectSame(told(answer), ['applied', 'id_reused', 'applied'], 'the outcomes')
      expectSame(await points(), 11, 'points')
      expectSame(
        told(await anna.call(['addPoints', { id: 't', points: 1 }, { id }])),
        ['applied repeated'],
        'the first outcome',
      )
    }),
  ),
  on(
    'an id that was refused for its content is refused again at its number, and keeps its first outcome',
    async (stage) => {
      const { anna } = await withPoints(stage)
      const id = stage.newId()
      const entries = anna.make(having(add(1), { id }), having(add(2), { id }))
      await anna.push(...entries)
      expectSame(told(await anna.push(...entries)), ['applied repeated', 'id_reused repeated'], 'the outcomes')
    },
  ),
  on(
    'an id belongs to its actor: the same id of another actor is another intent, and no outcome is given away',
    async (stage) => {
      const { anna, points } = await withPoints(stage)
      const id = stage.newId()
      await anna.call(having(add(7), { id }))
      const ben = stage.device('ben')
      const answer = await ben.call(having(add(7), { id }), having(list('b', 'ben'), { id: stage.newId() }))
      expectSame(told(answer), ['no_task', 'applied'], 'what ben is told')
      expectSame(await points(), 7, 'points')
    },
  ),
  on('another device of the same actor that sends the same intent gets its outcome', async (stage) => {
    const { anna, points } = await withPoints(stage)
    const id = stage.newId()
    await anna.call(having(add(3), { id }))
    const tablet = stage.device('anna')
    expectSame(
      told(await tablet.call(having(add(3), { id }), add(4))),
      ['applied repeated', 'applied'],
      'what the tablet is told',
    )
    expectSame(await points(), 7, 'points')
  }),
  on('two devices of one actor that send the same intent at once: it is decided once', async (stage) => {
    const { points } = await withPoints(stage)
    const id = stage.newId()
    const devices = [stage.device('anna'), stage.device('anna')] as const
    const answers = await Promise.all(devices.map((device) => device.call(having(add(), { id }))))
    expectSame(answers.flatMap(told).sort(), ['applied', 'applied repeated'], 'the outcomes')
    expectSame(await points(), 1, 'points')
  }),
  on(
    'a fault records nothing: the intent keeps its place, and is decided when the fault is gone',
    async (stage) => {
      const anna = stage.device('anna')
      const entries = anna.make(list('a', 'anna'), ['act', { id: 'x', how: '' }], list('b', 'anna'))
      const broken = await anna.push(...entries)
      expectMatch(broken, { decided: 1, stop: { sequence: 2, code: 'fault' } }, 'the answer')
      expectThat(Number(broken.stop?.['retryAfterMs']) > 0, 'the answer says when to come again')
      expectThat(!JSON.stringify(broken.body).includes('a bad deploy'), 'nothing of the inside is told')
      await stage.authority.close()
      const mended = await stage.another()
      const same = mended.device('anna', anna.client)
      same.last = anna.last
      expectSame(told(await same.push(...entries)), ['applied repeated', 'applied', 'applied'], 'the outcomes')
      expectMatch(await mended.rows('lists'), [{ id: 'a' }, { id: 'b' }, { id: 'x' }], 'the lists')
    },
    {
      mutators: {
        act: async () => {
          throw new Error('a bad deploy')
        },
      },
    },
  ),
  on(
    'a mutator that waits for something else than its transaction is given up, and what it does later changes nothing',
    async (stage) => {
      const anna = stage.device('anna')
      const answer = await anna.call(list('a', 'anna'), ['act', { id: 'x' }], list('b', 'anna'))
      expectMatch(answer, { decided: 1, stop: { sequence: 2, code: 'fault' } }, 'the answer')
      expectSame(told(await stage.device('ben').call(list('c', 'ben'))), ['applied'], 'what others are told')
      expectMatch(await stage.rows('lists'), [{ id: 'a' }, { id: 'c' }], 'the lists')
    },
    {
      tuning: { mutatorTimeoutMs: 20 },
      mutators: {
        act: async (tx, { id }) => {
          await new Promise<never>(() => undefined)
          await tx.lists.insert({ id: String(id), ownerId: tx.actor, title: '', done: false })
        },
      },
    },
  ),
  on('code of the server that calls again with the same id gets the recorded outcome', async (stage) => {
    const { points } = await withPoints(stage)
    const run = stage.authority.run as (...call: readonly unknown[]) => Promise<unknown>
    const id = stage.newId()
    const call = ['anna', 'addPoints', { id: 't', points: 2 }, { id }]
    expectMatch(await run(...call), { status: 'applied' }, 'the outcome')
    expectMatch(await run(...call), { status: 'applied', repeated: true }, 'the outcome again')
    expectMatch(
      await run('anna', 'addPoints', { id: 't', points: 3 }, { id }),
      { status: 'rejected', code: 'id_reused' },
      'other content',
    )
    expectSame(await points(), 2, 'points')
  }),
  on('a device that sends what code of the server has run gets the recorded outcome', async (stage) => {
    const { anna, points } = await withPoints(stage)
    const id = stage.newId()
    await (stage.authority.run as (...call: readonly unknown[]) => Promise<unknown>)(
      'anna',
      'addPoints',
      { id: 't', points: 1 },
      { id },
    )
    expectSame(told(await anna.call(having(add(1), { id }))), ['applied repeated'], 'the outcome')
    expectSame(await points(), 1, 'points')
  }),
  on(
    'a retry of an intent gives its rows the ids that the first one gave',
    async (stage) => {
      const anna = stage.device('anna')
      const root = stage.newId()
      expectSame(
        told(await anna.call(['act', { how: 'no' }, { id: root }], ['act', { how: 'yes' }, { root }])),
        ['not_today', 'applied'],
        'the outcomes',
      )
      const made = String((await stage.rows('lists'))[0]?.id)
      expectSame(
        told(await anna.call(['act', { how: 'yes' }, { id: root.replace(/^./, '0'), root }])),
        ['row_exists'],
        'the third',
      )
      expectThat(/^[0-9a-f-]{36}$/.test(made), 'the id is derived from the root')
    },
    {
      mutators: {
        act: async (tx, { how }) => {
          if (how === 'no') tx.reject('not_today')
          await tx.lists.insert({ id: tx.newId('list'), ownerId: tx.actor, title: '', done: false })
        },
      },
    },
  ),
  on('sixteen devices that add to one row at once lose no update', async (stage) => {
    const { points } = await withPoints(stage)
    const devices: Device[] = Array.from({ length: 16 }, () => stage.device('anna'))
    for (let round = 0; round < 3; round++)
      for (const answer of await Promise.all(devices.map((device) => device.call(add(), add()))))
        expectSame(told(answer), ['applied', 'applied'], 'the outcomes')
    expectSame(await points(), 96, 'points')
    const reader = stage.device('anna')
    await expectReplica(stage, reader)
  }),
]
