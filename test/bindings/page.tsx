// A page for the tests of the React binding: components rendered into the DOM of the test run, as an app would have it, each step
// to its end. The world behind their client is that of the device's tests.
import { act, Component, type ReactNode } from 'react'
import { createRoot, hydrateRoot, type Root } from 'react-dom/client'
import type { World } from '../client/world.ts'

interface Element {
  innerHTML: string
  readonly textContent: string
}

// The run has a DOM; what of it is used here is written out, so that no other test is given one by its types.
const page = globalThis as unknown as {
  readonly document: { createElement(name: string): Element }
  IS_REACT_ACT_ENVIRONMENT: boolean
}

/** A place on the page. */
export interface Place {
  text(): string
  html(): string
  /** Renders, and lets everything happen that follows from it. */
  show(what: ReactNode): Promise<void>
  /** Takes everything away. */
  leave(): Promise<void>
  /** What React complained of, and what no error boundary took. */
  readonly complaints: unknown[]
}

/** Lets something happen, and React draw what follows from it. */
export async function happens(run: () => unknown): Promise<void> {
  page.IS_REACT_ACT_ENVIRONMENT = true
  await act(async () => {
    await run()
  })
}

/** An empty place on the page; or one that holds what a server has rendered, which React then takes over. */
export async function createPlace(served?: { readonly html: string; readonly what: ReactNode }): Promise<Place> {
  const element = page.document.createElement('div')
  const complaints: unknown[] = []
  const complain = (error: unknown): void => void complaints.push(error)
  const options = { onUncaughtError: complain, onRecoverableError: complain, onCaughtError: () => undefined }
  // React's types know a DOM only where the compiler does.
  const container = element as unknown as Parameters<typeof createRoot>[0]
  let root: Root | undefined
  if (served === undefined) root = createRoot(container, options)
  else {
    element.innerHTML = served.html
    await happens(() => {
      root = hydrateRoot(container, served.what, options)
    })
  }
  return {
    complaints,
    text: () => element.textContent,
    html: () => element.innerHTML,
    show: (what) => happens(() => root?.render(what)),
    leave: () => happens(() => root?.unmount()),
  }
}

/** Shows the message of what is thrown below it. */
export class Boundary extends Component<{ readonly children: ReactNode }, { readonly said: string | undefined }> {
  override state = { said: undefined }
  static getDerivedStateFromError(error: unknown) {
    return { said: error instanceof Error ? error.message : String(error) }
  }
  override render(): ReactNode {
    return this.state.said ?? this.props.children
  }
}

/** Lets the world do what it can without time going on, and React draw it. */
export async function settle(world: World): Promise<void> {
  await happens(() => world.clock.settle())
}
