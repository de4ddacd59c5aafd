// Our own HTTP listener for an authority, and the handler by which another server of Node answers for it. Bounds what a server can: the
// time of headers, of bodies and of slow readers, and of its own end. How a request is translated and answered is answer.ts.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Answerer, type AnsweringLimits, createAnswering } from './answer.ts'

/** What may be other than usual. Times are in milliseconds. */
export interface ListenerOptions {
  /** 0 takes any that is free. */
  readonly port: number
  /** Usually only this machine; put a proxy that speaks TLS in front of it. */
  readonly host: string
  /** How long a caller may take to send its headers. */
  readonly headersMs: number
  /** How long a caller may take to send a request, or to take a byte of its answer: longer than a slow link needs for a full batch. */
  readonly requestMs: number
  /** How long an idle connection is kept: longer than proxies keep theirs, so that none is closed under a request. */
  readonly keepAliveMs: number
  /** How long requests and streams may take to end when the listener is closed, and a refused body to stop coming. */
  readonly closeMs: number
  /** Where errors go that no answer can carry. */
  readonly report: (error: unknown) => void
}

/** A listener that is open. */
export interface Listener {
  readonly port: number
  readonly url: string
  /** Takes no more requests, lets those under way end, ends streams, and resolves when every connection is gone. Not the authority. */
  close(): Promise<void>
}

const usual: ListenerOptions = {
  port: 8787,
  host: '127.0.0.1',
  headersMs: 10_000,
  requestMs: 60_000,
  keepAliveMs: 65_000,
  closeMs: 5_000,
  report: console.error,
}

/**
 * Opens a listener; rejects with the system's error when the port is taken.
 *
 * ```ts
 * const listener = await serve(authority, { port: 8787 })
 * console.log(`Listening on ${listener.url}`)
 * ```
 */
export async function serve(authority: Answerer, options: Partial<ListenerOptions> = {}): Promise<Listener> {
  const limits: ListenerOptions = { ...usual, ...options }
  const { report, closeMs } = limits
  const answering = createAnswering(authority, limits)

  const server = createServer({
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    // How often the two times above are looked at.
    connectionsCheckingInterval: Math.max(10, Math.min(limits.headersMs / 4, 5_000)),
    keepAlive: true,
  })
  server.on('request', (incoming, outgoing) => answering.take(incoming, outgoing))
  // A caller that asks first is told to go on only when its body is wanted.
  server.on('checkContinue', (incoming, outgoing) => answering.take(incoming, outgoing, () => outgoing.writeContinue()))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(limits.port, limits.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  server.on('error', report)
  const { port, family, address } = server.address() as AddressInfo

  let closing: Promise<void> | undefined
  return {
    port,
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    close() {
      closing ??= new Promise((resolve) => {
        const timer = setTimeout(() => server.closeAllConnections(), closeMs)
        server.close(() => {
          clearTimeout(timer)
          resolve()
        })
        answering.end()
        server.closeIdleConnections()
      })
      return closing
    },
  }
}

/**
 * Makes the handler by which a server of Node's own kind answers for an authority: `http.createServer(toNode(authority))`, or in Express
 * `app.use('/sync', toNode(authority))`, before any parser of bodies. It answers every request that it gets; times of headers and bodies
 * are then those of that server. Its streams end when the authority is closed.
 */
export function toNode(
  authority: Answerer,
  options: Partial<AnsweringLimits> = {},
): (incoming: IncomingMessage, outgoing: ServerResponse) => void {
  const answering = createAnswering(authority, { ...usual, ...options })
  return (incoming, outgoing) => answering.take(incoming, outgoing)
}
