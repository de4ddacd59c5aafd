// Which client the hooks below a component speak to. Makes no client and closes none: whoever made it does, since a component may
// come and go while intents wait.
import { createContext, createElement, type ReactElement, type ReactNode, useContext } from 'react'
import type { Client } from '../../client/index.ts'
import type { App } from '../../schema/index.ts'

/** What HoldfastProvider is given. */
export interface HoldfastProviderProps<A extends App = App> {
  /** The client; `undefined` where there is none, on a server or before somebody has signed in: every query is loading then. */
  readonly client: Client<A> | undefined
  readonly children?: ReactNode
}

/** Null stands for what is outside of a provider, undefined for one without a client. */
const HoldfastContext = createContext<Client | undefined | null>(null)

/**
 * Gives a client to the hooks below it. Another client takes the place of the first at once, with nothing of its rows left.
 * Does not close the client.
 *
 * ```tsx
 * <HoldfastProvider client={client}>
 *   <Workouts />
 * </HoldfastProvider>
 * ```
 */
export function HoldfastProvider<A extends App>({ client, children }: HoldfastProviderProps<A>): ReactElement {
  // Seen from here, every client is one of some app.
  return createElement(HoldfastContext.Provider, { value: client as Client | undefined }, children)
}

/** The client of the provider around, or undefined where that has none. Throws outside of one. */
export function useClientIfAny(caller: string): Client | undefined {
  const client = useContext(HoldfastContext)
  if (client === null)
    throw new Error(
      `${caller} was called outside of a HoldfastProvider: put <HoldfastProvider client={client}> around the components that use it`,
    )
  return client
}

/**
 * The client itself, for what has no hook: `discard`, `pause`, `resume`, `quiet`. Throws where there is none.
 *
 * ```tsx
 * const client = useClient<typeof app>()
 * return <button onClick={() => client.resume()}>Try again</button>
 * ```
 */
export function useClient<A extends App = App>(): Client<A> {
  const client = useClientIfAny('useClient')
  if (client === undefined)
    throw new Error(
      'useClient was called while the HoldfastProvider has no client (client={undefined}): render what needs one when there is one',
    )
  return client as unknown as Client<A>
}
