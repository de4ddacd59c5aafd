// Mutators run by the server's own code: the same path as a push of one intent, under a client that belongs to this authority.
// An outcome is recorded under (actor, intent id) like any other, so a call repeated with its id gives it again.
import { SyncError } from '../base/errors.ts'
import { type Json, jsonProblem } from '../base/json.ts'
import { randomUuid } from '../base/random.ts'
import { type ClientId, type IntentId, parseActor, parseIntentId, type Sequence } from '../protocol/ids.ts'
import { type Outcome, outcomeOf } from '../protocol/outcome.ts'
import type { Writer } from './sync/writer.ts'
import type { World } from './world.ts'

/** Runs a mutator as an actor; see `Authority.run`. */
export type Run = (
  actor: string,
  name: string,
  args: Json,
  options?: { readonly id?: string },
) => Promise<Outcome & { readonly repeated?: true }>

/** Makes `run`. Each authority is a client of its own, whose numbers are given as its intents are decided. */
export function createRun({ app, host }: World, writer: Writer, ready: Promise<void>): Run {
  const client = randomUuid(host.random) as ClientId
  return async (actor, name, args, options = {}) => {
    const mutator = Object.hasOwn(app.mutators, name) ? app.mutators[name] : undefined
    if (mutator === undefined)
      throw new SyncError('mutator_unknown', `authority.run was called with ${name}, which the app does not declare`)
    const problem = jsonProblem(args)
    if (problem !== undefined) throw new TypeError(`authority.run: in the arguments of ${name}, ${problem}`)
    await ready
    const requestId = randomUuid(host.random)
    const verdict = await writer.push({
      actor: parseActor(actor),
      client,
      owner: '',
      last: Number.MAX_SAFE_INTEGER,
      stored: 0,
      entries: [
        {
          sequence: 1 as Sequence,
          id: options.id === undefined ? (randomUuid(host.random) as IntentId) : parseIntentId(options.id),
          name,
          version: mutator.version,
          args,
          madeAt: host.clock.now(),
        },
      ],
      takesNext: true,
      requestId,
    })
    const [range] = verdict.outcomes
    if (range === undefined)
      throw new SyncError('fault', verdict.stop?.detail ?? `${name} was not decided`, { requestId })
    return range.repeated ? { ...outcomeOf(range), repeated: true } : outcomeOf(range)
  }
}
