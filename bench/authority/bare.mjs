// What Node does without any engine, over the same HTTP: a listener that reads each request whole and answers with an empty object, and
// keeps streams open. With a database file it commits one row for each push first (SQLite FULL) and hands it to all streams. Loads nothing of Holdfast.
// `node bare.mjs [PATH]` prints its port, and its memory for each line that it is sent.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'

const [path] = process.argv.slice(2)
const insert = path === undefined ? undefined : prepare(path)
const streams = new Set()

const server = createServer((request, response) => {
  if (request.url?.endsWith('/live')) return open(request, response)
  if (insert !== undefined && request.url?.endsWith('/push')) return relay(request, response)
  request.resume()
  request.on('end', () => answer(response))
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))

createInterface({ input: process.stdin })
  .on('line', () => {
    globalThis.gc?.()
    console.log(process.memoryUsage.rss())
  })
  // The parent ends it by closing its input, which also happens when the parent is gone.
  .on('close', () => process.exit(0))

function prepare(file) {
  const db = new DatabaseSync(file)
  db.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE bodies (id TEXT PRIMARY KEY, body TEXT) STRICT',
  )
  return db.prepare('INSERT INTO bodies VALUES (?, ?)')
}

function answer(response) {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
}

function open(request, response) {
  request.resume()
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write('event: seal\ndata: {}\n\n')
  streams.add(response)
  response.on('close', () => streams.delete(response))
}

function relay(request, response) {
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString()
    insert.run(randomUUID(), body)
    const bytes = Buffer.from(`event: patch\ndata: ${body}\n\nevent: seal\ndata: {}\n\n`)
    for (const stream of streams) stream.write(bytes)
    answer(response)
  })
}
