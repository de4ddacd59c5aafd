// Item 7, aggregates of every kind, and the policy for gaps: the least, the greatest and what a function makes of a group's rows; values
// of functions that fail; tables that are missing or were made for another declaration; positions that are never given again. I11.
import { compute, count, defineApp, max, min, sum, t, table } from '../../../schema/index.ts'
import { expectSame, expectThat } from '../contract.ts'
import { app as suiteApp } from './app.ts'
import { type Call, type Device, told } from './device.ts'
import type { AuthorityCase } from './ground.ts'
import { expectReplica } from './judge.ts'
import { expectMatch, onStage, type Stage, type StageOptions } from './stage.ts'

const { lists } = suiteApp.tables
const appWith = (gaps: 'keep' | 'never-reuse', version: number) =>
  defineApp({
    tables: {
      lists,
      sets: table({
        id: t.id(),
        listId: t.ref('lists'),
        place: t.appendIndex('listId', { gaps }),
        kg: t.real().nullable(),
        name: t.text(),
      }).scopeVia('listId'),
    },
    aggregates: ({ aggregate }) => ({
      bests: aggregate('sets')
        .by('listId')
        .values(
          {
            sets: count(),
            least: min((set) => set.kg),
            most: max((set) => set.kg),
            names: compute((rows) => rows.map(({ name }) => name).join(version === 1 ? ' ' : '+')),
            letters: sum(({ name }) => {
              if (name === 'bad') throw new Error('a mistake of the app')
              return name.length
            }),
          },
          { version },
        ),
    }),
    mutators: ({ generated }) => ({ ...generated('lists'), ...generated('sets') }),
  })

const usual = { app: appWith('keep', 1) as never, grants: () => ({ read: ['user:anna'], write: ['user:anna'] }) }
const on = (title: string, run: (stage: Stage) => Promise<void>, options: StageOptions = {}) =>
  onStage(7, `[I11] ${title}`, run, { ...usual, ...options })

const list = (id: string): Call => ['insertLists', { id, ownerId: 'anna', title: '', done: false }]
const set = (id: string, kg: number | null, name = id, listId = 'l'): Call => ['insertSets', { id, listId, kg, name }]
const remove = (id: string): Call => ['deleteSets', { id }]

/** What the device has for a list, after its replica was compared. */
async function best(stage: Stage, device: Device, id = 'l') {
  await expectReplica(stage, device)
  return device.rows('bests').find((row) => row.id === id)
}
const places = async (stage: Stage) => (await stage.rows('sets')).map(({ id, place }) => `${id}${place}`).join(' ')

/** The cases. */
export const derivedCases: readonly AuthorityCase[] = [
  on('the least and the greatest follow inserts, changes, moves and deletes', async (stage) => {
    const anna = stage.device('anna')
    await anna.call(list('l'), list('m'), set('a', 20), set('b', 12.5), set('c', 40))
    expectMatch(await best(stage, anna), { sets: 3, least: 12.5, most: 40 }, 'after inserts')
    await anna.call(remove('b'), ['updateSets', { id: 'c', kg: 15 }])
    expectMatch(await best(stage, anna), { sets: 2, least: 15, most: 20 }, 'after a delete and a change')
    await anna.call(['updateSets', { id: 'a', listId: 'm' }])
    expectMatch(await best(stage, anna), { sets: 1, least: 15, most: 15 }, 'after a move')
    expectMatch(await best(stage, anna, 'm'), { least: 20, most: 20 }, 'where it went')
  }),
  on('a row without a value has no part in the least and the greatest; without any they are null', async (stage) => {
    const anna = stage.device('anna')
    await anna.call(list('l'), set('a', null), set('b', -3))
    expectMatch(await best(stage, anna), { sets: 2, least: -3, most: -3 }, 'with one value')
    await anna.call(['updateSets', { id: 'b', kg: null }])
    expectMatch(await best(stage, anna), { sets: 2, least: null, most: null }, 'with none')
  }),
  on('a function is given the rows of the group in the order of their ids', async (stage) => {
    const anna = stage.device('anna')
    await anna.call(list('l'), set('c', 1), set('a', 1), set('b', 1))
    expectMatch(await best(stage, anna), { names: 'a b c' }, 'the value')
    await stage.sql('UPDATE sets SET name = ? WHERE id = ?', 'B', 'b')
    expectMatch(await best(stage, anna), { names: 'a B c' }, 'the value after plain SQL')
  }),
  on('a function that throws spoils its own value, is told to the operator, and decides no intent', async (stage) => {
    const anna = stage.device('anna')
    expectSame(
      told(await anna.call(list('l'), set('a', 1, 'abc'), set('b', 2, 'bad'))),
      ['applied', 'applied', 'applied'],
      'the outcomes',
    )
    expectMatch(await best(stage, anna), { sets: 2, least: 1, most: 2, letters: 3 }, 'the values')
    expectThat(
      stage.logged.some(({ message }) => /function of an aggregate failed/.test(message)),
      'the operator is told',
    )
  }),
  on('a table of an aggregate that is gone holds up nobody, and is made anew', async (stage) => {
    const anna = stage.device('anna')
    await anna.call(list('l'), set('a', 5))
    await anna.pull()
    await stage.sql('DROP TABLE bests')
    expectSame(told(await anna.call(set('b', 7))), ['applied'], 'the outcome')
    await anna.pull()
    stage.clock.move(61_000)
    await anna.call(set('c', 9))
    expectMatch(await best(stage, anna), { sets: 3, least: 5, most: 9 }, 'the values')
  }),
  on('rows of an aggregate that plain SQL took away are computed again', async (stage) => {
    const anna = stage.device('anna')
    await anna.call(list('l'), list('m'), set('a', 5), set('b', 6, 'b', 'm'))
    await anna.pull()
    await stage.sql('DELETE FROM bests')
    // Who has nothing yet asks for all of them.
    await stage.device('anna').pull()
    expectMatch(await best(stage, anna), { sets: 1, least: 5 }, 'the values')
    expectMatch(await best(stage, anna, 'm'), { sets: 1, least: 6 }, 'the values of the other')
  }),
  on('a declaration with a higher version computes all groups again at the start', async (stage) => {
    await stage.device('anna').call(list('l'), set('a', 1), set('b', 1))
    await stage.authority.close()
    const next = await stage.another({ ...usual, app: appWith('keep', 2) as never })
    expectMatch(await best(next, next.device('anna')), { names: 'a+b' }, 'the value')
  }),
  on('where gaps are kept as they come, the place of the last one is given again', async (stage) => {
    const anna = stage.device('anna')
    await anna.call(list('l'), set('a', 1), set('b', 1), set('c', 1))
    await anna.call(remove('c'))
    await anna.call(set('d', 1))
    expectSame(await places(stage), 'a1 b2 d3', 'the places')
  }),
  on(
    'where no place is given twice, the next one comes behind all that ever were, also after a restart',
    async (stage) => {
      const anna = stage.device('anna')
      await anna.call(list('l'), set('a', 1), set('b', 1), set('c', 1))
      await anna.call(remove('c'))
      await anna.call(set('d', 1))
      expectSame(await places(stage), 'a1 b2 d4', 'the places')
      await anna.call(remove('d'), remove('b'), remove('a'))
      await stage.authority.close()
      const next = await stage.another({ ...usual, app: appWith('never-reuse', 1) as never })
      await next.device('anna').call(set('e', 1))
      expectSame(await places(next), 'e5', 'the places after a restart')
    },
    { app: appWith('never-reuse', 1) as never },
  ),
  on(
    'where no place is given twice, one that plain SQL took and left is not given either',
    async (stage) => {
      const anna = stage.device('anna')
      await anna.call(list('l'), set('a', 1))
      await stage.sql('INSERT INTO sets (id, "listId", name) VALUES (?, ?, ?)', 'q', 'l', 'q')
      await anna.pull()
      await stage.sql('DELETE FROM sets WHERE id = ?', 'q')
      await anna.call(set('b', 1))
      expectSame(await places(stage), 'a1 b3', 'the places')
    },
    { app: appWith('never-reuse', 1) as never },
  ),
]
