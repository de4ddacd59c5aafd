// The live queries that the hooks of one client show. Queries of the same meaning share one, whoever built them and how often, so
// that a component may write its query anew in each render. A query is opened by the first look at it and closed when nobody
// holds it any more: rendering looks, an effect holds. Nothing here knows React, and a server never looks.
import type { Client, LiveQuery, Shown } from '../../client/index.ts'
import type { Query, QuerySpec } from '../../schema/index.ts'

/** What a query answers now. */
export interface LiveAnswer<R> {
  /** `loading` until what this device has kept is shown, and always on a server; what is not there then means nothing. */
  readonly state: 'loading' | 'ready'
  /** The rows in order: the same array as long as nothing in it changes, and each row the same object as long as it says the same. */
  readonly rows: readonly R[]
  /** Whether the authority has been heard, now or earlier: what is not shown is not there, rather than not here yet. */
  readonly isComplete: boolean
}

/** The answer before there is one. */
export const LOADING: LiveAnswer<never> = Object.freeze({
  state: 'loading',
  rows: Object.freeze([]),
  isComplete: false,
})

/** How long a query that was looked at waits for somebody to hold it. A render that was given up, as React may, holds nothing; one that takes longer has it opened again. */
const UNHELD_MS = 1_000

/** The live queries of one client. */
export interface Queries {
  /** Looks at a query, which opens it. Throws a TypeError for a table or a column that the app does not have. */
  look<R>(meaning: string, query: Query<R>): LiveAnswer<Shown<R>>
  /** Keeps a query open and hears of its changes, until the returned function is called. */
  hold<R>(meaning: string, query: Query<R>, listener: () => void): () => void
}

interface Open {
  readonly live: LiveQuery<unknown>
  answer: LiveAnswer<unknown>
  holders: number
  /** Ends the wait for the first holder. */
  readonly stopWaiting: () => void
}

/** Makes the queries of one client; `after` is a timer, which gives what cancels it. */
export function createQueries(
  client: Pick<Client, 'live'>,
  after: (delayMs: number, run: () => void) => () => void = startTimer,
): Queries {
  const openByMeaning = new Map<string, Open>()

  const closeUnheld = (meaning: string, open: Open): void => {
    if (open.holders > 0 || openByMeaning.get(meaning) !== open) return
    openByMeaning.delete(meaning)
    open.live.close()
  }

  const openOf = (meaning: string, query: Query<unknown>): Open => {
    const known = openByMeaning.get(meaning)
    if (known !== undefined) return known
    const open: Open = {
      live: client.live(query),
      answer: LOADING,
      holders: 0,
      stopWaiting: after(UNHELD_MS, () => closeUnheld(meaning, open)),
    }
    openByMeaning.set(meaning, open)
    return open
  }

  return {
    look<R>(meaning: string, query: Query<R>) {
      const open = openOf(meaning, query as Query<unknown>)
      const { rows, isLoaded, isComplete } = open.live
      const { answer } = open
      if (isLoaded && (answer.state === 'loading' || answer.rows !== rows || answer.isComplete !== isComplete))
        open.answer = Object.freeze({ state: 'ready', rows, isComplete })
      return open.answer as LiveAnswer<Shown<R>>
    },
    hold(meaning, query, listener) {
      const open = openOf(meaning, query as Query<unknown>)
      open.holders += 1
      open.stopWaiting()
      const unsubscribe = open.live.subscribe(listener)
      let isHeld = true
      return () => {
        if (!isHeld) return
        isHeld = false
        unsubscribe()
        open.holders -= 1
        // In strict mode, and when one screen makes room for another, whoever holds it next comes before this turn ends.
        queueMicrotask(() => closeUnheld(meaning, open))
      }
    },
  }
}

/** What a query asks, as a text: the same for all that ask the same. The order of conditions means nothing, that of sorting does. */
export function meaningOf({ table, where, orderBy, limit }: QuerySpec): string {
  const conditions = where.map(({ column, is, value }) => JSON.stringify([column, is, value])).sort()
  const keys = orderBy.map(({ column, direction }) => [column, direction])
  return JSON.stringify([table, conditions, keys, limit ?? null])
}

function startTimer(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs)
  return () => clearTimeout(timer)
}
