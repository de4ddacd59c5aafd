// The live queries that the hooks of one client show. Queries of the same meaning share one, whoever built them and how often, so
// that a component may write its query anew in each render. A query is opened by the first look at it and closed when nobody
// holds it any more: rendering looks, an effect holds. Nothing here knows React, and a server never looks.
import type { Client, Live, Question, QuestionSpec } from '../../client/index.ts'
import type { Query, QuerySpec } from '../../schema/index.ts'

/** What can be asked. */
export type Askable = Query<unknown> | Question<unknown>

/** What a query answers now. */
export interface LiveAnswer<R> {
  /** `loading` until what this device has kept is shown, and always on a server; what is not there then means nothing. */
  readonly state: 'loading' | 'ready'
  /** The rows in order: the same array as long as nothing in it changes, and each row the same object as long as it says the same. */
  readonly rows: readonly R[]
  /** Whether the authority has been heard, now or earlier: what is not shown is not there, rather than not here yet. */
  readonly isComplete: boolean
}

/** What a question after a single value answers now. */
export type LiveValue<Value> =
  | { readonly state: 'loading'; readonly value?: undefined; readonly isComplete: boolean }
  | { readonly state: 'ready'; readonly value: Value; readonly isComplete: boolean }

/** An answer, whichever was asked for. */
export type Answered = LiveAnswer<unknown> | LiveValue<unknown>

/** The answer before there is one, to whatever was asked. */
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
  look(meaning: string, query: Askable): Answered
  /** Keeps a query open and hears of its changes, until the returned function is called. */
  hold(meaning: string, query: Askable, listener: () => void): () => void
}

interface Open {
  readonly live: Live<unknown>
  answer: Answered
  /** What `answer` says. */
  value: unknown
  holders: number
  /** Ends the wait for the first holder. */
  readonly stopWaiting: () => void
}

/** Makes the queries of one client, whose host's clock says when a query was not held for too long. */
export function createQueries(client: Pick<Client, 'live' | 'host'>): Queries {
  const openByMeaning = new Map<string, Open>()

  const closeUnheld = (meaning: string, open: Open): void => {
    if (open.holders > 0 || openByMeaning.get(meaning) !== open) return
    openByMeaning.delete(meaning)
    open.live.close()
  }

  const openOf = (meaning: string, query: Askable): Open => {
    const known = openByMeaning.get(meaning)
    if (known !== undefined) return known
    const open: Open = {
      live: client.live(query as Question<unknown>),
      answer: LOADING,
      value: undefined,
      holders: 0,
      stopWaiting: client.host.clock.after(UNHELD_MS, () => closeUnheld(meaning, open)),
    }
    openByMeaning.set(meaning, open)
    return open
  }

  return {
    look(meaning, query) {
      const open = openOf(meaning, query)
      const { value, isLoaded, isComplete } = open.live
      const { answer } = open
      if (isLoaded && (answer.state === 'loading' || open.value !== value || answer.isComplete !== isComplete)) {
        const said = 'value' in query.spec ? { value } : { rows: value as readonly unknown[] }
        open.answer = Object.freeze({ state: 'ready', ...said, isComplete })
        open.value = value
      }
      return open.answer
    },
    hold(meaning, query, listener) {
      const open = openOf(meaning, query)
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
export function meaningOf({ include = [], value, ...spec }: QuestionSpec): string {
  const relations = include.map(([name, kind, column, of]) => JSON.stringify([name, kind, column, plainly(of)])).sort()
  return JSON.stringify([...plainly(spec), relations, value ?? null])
}

function plainly({ table, where, orderBy, limit }: QuerySpec): readonly unknown[] {
  const conditions = where.map(({ column, is, value }) => JSON.stringify([column, is, value])).sort()
  const keys = orderBy.map(({ column, direction }) => [column, direction])
  return [table, conditions, keys, limit ?? null]
}
