// A child of the browser bench: serves its pages and a real authority on SQLite with synchronous=FULL from one origin, in a process of
// its own. `/empty` reads a body and answers with nothing. Pages are isolated, which gives them a clock of 5 µs. Prints its port.
import { pageAnswer } from '../../scripts/chromium/pages.ts'
import { serveAuthority } from '../engine/serving.ts'

const [bundle = '', path = ''] = process.argv.slice(2)
const isolated = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
}
await serveAuthority(path, (handle) => async (request) => {
  if (request.path === '/empty') {
    await request.text(16 * 1024 * 1024)
    return { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' }
  }
  const page = pageAnswer(bundle, request.path)
  return page === undefined ? handle(request) : { ...page, headers: { ...page.headers, ...isolated } }
})
