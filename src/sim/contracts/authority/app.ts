// The app over which the authority is judged: lists of one person with tasks and steps under them, and boards of teams, whose members
// stand in a table that the grants read. Everything that an app can declare is there once. Also the calls that cases make most.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Json } from '../../../base/json.ts'
import { count, defineApp, sum, t, table } from '../../../schema/index.ts'
import type { AuthorityOptions } from '../../../server/index.ts'
import type { Call } from './device.ts'

/** A schema that takes what a predicate takes. */
export function fits<T>(predicate: (value: unknown) => boolean = () => true): StandardSchemaV1<T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'holdfast-contract',
      validate: (value) =>
        predicate(value) ? { value: value as T } : { issues: [{ message: 'does not fit', path: ['title'] }] },
    },
  }
}

const hasTitle = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && typeof (value as { readonly title?: unknown }).title === 'string'

/** The app. */
export const app = defineApp({
  tables: {
    lists: table({
      id: t.id(),
      ownerId: t.text(),
      title: t.text(),
      note: t.text().nullable(),
      done: t.boolean(),
      extra: t.json().nullable(),
      at: t.timestamp().nullable(),
    }).scope('user', 'ownerId'),
    tasks: table({
      id: t.id(),
      listId: t.ref('lists'),
      position: t.appendIndex('listId'),
      label: t.text(),
      points: t.integer(),
      hours: t.real(),
    }).scopeVia('listId'),
    steps: table({
      id: t.id(),
      taskId: t.ref('tasks'),
      position: t.appendIndex('taskId'),
      label: t.text(),
    }).scopeVia('taskId'),
    members: table({ id: t.id(), teamId: t.text(), userId: t.text(), role: t.text() }).scope('team', 'teamId'),
    boards: table({ id: t.id(), teamId: t.text(), title: t.text() }).scope('team', 'teamId'),
    cards: table({
      id: t.id(),
      boardId: t.ref('boards'),
      position: t.appendIndex('boardId'),
      label: t.text(),
      effort: t.integer(),
    }).scopeVia('boardId'),
  },
  aggregates: ({ aggregate }) => ({
    listTotals: aggregate('tasks')
      .by('listId')
      .values({
        tasks: count(),
        points: sum((task) => task.points),
        hours: sum((task) => task.hours, { decimals: 2 }),
      }),
    ownerTotals: aggregate('lists').by('ownerId').values({ lists: count() }),
    boardTotals: aggregate('cards')
      .by('boardId')
      .values({ cards: count(), effort: sum((card) => card.effort) }),
  }),
  mutators: ({ mutator, generated }) => ({
    ...generated('lists'),
    ...generated('tasks'),
    ...generated('steps'),
    ...generated('members'),
    ...generated('boards'),
    ...generated('cards'),
    /** Whatever a case gives it for a body at the authority. */
    act: mutator(fits<{ readonly [name: string]: Json }>(), async (tx, { id, how }) => {
      await tx.lists.insert({ id: String(id), ownerId: tx.actor, title: String(how), done: false })
      if (how === 'reject') tx.reject('not_today', { why: 'rain' })
      if (how === 'throw') throw new Error('a secret of the server')
    }),
    /** Reads what is true now, and adds to it. */
    addPoints: mutator(fits<{ readonly id: string; readonly points: number }>(), async (tx, { id, points }) => {
      const task = await tx.tasks.get(id)
      if (task === undefined) return tx.reject('no_task')
      await tx.tasks.update(id, { points: task.points + points })
    }),
    /** Works on whatever a query finds. */
    sweep: mutator(fits<{ readonly listId: string; readonly below: number }>(), async (tx, { listId, below }) => {
      for (const { id } of await tx.tasks.where({ listId, points: { lt: below } }).all()) await tx.tasks.delete(id)
    }),
    /** Makes a task of its own; who calls without a key means the same as a minute before. */
    buy: mutator(
      fits<{ readonly listId: string; readonly label: string }>(),
      async (tx, { listId, label }) => {
        if (label === 'throw') throw new Error('a secret of the server')
        if (label === 'reject') tx.reject('sold_out')
        await tx.tasks.insert({ id: tx.newId('task'), listId, label, points: 1, hours: 1 })
      },
      { dedupe: { withinMs: 60_000, parent: ({ listId }) => listId } },
    ),
    /** At its third version: of the first it takes a name, of the second nothing leads here. */
    rename: mutator(
      fits<{ readonly id: string; readonly title: string }>(hasTitle),
      async (tx, { id, title }) => {
        await tx.lists.update(id, { title })
      },
      {
        version: 3,
        upgrades: {
          1: (args) => args,
          2: (args) => {
            const { id, name } = args as { readonly id: string; readonly name: Json }
            if (name === 'no') throw new Error('an upgrade that fails')
            return { id, title: name }
          },
        },
      },
    ),
  }),
})
export type SuiteApp = typeof app

/** What an actor may by default: everything in its own scope, and in each of its teams what its role there says. */
export const grants: AuthorityOptions<SuiteApp>['grants'] = async (actor, tx) => {
  const memberships = await tx.members.where({ userId: actor }).all()
  const teams = memberships.map(({ teamId }) => `team:${teamId}`)
  const writable = memberships.filter(({ role }) => role !== 'reader').map(({ teamId }) => `team:${teamId}`)
  return { read: [`user:${actor}`, ...teams], write: [`user:${actor}`, ...writable] }
}

type More = { readonly [column: string]: Json }

/** Calls that insert a row. */
export const list = (id: string, ownerId: string, more: More = {}): Call => [
  'insertLists',
  { id, ownerId, title: 'a list', done: false, ...more },
]
export const task = (id: string, listId: string, more: More = {}): Call => [
  'insertTasks',
  { id, listId, label: 'a task', points: 1, hours: 0.5, ...more },
]
export const step = (id: string, taskId: string, more: More = {}): Call => [
  'insertSteps',
  { id, taskId, label: 'a step', ...more },
]
export const member = (id: string, teamId: string, userId: string, role = 'writer'): Call => [
  'insertMembers',
  { id, teamId, userId, role },
]
export const board = (id: string, teamId: string, more: More = {}): Call => [
  'insertBoards',
  { id, teamId, title: 'a board', ...more },
]
export const card = (id: string, boardId: string, more: More = {}): Call => [
  'insertCards',
  { id, boardId, label: 'a card', effort: 2, ...more },
]
/** Calls that change or delete a row. */
export const change = (name: string, id: string, patch: More): Call => [`update${name}`, { id, ...patch }]
export const remove = (name: string, id: string): Call => [`delete${name}`, { id }]

/** The same call with other members of its entry. */
export const having = ([name, args, before = {}]: Call, more: { readonly [member: string]: unknown }): Call => [
  name,
  args,
  { ...before, ...more },
]
