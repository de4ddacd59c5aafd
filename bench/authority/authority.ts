// A child of these figures: a real authority with the listener for Node, on `sqlite:PATH` (synchronous=FULL) or on a PostgreSQL URL; or
// `empty`, a listener that reads every request whole and answers with an empty object. Prints its port, and its memory when asked.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { serve } from 'holdfast/node'
import { createAuthority } from 'holdfast/server'
import { app } from '../engine/app.ts'
import { openDatabase } from './database.ts'

const [where = 'empty'] = process.argv.slice(2)
const close = where === 'empty' ? await listenOnly() : await decide()

createInterface({ input: process.stdin })
  .on('line', () => {
    globalThis.gc?.()
    console.log(process.memoryUsage.rss())
  })
  // The parent ends it by closing its input, which also happens when the parent is gone.
  .on('close', () => void close().then(() => process.exit(0)))

async function listenOnly(): Promise<() => Promise<void>> {
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'))
  })
  server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
  return async () => {
    server.closeAllConnections()
    server.close()
  }
}

async function decide(): Promise<() => Promise<void>> {
  const { database, end } = await openDatabase(where)
  const authority = createAuthority({
    app,
    database,
    authenticate: ({ header }) => header('authorization')?.replace(/^Bearer /, ''),
    grants: (actor) => ({ read: [`user:${actor}`], write: [`user:${actor}`] }),
  })
  await authority.ready
  const listener = await serve(authority, { port: 0, host: '127.0.0.1' })
  console.log(listener.port)
  return async () => {
    await listener.close()
    await authority.close()
    await end()
  }
}
