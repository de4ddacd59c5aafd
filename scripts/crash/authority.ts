// A child of the kill loop: an authority on SQLite with synchronous=FULL and its listener. `authority.ts DATABASE PORT`; port 0 takes
// a free one. Prints `listening PORT`. It is ended by SIGKILL and nothing else, so it has no way to end.
import { serve } from 'holdfast/node'
import { createAuthority } from 'holdfast/server'
import { sqlite } from 'holdfast/sqlite'
import { app } from './app.ts'

const [path = '', port = '0'] = process.argv.slice(2)
const authority = createAuthority({
  app,
  database: sqlite(path),
  authenticate: ({ header }) => header('authorization')?.replace(/^Bearer /, ''),
  grants: (actor) => ({ read: [`user:${actor}`], write: [`user:${actor}`] }),
})
await authority.ready
const listener = await serve(authority, { port: Number(port), host: '127.0.0.1' })
console.log(`listening ${listener.port}`)
