// The people: one at each device, who do in the app what people do, from the seed: on what their screen shows, alone or in bursts, with
// things built on things that were made a moment ago, and now and then they take something back. What they did and what they were
// told goes into the calls.
import type { Client } from '../client/index.ts'
import { oldApp, type SimApp } from './app.ts'
import type { Call, Calls } from './calls.ts'
import type { Checks } from './checks.ts'
import type { Device } from './device.ts'
import type { History } from './history.ts'
import type { Dice } from './random.ts'
import type { Screen } from './views.ts'
import type { World } from './world.ts'

/** What a person needs. */
export interface PersonParts {
  readonly world: World
  readonly dice: Dice
  readonly history: History
  readonly checks: Checks
  readonly calls: Calls
  readonly device: Device
  /** Ids of all gyms and actors there are, seen or not. */
  readonly gyms: readonly string[]
  readonly actors: readonly string[]
  screen(): Screen | undefined
}

/** One person at one device. */
export interface Person {
  /** Does one thing, or a burst of things. */
  act(): void
  /** Gives up what waits for a decision of a person; true when there was something. */
  tidyUp(): boolean
}

/** A mutator of the app by name, with any arguments. */
type AnyMutate = { readonly [name: string]: (args: unknown) => ReturnType<Client<SimApp>['mutate']['step']> }

/** Makes a person. */
export function createPerson({
  world,
  dice,
  history,
  checks,
  calls,
  device,
  gyms,
  actors,
  screen,
}: PersonParts): Person {
  const { actor, name: where } = device
  let made = 0
  const fresh = (kind: string): string => `${kind}-${where}-${++made}`

  const call = (client: Client<SimApp>, name: string, args: unknown): void => {
    const handle = (client.mutate as unknown as AnyMutate)[name]?.(args)
    if (handle === undefined) throw new TypeError(`The app has no mutator ${name}`)
    const made: Call = {
      id: handle.id,
      device: where,
      actor,
      name,
      args: args as Call['args'],
      madeAt: world.now(),
      told: [],
    }
    calls.set(handle.id, made)
    history.note(`${where} calls ${name} ${handle.id} ${JSON.stringify(args)}`)
    handle.saved.then(
      () => {
        made.savedAt = world.now()
        checks.check(
          'I1',
          device.safe.has(made.id),
          () => `${where} says that ${made.id} is saved, and it is not safe on its disk`,
        )
        history.note(`${where} saved ${made.id}`)
      },
      (error: { readonly code?: string }) => {
        made.refused = error.code ?? String(error)
        history.note(`${where} refused ${made.id} ${made.refused}`)
      },
    )
    handle.decided.then((decision) => {
      made.told.push(decision)
      history.note(`${where} decided ${made.id} ${JSON.stringify(decision)}`)
    })
  }

  const kg = (): number => dice.between(4, 400) / 4
  const setArgs = (workoutId: string) => ({
    id: fresh('s'),
    workoutId,
    // The older app knows no exercises.
    ...(device.app === oldApp ? {} : { exercise: dice.pick(['squat', 'bench', 'row']) ?? 'squat' }),
    reps: dice.between(1, 12),
    kg: kg(),
  })

  const discard = (client: Client<SimApp>): void => {
    const item = dice.pick(
      client.outbox().filter(({ outcome, sequence }) => outcome === undefined && sequence !== undefined),
    )
    const known = item === undefined ? undefined : calls.get(item.id)
    if (item === undefined || known === undefined) return
    known.discardedAt ??= world.now()
    history.fault('discard', where)
    client.discard(item.id).then(
      (decision) => {
        known.told.push(decision)
        history.note(`${where} discarded ${item.id} ${JSON.stringify(decision)}`)
      },
      (error: { readonly code?: string }) => history.note(`${where} could not discard ${item.id}: ${error.code}`),
    )
  }

  const deeds: { readonly [deed: string]: (client: Client<SimApp>, seen: Screen) => void } = {
    workout(client) {
      const id = fresh('w')
      call(client, 'startWorkout', { id, name: `${where} ${made}` })
      for (let sets = dice.between(0, 4); sets > 0; sets--) call(client, 'logSet', setArgs(id))
      if (dice.chance(0.2)) call(client, 'finishWorkout', { id })
    },
    set: (client, { workouts }) => onOne(workouts.rows, ({ id }) => call(client, 'logSet', setArgs(id))),
    edit: (client, { sets }) =>
      onOne(sets.rows, ({ id }) => call(client, 'editSet', { id, reps: dice.between(1, 12), kg: kg() })),
    move: (client, { sets, workouts }) =>
      onOne(sets.rows, ({ id }) => onOne(workouts.rows, (to) => call(client, 'moveSet', { id, workoutId: to.id }))),
    drop: (client, { sets }) => onOne(sets.rows, ({ id }) => call(client, 'deleteSets', { id })),
    lightest: (client, { workouts }) =>
      onOne(workouts.rows, ({ id }) => call(client, 'dropLightest', { workoutId: id, below: kg() })),
    finish: (client, { workouts }) => onOne(workouts.rows, ({ id }) => call(client, 'finishWorkout', { id })),
    rename: (client, { workouts }) =>
      onOne(workouts.rows, ({ id }) =>
        call(client, 'updateWorkouts', { id, name: `renamed ${++made}`, isOpen: dice.chance(0.8) }),
      ),
    dropWorkout: (client, { workouts }) => onOne(workouts.rows, ({ id }) => call(client, 'dropWorkout', { id })),
    step: (client) => call(client, 'step', { id: `t-${actor}-${dice.below(2)}`, by: dice.between(1, 9) }),
    use: (client, { machines }) => onOne(machines.rows, ({ id }) => call(client, 'useMachine', { id })),
    repair: (client, { machines }) =>
      onOne(machines.rows, ({ id }) =>
        call(client, 'repairMachine', { machineId: id, cost: dice.between(1, 9_999) / 100 }),
      ),
    moveMachine: (client, { machines }) =>
      onOne(machines.rows, ({ id }) => call(client, 'moveMachine', { id, gymId: dice.pick(gyms) ?? '' })),
    newMachine: (client) =>
      call(client, 'insertMachines', {
        id: fresh('m'),
        gymId: dice.pick(gyms) ?? '',
        name: `machine ${made}`,
        uses: 0,
      }),
    nameMachine: (client, { machines }) =>
      onOne(machines.rows, ({ id }) => call(client, 'updateMachines', { id, name: `machine ${++made}` })),
    dropMachine: (client, { machines }) => onOne(machines.rows, ({ id }) => call(client, 'deleteMachines', { id })),
    labelMachine: (client, { machines }) =>
      onOne(machines.rows, ({ id, uses }) => call(client, 'nameMachine', { id, name: `label ${++made}`, uses })),
    inspect: (client, { machines }) =>
      onOne(machines.rows, ({ id }) => call(client, 'inspectMachine', { id, name: `inspected ${++made}` })),
    restore: (client, { conflicts }) =>
      onOne(conflicts.rows, ({ id }) =>
        call(
          client,
          'restoreConflict',
          dice.chance(0.7) ? { id } : { id, values: dice.chance(0.5) ? 'mine' : 'theirs' },
        ),
      ),
    dismiss: (client, { conflicts }) => onOne(conflicts.rows, ({ id }) => call(client, 'dismissConflict', { id })),
    visit: (client) => call(client, 'visit', { id: fresh('v'), gymId: dice.pick(gyms) ?? '' }),
    role(client, { members }) {
      const member = dice.pick(members.rows.filter(({ actorId }) => actors.includes(actorId)))
      if (member !== undefined)
        call(client, 'setRole', { id: member.id, role: dice.weighted({ reader: 2, member: 5, none: 1 }) })
    },
    discard: (client) => discard(client),
  }
  const habits = {
    workout: 8,
    set: 22,
    edit: 9,
    move: 5,
    drop: 3,
    lightest: 3,
    finish: 3,
    rename: 4,
    dropWorkout: 1,
    step: 16,
    use: 14,
    repair: 4,
    moveMachine: 2,
    newMachine: 2,
    nameMachine: 2,
    labelMachine: 5,
    inspect: 4,
    restore: 2,
    dismiss: 1,
    dropMachine: 0.5,
    visit: 9,
    role: 1,
    discard: 4,
  }

  function onOne<Item>(items: readonly Item[], run: (item: Item) => void): void {
    const item = dice.pick(items)
    if (item !== undefined) run(item)
  }

  return {
    act() {
      const { client } = device
      if (client === undefined || device.isFrozen) return
      const seen = screen()
      // Before the client is loaded there is nothing to see, but calls are kept.
      if (seen === undefined) return call(client, 'step', { id: `t-${actor}-0`, by: 1 })
      for (let things = Number(dice.weighted({ 1: 10, 2: 5, 4: 3, 12: 1 })); things > 0; things--)
        deeds[dice.weighted(habits)]?.(client, seen)
    },
    tidyUp() {
      const { client } = device
      const parked = client?.outbox().filter((item) => item.parked !== undefined) ?? []
      for (const { id } of parked) {
        const known = calls.get(id)
        if (known !== undefined) known.discardedAt ??= world.now()
      }
      return parked.length > 0
    },
  }
}
