// A child of the browser bench: serves its pages and a real authority on SQLite with synchronous=FULL from one origin, in a process of
// its own. `/empty` reads a body and answers with nothing. Pages are isolated, which gives them a clock of 5 µs. Prints its port.
import { serve } from 'holdfast/node'
import { createAuthority } from 'holdfast/server'
import { sqlite } from 'holdfast/sqlite'
import { pageAnswer } from '../../scripts/chromium/pages.ts'
import { app } from '../engine/app.ts'
import { endWithParent } from '../engine/child.ts'

const [bundle = '', path = ''] = process.argv.slice(2)
const isolated = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
}
const database = sqlite(path)
const authority = createAuthority({
  app,
  database,
  authenticate: ({ header }) => header('authorization')?.replace(/^Bearer /, ''),
  grants: (actor) => ({ read: [`user:${actor}`], write: [`user:${actor}`] }),
})
await authority.ready
const listener = await serve(
  {
    async handle(request) {
      if (request.path === '/empty') {
        await request.text(16 * 1024 * 1024)
        return { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' }
      }
      const page = pageAnswer(bundle, request.path)
      return page === undefined ? authority.handle(request) : { ...page, headers: { ...page.headers, ...isolated } }
    },
  },
  { port: 0, host: '127.0.0.1' },
)
console.log(listener.port)
endWithParent(async () => {
  await listener.close()
  await authority.close()
  await database.close()
})
