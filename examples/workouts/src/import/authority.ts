// The authority process of an import: the same authority as `npm start`, on a database and a free port of the import's choosing.
import { serve } from 'holdfast/node'
import { openAuthority } from '../authority.ts'
import { meetParent } from './child.ts'

/** What it is told. */
export interface AuthoritySetup {
  readonly database: string
}

/** What it says. */
export type AuthoritySaid = { readonly is: 'listening'; readonly port: number }

const { setup, say, over } = await meetParent<AuthoritySetup>()
const authority = openAuthority(setup.database)
await authority.ready
const listener = await serve(authority, { port: 0, host: '127.0.0.1' })
say({ is: 'listening', port: listener.port } satisfies AuthoritySaid)
await over
await listener.close()
await authority.close()
process.exit(0)
