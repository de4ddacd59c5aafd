// Positions at the authority: unique and in order, whoever appends and however many at once, and what becomes of gaps under each policy.
// The order among the intents of batches is order.test.ts; rows that plain SQL brings are adopt.test.ts.

import { defineApp, t, table } from 'holdfast'
import { type Authority, createAuthority } from 'holdfast/server'
import { expect, onTestFinished, test } from 'vitest'
import { foreign, freshBase, openBase } from './bases.ts'

const declare = (gaps: 'keep' | 'never-reuse') =>
  defineApp({
    tables: {
      lists: table({ id: t.id(), ownerId: t.text() }).scope('user', 'ownerId'),
      entries: table({
        id: t.id(),
        listId: t.ref('lists'),
        place: t.appendIndex('listId', { gaps }),
        note: t.text().nullable(),
      }).scopeVia('listId'),
    },
    mutators: ({ generated }) => ({ ...generated('lists'), ...generated('entries') }),
  })
type PositionApp = ReturnType<typeof declare>

/** An empty base, and plain SQL on it as a foreign process would run it. */
function scratch() {
  const path = freshBase()
  const plain = (text: string, ...values: (string | number | null)[]) => foreign(path, [{ text, values }])
  return { path, plain }
}

async function open(path: string, gaps: 'keep' | 'never-reuse'): Promise<Authority<PositionApp>> {
  const authority = createAuthority({
    app: declare(gaps),
    database: openBase(path),
    authenticate: () => 'anna',
    grants: () => ({ read: ['user:anna'], write: ['user:anna'] }),
  })
  onTestFinished(() => authority.close())
  await authority.ready
  return authority
}

async function start(gaps: 'keep' | 'never-reuse') {
  const { path, plain } = scratch()
  const authority = await open(path, gaps)
  for (const id of ['l', 'm']) await authority.run('anna', 'insertLists', { id, ownerId: 'anna' })
  const append = (id: string, listId = 'l') => authority.run('anna', 'insertEntries', { id, listId })
  const remove = (id: string) => authority.run('anna', 'deleteEntries', { id })
  const move = (id: string, listId: string) => authority.run('anna', 'updateEntries', { id, listId })
  const places = (listId = 'l') =>
    Object.fromEntries(
      (
        plain('SELECT id, place FROM entries WHERE "listId" = ? ORDER BY place', listId) as {
          id: string
          place: number
        }[]
      ).map(({ id, place }) => [id, Number(place)]),
    )
  return { path, plain, authority, append, remove, move, places }
}

test('[I11] 64 who append a hundred rows each under one parent at once get 6,400 positions without a gap', async () => {
  const { authority, plain } = await start('keep')
  await Promise.all(
    Array.from({ length: 64 }, async (_, who) => {
      for (let n = 0; n < 100; n++)
        expect(await authority.run('anna', 'insertEntries', { id: `${who}-${n}`, listId: 'l' })).toEqual({
          status: 'applied',
        })
    }),
  )
  const rows = plain('SELECT id, place FROM entries ORDER BY place') as {
    readonly id: string
    readonly place: number
  }[]
  expect(rows.map(({ place }) => Number(place))).toEqual(Array.from({ length: 6_400 }, (_, index) => index + 1))
  // And each one's own rows stand in the order in which they were appended.
  const last = new Map<string, number>()
  for (const { id } of rows) {
    const [who = '', n] = id.split('-')
    expect(Number(n)).toBe((last.get(who) ?? -1) + 1)
    last.set(who, Number(n))
  }
}, 120_000)

test.each([
  ['keep', [4, 3, 5]],
  ['never-reuse', [4, 5, 6]],
] as const)(
  '[I11] under the policy %s deletes renumber nothing, and only a last position may be given again',
  async (gaps, [d, e, b]) => {
    const { append, remove, places } = await start(gaps)
    for (const id of ['a', 'b', 'c']) await append(id)
    await remove('b')
    await append('d')
    expect(places()).toEqual({ a: 1, c: 3, d })
    await remove('c')
    await remove('d')
    await append('e')
    expect(places()).toEqual({ a: 1, e: gaps === 'keep' ? 2 : e })
    for (const id of ['b', 'f']) await append(id)
    expect(Object.keys(places())).toEqual(['a', 'e', 'b', 'f'])
    if (gaps === 'never-reuse') expect(places()).toMatchObject({ b, f: b + 1 })
  },
)

test('[I11] a row that moves, comes back or is inserted again stands at the end, and never-reuse knows what it had', async () => {
  const { append, remove, move, places } = await start('never-reuse')
  for (const id of ['a', 'b', 'c']) await append(id)
  await move('c', 'm')
  await move('c', 'l')
  expect([places(), places('m')]).toEqual([{ a: 1, b: 2, c: 4 }, {}])
  await append('d', 'm')
  expect(places('m')).toEqual({ d: 2 })
  await remove('a')
  await append('a')
  expect(places()).toEqual({ b: 2, c: 4, a: 5 })
})

test('[I11] what plain SQL appends follows the policy, and a row that it placed itself is passed', async () => {
  const { authority, plain, append, remove, places } = await start('never-reuse')
  await append('a')
  await append('b')
  await remove('b')
  plain("INSERT INTO entries (id, \"listId\") VALUES ('c', 'l')")
  plain("INSERT INTO entries (id, \"listId\", place) VALUES ('d', 'l', 40)")
  await append('e')
  expect(places()).toEqual({ a: 1, d: 40, e: 41, c: 42 })
  plain('DELETE FROM entries')
  await append('f')
  expect(places()).toEqual({ f: 43 })
  expect((await authority.health()).status).toBe('ok')
})

test('[I11] what was given before the policy was declared counts too, and again after it was not declared for a while', async () => {
  const first = await start('keep')
  for (const id of ['a', 'b', 'c']) await first.append(id)
  await first.authority.close()
  let authority = await open(first.path, 'never-reuse')
  await authority.run('anna', 'deleteEntries', { id: 'c' })
  await authority.run('anna', 'insertEntries', { id: 'd', listId: 'l' })
  expect(first.places()).toEqual({ a: 1, b: 2, d: 4 })
  await authority.close()
  authority = await open(first.path, 'keep')
  await authority.run('anna', 'insertEntries', { id: 'e', listId: 'l' })
  await authority.run('anna', 'insertEntries', { id: 'f', listId: 'l' })
  await authority.close()
  authority = await open(first.path, 'never-reuse')
  await authority.run('anna', 'deleteEntries', { id: 'f' })
  await authority.run('anna', 'insertEntries', { id: 'g', listId: 'l' })
  expect(first.places()).toEqual({ a: 1, b: 2, d: 4, e: 5, g: 7 })
})

test('[I3] an intent that is refused gives back the positions that it took', async () => {
  const { authority, plain, append, places } = await start('never-reuse')
  await append('a')
  plain('CREATE UNIQUE INDEX notes ON entries (note)')
  const refused = ['x', 'y'].map((id) => authority.run('anna', 'insertEntries', { id, listId: 'l', note: 'same' }))
  expect((await Promise.all(refused)).map(({ status }) => status)).toEqual(['applied', 'rejected'])
  await append('b')
  expect(places()).toEqual({ a: 1, x: 2, b: 3 })
})
