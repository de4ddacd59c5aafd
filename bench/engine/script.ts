// A device whose authority is a script: it answers the first pull with pages made beforehand and then keeps a stream open, into which
// a benchmark may put frames. For the figures that are about the device alone; the device is the real client, only its network is not
// there. Nothing of Node is in here, so that a page can use it too; on which host it runs is device.ts or browser/page.
import {
  type Client,
  createClient,
  type Host,
  type Network,
  type NetworkAnswer,
  type StreamListener,
} from 'holdfast/client'
import { ACTOR, app, SCOPE } from './app.ts'

/** The client of the benchmarks. */
export type BenchClient = Client<typeof app>

/** An authority that only reads out what it was given. */
export interface Script {
  readonly network: Network
  /** Resolves when the device has taken in all pages and opened its stream. */
  readonly listening: Promise<void>
  /** Sends a frame of one patch, given as JSON. */
  frame(patch: string): void
}

/** Reads out these pages, see `pullPages`; without pages it says that nothing is there. */
export function createScript(pages: readonly string[]): Script {
  let next = 0
  let stream: StreamListener | undefined
  let client = ''
  let listens: () => void = () => undefined
  const listening = new Promise<void>((resolve) => {
    listens = resolve
  })
  const seal = (): string =>
    JSON.stringify({ client, decided: 0, outcomes: [], scopes: [SCOPE], at: 1_700_000_000_000 })
  const last = '{"requestId":"bench","patches":[]'
  return {
    listening,
    network: {
      exchange({ path, body }) {
        // What is pushed is never answered: intents stay pending.
        if (path === 'push') return { answer: new Promise(nothing), cancel: nothing }
        client = /"client":"([^"]+)"/.exec(body)?.[1] ?? ''
        const page = pages[next++] ?? last
        return {
          answer: Promise.resolve(json(next < pages.length ? `${page}}` : `${page},"seal":${seal()}}`)),
          cancel: nothing,
        }
      },
      stream(_request, listener) {
        stream = listener
        listener.opened()
        listens()
        return nothing
      },
    },
    frame(patch) {
      stream?.event('patch', patch)
      stream?.event('seal', seal())
    },
  }
}

/** A device that talks to nobody before `resume`; after that it holds all rows when its script's `listening` resolves. */
export function openDevice(host: Host): BenchClient {
  return createClient({
    app,
    host,
    url: 'http://authority.invalid/sync',
    session: { actor: ACTOR },
    startPaused: true,
    whenNotDurable: 'accept',
  })
}

function json(body: string): NetworkAnswer {
  return { status: 200, header: (name) => (name === 'content-type' ? 'application/json' : undefined), body }
}

function nothing(): void {}
