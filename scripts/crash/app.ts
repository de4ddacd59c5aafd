// The app of the kill loop: notes in a list. A note bears who wrote it and a running number, and its id comes from its intent:
// an intent that were kept twice or decided twice would leave two rows of one number, instead of hiding behind one id.
import { count, defineApp, t, table } from 'holdfast'
import * as v from 'valibot'

export const app = defineApp({
  tables: {
    lists: table({ id: t.id(), ownerId: t.text() }).scope('user', 'ownerId'),
    notes: table({
      id: t.id(),
      listId: t.ref('lists'),
      position: t.appendIndex('listId'),
      device: t.text(),
      number: t.integer(),
    }).scopeVia('listId'),
  },
  aggregates: ({ aggregate }) => ({ listTotals: aggregate('notes').by('listId').values({ notes: count() }) }),
  mutators: ({ mutator }) => ({
    openList: mutator(v.object({ id: v.string() }), async (tx, { id }) => tx.lists.insert({ id, ownerId: tx.actor })),
    addNote: mutator(v.object({ listId: v.string(), device: v.string(), number: v.number() }), async (tx, note) =>
      tx.notes.insert({ ...note, id: tx.newId('note') }),
    ),
  }),
})
