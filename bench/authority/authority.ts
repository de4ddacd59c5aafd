// A child of these figures: a real authority with the listener for Node, on `sqlite:PATH` (synchronous=FULL) or on a PostgreSQL URL.
// Prints its port, and its memory when asked.
import { createInterface } from 'node:readline'
import { serve } from 'holdfast/node'
import { createAuthority } from 'holdfast/server'
import { app } from '../engine/app.ts'
import { openDatabase } from './database.ts'

const [where = ''] = process.argv.slice(2)
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

createInterface({ input: process.stdin })
  .on('line', () => {
    globalThis.gc?.()
    console.log(process.memoryUsage.rss())
  })
  // The parent ends it by closing its input, which also happens when the parent is gone.
  .on('close', async () => {
    await listener.close()
    await authority.close()
    await end()
    process.exit(0)
  })
