// Item 4, scopes and rights: grants that change. They are read in the very transaction or snapshot that uses them, and the tables that
// they read are watched: what is gained or lost counts for the next intent, the next frame and every open stream. I9.
import { expectSame, expectThat } from '../contract.ts'
import { board, card, change, list, member, remove } from './app.ts'
import { type Device, told } from './device.ts'
import type { AuthorityCase } from './ground.ts'
import { expectReplica } from './judge.ts'
import { expectMatch, onStage, type Stage, type StageOptions } from './stage.ts'

const on = (title: string, run: (stage: Stage) => Promise<void>, options: StageOptions = {}) =>
  onStage(4, `[I9] ${title}`, run, options)

const join = (stage: Stage, id: string, team: string, user: string, role = 'writer') =>
  stage.sql('INSERT INTO members (id, "teamId", "userId", role) VALUES (?, ?, ?, ?)', id, team, user, role)

/** Anna is a member of oak, where ben has put a board with a card; her device holds them. */
async function withMember(stage: Stage, role = 'writer') {
  await join(stage, 'm1', 'oak', 'ben')
  await join(stage, 'm2', 'oak', 'anna', role)
  const [anna, ben] = [stage.device('anna'), stage.device('ben')]
  await ben.call(board('b', 'oak'), card('c', 'b'))
  await Promise.all([anna.pull(), ben.pull()])
  return { anna, ben }
}

const listening = async (stage: Stage, device: Device) => {
  const stream = await device.live()
  await stream.until(() => stream.seals.length === 1, 'the first seal')
  // The first tick after the opening finds nothing new.
  stage.clock.move(1_000)
  return stream
}

/** The cases. */
export const grantsCases: readonly AuthorityCase[] = [
  on('the seal lists exactly what may be read in its snapshot', async (stage) => {
    const { anna } = await withMember(stage)
    expectSame((await anna.page()).seal?.scopes, ['team:oak', 'user:anna'], 'the scopes of anna')
    expectSame((await stage.device('zoe').page()).seal?.scopes, ['user:zoe'], 'the scopes of zoe')
  }),
  on('a scope that was lost leaves the device with the next frame, rows and cursor', async (stage) => {
    const { anna, ben } = await withMember(stage)
    await ben.call(remove('Members', 'm2'), change('Boards', 'b', { title: 'a secret since' }))
    const page = await anna.page()
    expectThat(!JSON.stringify(page.body).includes('team:oak'), 'nothing of the scope is told')
    anna.take(page.patches, page.seal)
    expectSame(
      [anna.rows('boards'), anna.rows('cards'), [...anna.cursors.keys()]],
      [[], [], ['user:anna']],
      'what is left',
    )
  }),
  on('a scope that is granted again is fetched again, whole', async (stage) => {
    const { anna, ben } = await withMember(stage)
    await ben.call(remove('Members', 'm2'))
    await anna.pull()
    await ben.call(change('Boards', 'b', { title: 'new' }), member('m3', 'oak', 'anna'))
    await expectReplica(stage, anna)
    expectMatch(anna.rows('boards'), [{ title: 'new' }], 'the boards')
    expectMatch(anna.rows('cards'), [{ id: 'c' }], 'the cards')
  }),
  on('a cursor of a scope that may not be read brings nothing, be it true, forged or of nowhere', async (stage) => {
    const { ben } = await withMember(stage)
    const zoe = stage.device('zoe')
    await zoe.pull()
    const place = ben.cursors.get('team:oak') ?? { version: 0, mark: '' }
    const bodies: string[] = []
    for (const [scope, at] of [
      ['team:oak', place],
      ['team:oak', { version: 0, mark: '' }],
      ['team:oak', { version: place.version - 1, mark: 'ffff' }],
      ['team:nowhere', { version: 3, mark: 'ffff' }],
    ] as const) {
      zoe.cursors.set(scope, at)
      const { status, patches, seal } = await zoe.page()
      bodies.push(JSON.stringify([status, patches, { ...seal, at: 0 }]))
      zoe.cursors.delete(scope)
    }
    expectSame(new Set(bodies).size, 1, 'how many different answers came')
    expectThat(!bodies.join('').includes('team'), 'no team is named')
  }),
  on('a grant that is gained between two batches holds for the next intent', async (stage) => {
    const { ben } = await withMember(stage)
    const zoe = stage.device('zoe')
    expectSame(told(await zoe.call(board('z', 'oak'))), ['forbidden'], 'before')
    await ben.call(member('m3', 'oak', 'zoe'))
    expectSame(told(await zoe.call(board('z', 'oak'))), ['applied'], 'after')
  }),
  on('a grant that is lost between two batches holds no longer', async (stage) => {
    const { anna } = await withMember(stage)
    expectSame(told(await anna.call(card('d', 'b'))), ['applied'], 'before')
    await stage.sql('DELETE FROM members WHERE id = ?', 'm2')
    expectSame(told(await anna.call(card('e', 'b'), remove('Cards', 'd'))), ['row_gone', 'row_gone'], 'after')
  }),
  on('a grant that an intent of the batch takes away holds no longer for those behind it', async (stage) => {
    const { ben } = await withMember(stage)
    const answer = await ben.call(card('d', 'b'), remove('Members', 'm1'), card('e', 'b'), list('l', 'ben'))
    expectSame(told(answer), ['applied', 'applied', 'row_gone', 'applied'], 'the outcomes')
    await expectReplica(stage, ben)
  }),
  on(
    'a grant that an intent of the batch gives holds for those behind it',
    async (stage) => {
      const { ben } = await withMember(stage)
      const answer = await ben.call(board('e', 'elm'), member('m9', 'oak', 'ben'), ['act', {}], board('e', 'elm'))
      expectSame(told(answer), ['forbidden', 'applied', 'applied', 'applied'], 'the outcomes')
    },
    {
      mutators: {
        act: async (tx) => {
          await tx.sql('INSERT INTO members (id, "teamId", "userId", role) VALUES (?, ?, ?, ?)', [
            'm8',
            'elm',
            tx.actor,
            'writer',
          ])
        },
      },
    },
  ),
  on(
    'a grant that a rejected intent would have given is none',
    async (stage) => {
      const { ben } = await withMember(stage)
      const answer = await ben.call(['act', {}], board('e', 'elm'))
      expectSame(told(answer), ['not_today', 'forbidden'], 'the outcomes')
    },
    {
      mutators: {
        act: async (tx) => {
          await tx.sql('INSERT INTO members (id, "teamId", "userId", role) VALUES (?, ?, ?, ?)', [
            'm8',
            'elm',
            tx.actor,
            'writer',
          ])
          tx.reject('not_today')
        },
      },
    },
  ),
  on('a role that changes from reader to writer lets writes through, and ends no stream', async (stage) => {
    const { anna, ben } = await withMember(stage, 'reader')
    const stream = await listening(stage, anna)
    expectSame(told(await anna.call(card('d', 'b'))), ['forbidden'], 'before')
    await ben.call(change('Members', 'm2', { role: 'writer' }))
    expectSame(told(await anna.call(card('d', 'b'))), ['applied'], 'after')
    await stream.until(() => anna.rows('cards').length === 2, 'the card')
    expectThat(!stream.events.includes('pull'), 'the stream goes on')
    stream.leave()
  }),
  on('a grant that is lost ends the stream before anything of its scope is told, in the same commit', async (stage) => {
    const { anna, ben } = await withMember(stage)
    const stream = await listening(stage, anna)
    await ben.call(change('Boards', 'b', { title: 'a secret' }), remove('Members', 'm2'))
    stage.clock.move(1_000)
    await stream.until(() => stream.events.includes('closed'), 'the end')
    expectSame(stream.events, ['seal', 'pull', 'closed'], 'the events')
    await anna.pull()
    expectSame(anna.rows('boards'), [], 'the boards')
  }),
  on('a grant that plain SQL takes away ends the stream too', async (stage) => {
    const { anna } = await withMember(stage)
    const stream = await listening(stage, anna)
    await stage.foreign.transaction(async (all) => {
      await all('DELETE FROM members WHERE id = ?', ['m2'])
      await all('UPDATE boards SET title = ?', ['a secret'])
    })
    stage.clock.move(1_000)
    await stream.until(() => stream.events.includes('closed'), 'the end')
    expectSame(stream.events, ['seal', 'pull', 'closed'], 'the events')
  }),
  on('a grant that is gained ends the stream with pull, and the pull brings the scope', async (stage) => {
    const { anna, ben } = await withMember(stage)
    const stream = await listening(stage, anna)
    await join(stage, 'm4', 'elm', 'ben')
    await ben.call(board('e', 'elm'), member('m5', 'elm', 'anna'))
    stage.clock.move(1_000)
    await stream.until(() => stream.events.includes('closed'), 'the end')
    expectSame(stream.events.at(-2), 'pull', 'the last event')
    await expectReplica(stage, anna)
    expectMatch(anna.rows('boards'), [{ id: 'b' }, { id: 'e' }], 'the boards')
  }),
  on('grants of one actor that change leave the streams of others alone', async (stage) => {
    const { anna, ben } = await withMember(stage)
    const [hers, his] = [await listening(stage, anna), await listening(stage, ben)]
    await stage.sql('DELETE FROM members WHERE id = ?', 'm2')
    stage.clock.move(1_000)
    await hers.until(() => hers.events.includes('closed'), 'the end of hers')
    await ben.call(card('d', 'b'))
    await his.until(() => ben.rows('cards').length === 2, 'the card')
    expectThat(!his.events.includes('pull'), 'his stream goes on')
    his.leave()
  }),
  on('a stream is not opened for scopes that are no longer granted', async (stage) => {
    const { anna } = await withMember(stage)
    await stage.sql('DELETE FROM members WHERE id = ?', 'm2')
    const stream = await anna.live()
    expectSame(stream.events, ['pull', 'closed'], 'the events')
  }),
  on('totals of a group are told to those who may read it, and to nobody else', async (stage) => {
    const { anna, ben } = await withMember(stage)
    expectMatch(anna.rows('boardTotals'), [{ id: 'b', cards: 1, effort: 2 }], 'what anna has')
    await stage.sql('DELETE FROM members WHERE id = ?', 'm2')
    await ben.call(card('d', 'b'))
    expectThat(!JSON.stringify((await anna.page()).body).includes('boardTotals'), 'anna is told no totals')
  }),
  on('a row that leaves for a scope which may not be read is named by its id alone', async (stage) => {
    const { anna, ben } = await withMember(stage)
    await join(stage, 'm4', 'elm', 'ben')
    await ben.call(change('Boards', 'b', { teamId: 'elm', title: 'a secret of elm' }))
    const page = await anna.page()
    expectMatch(page.patches, [{ scope: 'team:oak', gone: { boards: ['b'], cards: ['c'] } }], 'the patches')
    expectThat(!JSON.stringify(page.body).includes('elm'), 'nothing of elm is told')
  }),
  ...(
    [
      ['throws', () => Promise.reject(new Error('SELECT secret FROM grants'))],
      ['answers with no arrays', () => ({ read: 'user:anna', write: [] })],
      ['answers with what is no scope', () => ({ read: ['anna'], write: [] })],
      [
        'answers with more scopes than the limit',
        () => ({ read: Array.from({ length: 1_001 }, (_, n) => `user:${n}`), write: [] }),
      ],
    ] as const
  ).map(([what, grants]) =>
    on(
      `a function of grants that ${what} fails the request, says nothing of the inside, and decides nothing`,
      async (stage) => {
        const anna = stage.device('anna')
        for (const answer of [await anna.call(list('l', 'anna')), await anna.page()]) {
          expectMatch(answer, { status: 500, body: { code: 'internal', retryable: true } }, 'the answer')
          expectThat(!JSON.stringify(answer.body).includes('secret'), 'nothing of the inside is told')
        }
        expectSame(await stage.sql('SELECT client FROM holdfast_client'), [], 'the ledger')
        expectSame(await stage.rows('lists'), [], 'the lists')
      },
      { grants: grants as never, isWhole: false },
    ),
  ),
  on(
    'a function of grants that does not answer fails its own request only',
    async (stage) => {
      const [anna, ben] = [stage.device('anna'), stage.device('ben')]
      const hers = anna.call(list('l', 'anna'))
      expectMatch(await hers, { status: 500, body: { code: 'internal' } }, 'what anna is told')
      expectSame(told(await ben.call(list('m', 'ben'))), ['applied'], 'what ben is told')
    },
    {
      grants: (actor) =>
        actor === 'anna' ? new Promise<never>(() => undefined) : { read: [`user:${actor}`], write: [`user:${actor}`] },
      tuning: { grantsTimeoutMs: 20 },
    },
  ),
  on(
    'grants see all rows of all tables and cannot write',
    async (stage) => {
      const anna = stage.device('anna')
      expectMatch(await anna.call(list('l', 'anna')), { status: 500 }, 'the answer')
      expectSame(await stage.rows('lists'), [], 'the lists')
    },
    {
      isWhole: false,
      grants: async (actor, tx) => {
        await (tx as unknown as { readonly lists: { insert(row: unknown): Promise<void> } }).lists.insert({
          id: 'x',
          ownerId: actor,
          title: '',
          done: false,
        })
        return { read: [], write: [] }
      },
    },
  ),
]
