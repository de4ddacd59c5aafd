// A second, empty device of the same actor: it pulls everything and writes the rows to a file for the judge, which cannot read
// the database of an authority that runs elsewhere. It makes no intents and keeps nothing.
import { writeFileSync } from 'node:fs'
import { createClient } from 'holdfast/client'
import { node } from 'holdfast/node'
import { app } from '../app.ts'
import { demoToken } from '../demo-token.ts'
import { meetParent } from './child.ts'

/** What it is told. */
export interface ReaderSetup {
  readonly actor: string
  /** The address of the wire. */
  readonly url: string
  /** The file to write. */
  readonly rows: string
}

/** What it says. */
export type ReaderSaid = { readonly is: 'written' }

const { setup, say, over } = await meetParent<ReaderSetup>()
const client = createClient({
  app,
  host: node({ memory: true }),
  url: setup.url,
  session: { actor: setup.actor, token: demoToken(setup.actor) },
  live: false,
})
await client.ready
await new Promise<void>((resolve, reject) => {
  const look = (): void => {
    const { asOf, connection, fault } = client.status()
    if (asOf !== undefined) resolve()
    else if (connection === 'held' || connection === 'broken') reject(new Error(fault?.message ?? connection))
  }
  client.onStatus(look)
  look()
})
const workouts = client.live(app.query.workouts)
const sets = client.live(app.query.sets)
writeFileSync(setup.rows, JSON.stringify({ workouts: workouts.rows, sets: sets.rows }))
say({ is: 'written' } satisfies ReaderSaid)
await over
await client.close()
process.exit(0)
