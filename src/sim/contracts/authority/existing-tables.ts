// Item 2, existing tables: an app that was there before the engine, with other names, other types, keys and triggers of its own. The
// engine makes only its triggers there, says all that does not fit before it changes anything, and from then on rows are like any rows.
import { count, defineApp, sum, t, table } from '../../../schema/index.ts'
import { expectSame, expectThat } from '../contract.ts'
import type { Call } from './device.ts'
import { told } from './device.ts'
import type { AuthorityCase } from './ground.ts'
import { expectReplica } from './judge.ts'
import { expectMatch, onStage, type Stage, type StageOptions } from './stage.ts'

const visits = t.appendIndex('gymId')
const existing = defineApp({
  tables: {
    gyms: table({
      id: t.id(),
      ownerId: t.text(),
      name: t.text(),
      openedAt: t.timestamp(),
      isOpen: t.boolean(),
      extra: t.json().nullable(),
    })
      .scope('user', 'ownerId')
      .existing('old_gyms', { id: 'gym_id', ownerId: 'owner_id', openedAt: 'opened_at', isOpen: 'is_open' }),
    visits: table({ id: t.id(), gymId: t.ref('gyms'), position: visits, minutes: t.integer(), price: t.real() })
      .scopeVia('gymId')
      .existing('old_visits', { gymId: 'gym_id', position: 'sort_no' }),
    // The engine's own, under a table that was there.
    notes: table({ id: t.id(), gymId: t.ref('gyms'), text: t.text() }).scopeVia('gymId'),
  },
  aggregates: ({ aggregate }) => ({
    gymTotals: aggregate('visits')
      .by('gymId')
      .values({ visits: count(), price: sum((row) => row.price, { decimals: 2 }) }),
  }),
  mutators: ({ generated }) => ({ ...generated('gyms'), ...generated('visits'), ...generated('notes') }),
})

type Dialect = 'sqlite' | 'postgres'
const OPENED = Date.parse('2024-05-01T10:00:00Z')
const tables: NonNullable<StageOptions['before']> = (dialect) => {
  const isSqlite = dialect === 'sqlite'
  const id = isSqlite ? 'VARCHAR(36)' : 'UUID'
  return [
    `CREATE TABLE old_gyms (gym_id ${id} PRIMARY KEY NOT NULL, owner_id TEXT NOT NULL, name VARCHAR(200) NOT NULL, opened_at ${isSqlite ? 'TEXT' : 'TIMESTAMPTZ'} NOT NULL, is_open BOOLEAN NOT NULL DEFAULT ${isSqlite ? '1' : 'true'}, extra ${isSqlite ? 'JSON' : 'JSONB'}, legacy_code TEXT DEFAULT 'old')`,
    'CREATE INDEX gyms_by_owner ON old_gyms (owner_id)',
    `CREATE TABLE old_visits (id ${id} PRIMARY KEY NOT NULL, gym_id ${id} NOT NULL REFERENCES old_gyms (gym_id) ON DELETE CASCADE, sort_no INTEGER, minutes INT NOT NULL, price NUMERIC(8, 2) NOT NULL)`,
    'CREATE UNIQUE INDEX visits_in_order ON old_visits (gym_id, sort_no)',
  ]
}
const rows = [
  `INSERT INTO old_gyms (gym_id, owner_id, name, opened_at) VALUES ('00000000-0000-4000-8000-00000000000a', 'anna', 'Oak', '2024-05-01 10:00:00Z')`,
  `INSERT INTO old_visits (id, gym_id, minutes, price) VALUES ('00000000-0000-4000-8000-0000000000b1', '00000000-0000-4000-8000-00000000000a', 60, 7.5), ('00000000-0000-4000-8000-0000000000b2', '00000000-0000-4000-8000-00000000000a', 30, 0.25)`,
]
const uuid = (last: string): string => `00000000-0000-4000-8000-0000000000${last.padStart(2, '0')}`
const gym = (id: string, more = {}): Call => [
  'insertGyms',
  { id: uuid(id), ownerId: 'anna', name: 'Elm', openedAt: OPENED, isOpen: true, ...more },
]
const visit = (id: string, gymId: string, more = {}): Call => [
  'insertVisits',
  { id: uuid(id), gymId: uuid(gymId), minutes: 45, price: 2.5, ...more },
]
const usual = {
  app: existing as never,
  grants: (actor: string) => ({ read: [`user:${actor}`], write: [`user:${actor}`] }),
  before: tables,
}
const on = (title: string, run: (stage: Stage) => Promise<void>, options: StageOptions = {}) =>
  onStage(2, title, run, { ...usual, ...options })
const withRows = { before: (dialect: Dialect) => [...tables(dialect), ...rows] }

/** What is wrong with the tables that were there; the start says it in these words, and changes nothing. */
const unfit = (what: string, change: (text: string, dialect: Dialect) => string, words: RegExp) =>
  onStage(
    2,
    `a start is refused ${what}, with the place named, and nothing is changed`,
    async (stage) => {
      await stage.authority.close()
      await stage.sql('CREATE TABLE proof (n INTEGER)')
      const { name } = stage.database.dialect
      for (const text of tables(name)) await stage.sql(change(text, name))
      const failure = await stage.another({ app: existing as never, grants: usual.grants }).then(
        () => undefined,
        (error: unknown) => error,
      )
      expectThat(
        failure instanceof TypeError && words.test(failure.message),
        `the start is refused: ${String(failure)}`,
      )
      const made = await stage.sql('SELECT count(*) AS n FROM holdfast_log').then((found) => Number(found[0]?.['n']))
      expectSame(made, 0, 'what was logged')
      expectThat(
        await stage.sql('SELECT text FROM notes').then(
          () => false,
          () => true,
        ),
        'no table was made',
      )
    },
    { isWhole: false },
  )

/** The cases. */
export const existingTablesCases: readonly AuthorityCase[] = [
  on(
    'rows that were there reach a device under the names and with the values that the app declares',
    async (stage) => {
      const anna = stage.device('anna')
      await anna.pull()
      expectSame(
        anna.rows('gyms'),
        [{ id: uuid('a'), ownerId: 'anna', name: 'Oak', openedAt: OPENED, isOpen: true, extra: null }],
        'the gyms',
      )
      expectMatch(
        anna.rows('visits'),
        [
          { gymId: uuid('a'), minutes: 60, price: 7.5, position: 1 },
          { minutes: 30, price: 0.25, position: 2 },
        ],
        'the visits',
      )
      expectMatch(anna.rows('gymTotals'), [{ id: uuid('a'), visits: 2, price: 7.75 }], 'the totals')
      await expectReplica(stage, anna)
    },
    withRows,
  ),
  on(
    'what a mutator writes stands there as the table wants it, and columns that the app does not know have their defaults',
    async (stage) => {
      const anna = stage.device('anna')
      expectSame(
        told(await anna.call(gym('c', { isOpen: false, extra: { a: [1, null] } }), visit('d', 'c'))),
        ['applied', 'applied'],
        'the outcomes',
      )
      expectMatch(await stage.sql('SELECT legacy_code FROM old_gyms'), [{ legacy_code: 'old' }], 'the row in SQL')
      await expectReplica(stage, anna)
      expectMatch(
        anna.rows('gyms'),
        [{ openedAt: OPENED, isOpen: false, extra: { a: [1, null] } }],
        'the row on the device',
      )
    },
  ),
  on(
    '[I10] a foreign key that cascades takes the children from the device, whoever deletes the parent',
    async (stage) => {
      const anna = stage.device('anna')
      await anna.call(gym('c'), gym('e'), visit('d', 'c'), visit('f', 'e'))
      await anna.pull()
      await stage.sql('DELETE FROM old_gyms WHERE gym_id = ?', uuid('c'))
      await expectReplica(stage, anna)
      expectMatch(anna.rows('visits'), [{ id: uuid('f') }], 'the visits')
      await anna.call(['deleteGyms', { id: uuid('e') }])
      await expectReplica(stage, anna)
      expectSame([...(anna.held.get('user:anna') ?? [])], [], 'what is left')
    },
  ),
  on(
    '[I10] plain SQL in the old names counts as anywhere',
    async (stage) => {
      const anna = stage.device('anna')
      await anna.pull()
      await stage.sql('UPDATE old_gyms SET name = ?, owner_id = ?', 'Oak & Elm', 'anna')
      await stage.sql('UPDATE old_visits SET price = 10 WHERE minutes = 60')
      await expectReplica(stage, anna)
      expectMatch(anna.rows('gymTotals'), [{ price: 10.25 }], 'the totals')
      await stage.sql('UPDATE old_gyms SET owner_id = ?', 'ben')
      await expectReplica(stage, anna)
      expectSame(anna.rows('visits'), [], 'the visits')
    },
    withRows,
  ),
  on(
    '[I11] a child that moves to another parent goes to the end there',
    async (stage) => {
      const anna = stage.device('anna')
      await anna.call(gym('c'), visit('d', 'c'), ['updateVisits', { id: uuid('b1'), gymId: uuid('c') }])
      await expectReplica(stage, anna)
      expectMatch(
        (await stage.rows('visits')).filter(({ gymId }) => gymId === uuid('c')),
        [
          { id: uuid('d'), position: 1 },
          { id: uuid('b1'), position: 2 },
        ],
        'the places',
      )
    },
    withRows,
  ),
  on(
    'a table of the engine stands under one that was there',
    async (stage) => {
      const anna = stage.device('anna')
      const note = (id: string, gymId: string): Call => ['insertNotes', { id, gymId, text: 'x' }]
      expectSame(
        told(await anna.call(note('n', uuid('a')), note('m', uuid('9')))),
        ['applied', 'row_gone'],
        'the outcomes',
      )
      await stage.sql('DELETE FROM old_gyms')
      await expectReplica(stage, anna)
      expectSame(anna.rows('notes'), [], 'the notes')
    },
    withRows,
  ),
  on(
    '[I9] a row of an existing table that belongs to another is neither told nor changed',
    async (stage) => {
      const ben = stage.device('ben')
      const answer = await ben.call(
        ['updateGyms', { id: uuid('a'), name: 'mine' }],
        ['deleteVisits', { id: uuid('b1') }],
        visit('d', 'a'),
      )
      expectSame(told(answer), ['row_gone', 'row_gone', 'row_gone'], 'the outcomes')
      await ben.pull()
      expectSame(ben.rows('gyms'), [], 'what ben has')
    },
    withRows,
  ),
  on(
    'a second start finds everything in place, and a third after a trigger was dropped makes it again',
    async (stage) => {
      await stage.device('anna').pull()
      await stage.authority.close()
      const second = await stage.another({ ...usual, before: () => [] })
      const version = async () =>
        (await stage.sql("SELECT version FROM holdfast_scope WHERE scope = 'user:anna'"))[0]?.['version']
      const before = await version()
      await second.device('anna').pull()
      expectSame(await version(), before, 'the version after a second start')
    },
    withRows,
  ),
  unfit('when a table is not there', (text) => text.replaceAll('old_visits', 'other_visits'), /old_visits/),
  unfit('when a column is not there', (text) => text.replaceAll('sort_no', 'place'), /sort_no/),
  unfit(
    'when a column has a type that cannot hold its values',
    (text, dialect) => text.replace('minutes INT', `minutes ${dialect === 'sqlite' ? 'BLOB' : 'BYTEA'}`),
    /minutes/,
  ),
  unfit(
    'when a column that is never null may be null',
    (text) => text.replace('price NUMERIC(8, 2) NOT NULL', 'price NUMERIC(8, 2)'),
    /price/,
  ),
]
