// Grants: which scopes an actor may read and write, as the app's own function states them inside the transaction or snapshot that
// uses them (I9). Also which tables that function read, so that a change there makes an answer old. No rights are kept here.

import type { Clock } from '../../base/clock.ts'
import { beforeDeadline } from '../../base/deadline.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { App } from '../../schema/app.ts'
import { scopeProblem } from '../../schema/scope.ts'
import { createTx, type TxSource, type TxTable } from '../../schema/tx.ts'

/** What an actor may read and write. */
export interface Grants {
  readonly read: readonly string[]
  readonly write: readonly string[]
}

/** What a function of grants sees: every row of every table, and no way to write. */
export type GrantsTx<Tables> = { readonly [Name in keyof Tables]: Pick<TxTable<Tables[Name]>, 'get' | 'where'> }

/** The app's function of grants. */
export type GrantsFunction = (actor: string, tx: GrantsTx<App['tables']>) => Grants | Promise<Grants>

/** Grants as the engine asks them. */
export interface Rights {
  /** The scopes that may be read, sorted. */
  readonly read: readonly string[]
  /** The scopes whose rows a mutator of this actor sees: those that may be read, and those that may be written. */
  readonly visible: ReadonlySet<string>
  readonly writable: ReadonlySet<string>
  /** The tables that were read to find this out. */
  readonly tables: ReadonlySet<string>
}

/** Where grants are read: rows of any scope. */
export type GrantsSource = Pick<TxSource, 'get' | 'find'>

/** Asks the app for an actor's rights, from rows that `source` shows; a TypeError when it does not answer with scopes. */
export interface RightsReader {
  read(actor: string, source: GrantsSource): Promise<Rights>
  /** Whether a change in this table may change somebody's rights. Before the app was asked for the first time, every one may. */
  isWatched(table: string): boolean
}

/** Makes the reader of rights. The app may take `limitMs` to answer: a snapshot, or all writing, waits with it. */
export function createRightsReader(app: App, grants: GrantsFunction, clock: Clock, limitMs: number): RightsReader {
  const watched = new Set<string>()
  let hasRead = false
  const refuse = (): never => {
    throw new TypeError('grants can only read')
  }
  return {
    isWatched: (table) => !hasRead || watched.has(table),
    async read(actor, source) {
      const tables = new Set<string>()
      let isOver = false
      const note = (table: string): void => {
        if (isOver) throw new TypeError('grants has been answered: await everything that tx returns before it ends')
        tables.add(table)
        watched.add(table)
      }
      const get: GrantsSource['get'] = (table, id) => {
        note(table)
        return source.get(table, id)
      }
      const find: GrantsSource['find'] = (query) => {
        note(query.table)
        return source.find(query)
      }
      const tx = createTx(
        app,
        { get, find, taken: refuse, insert: refuse, update: refuse, delete: refuse },
        { actor, madeAt: 0, rootId: '' },
      )
      try {
        const { read, write } = await beforeDeadline(clock, limitMs, answer(grants, actor, tx), 'grants')
        const readable = checked(read, 'read')
        const writable = checked(write, 'write')
        return { read: [...readable].sort(), visible: new Set([...readable, ...writable]), writable, tables }
      } finally {
        hasRead = true
        isOver = true
      }
    },
  }
}

async function answer(grants: GrantsFunction, actor: string, tx: GrantsTx<App['tables']>): Promise<Grants> {
  return grants(actor, tx)
}

function checked(scopes: readonly string[], which: string): ReadonlySet<string> {
  if (!Array.isArray(scopes))
    throw new TypeError(`grants must answer { read, write } with arrays of scopes; ${which} is none`)
  const distinct = new Set<string>(scopes)
  if (distinct.size > LIMITS.scopes)
    throw new TypeError(`grants gave ${distinct.size} scopes to ${which}, the limit is ${LIMITS.scopes}`)
  for (const scope of distinct) {
    const problem = scopeProblem(scope)
    if (problem !== undefined)
      throw new TypeError(`grants gave the scope ${JSON.stringify(scope)} to ${which}, which ${problem}`)
  }
  return distinct
}
