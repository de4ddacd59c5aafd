// The smallest app that there is: one table, one mutator, one client in a browser. bundle.test.ts weighs what it loads.
// Its schema is written out, because a library of schemas is the app's own weight and not the engine's.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { defineApp, t, table } from 'holdfast'
import { browser } from 'holdfast/browser'
import { createClient } from 'holdfast/client'

interface Note {
  readonly id: string
  readonly text: string
}

/** Takes what has both texts. */
const note: StandardSchemaV1<Note, Note> = {
  '~standard': {
    version: 1,
    vendor: 'minimal',
    validate: (value) => {
      const { id, text } = Object(value) as Partial<Note>
      return typeof id === 'string' && typeof text === 'string'
        ? { value: { id, text } }
        : { issues: [{ message: 'must be a note' }] }
    },
  },
}

const app = defineApp({
  tables: { notes: table({ id: t.id(), ownerId: t.text(), text: t.text() }).scope('user', 'ownerId') },
  mutators: ({ mutator }) => ({
    addNote: mutator(note, (tx, { id, text }) => tx.notes.insert({ id, ownerId: tx.actor, text })),
  }),
})

/** The client; a page would show its notes. */
export const client = createClient({ app, host: browser(), url: '/sync', session: { actor: '42' } })
