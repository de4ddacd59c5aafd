// What a child of a bench serves: the real authority of the benchmarks' app on SQLite with synchronous=FULL, as an operator would run it.
// Everybody is who his token says, and has his own rows. Who else answers at the same port is for the caller.
import { serve } from 'holdfast/node'
import { type Authority, createAuthority } from 'holdfast/server'
import { sqlite } from 'holdfast/sqlite'
import { app } from './app.ts'
import { endWithParent } from './child.ts'

/** Serves it on the database at this path, prints the port, and ends with the bench. `answer` may answer in its stead. */
export async function serveAuthority(
  path: string,
  answer: (handle: Authority['handle']) => Authority['handle'] = (handle) => handle,
): Promise<void> {
  const database = sqlite(path)
  const authority = createAuthority({
    app,
    database,
    authenticate: ({ header }) => header('authorization')?.replace(/^Bearer /, ''),
    grants: (actor) => ({ read: [`user:${actor}`], write: [`user:${actor}`] }),
  })
  await authority.ready
  const listener = await serve({ handle: answer(authority.handle) }, { port: 0, host: '127.0.0.1' })
  console.log(listener.port)
  endWithParent(async () => {
    await listener.close()
    await authority.close()
    await database.close()
  })
}
