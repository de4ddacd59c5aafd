// The app of the browser tests: sets in a workout. A set bears which device logged it and a running number, and its id comes from its
// intent: an intent that were kept twice or decided twice would leave two rows of one number, instead of hiding behind one id.
import { defineApp, t, table } from 'holdfast'
import * as v from 'valibot'

export const app = defineApp({
  tables: {
    workouts: table({ id: t.id(), ownerId: t.text() }).scope('user', 'ownerId'),
    sets: table({
      id: t.id(),
      workoutId: t.ref('workouts'),
      position: t.appendIndex('workoutId'),
      device: t.text(),
      number: t.integer(),
    }).scopeVia('workoutId'),
  },
  mutators: ({ mutator }) => ({
    startWorkout: mutator(v.object({ id: v.string() }), async (tx, { id }) =>
      tx.workouts.insert({ id, ownerId: tx.actor }),
    ),
    logSet: mutator(v.object({ workoutId: v.string(), device: v.string(), number: v.number() }), async (tx, set) =>
      tx.sets.insert({ ...set, id: tx.newId('set') }),
    ),
    /** Several rows in one intent, which arrive in one frame. */
    logSets: mutator(
      v.object({ workoutId: v.string(), device: v.string(), numbers: v.array(v.number()) }),
      async (tx, { workoutId, device, numbers }) => {
        for (const number of numbers) await tx.sets.insert({ id: tx.newId(`set ${number}`), workoutId, device, number })
      },
    ),
  }),
})
