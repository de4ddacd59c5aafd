// Code of the app's own server: it runs mutators through the authority for some actor, under ids of its own, and when it heard nothing
// (the process died, a statement failed) or for no reason at all, it runs the same again under the same id. Each must count once.
import { randomUuid } from '../base/random.ts'
import type { AuthorityNode } from './authority.ts'
import type { Call, Calls } from './calls.ts'
import type { Checks } from './checks.ts'
import type { History } from './history.ts'
import type { Dice } from './random.ts'
import type { Truth } from './truth.ts'
import type { World } from './world.ts'

/** The server's own code. */
export interface ServerCode {
  /** Runs something; false while the authority is down. */
  run(): boolean
}

/** What it needs. */
export interface ServerCodeParts {
  readonly world: World
  readonly dice: Dice
  readonly history: History
  readonly checks: Checks
  readonly calls: Calls
  readonly truth: Truth
  readonly authority: AuthorityNode
  readonly actors: readonly string[]
  readonly gyms: readonly string[]
}

/** Makes it. */
export function createServerCode({
  world,
  dice,
  history,
  checks,
  calls,
  truth,
  authority,
  actors,
  gyms,
}: ServerCodeParts): ServerCode {
  const ran: Call[] = []

  const think = (): Call => {
    const actor = dice.pick(actors) ?? ''
    const [name, args] = dice.pick<readonly [string, Call['args']]>([
      ['step', { id: `t-${actor}-0`, by: dice.between(1, 9) }],
      ['visit', { id: `v-server-${ran.length}`, gymId: dice.pick(gyms) ?? '' }],
      ['useMachine', { id: dice.pick([...truth.model.rows('machines').keys()]) ?? 'none' }],
    ]) ?? ['step', {}]
    const id = randomUuid(dice)
    const call: Call = { id, device: 'server', actor, name, args, madeAt: world.now(), told: [] }
    calls.set(id, call)
    ran.push(call)
    // It was not made on a device, so none says when; what is run here does not ask.
    truth.learn({ id, root: id, actor, name, args: args as { readonly [name: string]: string }, madeAt: 0, needs: [] })
    return call
  }

  return {
    run() {
      if (!authority.isUp) return false
      const call = (dice.chance(0.35) ? dice.pick(ran) : undefined) ?? think()
      const { id, actor, name, args } = call
      history.note(`server runs ${name} ${id}`)
      authority.run(actor, name, args, id)?.then(
        (outcome) => {
          const recorded = truth.book.intents.get(`${actor}/${id}`)
          const told = `${outcome.status} ${outcome.status === 'applied' ? '' : outcome.code}`
          checks.check(
            'I3',
            told === `${recorded?.status} ${recorded?.code}`,
            () =>
              `the server is told that ${name} ${id} is ${told}, the ledger says ${recorded?.status} ${recorded?.code}`,
          )
          call.told.push({ ...outcome, repeated: call.told.length > 0 })
          history.note(`server is told ${id} ${told}`)
        },
        (error: { readonly code?: string }) => history.note(`server hears nothing of ${id}: ${error.code}`),
      )
      return true
    },
  }
}
