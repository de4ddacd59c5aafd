// The workouts authority on SQLite: who may ask, and what each may read and write. `npm start` and the import use the same one.
// FOR A DEMO ONLY: whoever asks is taken at their word (demo-token.ts). An app of yours checks a real token here.
import { type Authority, createAuthority } from 'holdfast/server'
import { sqlite } from 'holdfast/sqlite'
import { app } from './app.ts'
import { actorOfToken } from './demo-token.ts'

/** Opens the authority on the database file at `path`, which is made if it is not there. */
export function openAuthority(path: string): Authority {
  return createAuthority({
    app,
    database: sqlite(path),
    authenticate: (request) => actorOfToken(request.header('authorization')),
    grants: (actor) => ({ read: [`user:${actor}`], write: [`user:${actor}`] }),
  })
}
