// The app of these tests: a board that many devices write to, with positions and a total, and a counter that all of them raise. Loaded by
// the tests and by the authorities' processes.
import { count, defineApp, sum, t, table } from 'holdfast'

const anything = <T>() => ({
  '~standard': {
    version: 1 as const,
    vendor: 'test',
    types: undefined as { readonly input: T; readonly output: T } | undefined,
    validate: (value: unknown) => ({ value: value as T }),
  },
})

/** The scope in which everything lies. */
export const SCOPE = 'gym:1'

export const app = defineApp({
  tables: {
    boards: table({ id: t.id(), gymId: t.text() }).scope('gym', 'gymId'),
    posts: table({
      id: t.id(),
      boardId: t.ref('boards'),
      position: t.appendIndex('boardId'),
      text: t.text(),
      by: t.text(),
    }).scopeVia('boardId'),
    counters: table({ id: t.id(), gymId: t.text(), n: t.integer() }).scope('gym', 'gymId'),
  },
  aggregates: ({ aggregate }) => ({
    boardTotals: aggregate('posts')
      .by('boardId')
      .values({ posts: count(), letters: sum((post) => post.text.length) }),
  }),
  mutators: ({ mutator, generated }) => ({
    ...generated('boards'),
    ...generated('counters'),
    post: mutator(
      anything<{ readonly id: string; readonly boardId: string; readonly text: string }>(),
      async (tx, post) => tx.posts.insert({ ...post, by: tx.actor }),
    ),
    edit: mutator(anything<{ readonly id: string; readonly text: string }>(), async (tx, { id, text }) =>
      tx.posts.update(id, { text }),
    ),
    remove: mutator(anything<{ readonly id: string }>(), async (tx, { id }) => tx.posts.delete(id)),
    raise: mutator(anything<{ readonly id: string }>(), async (tx, { id }) => {
      const counter = await tx.counters.get(id)
      if (counter === undefined) return tx.reject('no_counter')
      await tx.counters.update(id, { n: counter.n + 1 })
    }),
  }),
})
