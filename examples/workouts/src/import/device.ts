// The device process of an import: reads the file, makes its intents, and says what it knows. It may be killed at any moment and
// started again on the same folder: the ids are the same, so what it had kept is not made again. It knows nothing of links,
// kills or judges: it is an ordinary app on an ordinary Node host.
import { readFileSync } from 'node:fs'
import { createClient, type Decision } from 'holdfast/client'
import { node } from 'holdfast/node'
import { app } from '../app.ts'
import { demoToken } from '../demo-token.ts'
import { meetParent } from './child.ts'
import { readExport, type Units } from './parse.ts'
import { type PlannedIntent, planImport } from './plan.ts'

/** What a device is told at its start. */
export interface DeviceSetup {
  readonly file: string
  readonly actor: string
  readonly units: Units
  /** The folder of its storage. */
  readonly folder: string
  /** The address of the wire. */
  readonly url: string
}

/** What a device says. */
export type DeviceSaid =
  /** Storage is loaded; it holds this many intents. */
  | { readonly is: 'ready'; readonly kept: number }
  /** All intents up to this many are durable. */
  | { readonly is: 'saved'; readonly count: number }
  /** This many intents wait for the authority. */
  | { readonly is: 'waiting'; readonly count: number }
  /** Everything is made and durable. */
  | { readonly is: 'made' }
  /** Everything is decided and its effects are here, or needs a person. */
  | { readonly is: 'quiet'; readonly applied: number; readonly failures: readonly string[] }

const { setup, say, word, over } = await meetParent<DeviceSetup>()
const plan = planImport(readExport(readFileSync(setup.file), setup.units), setup.actor)
// Intents between two words of the parent: few enough that a small file, too, can be interrupted in its middle.
const chunkSize = Math.max(1, Math.min(50, Math.ceil(plan.intents.length / 10)))
const client = createClient({
  app,
  host: node({ folder: setup.folder }),
  url: setup.url,
  session: { actor: setup.actor, token: demoToken(setup.actor) },
  // Waits short enough that an import over a bad network does not spend its time in them.
  tuning: { requestMs: 20_000, backoff: { firstMs: 20, maxMs: 200 } },
})
await client.ready
say({
  is: 'ready',
  kept: Object.values(client.status().counts).reduce((sum, count) => sum + count, 0),
} satisfies DeviceSaid)

const decisions = new Map<string, Decision>()
const failures: string[] = []
for (let from = 0; from < plan.intents.length; from += chunkSize) {
  const chunk = plan.intents.slice(from, from + chunkSize)
  const handles = chunk.map(make)
  // The next chunk is under way while the parent hears of the last one, so that a kill meets intents in every state.
  if (from > 0) await word()
  const saved = await Promise.allSettled(handles.map((handle) => handle.saved))
  for (const [index, result] of saved.entries())
    if (result.status === 'rejected') failures.push(`line ${chunk[index]?.line}: ${result.reason.message}`)
  say({ is: 'saved', count: from + chunk.length } satisfies DeviceSaid)
}
say({ is: 'made' } satisfies DeviceSaid)

const stuck = new Promise<never>((_, reject) => {
  client.onStatus(({ waiting, connection, fault }) => {
    say({ is: 'waiting', count: waiting } satisfies DeviceSaid)
    // Nobody is there to sign in again or to mend anything: say why and end.
    if (connection === 'held' || connection === 'broken')
      reject(new Error(`The device cannot go on: ${fault?.message ?? connection}`))
  })
})
await Promise.race([client.quiet(), stuck])
// Handles are settled in the turn in which the last frame came.
await new Promise((resolve) => setImmediate(resolve))
let applied = 0
for (const { id, line } of plan.intents) {
  const decision = decisions.get(id)
  if (decision?.status === 'applied') applied++
  else
    failures.push(
      `line ${line}: ${decision === undefined ? 'not decided; it waits in the outbox' : `${decision.status}, ${decision.code}`}`,
    )
}
say({ is: 'quiet', applied, failures } satisfies DeviceSaid)
await over
await client.close()
process.exit(0)

function make({ id, mutator, args }: PlannedIntent) {
  const handle =
    mutator === 'logWorkout'
      ? client.mutate.logWorkout(args as unknown as Parameters<typeof client.mutate.logWorkout>[0], { id })
      : client.mutate.logSet(args as unknown as Parameters<typeof client.mutate.logSet>[0], { id })
  void handle.decided.then((decision) => decisions.set(id, decision))
  return handle
}
