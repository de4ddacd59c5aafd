// What joins the tabs of one origin: a Web Lock says whose turn it is to lead, a channel brings word from one to the others. Both are
// freed by the browser when a tab ends, however it ends. Nothing that is said here is relied on: the store is the truth, and has the
// fence against a leader who was frozen and comes back (see storage.ts).
import type { Tabs } from '../../client/host.ts'
import { clock } from './clock.ts'

/** Joins the tabs that have this name. */
export function openTabs(name: string, report: (error: unknown) => void): Tabs {
  const channel = new BroadcastChannel(name)
  let words: unknown[] = []
  const speak = (): void => {
    const said = words
    words = []
    for (const word of said) channel.postMessage(word)
  }
  return {
    lead(onTurn, onTaken, isSeizing) {
      const abort = new AbortController()
      const { signal } = abort
      const over = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      navigator.locks
        // Who takes a lock away waits for nobody, and so may bring no signal.
        .request(name, isSeizing ? { steal: true } : { signal }, () => {
          if (signal.aborted) return
          onTurn()
          return over
        })
        .catch((error: unknown) => {
          if (signal.aborted) return
          if ((error as Error).name === 'AbortError') onTaken()
          else report(error)
        })
      return () => abort.abort()
    },
    say(word) {
      // A word goes through another process, and costs what half a write costs: whoever waits for that write hears of it first.
      words.push(word)
      if (words.length === 1) clock.turn(speak)
    },
    hear(listener) {
      channel.onmessage = ({ data }: MessageEvent<unknown>) => listener(data)
    },
    close() {
      speak()
      channel.close()
    },
  }
}
