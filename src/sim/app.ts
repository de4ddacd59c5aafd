// The app that simulated people use: workouts of one person, and gyms that several share. Small, but with everything that an app
// can declare: rows two steps below their scope, rows that move between scopes, positions, derived rows, counters that are read
// and written again (which show a run that was lost or doubled), ranges, refusals, generated mutators, and grants kept in a table.
// What each mutator means is written a second time, without the engine, in model.ts.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { derivedUuid } from '../base/random.ts'
import { compute, count, defineApp, type Mutator, type MutatorBody, max, min, sum, t, table } from '../schema/index.ts'
import { makeMutator } from '../schema/mutator.ts'

/** How often a machine may be used before it has to be repaired. */
export const WORN_AT = 12

type Field = 'text' | 'number' | 'integer'
type FieldValue<F extends Field> = F extends 'text' ? string : number

/** A schema that takes objects with exactly these members, so that the simulator depends on no library for schemas. */
function fields<const Shape extends { readonly [name: string]: Field }>(
  shape: Shape,
): StandardSchemaV1<{ readonly [Name in keyof Shape]: FieldValue<Shape[Name]> }> {
  const fits = (field: Field, value: unknown): boolean =>
    field === 'text'
      ? typeof value === 'string' && value.length > 0
      : field === 'number'
        ? Number.isFinite(value)
        : Number.isSafeInteger(value)
  return {
    '~standard': {
      version: 1,
      vendor: 'holdfast-sim',
      validate(value) {
        if (typeof value !== 'object' || value === null) return { issues: [{ message: 'must be an object' }] }
        const members = value as { readonly [name: string]: unknown }
        const wrong = [...Object.keys(members), ...Object.keys(shape)].find(
          (name) => !Object.hasOwn(shape, name) || !fits(shape[name] as Field, members[name]),
        )
        if (wrong !== undefined) return { issues: [{ message: 'does not fit', path: [wrong] }] }
        return { value: members as { readonly [Name in keyof Shape]: FieldValue<Shape[Name]> } }
      },
    },
  }
}

const SetFields = fields({ id: 'text', workoutId: 'text', exercise: 'text', reps: 'integer', kg: 'number' })

/** The app. */
export const app = defineApp({
  tables: {
    workouts: table({
      id: t.id(),
      ownerId: t.text(),
      name: t.text(),
      isOpen: t.boolean(),
      note: t.json().nullable(),
    }).scope('user', 'ownerId'),
    sets: table({
      id: t.id(),
      workoutId: t.ref('workouts'),
      position: t.appendIndex('workoutId'),
      exercise: t.text(),
      reps: t.integer(),
      kg: t.real(),
    }).scopeVia('workoutId'),
    tallies: table({ id: t.id(), ownerId: t.text(), steps: t.integer() }).scope('user', 'ownerId'),
    gyms: table({ id: t.id(), name: t.text() }).scope('gym', 'id'),
    members: table({ id: t.id(), gymId: t.text(), actorId: t.text(), role: t.text() }).scope('gym', 'gymId'),
    machines: table({ id: t.id(), gymId: t.ref('gyms'), name: t.text(), uses: t.integer() }).scopeVia('gymId'),
    visits: table({ id: t.id(), gymId: t.ref('gyms'), actorId: t.text(), position: t.appendIndex('gymId') }).scopeVia(
      'gymId',
    ),
    repairs: table({
      id: t.id(),
      machineId: t.ref('machines'),
      position: t.appendIndex('machineId'),
      cost: t.real(),
    }).scopeVia('machineId'),
  },
  aggregates: ({ aggregate }) => ({
    workoutTotals: aggregate('sets')
      .by('workoutId')
      .values({
        sets: count(),
        volume: sum((set) => set.reps * set.kg, { decimals: 2 }),
        heaviest: max((set) => (set.reps > 0 ? set.kg : null)),
        exercises: compute((sets) => [...new Set(sets.map(({ exercise }) => exercise))].join(', ')),
      }),
    gymTotals: aggregate('visits')
      .by('gymId')
      .values({ visits: count(), people: compute((visits) => new Set(visits.map(({ actorId }) => actorId)).size) }),
    repairTotals: aggregate('repairs')
      .by('machineId')
      .values({
        repairs: count(),
        cost: sum((repair) => repair.cost, { decimals: 2 }),
        cheapest: min((repair) => repair.cost),
      }),
  }),
  mutators: ({ mutator, generated }) => ({
    startWorkout: mutator(fields({ id: 'text', name: 'text' }), async (tx, { id, name }) => {
      await tx.workouts.insert({ id, ownerId: tx.actor, name, isOpen: true, note: { madeAt: tx.now } })
    }),
    logSet: mutator(
      SetFields,
      async (tx, set) => {
        const workout = await tx.workouts.get(set.workoutId)
        if (workout === undefined) return tx.reject('no_workout')
        if (!workout.isOpen) return tx.reject('workout_closed', { name: workout.name })
        await tx.sets.insert(set)
      },
      {
        version: 2,
        describe: ({ exercise, reps, kg }) => `${exercise}: ${reps} × ${kg} kg`,
        upgrades: { 1: (args) => ({ ...(args as object), exercise: 'squat' }) },
      },
    ),
    editSet: mutator(fields({ id: 'text', reps: 'integer', kg: 'number' }), async (tx, { id, reps, kg }) => {
      await tx.sets.update(id, { reps, kg })
    }),
    moveSet: mutator(fields({ id: 'text', workoutId: 'text' }), async (tx, { id, workoutId }) => {
      if ((await tx.workouts.get(workoutId)) === undefined) return tx.reject('no_workout')
      await tx.sets.update(id, { workoutId })
    }),
    finishWorkout: mutator(fields({ id: 'text' }), async (tx, { id }) => {
      const sets = await tx.sets.where({ workoutId: id }).all()
      if (sets.length === 0) return tx.reject('workout_empty')
      await tx.workouts.update(id, { isOpen: false })
    }),
    dropLightest: mutator(fields({ workoutId: 'text', below: 'number' }), async (tx, { workoutId, below }) => {
      const light = await tx.sets
        .where({ workoutId, kg: { lt: below } })
        .orderBy('kg')
        .limit(2)
        .all()
      for (const { id } of light) await tx.sets.delete(id)
    }),
    dropWorkout: mutator(fields({ id: 'text' }), async (tx, { id }) => {
      for (const set of await tx.sets.where({ workoutId: id }).all()) await tx.sets.delete(set.id)
      await tx.workouts.delete(id)
    }),
    step: mutator(fields({ id: 'text', by: 'integer' }), async (tx, { id, by }) => {
      const tally = await tx.tallies.get(id)
      if (tally === undefined) await tx.tallies.insert({ id, ownerId: tx.actor, steps: by })
      else await tx.tallies.update(id, { steps: tally.steps + by })
    }),
    useMachine: mutator(fields({ id: 'text' }), async (tx, { id }) => {
      const machine = await tx.machines.get(id)
      if (machine === undefined) return tx.reject('no_machine')
      if (machine.uses >= WORN_AT) return tx.reject('machine_worn', { uses: machine.uses })
      await tx.machines.update(id, { uses: machine.uses + 1 })
    }),
    repairMachine: mutator(fields({ machineId: 'text', cost: 'number' }), async (tx, { machineId, cost }) => {
      await tx.machines.update(machineId, { uses: 0 })
      await tx.repairs.insert({ id: tx.newId('repair'), machineId, cost })
    }),
    nameMachine: mutator(
      fields({ id: 'text', name: 'text', uses: 'integer' }),
      async (tx, { id, name, uses }) => {
        await tx.machines.update(id, { name, uses })
      },
      { conflict: 'fields' },
    ),
    inspectMachine: mutator(
      fields({ id: 'text', name: 'text' }),
      async (tx, { id, name }) => {
        const machine = await tx.machines.get(id)
        if (machine === undefined) return tx.reject('no_machine')
        await tx.machines.update(id, { name: `${name} after ${machine.uses}` })
      },
      { conflict: 'reject' },
    ),
    moveMachine: mutator(fields({ id: 'text', gymId: 'text' }), async (tx, { id, gymId }) => {
      if ((await tx.gyms.get(gymId)) === undefined) return tx.reject('no_gym')
      await tx.machines.update(id, { gymId })
    }),
    visit: mutator(fields({ id: 'text', gymId: 'text' }), async (tx, { id, gymId }) => {
      await tx.visits.insert({ id, gymId, actorId: tx.actor })
    }),
    setRole: mutator(fields({ id: 'text', role: 'text' }), async (tx, { id, role }) => {
      if (role === 'none') await tx.members.delete(id)
      else await tx.members.update(id, { role })
    }),
    ...generated('machines'),
    deleteSets: generated('sets').deleteSets,
    updateWorkouts: generated('workouts').updateWorkouts,
  }),
})

/** The app's own type. */
export type SimApp = typeof app

/**
 * The app as devices have it that were not updated yet: there a set has no exercise, it was always a squat. What such a device has
 * queued is of version 1 for ever; a newer device, and the authority, turn it into version 2 just before each run.
 */
export const oldApp: SimApp = Object.freeze({
  ...app,
  fingerprint: derivedUuid(app.fingerprint, 'old'),
  mutators: Object.freeze({ ...app.mutators, logSet: oldLogSet() as never }),
})

function oldLogSet(): Mutator {
  const schema = fields({ id: 'text', workoutId: 'text', reps: 'integer', kg: 'number' })
  const body: MutatorBody<
    SimApp['tables'],
    { readonly id: string; readonly workoutId: string; readonly reps: number; readonly kg: number }
  > = async (tx, set) => {
    const workout = await tx.workouts.get(set.workoutId)
    if (workout === undefined) return tx.reject('no_workout')
    if (!workout.isOpen) return tx.reject('workout_closed', { name: workout.name })
    await tx.sets.insert({ ...set, exercise: 'squat' })
  }
  return makeMutator(schema, body as never)
}

/** A row of the table of members grants by its role: readers read the gym, members also write into it. */
export type Role = 'reader' | 'member'
