// The service worker from the page's side: registers it, and says when a new version of the app is fetched and waits. Never
// changes versions by itself: what somebody is typing would be lost. What is logged is on the disk and stays, so reloading is safe.

/** A new version that waits. */
export interface Update {
  isWaiting(): boolean
  subscribe(listener: () => void): () => void
  /** Lets the new version take over and loads the page again. */
  take(): void
}

/** How often a page that stays open asks for a new version. */
const ASK_MS = 60 * 60 * 1000

/** Registers the worker; where there are none, nothing ever waits. */
export function watchForUpdate(): Update {
  const listeners = new Set<() => void>()
  let waiting: ServiceWorker | undefined
  let isTaken = false
  const found = (worker: ServiceWorker): void => {
    waiting = worker
    for (const listener of [...listeners]) listener()
  }
  const watch = (registration: ServiceWorkerRegistration): void => {
    // Without a controller this is the first version, which is not news.
    const look = (): void => {
      if (registration.waiting !== null && navigator.serviceWorker.controller !== null) found(registration.waiting)
    }
    look()
    registration.addEventListener('updatefound', () => {
      registration.installing?.addEventListener('statechange', look)
    })
    setInterval(() => void registration.update().catch(() => undefined), ASK_MS)
  }
  if ('serviceWorker' in navigator) {
    navigator.serviceWorker.addEventListener('controllerchange', () => {
      if (isTaken) location.reload()
    })
    // A browser that refuses workers still has the app, as long as there is a network.
    navigator.serviceWorker.register('/worker.js').then(watch, () => undefined)
  }
  return {
    isWaiting: () => waiting !== undefined,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    take() {
      isTaken = true
      // Another tab may have let it take over already.
      if (waiting?.state === 'installed') waiting.postMessage('take over')
      else location.reload()
    },
  }
}
