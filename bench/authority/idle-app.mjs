// A child of idle.ts: an authority as an app in JavaScript starts it, since reading TypeScript would weigh more than what is weighed.
// Prints its port, and its memory when asked.
import { createInterface } from 'node:readline'
import { count, defineApp, sum, t, table } from 'holdfast'
import { serve } from 'holdfast/node'
import { createAuthority } from 'holdfast/server'
import { sqlite } from 'holdfast/sqlite'

const app = defineApp({
  tables: {
    workouts: table({ id: t.id(), ownerId: t.text(), name: t.text(), startedAt: t.timestamp() }).scope(
      'user',
      'ownerId',
    ),
    sets: table({
      id: t.id(),
      workoutId: t.ref('workouts'),
      position: t.appendIndex('workoutId'),
      reps: t.integer(),
      kg: t.real(),
    }).scopeVia('workoutId'),
  },
  aggregates: ({ aggregate }) => ({
    workoutTotals: aggregate('sets')
      .by('workoutId')
      .values({ sets: count(), volume: sum((set) => set.reps * set.kg, { decimals: 2 }) }),
  }),
  mutators: ({ generated }) => ({ ...generated('workouts'), ...generated('sets') }),
})
const [path = ''] = process.argv.slice(2)
const authority = createAuthority({
  app,
  database: sqlite(path),
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
  .on('close', async () => {
    await listener.close()
    await authority.close()
    process.exit(0)
  })
