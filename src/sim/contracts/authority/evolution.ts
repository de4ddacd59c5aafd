// Item 9, evolution: intents of older versions are upgraded here as on the device; what no upgrade fits is answered and not decided; an
// app with more or fewer columns than its device's works on; a protocol that is not spoken is refused before anything is read.
import { defineApp, t, table } from '../../../schema/index.ts'
import { expectSame, expectThat } from '../contract.ts'
import { app, change, having, list, task } from './app.ts'
import { type Call, told } from './device.ts'
import type { AuthorityCase } from './ground.ts'
import { expectMatch, onStage, type Stage, type StageOptions } from './stage.ts'

const on = (title: string, run: (stage: Stage) => Promise<void>, options: StageOptions = {}) =>
  onStage(9, title, run, options)

const rename = (version: number, args: { readonly [name: string]: string | number }): Call =>
  having(['rename', { id: 'l', ...args }], { version })
const title = async (stage: Stage) => (await stage.rows('lists')).find(({ id }) => id === 'l')?.['title']

/** An intent that nothing here leads to: it stops the batch, what stands before it is decided, and nothing of it is recorded. */
const parks = (what: string, call: Call) =>
  on(`${what} stops the batch with version_unknown and is not recorded`, async (stage) => {
    const anna = stage.device('anna')
    const answer = await anna.call(list('l', 'anna'), call, list('m', 'anna'))
    expectMatch(answer, { status: 200, decided: 1, stop: { sequence: 2, code: 'version_unknown' } }, 'the answer')
    expectSame(told(answer), ['applied'], 'the outcomes')
    expectSame((await stage.sql('SELECT sequence FROM holdfast_ledger')).length, 1, 'what is recorded')
    expectMatch(await stage.rows('lists'), [{ id: 'l', title: 'a list' }], 'the lists')
  })

const grants = () => ({ read: ['user:anna'], write: ['user:anna'] })
const { lists, tasks } = app.tables
/** The app as it was, with fewer columns and tables; and as it is to be, with more. */
const older = defineApp({
  tables: {
    lists: table({ id: t.id(), ownerId: t.text(), title: t.text(), done: t.boolean() }).scope('user', 'ownerId'),
  },
  mutators: ({ generated }) => ({ ...generated('lists') }),
})
const newer = defineApp({
  tables: {
    lists: table({ ...lists.columns, color: t.text().nullable() }).scope('user', 'ownerId'),
    tasks,
    tags: table({ id: t.id(), listId: t.ref('lists'), word: t.text() }).scopeVia('listId'),
  },
  mutators: ({ generated }) => ({ ...generated('lists'), ...generated('tasks'), ...generated('tags') }),
})

/** The cases. */
export const evolutionCases: readonly AuthorityCase[] = [
  on('an intent of an older version is upgraded, step by step, and run', async (stage) => {
    const anna = stage.device('anna')
    const answer = await anna.call(list('l', 'anna'), rename(1, { name: 'from the first' }))
    expectSame([...told(answer), await title(stage)], ['applied', 'applied', 'from the first'], 'outcomes and title')
    await anna.call(rename(2, { name: 'from the second' }))
    expectSame(await title(stage), 'from the second', 'the title of the second')
    await anna.call(rename(3, { title: 'from the third' }))
    expectSame(await title(stage), 'from the third', 'the title of the third')
  }),
  parks('a mutator that is not declared here', ['dance', {}]),
  parks('a mutator that is named like a member of every object', ['toString', {}]),
  parks('a version that is newer than the one here', rename(4, { title: 'of tomorrow' })),
  parks('an upgrade that throws', rename(2, { name: 'no' })),
  parks('an upgrade whose result does not fit', rename(1, { name: 7 })),
  on('arguments of this very version that do not fit are refused, and the sequence goes on', async (stage) => {
    const anna = stage.device('anna')
    const answer = await anna.call(list('l', 'anna'), rename(3, { title: 7 }), list('m', 'anna'))
    expectSame(told(answer), ['applied', 'arguments_invalid', 'applied'], 'the outcomes')
    expectMatch(answer.outcomes[1]?.details, { problems: ['title: does not fit'] }, 'what does not fit')
  }),
  on('[I3] what stopped for its version is decided by a later version of the app, at the same place', async (stage) => {
    const anna = stage.device('anna')
    const entries = anna.make(
      list('l', 'anna'),
      ['insertTags', { id: 'g', listId: 'l', word: 'new' }],
      list('m', 'anna'),
    )
    expectMatch(
      await anna.push(...entries),
      { decided: 1, stop: { code: 'version_unknown' } },
      'the answer of the old one',
    )
    await stage.authority.close()
    const next = await stage.another({ app: newer as never, grants })
    const same = next.device('anna', anna.client)
    same.last = anna.last
    expectSame(
      told(await same.push(...entries)),
      ['applied repeated', 'applied', 'applied'],
      'the answer of the new one',
    )
    await same.pull()
    expectMatch(same.rows('tags'), [{ id: 'g', word: 'new' }], 'the tags')
  }),
  on('[I4] an intent that stopped can be given up, and those behind it go on', async (stage) => {
    const anna = stage.device('anna')
    const entries = anna.make(['dance', {}], list('l', 'anna'))
    await anna.push(...entries)
    const [first, second] = entries
    const answer = await anna.push(
      { sequence: 1, id: first?.id ?? '', withdraw: 'parked' },
      ...(second === undefined ? [] : [second]),
    )
    expectSame(told(answer), ['discarded', 'applied'], 'the outcomes')
  }),
  on(
    '[I3] what was decided at one version is repeated at another, whatever the arguments mean there',
    async (stage) => {
      const anna = stage.device('anna')
      await anna.call(list('l', 'anna'))
      const entries = anna.make(rename(1, { name: 'once' }))
      await anna.push(...entries)
      await stage.authority.close()
      const next = await stage.another({ app: older as never, grants })
      const same = next.device('anna', anna.client)
      same.last = anna.last
      expectSame(told(await same.push(...entries)), ['applied repeated'], 'the outcome')
    },
  ),
  on('an older device pushes to a newer app: columns that it does not know are null', async (stage) => {
    await stage.authority.close()
    const next = await stage.another({ app: newer as never, grants })
    const anna = next.device('anna')
    anna.says = { app: app.fingerprint }
    expectSame(told(await anna.call(list('l', 'anna'), task('t', 'l'))), ['applied', 'applied'], 'the outcomes')
    await anna.call(change('Lists', 'l', { title: 'changed' }))
    expectMatch(await next.rows('lists'), [{ id: 'l', title: 'changed', color: null }], 'the lists')
  }),
  on('a newer app keeps the rows of the older one, and the older one theirs when it is back', async (stage) => {
    await stage.device('anna').call(list('l', 'anna', { note: 'kept' }), task('t', 'l'))
    await stage.authority.close()
    const next = await stage.another({ app: newer as never, grants })
    const fresh = next.device('anna')
    await fresh.pull()
    expectMatch(fresh.rows('lists'), [{ id: 'l', note: 'kept', color: null }], 'the lists of the newer')
    await fresh.call(['updateLists', { id: 'l', color: 'red' }])
    await next.authority.close()
    const back = await stage.another()
    const old = back.device('anna')
    await old.pull()
    expectMatch(old.rows('lists'), [{ id: 'l', note: 'kept' }], 'the lists of the older')
    expectMatch(old.rows('tasks'), [{ id: 't', position: 1 }], 'the tasks of the older')
    expectMatch(await back.sql('SELECT color FROM lists'), [{ color: 'red' }], 'the column that it does not know')
  }),
  on(
    'a table that the app no longer declares is told to nobody and stops nothing',
    async (stage) => {
      await stage.device('anna').call(list('l', 'anna'), task('t', 'l'))
      await stage.authority.close()
      const next = await stage.another({ app: older as never, grants })
      await next.sql('UPDATE tasks SET points = 9')
      const fresh = next.device('anna')
      await fresh.pull()
      expectSame([...(fresh.held.get('user:anna')?.keys() ?? [])], ['lists/l'], 'what the device holds')
    },
    { isWhole: false },
  ),
  on(
    'a column that is never null and not there stops the start with its name, and leaves the database as it was',
    async (stage) => {
      await stage.device('anna').call(list('l', 'anna'))
      await stage.authority.close()
      const strict = defineApp({
        tables: { lists: table({ ...lists.columns, weight: t.integer() }).scope('user', 'ownerId') },
      })
      const failure = await stage.another({ app: strict as never, grants }).then(
        () => undefined,
        (error: unknown) => error,
      )
      expectThat(
        failure instanceof TypeError && /lists.*weight/s.test(failure.message),
        'the failure names table and column',
      )
      const back = await stage.another()
      expectMatch(await back.rows('lists'), [{ id: 'l' }], 'the lists')
    },
  ),
  ...[0, 2, 99, '1', null, undefined].map((protocol) =>
    on(
      `the protocol ${JSON.stringify(protocol) ?? 'of nothing'} is answered protocol_unsupported, on push, pull and live`,
      async (stage) => {
        const anna = stage.device('anna')
        anna.says = { protocol }
        const refused = { status: 426, body: { code: 'protocol_unsupported', retryable: false } }
        expectMatch(await anna.call(list('l', 'anna')), refused, 'the answer to a push')
        expectMatch(await anna.page(), refused, 'the answer to a pull')
        expectMatch((await anna.live()).answer, { status: 426 }, 'the answer to a stream')
        expectSame(await stage.rows('lists'), [], 'the lists')
      },
    ),
  ),
  on('members that this protocol does not name are let pass, wherever they stand', async (stage) => {
    const anna = stage.device('anna')
    anna.says = { tomorrow: { a: [1] }, priority: 'high' }
    expectSame(told(await anna.call(having(list('l', 'anna'), { color: 'red' }))), ['applied'], 'the outcome')
    expectMatch(await anna.page(), { status: 200 }, 'the answer to a pull')
  }),
  on('health says protocol and fingerprint, and asks for no credentials', async (stage) => {
    for (const path of ['/health', '/sync/health']) {
      const answer = await stage.send(path, '', {}, 'GET')
      expectMatch(answer, { status: 200, body: { status: 'ok', protocol: 1, app: app.fingerprint } }, 'the health')
    }
  }),
]
