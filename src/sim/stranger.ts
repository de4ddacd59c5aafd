// A stranger with a program of his own instead of the app: he is signed in as one of the actors, knows ids that he was never shown, and
// forges pushes and pulls. What he is allowed happens, what he is not is refused, by the same model as for everybody (I9).

import type { Json } from '../base/json.ts'
import { randomUuid } from '../base/random.ts'
import type { NetworkAnswer } from '../client/host.ts'
import type { PushRequest } from '../protocol/push.ts'
import { PROTOCOL } from '../protocol/version.ts'
import { app } from './app.ts'
import { AUTHORITY_URL } from './authority.ts'
import type { Checks } from './checks.ts'
import type { History } from './history.ts'
import type { SimNetwork } from './network.ts'
import type { Dice } from './random.ts'
import type { Truth } from './truth.ts'
import type { World } from './world.ts'

/** A stranger. */
export interface Stranger {
  readonly name: string
  readonly actor: string
  /** Whatever he sends counts as safe: he has no disk. */
  readonly safe: { has(id: string): boolean }
  act(): void
}

/** What a stranger needs. */
export interface StrangerParts {
  readonly world: World
  readonly dice: Dice
  readonly history: History
  readonly checks: Checks
  readonly truth: Truth
  readonly network: SimNetwork
  readonly actor: string
  readonly gyms: readonly string[]
}

type Forged = readonly [name: string, args: { readonly [name: string]: Json }]

/** Makes a stranger who is signed in as `actor`. */
export function createStranger({ world, dice, history, checks, truth, network, actor, gyms }: StrangerParts): Stranger {
  const name = `stranger-${actor}`
  const connection = network.connect(network.line(name), { isAlive: () => true, hear: (run) => run() })
  let made = 0

  const any = (table: string): string => dice.pick([...truth.model.rows(table).keys()]) ?? 'nothing'
  /** The id of a row that is gone while others still refer to it. */
  const lost = (table: string, column: string, parents: string): string => {
    const ids = [...truth.model.rows(table).values()].map((row) => String(row[column]))
    return dice.pick(ids.filter((id) => !truth.model.rows(parents).has(id))) ?? `${parents}-${name}-${++made}`
  }
  const gym = (): string => dice.pick(gyms) ?? ''
  const forge = (): Forged =>
    dice.pick<() => Forged>([
      () => ['logSet', { id: `s-${name}-${++made}`, workoutId: any('workouts'), exercise: 'row', reps: 1, kg: 1 }],
      () => ['editSet', { id: any('sets'), reps: 99, kg: 99 }],
      () => ['moveSet', { id: any('sets'), workoutId: any('workouts') }],
      () => ['deleteSets', { id: any('sets') }],
      () => ['dropLightest', { workoutId: any('workouts'), below: 50 }],
      () => ['dropWorkout', { id: any('workouts') }],
      () => ['updateWorkouts', { id: any('workouts'), name: 'mine' }],
      () => ['updateWorkouts', { id: any('workouts'), ownerId: actor }],
      () => ['startWorkout', { id: any('workouts'), name: 'mine too' }],
      // Twice as often as the others: whoever takes the id of a lost parent takes what is left under it.
      () => ['startWorkout', { id: lost('sets', 'workoutId', 'workouts'), name: 'lost' }],
      () => ['startWorkout', { id: lost('sets', 'workoutId', 'workouts'), name: 'found' }],
      () => ['insertMachines', { id: lost('repairs', 'machineId', 'machines'), gymId: gym(), name: 'found', uses: 0 }],
      () => ['step', { id: any('tallies'), by: 1_000 }],
      () => ['moveMachine', { id: any('machines'), gymId: gym() }],
      () => ['insertMachines', { id: any('machines'), gymId: gym(), name: 'mine', uses: 0 }],
      () => ['deleteMachines', { id: any('machines') }],
      () => ['repairMachine', { machineId: any('machines'), cost: 1 }],
      () => ['visit', { id: `v-${name}-${++made}`, gymId: gym() }],
      () => ['setRole', { id: any('members'), role: 'member' }],
    ])?.() ?? ['step', {}]

  const send = (path: 'push' | 'pull', body: unknown, judge: (answer: NetworkAnswer) => void): void => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${actor}` }
    connection
      .exchange({ path, url: `${AUTHORITY_URL}/${path}`, headers, body: JSON.stringify(body) }, 30_000)
      .answer.then(judge, () => {})
  }
  const caller = (client: string, last: number) => ({
    protocol: PROTOCOL,
    app: app.fingerprint,
    actor,
    client,
    last,
    stored: 0,
  })

  const push = (): void => {
    const intents = Array.from({ length: dice.between(1, 4) }, (_, index) => {
      const [mutator, args] = forge()
      return {
        sequence: index + 1,
        id: randomUuid(dice),
        name: mutator,
        version: mutator === 'logSet' ? 2 : 1,
        args,
        madeAt: 0,
      }
    })
    send('push', { ...caller(randomUuid(dice), intents.length), intents } as unknown as PushRequest, () => {})
  }

  /** In the name of somebody else, nothing is decided and nothing is told. */
  const pretend = (): void => {
    const other = dice.pick(['ann', 'bob', 'cem'].filter((each) => each !== actor)) ?? ''
    const [mutator, args] = forge()
    const intents = [{ sequence: 1, id: randomUuid(dice), name: mutator, version: 1, args, madeAt: 0 }]
    const isPush = dice.chance(0.5)
    const body = { ...caller(randomUuid(dice), 1), actor: other, ...(isPush ? { intents } : { cursors: [] }) }
    send(isPush ? 'push' : 'pull', body, judgeRefusal(`in the name of ${other}`))
  }

  /** Whatever stands between may answer 200 too, but not with anything that the authority says. */
  const judgeRefusal =
    (how: string) =>
    ({ status, body }: NetworkAnswer): void =>
      checks.check(
        'I9',
        status !== 200 || !body.includes('requestId'),
        () => `${name} is answered ${how}: ${body.slice(0, 300)}`,
      )

  /** Under the client id of somebody else neither. */
  const impersonate = (): void => {
    const others = [...truth.book.places].filter(([, places]) => [...places.values()][0]?.actor !== actor)
    const client = dice.pick(others)?.[0]
    if (client === undefined) return
    const [mutator, args] = forge()
    const intents = [{ sequence: 1_000, id: randomUuid(dice), name: mutator, version: 1, args, madeAt: 0 }]
    const isPush = dice.chance(0.5)
    const body = { ...caller(client, 1_000), ...(isPush ? { intents } : { cursors: [] }) }
    send(isPush ? 'push' : 'pull', body, judgeRefusal(`as the client ${client} of somebody else`))
  }

  const pull = (): void => {
    const scopes = [
      ...new Set([...truth.model.grants(actor).read, 'gym:g1', 'gym:g2', 'user:ann', 'user:bob', 'user:nobody']),
    ]
    const cursors = scopes
      .filter(() => dice.chance(0.6))
      .map((scope) => ({
        scope,
        version: dice.below(40),
        mark: dice.chance(0.5) ? '' : [...dice.bytes(8)].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
      }))
    send('pull', { ...caller(randomUuid(dice), 0), cursors }, () => {})
  }

  return {
    name,
    actor,
    safe: { has: () => true },
    act() {
      history.fault('forged', name)
      history.note(`${name} acts at ${world.now()}`)
      const deed = dice.weighted({ push: 6, impersonate: 2, pretend: 1, pull: 2 })
      if (deed === 'push') push()
      else if (deed === 'pull') pull()
      else if (deed === 'pretend') pretend()
      else impersonate()
    },
  }
}
