// The service worker: keeps the shell of the app, so that it opens without a network, and nothing else. It never answers for the
// wire or for health: what people log is Holdfast's business. A new version is fetched whole, then waits until a person asks for
// it; pages of the old version keep finding their files until none is left. The build writes `self.shell` above this text.

/** What the build knows: a version, and the addresses that make the shell. */
interface Shell {
  readonly version: string
  readonly files: readonly string[]
}
interface Lasting {
  waitUntil(work: Promise<unknown>): void
}
interface Asked {
  readonly request: Request
  respondWith(answer: Promise<Response>): void
}
/** As much of a service worker as this one uses; the types of pages do not know it. */
interface Worker {
  readonly shell: Shell
  readonly location: Location
  readonly clients: { claim(): Promise<void> }
  skipWaiting(): Promise<void>
  addEventListener(type: 'install' | 'activate', listener: (event: Lasting) => void): void
  addEventListener(type: 'fetch', listener: (event: Asked) => void): void
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void
}

const worker = self as unknown as Worker
const prefix = 'workouts-shell-'
const { version, files } = worker.shell
const own = `${prefix}${version}`

worker.addEventListener('install', (event) => {
  event.waitUntil(
    caches.open(own).then((cache) =>
      // Past the browser's own cache, which may still hold the old page.
      cache.addAll(files.map((file) => new Request(file, { cache: 'no-cache' }))),
    ),
  )
})

worker.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      // The shell before this one stays: a page that is still open may ask for a part of it that it has not loaded yet.
      const old = (await caches.keys()).filter((name) => name.startsWith(prefix) && name !== own)
      await Promise.all(old.slice(0, -1).map((name) => caches.delete(name)))
      await worker.clients.claim()
    })(),
  )
})

worker.addEventListener('message', ({ data }) => {
  if (data === 'take over') void worker.skipWaiting()
})

worker.addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== worker.location.origin) return
  if (pathname === '/health' || pathname === '/sync' || pathname.startsWith('/sync/')) return
  if (request.mode === 'navigate') event.respondWith(shellOr(request))
  else if (files.includes(pathname) || pathname.startsWith('/assets/')) event.respondWith(keptOr(request))
})

/** The page of this version: the app finds its way from the address. */
async function shellOr(request: Request): Promise<Response> {
  const cache = await caches.open(own)
  return (await cache.match('/')) ?? fetch(request)
}

/** A file of this version, else of the one before, else from the network. */
async function keptOr(request: Request): Promise<Response> {
  const cache = await caches.open(own)
  return (await cache.match(request)) ?? (await caches.match(request)) ?? fetch(request)
}
