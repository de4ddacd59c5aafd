// An app that declares what the authority derives: a list whose rows have positions, and sums over it. bundle.test.ts weighs what it loads
// beyond the smallest app, which declares neither.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { count, defineApp, sum, t, table } from 'holdfast'
import { browser } from 'holdfast/browser'
import { createClient } from 'holdfast/client'

interface Item {
  readonly id: string
  readonly listId: string
  readonly grams: number
}

/** Takes what has all three. */
const item: StandardSchemaV1<Item, Item> = {
  '~standard': {
    version: 1,
    vendor: 'minimal',
    validate: (value) => {
      const { id, listId, grams } = Object(value) as Partial<Item>
      return typeof id === 'string' && typeof listId === 'string' && typeof grams === 'number'
        ? { value: { id, listId, grams } }
        : { issues: [{ message: 'must be an item' }] }
    },
  },
}

const app = defineApp({
  tables: {
    lists: table({ id: t.id(), ownerId: t.text() }).scope('user', 'ownerId'),
    items: table({
      id: t.id(),
      listId: t.ref('lists'),
      position: t.appendIndex('listId'),
      grams: t.integer(),
    }).scopeVia('listId'),
  },
  aggregates: ({ aggregate }) => ({
    totals: aggregate('items')
      .by('listId')
      .values({ items: count(), grams: sum((row) => row.grams) }),
  }),
  mutators: ({ mutator }) => ({
    addItem: mutator(item, (tx, { id, listId, grams }) => tx.items.insert({ id, listId, grams })),
  }),
})

/** The client; a page would show its lists. */
export const client = createClient({ app, host: browser(), url: '/sync', session: { actor: '42' } })
