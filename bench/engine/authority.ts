// A child of replay.ts: a real authority on SQLite with synchronous=FULL and the listener for Node; with the argument `empty` a
// listener that reads every request whole and answers with an empty object. Prints its port.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { endWithParent } from './child.ts'
import { serveAuthority } from './serving.ts'

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
  await serveAuthority(path)
}
