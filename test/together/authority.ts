// A process of these tests: an authority on `sqlite:PATH` or on a PostgreSQL URL, on a port. Says its port, then each warning of its log,
// a line each, and its counters for each line that it is sent. Every actor may read and write the one scope. Runs what `npm run build` made.
import { createInterface } from 'node:readline'
import { serve } from 'holdfast/node'
import { createAuthority, type Database } from 'holdfast/server'
import { nodeHost, sqlite } from 'holdfast/sqlite'
import { app, SCOPE } from './app.ts'

const [where = '', port = '0'] = process.argv.slice(2)
const { database, end } = await open()
const authority = createAuthority({
  app,
  database,
  authenticate: ({ header }) => header('authorization')?.replace(/^Bearer /, ''),
  grants: () => ({ read: [SCOPE], write: [SCOPE] }),
  host: {
    ...nodeHost(),
    log(entry, cause) {
      if (entry.level !== 'info')
        console.log(JSON.stringify({ ...entry, cause: cause === undefined ? undefined : String(cause) }))
    },
  },
})
await authority.ready
const listener = await serve(authority, { port: Number(port), host: '127.0.0.1' })
console.log(listener.port)

// Ends with whoever started it.
createInterface({ input: process.stdin })
  .on('line', async () => console.log(JSON.stringify({ counters: (await authority.health()).counters })))
  .on('close', async () => {
    await listener.close()
    await authority.close()
    await end()
    process.exit(0)
  })

async function open(): Promise<{ readonly database: Database; end(): Promise<void> }> {
  if (where.startsWith('sqlite:'))
    return { database: sqlite(where.slice('sqlite:'.length)), end: async () => undefined }
  const [{ Pool }, { postgres }] = await Promise.all([import('pg'), import('holdfast/postgres')])
  const pool = new Pool({ connectionString: where, max: 6 })
  return { database: postgres(pool), end: () => pool.end() }
}
