// A client that counts the queries which are open, for the tests of the bindings: what is opened must be closed.
import type { Query } from 'holdfast'
import type { Client } from 'holdfast/client'
import type { Notes } from '../client/notes.ts'

/** A client of the world that counts its queries. */
export interface CountedClient {
  readonly client: Client<Notes>
  /** How many queries have been opened. */
  readonly opened: () => number
  /** How many of them are open. */
  readonly open: () => number
  /** How often one of them was listened to. */
  readonly subscribed: () => number
}

/** Counts the queries of a client. */
export function count(client: Client<Notes>): CountedClient {
  let opened = 0
  let closed = 0
  let subscribed = 0
  return {
    opened: () => opened,
    open: () => opened - closed,
    subscribed: () => subscribed,
    client: {
      ...client,
      live: ((query: Query<unknown>) => {
        const live = client.live(query)
        opened += 1
        let isOpen = true
        return {
          get value() {
            return live.value
          },
          get rows() {
            return live.rows
          },
          get isLoaded() {
            return live.isLoaded
          },
          get isComplete() {
            return live.isComplete
          },
          subscribe(listener: () => void) {
            subscribed += 1
            return live.subscribe(listener)
          },
          close() {
            if (isOpen) closed += 1
            isOpen = false
            live.close()
          },
        }
      }) as Client['live'],
    },
  }
}
