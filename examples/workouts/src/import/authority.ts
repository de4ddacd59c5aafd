// The authority process of an import: the same authority as `npm start`, on a database of the import's choosing and a free port, with
// the pages beside it when they are wanted.
import { type Answerer, serve } from 'holdfast/node'
import { openAuthority } from '../authority.ts'
import { buildSite, SITE_FOLDER } from '../site/build.ts'
import { openSite } from '../site/files.ts'
import { meetParent } from './child.ts'

/** What it is told. */
export interface AuthoritySetup {
  readonly database: string
  /** Serves the pages too. */
  readonly pages?: true
}

/** What it says. */
export type AuthoritySaid = { readonly is: 'listening'; readonly port: number }

const { setup, say, over } = await meetParent<AuthoritySetup>()
const authority = openAuthority(setup.database)
await authority.ready
let answerer: Answerer = authority
if (setup.pages === true) {
  await buildSite()
  const site = openSite(SITE_FOLDER)
  answerer = { handle: async (request) => site(request) ?? authority.handle(request) }
}
const listener = await serve(answerer, { port: 0, host: '127.0.0.1' })
say({ is: 'listening', port: listener.port } satisfies AuthoritySaid)
await over
await listener.close()
await authority.close()
process.exit(0)
