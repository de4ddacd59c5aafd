// Item 10, live: a stream brings whole frames as they happen, each scope's patch encoded once for all who stand at the same place, and
// ends with «pull» where it cannot go on. A device that does not read is cut, one that hears nothing hears signs of life. I9, I10, I13, I17.
import { expectSame, expectThat } from '../contract.ts'
import { change, list, member, remove, task } from './app.ts'
import type { Device } from './device.ts'
import type { AuthorityCase } from './ground.ts'
import { expectReplica } from './judge.ts'
import { expectMatch, onStage, type Stage, type StageOptions } from './stage.ts'

const on = (title: string, run: (stage: Stage) => Promise<void>, options: StageOptions = {}) =>
  onStage(10, title, run, options)

/** A device that holds what it may, and its stream after the first seal. */
async function listen(stage: Stage, actor = 'anna', device = stage.device(actor)) {
  await device.pull()
  const stream = await device.live()
  await stream.until(() => stream.seals.length === 1, 'the first seal')
  return { device, stream }
}
const titles = (device: Device) => device.rows('lists').map(({ title }) => title)

/** A change of a device that makes its stream end at once. */
const pulls = (what: string, spoil: (device: Device) => void) =>
  on(`a stream says pull and ends when ${what}`, async (stage) => {
    const anna = stage.device('anna')
    await anna.call(list('l', 'anna'))
    await anna.pull()
    spoil(anna)
    const stream = await anna.live()
    await stream.until(() => stream.events.includes('closed'), 'the end')
    expectSame(stream.events, ['pull', 'closed'], 'the events')
    expectMatch(await stage.authority.health(), { streams: 0 }, 'the health')
  })

/** The cases. */
export const liveCases: readonly AuthorityCase[] = [
  on('a stream is of events, is never cached, and begins with a seal', async (stage) => {
    const { stream } = await listen(stage)
    expectMatch(
      stream.answer,
      { status: 200, headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' } },
      'the answer',
    )
    expectSame(stream.events, ['seal'], 'the events')
    expectMatch(stream.seals, [{ decided: 0, outcomes: [], scopes: ['user:anna'] }], 'the seal')
    stream.leave()
  }),
  on('[I17] what another device pushes comes as one frame', async (stage) => {
    const { device, stream } = await listen(stage)
    await stage.device('anna').call(list('l', 'anna'), task('a', 'l'), task('b', 'l'))
    stage.clock.move(100)
    await stream.until(() => stream.seals.length === 2, 'the frame')
    expectSame(stream.events, ['seal', 'patch', 'seal'], 'the events')
    expectMatch(device.rows('listTotals'), [{ tasks: 2 }], 'the totals')
    await expectReplica(stage, device)
    stream.leave()
  }),
  on('what was committed between the pull and the stream comes with its first frame', async (stage) => {
    const anna = stage.device('anna')
    await anna.pull()
    await stage.device('anna').call(list('l', 'anna'))
    const stream = await anna.live()
    await stream.until(() => stream.seals.length === 1, 'the first seal')
    expectSame(stream.events, ['patch', 'seal'], 'the events')
    stream.leave()
  }),
  on('seals tell the outcomes since the last one, also when no row changed', async (stage) => {
    const { device, stream } = await listen(stage)
    await device.call(['act', { id: 'x', how: 'reject' }])
    stage.clock.move(100)
    await stream.until(() => stream.seals.length === 2, 'the seal')
    expectMatch(
      stream.seals[1],
      { decided: 1, outcomes: [{ from: 1, to: 1, status: 'rejected', code: 'not_today', details: { why: 'rain' } }] },
      'the seal',
    )
    const [entry] = device.make(list('l', 'anna'))
    await device.push(...(entry === undefined ? [] : [entry]))
    stage.clock.move(100)
    await stream.until(() => stream.seals.length === 3, 'the next seal')
    expectMatch(
      stream.seals[2],
      { decided: 2, decidedId: entry?.id, outcomes: [{ from: 2, to: 2, status: 'applied' }] },
      'the next seal',
    )
    stream.leave()
  }),
  on('a stream goes on from the cursors that it is opened with, again and again', async (stage) => {
    const anna = stage.device('anna')
    await anna.pull()
    const writer = stage.device('anna')
    for (let turn = 0; turn < 4; turn++) {
      const stream = await anna.live()
      await writer.call(list(`l${turn}`, 'anna'))
      stage.clock.move(100)
      await stream.until(() => anna.rows('lists').length === turn + 1, 'the list')
      stream.leave()
      await writer.call(change('Lists', `l${turn}`, { title: 'while nobody listened' }))
    }
    await expectReplica(stage, anna)
  }),
  on(
    '[I10] one commit in two scopes comes in one frame',
    async (stage) => {
      const { stream } = await listen(stage)
      await stage.foreign.transaction(async (all) => {
        for (const owner of ['anna', 'ben'])
          await all('INSERT INTO lists (id, "ownerId", title, done) VALUES (?, ?, ?, ?)', [owner, owner, 'both', false])
      })
      stage.clock.move(1_000)
      await stream.until(() => stream.seals.length === 2, 'the frame')
      expectSame(stream.events, ['seal', 'patch', 'patch', 'seal'], 'the events')
      stream.leave()
    },
    { grants: () => ({ read: ['user:anna', 'user:ben'], write: [] }) },
  ),
  on('a row that comes back within one tick is told as it is, and one that went is told as gone', async (stage) => {
    const { device, stream } = await listen(stage)
    await device.call(list('l', 'anna'), list('m', 'anna'))
    stage.clock.move(100)
    await stream.until(() => device.rows('lists').length === 2, 'the lists')
    await stage.device('anna').call(remove('Lists', 'l'), remove('Lists', 'm'), list('l', 'anna', { title: 'again' }))
    stage.clock.move(100)
    await stream.until(() => device.rows('lists').length === 1, 'the change')
    expectSame(titles(device), ['again'], 'the titles')
    stream.leave()
  }),
  on('forty streams of one scope are told the same, and each seal is of its own client', async (stage) => {
    const all = await Promise.all(Array.from({ length: 40 }, () => listen(stage)))
    await stage.device('anna').call(list('l', 'anna'), task('a', 'l'))
    stage.clock.move(100)
    for (const { device, stream } of all) {
      await stream.until(() => stream.seals.length === 2, 'the frame')
      expectSame(
        stream.seals.map(({ client }) => client),
        [device.client, device.client],
        'the clients of the seals',
      )
      expectSame(device.rows('tasks').length, 1, 'the tasks')
    }
    expectMatch(await stage.authority.health(), { streams: 40 }, 'the health')
    for (const { stream } of all) stream.leave()
    expectMatch(await stage.authority.health(), { streams: 0 }, 'the health after')
  }),
  on('[I9] streams of different actors are told what is theirs and nothing else', async (stage) => {
    const [hers, his] = [await listen(stage, 'anna'), await listen(stage, 'ben')]
    await hers.device.call(list('l', 'anna', { title: 'a secret of anna' }))
    await his.device.call(list('m', 'ben'))
    stage.clock.move(100)
    await hers.stream.until(() => hers.device.rows('lists').length === 1, 'her list')
    await his.stream.until(() => his.device.rows('lists').length === 1, 'his list')
    expectSame([titles(hers.device), titles(his.device)], [['a secret of anna'], ['a list']], 'the titles')
    hers.stream.leave()
    his.stream.leave()
  }),
  on('[I17] what one process decides comes on a stream of another', async (stage) => {
    const other = await stage.another()
    const { device, stream } = await listen(stage)
    await other.device('anna').call(list('l', 'anna'))
    stage.clock.move(1_000)
    await stream.until(() => device.rows('lists').length === 1, 'the list')
    await other.device('anna').call(change('Lists', 'l', { title: 'from there' }))
    stage.clock.move(1_000)
    await stream.until(() => titles(device)[0] === 'from there', 'the title')
    stream.leave()
  }),
  on('[I9] grants that another process changes end a stream of this one', async (stage) => {
    const other = await stage.another()
    const { stream } = await listen(stage)
    await other.sql(
      'INSERT INTO members (id, "teamId", "userId", role) VALUES (?, ?, ?, ?)',
      'm',
      'oak',
      'ben',
      'writer',
    )
    await other.device('ben').call(member('n', 'oak', 'anna'))
    stage.clock.move(1_000)
    await stream.until(() => stream.events.includes('closed'), 'the end')
    expectSame(stream.events.at(-2), 'pull', 'the last event')
  }),
  pulls('a scope is missing', ({ cursors, held }) => {
    cursors.clear()
    held.clear()
  }),
  pulls('a scope is held that may not be read', ({ cursors }) => cursors.set('user:ben', { version: 0, mark: '' })),
  pulls('a place is of another history', ({ cursors }) => cursors.set('user:anna', { version: 1, mark: 'ffff' })),
  pulls('a place is ahead of this history', ({ cursors }) => cursors.set('user:anna', { version: 99, mark: 'ffff' })),
  pulls('a place is within a version', ({ cursors }) =>
    cursors.set('user:anna', {
      ...(cursors.get('user:anna') ?? { version: 1, mark: '' }),
      within: { table: 'lists', id: '0' },
    }),
  ),
  on('[I13] a change that is too large for a stream becomes a pull, and the pull brings it', async (stage) => {
    const { device, stream } = await listen(stage)
    const done = stage.database.dialect.name === 'sqlite' ? '0' : 'false'
    await stage.sql(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO lists (id, "ownerId", title, done) SELECT 'w' || i, 'anna', 'many', ${done} FROM n`,
    )
    stage.clock.move(1_000)
    await stream.until(() => stream.events.includes('closed'), 'the end')
    expectSame(stream.events, ['seal', 'pull', 'closed'], 'the events')
    await expectReplica(stage, device)
    expectSame(device.rows('lists').length, 3_000, 'the lists')
  }),
  on('[I13] a stream that does not take what it is sent is cut, and others go on', async (stage) => {
    const [slow, quick] = [await listen(stage), await listen(stage)]
    slow.stream.waitingBytes = 2 * 1024 * 1024
    await stage.device('anna').call(list('l', 'anna'))
    stage.clock.move(100)
    await slow.stream.until(() => slow.stream.events.includes('closed'), 'the end')
    await quick.stream.until(() => quick.device.rows('lists').length === 1, 'the list')
    expectMatch(await stage.authority.health(), { streams: 1 }, 'the health')
    quick.stream.leave()
  }),
  on('a quiet stream is sent signs of life, one that speaks is not', async (stage) => {
    const { stream } = await listen(stage)
    for (let beat = 0; beat < 3; beat++) stage.clock.move(15_001)
    await stream.until(() => stream.events.filter((event) => event === 'alive').length >= 2, 'signs of life')
    stream.leave()
  }),
  on('a stream that was left is told nothing more', async (stage) => {
    const { stream } = await listen(stage)
    const other = await listen(stage)
    stream.leave()
    await stage.device('anna').call(list('l', 'anna'))
    stage.clock.move(100)
    await other.stream.until(() => other.device.rows('lists').length === 1, 'the list')
    expectSame(stream.events, ['seal'], 'the events')
    other.stream.leave()
  }),
  on('closing the authority ends its streams and refuses new ones', async (stage) => {
    const { device, stream } = await listen(stage)
    await stage.authority.close()
    await stream.until(() => stream.events.includes('closed'), 'the end')
    expectMatch((await device.live()).answer, { status: 503 }, 'the answer')
    await stage.another()
  }),
  on(
    '[I13] there are no more streams than the bound, and who comes then is told when to come again',
    async (stage) => {
      const first = await listen(stage)
      const ben = stage.device('ben')
      await ben.pull()
      const { answer } = await ben.live()
      expectMatch(answer, { status: 503 }, 'the answer')
      expectThat(Number(answer.headers['retry-after']) > 0, 'it says when')
      first.stream.leave()
      const second = await listen(stage, 'ben', ben)
      second.stream.leave()
    },
    { tuning: { streams: 1 } },
  ),
]
