// Item 12, retention and history: what is forgotten and when, and that nothing which was decided is ever run again; a database that was
// restored from a backup, of which devices know more than it does; an actor that is erased. I3, I17, I18.
import type { SqlRow, SqlValue } from '../../../server/db/db.ts'
import { expectSame, expectThat } from '../contract.ts'
import { change, having, list, remove, task } from './app.ts'
import { type Device, type Entry, told } from './device.ts'
import type { AuthorityCase } from './ground.ts'
import { expectReplica } from './judge.ts'
import { expectMatch, onStage, type Stage, type StageOptions } from './stage.ts'

const DAY = 86_400_000
/** It prunes when a case says so. */
const byHand = { pruneMs: Number.POSITIVE_INFINITY }
const on = (title: string, run: (stage: Stage) => Promise<void>, options: StageOptions = {}) =>
  onStage(12, title, run, { tuning: byHand, ...options })

const ledger = async (stage: Stage) =>
  (await stage.sql('SELECT sequence FROM holdfast_ledger ORDER BY sequence')).map(({ sequence }) => Number(sequence))
const ids = async (stage: Stage, table = 'lists') => (await stage.rows(table)).map(({ id }) => id)
const ENGINE = ['client', 'ledger', 'log', 'scope', 'commit', 'watched'].map((name) => `holdfast_${name}`)

/** A backup of all tables, made and restored as an operator does it: while no authority runs. */
async function backUp(stage: Stage): Promise<() => Promise<void>> {
  const names = [...stage.app.tableNames, ...Object.keys(stage.app.aggregates), ...ENGINE]
  const kept = new Map<string, readonly SqlRow[]>()
  for (const name of names) kept.set(name, await stage.sql(`SELECT * FROM "${name}"`))
  return () =>
    stage.foreign.transaction(async (all) => {
      for (const name of names) await all(`DELETE FROM "${name}"`)
      for (const [name, rows] of kept) {
        for (const row of rows) {
          const columns = Object.keys(row).map((column) => `"${column}"`)
          await all(
            `INSERT INTO "${name}" (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
            Object.values(row) as SqlValue[],
          )
        }
      }
      // The triggers have marked what was restored, which needs no adoption.
      await all('DELETE FROM holdfast_mark')
    })
}

/** The same device at another process. */
function sameAt(stage: Stage, device: Device): Device {
  const same = stage.device(device.actor, device.client)
  Object.assign(same, { last: device.last, stored: device.stored })
  for (const [scope, place] of device.cursors) same.cursors.set(scope, place)
  for (const [scope, rows] of device.held) same.held.set(scope, new Map(rows))
  return same
}
const restarted = (stage: Stage) => stage.another({ tuning: byHand })

/** The cases. */
export const retentionCases: readonly AuthorityCase[] = [
  on(
    '[I3] what a device has stored is forgotten after its time, from the front, and never run again',
    async (stage) => {
      const anna = stage.device('anna')
      const entries = anna.make(list('a', 'anna'), list('b', 'anna'), list('c', 'anna'))
      await anna.push(...entries)
      anna.stored = 2
      await anna.call(list('d', 'anna'))
      stage.clock.move(20 * DAY)
      await stage.authority.prune()
      expectSame(await ledger(stage), [1, 2, 3, 4], 'what is kept after 20 days')
      stage.clock.move(20 * DAY)
      expectMatch(await stage.authority.prune(), { outcomes: 2 }, 'what was forgotten after 40')
      expectSame(await ledger(stage), [3, 4], 'what is kept')
      await stage.sql('DELETE FROM lists')
      expectMatch(
        await anna.push(...entries),
        { decided: 4, outcomes: [], stop: { sequence: 1, code: 'expired' } },
        'the answer',
      )
      expectSame(told(await anna.push(...entries.slice(2))), ['applied repeated'], 'what is kept')
      expectSame(await ids(stage), [], 'the lists')
    },
  ),
  on('[I3] what a silent device never stored is kept for 400 days, and its numbers for ever', async (stage) => {
    const anna = stage.device('anna')
    const entries = anna.make(list('a', 'anna'), list('b', 'anna'))
    await anna.push(...entries)
    stage.clock.move(399 * DAY)
    await stage.authority.prune()
    expectSame(told(await anna.push(...entries)), ['applied repeated', 'applied repeated'], 'the answer after 399 days')
    stage.clock.move(2 * DAY)
    await stage.authority.prune()
    expectMatch(await anna.push(...entries), { decided: 2, stop: { code: 'expired' } }, 'the answer after 401 days')
    expectSame(told(await anna.call(list('c', 'anna'))), ['applied'], 'the next number')
    expectSame((await anna.pull()).decided, 3, 'what the seal says')
  }),
  on(
    '[I3] a rebirth brings nothing back to life: an intent below the mark is answered expired under any number',
    async (stage) => {
      const anna = stage.device('anna')
      const [entry] = anna.make(list('a', 'anna')) as [Entry]
      await anna.push(entry)
      anna.stored = 1
      await anna.call(list('b', 'anna'))
      stage.clock.move(40 * DAY)
      await stage.authority.prune()
      await stage.sql('DELETE FROM lists WHERE id = ?', 'a')
      const born = stage.device('anna')
      born.last = 2
      const reborn = { ...entry, births: [[anna.client, 1]] }
      expectMatch(
        await born.push(reborn),
        { decided: 0, outcomes: [], stop: { sequence: 1, code: 'expired' } },
        'the answer',
      )
      born.last = 1
      const answer = await born.push({ sequence: 1, id: entry.id, withdraw: 'parked' }, ...born.make(list('c', 'anna')))
      expectSame(told(answer), ['discarded', 'applied'], 'what a withdrawal is told')
      expectSame(await ids(stage), ['b', 'c'], 'the lists')
    },
  ),
  on('[I3] births at a client of another actor say nothing about one’s own intents', async (stage) => {
    const [anna, ben] = [stage.device('anna'), stage.device('ben')]
    await ben.call(list('b', 'ben'))
    ben.stored = 1
    await ben.call(list('c', 'ben'))
    stage.clock.move(40 * DAY)
    await stage.authority.prune()
    expectSame(
      told(await anna.call(having(list('a', 'anna'), { births: [[ben.client, 1]] }))),
      ['applied'],
      'the outcome',
    )
  }),
  on(
    '[I17] a device that stands before what is remembered fetches its scope anew, and keeps no row that has left',
    async (stage) => {
      const [anna, writer] = [stage.device('anna'), stage.device('anna')]
      await writer.call(list('a', 'anna'), list('b', 'anna'), task('t', 'b'))
      await anna.pull()
      await writer.call(remove('Lists', 'a'))
      stage.clock.move(91 * DAY)
      await writer.call(list('c', 'anna'))
      const pruned = await stage.authority.prune()
      expectThat(pruned.commits > 0 && pruned.tombstones > 0, 'commits and tombstones were forgotten')
      expectMatch((await anna.page()).patches, [{ scope: 'user:anna', reset: true }], 'the patches')
      await expectReplica(stage, anna)
      expectMatch(anna.rows('lists'), [{ id: 'b' }, { id: 'c' }], 'the lists')
    },
  ),
  on('[I7] a device that stands at a remembered commit goes on from there', async (stage) => {
    const [anna, writer] = [stage.device('anna'), stage.device('anna')]
    await writer.call(list('a', 'anna'))
    stage.clock.move(91 * DAY)
    await writer.call(list('b', 'anna'))
    await anna.pull()
    await writer.call(remove('Lists', 'a'))
    await stage.authority.prune()
    expectMatch((await anna.page()).patches, [{ from: { version: 2 }, gone: { lists: ['a'] } }], 'the patches')
  }),
  on('what was pruned is in the health, and pruning again finds nothing', async (stage) => {
    const anna = stage.device('anna')
    await anna.call(list('a', 'anna'))
    stage.clock.move(401 * DAY)
    expectMatch(await stage.authority.prune(), { outcomes: 1 }, 'the first run')
    expectMatch(await stage.authority.prune(), { outcomes: 0, commits: 0, tombstones: 0 }, 'the second run')
    expectMatch(await stage.authority.health(), { status: 'ok', pruned: { outcomes: 0 } }, 'the health')
  }),
  on(
    'the authority prunes by itself when its time has come',
    async (stage) => {
      const anna = stage.device('anna')
      await anna.call(list('a', 'anna'))
      stage.clock.move(401 * DAY)
      const isPruned = async () => (await stage.authority.health()).pruned !== undefined
      for (let look = 0; look < 500 && !(await isPruned()); look++) stage.clock.move(3_600_000)
      expectMatch(await stage.authority.health(), { pruned: { outcomes: 1 } }, 'the health')
    },
    { tuning: {} },
  ),
  on('[I18] a mark that this history does not know makes the scope begin anew', async (stage) => {
    const anna = stage.device('anna')
    await anna.call(list('a', 'anna'))
    await anna.call(list('b', 'anna'))
    const place = anna.cursors
    for (const at of [
      { version: 1, mark: 'ffff' },
      { version: 2, mark: 'ffff' },
      { version: 9, mark: 'ffff' },
      { version: 1, mark: 'ffff', within: { table: 'lists', id: 'a' } },
    ]) {
      place.set('user:anna', at)
      expectMatch(
        (await anna.page()).patches,
        [{ reset: true, from: { version: 0, mark: '' }, to: { version: 2 } }],
        `the patches from ${at.version}`,
      )
    }
    place.clear()
    await expectReplica(stage, anna)
  }),
  on(
    '[I17] [I18] a backup that is restored under a device: it says so, sends again, and all is there once',
    async (stage) => {
      const anna = stage.device('anna')
      const entries = anna.make(
        list('a', 'anna'),
        list('b', 'anna', { title: 'later' }),
        change('Lists', 'a', { title: 'later' }),
      )
      await anna.push(...entries.slice(0, 1))
      const restore = await backUp(stage)
      await anna.push(...entries.slice(1))
      await anna.pull()
      anna.stored = 3
      await stage.authority.close()
      await restore()
      const next = await restarted(stage)
      const same = sameAt(next, anna)
      const page = await same.page()
      expectMatch(page.patches, [{ reset: true }], 'the patches')
      expectSame(page.seal?.decided, 1, 'what the seal says is decided')
      expectThat(
        next.logged.some(({ level, message }) => level !== 'info' && /backup/.test(message)),
        'operators are told',
      )
      same.take(page.patches, page.seal)
      expectSame(told(await same.push(...entries.slice(1))), ['applied', 'applied'], 'what is sent again')
      await expectReplica(next, same)
      expectMatch(same.rows('lists'), [{ title: 'later' }, { title: 'later' }], 'the lists')
    },
  ),
  on('[I18] a backup that was restored and went on has other versions of the same numbers', async (stage) => {
    const anna = stage.device('anna')
    await anna.call(list('a', 'anna'))
    const restore = await backUp(stage)
    await anna.call(list('lost', 'anna'))
    await anna.pull()
    await stage.authority.close()
    await restore()
    const next = await restarted(stage)
    await next.device('anna').call(list('b', 'anna'))
    await next.device('anna').call(list('c', 'anna'))
    const same = sameAt(next, anna)
    await expectReplica(next, same)
    expectMatch(same.rows('lists'), [{ id: 'a' }, { id: 'b' }, { id: 'c' }], 'the lists')
  }),
  on(
    '[I17] a backup that is restored under eight devices: nothing is lost, nothing is doubled, all are equal',
    async (stage) => {
      await stage.device('anna').call(list('l', 'anna'), task('sum', 'l', { points: 0 }))
      const work = Array.from({ length: 8 }, () => {
        const device = stage.device('anna')
        const entries = device.make(
          ...Array.from({ length: 12 }, () => ['addPoints', { id: 'sum', points: 1 }] as const),
        )
        return { device, entries }
      })
      await Promise.all(work.map(({ device, entries }) => device.push(...entries.slice(0, 5))))
      const restore = await backUp(stage)
      await Promise.all(work.map(({ device, entries }, n) => device.push(...entries.slice(5, 6 + (n % 7)))))
      for (const { device } of work) await device.pull()
      await stage.authority.close()
      await restore()
      const next = await restarted(stage)
      for (const { device, entries } of work) {
        const same = sameAt(next, device)
        const { decided } = await same.pull()
        await same.push(...entries.slice(decided))
        await same.push(...entries.slice(decided))
        await expectReplica(next, same)
      }
      expectMatch(await next.rows('tasks'), [{ points: 96 }], 'the sum')
    },
  ),
  on('erasing an actor takes rows, totals and outcomes, and keeps how far its devices were', async (stage) => {
    const [anna, ben] = [stage.device('anna'), stage.device('ben')]
    const entries = anna.make(list('a', 'anna', { title: 'a secret' }), task('t', 'a', { label: 'a secret' }), [
      'act',
      { id: 'r', how: 'reject' },
    ])
    await anna.push(...entries)
    await ben.call(list('b', 'ben'))
    const tablet = stage.device('anna')
    await tablet.pull()
    expectMatch(await stage.authority.erase('anna'), { rows: 2, scopes: ['user:anna'] }, 'what was erased')
    expectSame(
      [await ids(stage), await ids(stage, 'tasks'), await ids(stage, 'listTotals')],
      [['b'], [], []],
      'the rows',
    )
    for (const table of ENGINE)
      expectThat(
        !JSON.stringify(await stage.sql(`SELECT * FROM ${table}`), (_, value) =>
          typeof value === 'bigint' ? String(value) : value,
        ).includes('secret'),
        `${table} holds nothing of it`,
      )
    await expectReplica(stage, tablet)
    expectSame(tablet.rows('lists'), [], 'what the tablet has')
    expectMatch(await anna.push(...entries), { decided: 3, stop: { code: 'expired' } }, 'what is sent again')
    expectSame(told(await anna.call(list('n', 'anna'))), ['applied'], 'the next number')
  }),
  on('erasing takes the scopes that it is told, and refuses what is none', async (stage) => {
    await stage.device('anna').call(list('a', 'anna'))
    expectMatch(await stage.authority.erase('anna', { scopes: ['team:oak'] }), { rows: 0 }, 'what was erased')
    expectSame(await ids(stage), ['a'], 'the lists')
    const failure = await stage.authority.erase('anna', { scopes: ['anna'] }).catch((error: unknown) => error)
    expectThat(failure instanceof TypeError, 'what is no scope is refused')
  }),
]
