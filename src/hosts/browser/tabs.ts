// What joins the tabs of one origin: a Web Lock says whose turn it is to lead, a channel brings word from one to the others. Both are
// freed by the browser when a tab ends, however it ends. Nothing that is said here is relied on: the store is the truth, and has the
// fence against a leader who was frozen and comes back (see storage.ts).
import type { Tabs } from '../../client/host.ts'

/** Joins the tabs that have this name. */
export function openTabs(name: string, report: (error: unknown) => void): Tabs {
  const channel = new BroadcastChannel(name)
  return {
    lead(onTurn) {
      const abort = new AbortController()
      navigator.locks
        .request(name, { signal: abort.signal }, () => {
          onTurn()
          return new Promise<void>((resolve) => abort.signal.addEventListener('abort', () => resolve()))
        })
        .catch((error: unknown) => {
          if (!abort.signal.aborted) report(error)
        })
      return () => abort.abort()
    },
    say(word) {
      channel.postMessage(word)
    },
    hear(listener) {
      channel.onmessage = ({ data }: MessageEvent<unknown>) => listener(data)
    },
    close() {
      channel.close()
    },
  }
}
