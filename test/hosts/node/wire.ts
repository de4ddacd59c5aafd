// Bare sockets for the tests of network and listener: a server that does to a connection whatever a test says, and a caller that
// sends bytes as they are and gives back all that came until the other side had nothing more to say.
import { connect, createServer, type Socket } from 'node:net'

/** A server for one test. */
export interface BareServer {
  readonly url: string
  /** How many connections were made. */
  connections(): number
  close(): Promise<void>
}

/** Listens; `serve` is called for each connection with what has come so far, each time that more has come. */
export async function bareServer(
  serve: (socket: Socket, received: string, count: number) => void,
): Promise<BareServer> {
  const sockets = new Set<Socket>()
  let count = 0
  const server = createServer((socket) => {
    const number = ++count
    let received = ''
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      serve(socket, received, number)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    connections: () => count,
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** A connection to a listener. */
export interface Caller {
  readonly socket: Socket
  /** Resolves when what came holds this text, and gives all that came; rejects when the connection ends first. */
  until(text: string): Promise<string>
  /** Resolves with all that came when the connection is over. */
  ended(): Promise<string>
}

/** Connects and sends. */
export function call(port: number, bytes: string | Buffer): Caller {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  let isOver = false
  const waiting = new Set<() => void>()
  const wake = (): void => {
    for (const check of [...waiting]) check()
  }
  socket.on('data', (chunk) => {
    received += chunk.toString('utf8')
    wake()
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    isOver = true
    wake()
  })
  socket.write(bytes)
  const when = (isDone: () => boolean): Promise<string> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (!isDone() && !isOver) return
        waiting.delete(check)
        if (isDone()) resolve(received)
        else reject(new Error(`The connection ended after ${JSON.stringify(received)}`))
      }
      waiting.add(check)
      check()
    })
  return { socket, until: (text) => when(() => received.includes(text)), ended: () => when(() => isOver) }
}
