// A child of replay.ts: a real authority on SQLite with synchronous=FULL and the listener for Node; with the argument `empty` a
// listener that reads every request whole and answers with an empty object. Prints its port.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from 'holdfast/node'
import { createAuthority } from 'holdfast/server'
import { sqlite } from 'holdfast/sqlite'
import { app } from './app.ts'
import { endWithParent } from './child.ts'

const [path = 'empty'] = process.argv.slice(2)

if (path === 'empty') {
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'))
  })
  server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
  endWithParent(async () => {
    server.closeAllConnections()
    server.close()
  })
} else {
  const database = sqlite(path)
  const authority = createAuthority({
    app,
    database,
    authenticate: ({ header }) => header('authorization')?.replace(/^Bearer /, ''),
    grants: (actor) => ({ read: [`user:${actor}`], write: [`user:${actor}`] }),
  })
  await authority.ready
  const listener = await serve(authority, { port: 0, host: '127.0.0.1' })
  console.log(listener.port)
  endWithParent(async () => {
    await listener.close()
    await authority.close()
    await database.close()
  })
}
