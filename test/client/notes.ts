// The app of the device's tests: one table of notes, and mutators that succeed, refuse, wait and throw.
import { defineApp, t, table } from 'holdfast'
import * as v from 'valibot'

export const notes = defineApp({
  tables: {
    notes: table({ id: t.id(), ownerId: t.text(), text: t.text(), count: t.integer() }).scope('user', 'ownerId'),
  },
  mutators: ({ mutator }) => ({
    put: mutator(
      v.object({ id: v.string(), text: v.string() }),
      async (tx, { id, text }) => {
        await tx.notes.insert({ id, ownerId: tx.actor, text, count: 0 })
      },
      { describe: ({ text }) => `Note: ${text}` },
    ),
    edit: mutator(v.object({ id: v.string(), text: v.string() }), async (tx, { id, text }) => {
      await tx.notes.update(id, { text })
    }),
    bump: mutator(v.object({ id: v.string() }), async (tx, { id }) => {
      const note = await tx.notes.get(id)
      if (note === undefined) return tx.reject('no_note', { id })
      await tx.notes.update(id, { count: note.count + 1 })
    }),
    waits: mutator(v.object({}), async () => {
      await new Promise(() => undefined)
    }),
    throws: mutator(v.object({}), async () => {
      throw new RangeError('a bug of the app')
    }),
  }),
})
export type Notes = typeof notes
